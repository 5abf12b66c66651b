"""`nephoran run`: the operator against a cluster."""

from __future__ import annotations

import asyncio
import logging
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from nephoran.controllers import Settings
    from nephoran.metrics import OperatorMetrics
    from nephoran.repository import IntentRepository
    from steady import Manager, Options
    from steady.client import Connection, Transport

_ASK_TIMEOUT = 10.0  # seconds


@click.command(context_settings={"auto_envvar_prefix": "NEPHORAN"})
@click.option(
    "--kubeconfig", type=click.Path(path_type=Path), help="Kubeconfig; else $KUBECONFIG, the pod's account, ~."
)
@click.option("--context", help="Context of the kubeconfig.")
@click.option("--namespace", default="", help="Watch only this namespace.")
@click.option("--git-url", default="", help="Remote that receives the manifests; without it --work itself does.")
@click.option("--git-branch", default="main", show_default=True)
@click.option("--git-path", default="networkintents", show_default=True, help="Directory for all intents.")
@click.option(
    "--git-config", type=click.Path(path_type=Path), help="Git configuration to use, such as a credential helper."
)
@click.option("--work", type=click.Path(path_type=Path), help="Directory for the local repository.")
@click.option("--cluster", default="default", show_default=True, help="This cluster's name in records.")
@click.option("--image", "images", multiple=True, metavar="COMPONENT=IMAGE", help="Image of a network function.")
@click.option(
    "--allow-namespace", "namespaces", multiple=True, metavar="FROM=TO", help="Manifests of FROM may go to TO."
)
@click.option("--allow-address", "addresses", multiple=True, metavar="HOST[:PORT]", help="A RIC may be there.")
@click.option("--verify", type=click.Choice(["commit", "deployments"]), default="commit", show_default=True)
@click.option("--lease/--no-lease", default=True, show_default=True, help="Elect a leader over a Lease.")
@click.option("--lease-namespace", default="", show_default="the context's", help="Namespace of the Lease.")
@click.option("--probes", default="127.0.0.1:8080", show_default=True, metavar="HOST:PORT", help="Health and metrics.")
@click.option(
    "--log-level", default="info", show_default=True, type=click.Choice(["debug", "info", "warning", "error"])
)
def run(  # noqa: PLR0917 - one parameter per option
    kubeconfig: Path | None,
    context: str | None,
    namespace: str,
    git_url: str,
    git_branch: str,
    git_path: str,
    git_config: Path | None,
    work: Path | None,
    cluster: str,
    images: tuple[str, ...],
    namespaces: tuple[str, ...],
    addresses: tuple[str, ...],
    verify: Literal["commit", "deployments"],
    lease: bool,
    lease_namespace: str,
    probes: str,
    log_level: str,
) -> None:
    """Run the operator against a cluster, or in one. Every option can be an environment variable NEPHORAN_…."""
    from nephoran.api.names import LEASE
    from nephoran.controllers import Settings
    from nephoran.metrics import OperatorMetrics
    from nephoran.repository import Repository
    from steady import Key, Options
    from steady.client import HttpTransport, connect
    from steady.clock import SystemClock
    from steady.errors import ConfigurationError, SteadyError

    logging.basicConfig(level=log_level.upper(), format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    host, _, port = probes.rpartition(":")
    if not host or not port.isdigit():
        raise ConfigurationError(f"--probes {probes!r}: expected HOST:PORT")
    settings = Settings(
        images=_pairs(images, "--image", "COMPONENT=IMAGE"),
        namespaces=frozenset(_pairs(namespaces, "--allow-namespace", "FROM=TO").items()),
        verify=verify,
    )
    connection = connect(kubeconfig, context)
    connection.tls()
    metrics = OperatorMetrics()
    repository = Repository(
        git_url or None,
        work=work or Path.home() / ".local" / "state" / "nephoran",
        clock=SystemClock(),
        branch=git_branch,
        base=git_path,
        cluster=cluster,
        config_global=git_config,
        meter=metrics.landing,
    )
    options = Options(
        name="nephoran",
        namespace=namespace,
        lease=Key(lease_namespace or connection.namespace, LEASE) if lease else None,
        probe_host=host,
        probe_port=int(port),
    )
    try:
        asyncio.run(_reached(connection))
        manager(settings, repository, addresses, options, lambda: HttpTransport(connection), metrics).run()
    except SteadyError as error:
        click.echo(f"nephoran: {error}", err=True)
        sys.exit(1)


def manager(
    settings: Settings,
    repository: IntentRepository,
    addresses: tuple[str, ...],
    options: Options,
    transport: Callable[[], Transport],
    metrics: OperatorMetrics | None = None,
) -> Manager:
    """The operator, put together."""
    from nephoran.addresses import AddressPolicy
    from nephoran.controllers import intent_controller, node_set_controller
    from nephoran.e2.fleet import Fleet
    from nephoran.e2.ric import RicClients
    from nephoran.failures import backoff
    from nephoran.intent.interpret import RuleInterpreter
    from nephoran.metrics import OperatorMetrics
    from steady import Manager
    from steady.clock import SystemClock

    metrics = metrics or OperatorMetrics()
    rics = RicClients(AddressPolicy(addresses))
    fleet = Fleet(metrics.connect(rics), SystemClock())
    operator = Manager(
        intent_controller(metrics.interpreter(RuleInterpreter()), repository, settings),
        node_set_controller(fleet),
        options=options,
        services=[repository, rics, fleet],
        transport=transport,
        backoff=backoff(),
        metrics=metrics.runtime,
    )
    metrics.follow(fleet, operator.stores)
    return operator


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


def _pairs(entries: tuple[str, ...], option: str, form: str) -> Mapping[str, str]:
    from steady.errors import ConfigurationError

    pairs = dict(entry.partition("=")[::2] for entry in entries)
    if wrong := [name for name, value in pairs.items() if not name or not value]:
        raise ConfigurationError(f"{option} {wrong[0]!r}: expected {form}")
    return pairs
