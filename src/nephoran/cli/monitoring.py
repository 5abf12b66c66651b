"""`nephoran monitoring`: what Prometheus and Grafana are told, for a place of your own."""

from __future__ import annotations

import click

_JOB = click.option("--job", default="nephoran", show_default=True, help="The job under which Prometheus scrapes it.")
_RUNBOOKS = click.option(
    "--runbooks", default="docs/runbooks", show_default=True, help="Where the runbooks are: a URL or a path."
)
_NAMESPACE = click.option("--namespace", default="nephoran-system", show_default=True)

_HEADING = """\
# Metrics

All that the operator counts. `nephoran monitoring metrics` makes this page from the declarations. How it is scraped,
and what to look at: [Monitoring](../monitoring.md).

No label names an object. `controller` is a controller's name, or the process's where no controller is meant; each
counter that an alert divides by exists from the start, at 0. A histogram has a bound at exactly 2 s, the time that is
promised for a reconcile (95th percentile). Beside these come `process_…` and `python_gc_…`, as `prometheus_client`
makes them on each platform.

"""
_SECTIONS = {
    "Intents, git and RICs": ("nephoran_",),
    "Under the names of controller-runtime and client-go": (
        "controller_runtime_",
        "workqueue_",
        "rest_client_",
        "leader_election_",
    ),
    "Controllers": ("controller_",),
    "The runtime": ("steady_",),
}


@click.group()
def monitoring() -> None:
    """Print rules for Prometheus, a dashboard for Grafana, and what is counted."""


@monitoring.command()
@_JOB
@_RUNBOOKS
def rules(job: str, runbooks: str) -> None:
    """Print the rules, as a file that Prometheus' `rule_files` names."""
    from nephoran.api.install import as_yaml
    from nephoran.monitoring.files import rule_file
    from nephoran.monitoring.rules import Options

    click.echo(as_yaml([rule_file(Options(job, runbooks))]), nl=False)


@monitoring.command()
@_JOB
@_RUNBOOKS
@_NAMESPACE
def prometheusrule(job: str, runbooks: str, namespace: str) -> None:
    """Print the rules as a manifest for the Prometheus Operator."""
    from nephoran.api.install import as_yaml
    from nephoran.monitoring.files import prometheus_rule
    from nephoran.monitoring.rules import Options

    click.echo(as_yaml([prometheus_rule(Options(job, runbooks), namespace)]), nl=False)


@monitoring.command()
def metrics() -> None:
    """Print the reference page: every family with its type, labels and meaning."""
    click.echo(page(), nl=False)


@monitoring.command()
def dashboard() -> None:
    """Print the dashboard, as JSON to import into Grafana."""
    from nephoran.monitoring.dashboard import dashboard as made
    from nephoran.monitoring.files import as_json

    click.echo(as_json(made()), nl=False)


@monitoring.command()
@_NAMESPACE
def configmap(namespace: str) -> None:
    """Print the dashboard as a ConfigMap that Grafana's sidecar finds by its label."""
    from nephoran.api.install import as_yaml
    from nephoran.monitoring.files import config_map

    click.echo(as_yaml([config_map(namespace)]), nl=False)


def page() -> str:
    """The reference page, `docs/reference/metrics.md`."""
    from nephoran.e2.fleet import Fleet
    from nephoran.e2.simulator import MemoryRic
    from nephoran.metrics import OperatorMetrics
    from nephoran.repository.drift import Drift
    from steady import Priority
    from steady.clock import SystemClock
    from steady.metrics.reference import reference
    from steady.status import Tally

    operator = OperatorMetrics()
    operator.follow(Fleet(lambda _: MemoryRic(), SystemClock()), {})
    operator.memories()
    operator.watch(Drift())
    operator.runtime.controller("networkintent")
    operator.runtime.statuses({"networkintents": Tally()}, [priority.name.lower() for priority in Priority])
    return _HEADING + reference(operator.runtime.registry, _SECTIONS)
