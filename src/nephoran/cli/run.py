"""`nephoran run`: the operator against a cluster."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from nephoran.cli.configured import Configured

if TYPE_CHECKING:
    from collections.abc import Callable

    from opentelemetry.trace import Tracer

    from nephoran.configuration import Configuration, Log
    from nephoran.intent.interpret import Interpreter
    from nephoran.metrics import OperatorMetrics
    from nephoran.repository import IntentRepository, Repository
    from steady import BackoffManager, Manager, Options
    from steady.client import Connection, Transport
    from steady.configuration import Loaded

_ASK_TIMEOUT = 10.0  # seconds


@click.command(cls=Configured)
def run(read: Callable[[], Loaded[Configuration]]) -> None:
    """Run the operator against a cluster, or in one.

    Every option can be an environment variable NEPHORAN_… or a key of the file; `nephoran config reference` has more.
    """
    from nephoran.metrics import OperatorMetrics
    from steady import tasks
    from steady.client import connect
    from steady.errors import SteadyError

    loaded = read()
    configuration = loaded.value
    _log_as(configuration.log)
    connection = connect(configuration.kubeconfig or None, configuration.context or None)
    connection.tls()
    metrics = OperatorMetrics()
    repository = _repository(configuration, metrics)
    try:
        tasks.run(_serve(read, loaded, repository, connection, metrics))
    except SteadyError as error:
        click.echo(f"nephoran: {error}", err=True)
        sys.exit(1)


def manager(
    configuration: Configuration,
    repository: IntentRepository,
    transport: Callable[[], Transport],
    metrics: OperatorMetrics | None = None,
    *,
    home: str = "default",
    backoff: BackoffManager | None = None,
    interpreter: Interpreter | None = None,
) -> Manager:
    """The operator, put together; `home` is the namespace of the Lease where the configuration names none."""
    from nephoran import failures
    from nephoran.addresses import AddressPolicy
    from nephoran.controllers import REMEMBERED, Meanings, Settings, intent_controller, node_set_controller
    from nephoran.e2.fleet import Fleet
    from nephoran.e2.ric import RicClients
    from nephoran.intent.interpret import RuleInterpreter
    from nephoran.metrics import OperatorMetrics
    from steady import Manager
    from steady.clock import SystemClock

    settings = Settings(
        images=configuration.images,
        namespaces=configuration.allow.pairs,
        verify=configuration.verify,
        deadline=configuration.verify_deadline,
    )
    metrics = metrics or OperatorMetrics()
    parallel = configuration.ric.parallel
    rics = RicClients(AddressPolicy(configuration.allow.addresses), parallel=parallel)
    fleet = Fleet(metrics.connect(rics), SystemClock(), parallel)
    reader, meanings = metrics.interpreter(interpreter or RuleInterpreter()), Meanings(REMEMBERED)
    operator = Manager(
        intent_controller(reader, repository, settings, configuration.controllers.networkintent, meanings),
        node_set_controller(fleet, configuration.controllers.e2nodeset),
        options=_options(configuration, home),
        services=[repository, rics, fleet],
        transport=transport,
        backoff=failures.backoff(configuration.backoff.by_type()) if backoff is None else backoff,
        metrics=metrics.runtime,
        tracer=_tracer() if configuration.tracing.enabled else None,
    )
    metrics.follow(fleet, operator.stores)
    metrics.memories(meanings=meanings)
    metrics.watch(repository.drift)
    return operator


async def _serve(
    read: Callable[[], Loaded[Configuration]],
    loaded: Loaded[Configuration],
    repository: IntentRepository,
    connection: Connection,
    metrics: OperatorMetrics,
) -> None:
    from nephoran import failures
    from nephoran.cli.live import Live
    from steady.client import HttpTransport

    await _reached(connection)
    backoff = failures.backoff(loaded.value.backoff.by_type())
    running = manager(
        loaded.value, repository, lambda: HttpTransport(connection), metrics, home=connection.namespace, backoff=backoff
    )
    live = Live(read, loaded, running, backoff)
    asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, live.reload)
    await running.serve(signals=True)


def _tracer() -> Tracer:
    """Makes the operator's spans. Raises ConfigurationError where nothing is installed that could."""
    from steady.errors import ConfigurationError

    try:
        from opentelemetry.trace import get_tracer
    except ImportError as error:
        raise ConfigurationError("tracing.enabled: install the extra first: pip install 'nephoran[otel]'") from error
    return get_tracer("nephoran")


def _log_as(log: Log) -> None:
    from steady.logs import JsonFormatter

    handler = logging.StreamHandler()
    text = logging.Formatter("%(asctime)s %(levelname)s %(name)s: %(message)s")
    handler.setFormatter(JsonFormatter() if log.format == "json" else text)
    logging.basicConfig(level=log.level.upper(), handlers=[handler])


def _repository(configuration: Configuration, metrics: OperatorMetrics) -> Repository:
    from nephoran.repository import Repository
    from steady.clock import SystemClock

    git = configuration.git
    return Repository(
        git.url or None,
        work=Path(configuration.work).expanduser(),
        clock=SystemClock(),
        branch=git.branch,
        base=git.path,
        cluster=configuration.cluster,
        author=(git.author_name, git.author_email),
        push_timeout=git.push_timeout,
        fetch_timeout=git.fetch_timeout,
        protocols=git.protocols,
        config_global=Path(git.config).expanduser() if git.config else None,
        meter=metrics.landing,
        looks=git.drift,
    )


def _options(configuration: Configuration, home: str) -> Options:
    from nephoran.api.names import LEASE
    from steady import Key, Options

    lease = configuration.lease
    return Options(
        name="nephoran",
        namespace=configuration.namespace,
        lease=Key(lease.namespace or home, LEASE) if lease.enabled else None,
        lease_config=lease,
        probe_host=configuration.probe_host,
        probe_port=configuration.probe_port,
        batch=configuration.batch,
        grace=configuration.grace,
        limiter=configuration.limiter,
    )


async def _reached(connection: Connection) -> None:
    """Ask the server its version. Raises why it cannot be asked: a clear end is better than to wait for ever."""
    from steady.client import HttpTransport, Request
    from steady.errors import Unauthorized

    transport = HttpTransport(connection)
    try:
        answer = await transport.send(Request("GET", "/version", timeout=_ASK_TIMEOUT))
    finally:
        await transport.close()
    if answer.status == 401:
        raise Unauthorized(401, "Unauthorized", f"{connection.server} does not accept the kubeconfig's credentials")
