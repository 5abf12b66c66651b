"""`nephoran monitoring`: what Prometheus and Grafana are told, for a place of your own."""

from __future__ import annotations

import click

_JOB = click.option("--job", default="nephoran", show_default=True, help="The job under which Prometheus scrapes it.")
_RUNBOOKS = click.option(
    "--runbooks", default="docs/runbooks", show_default=True, help="Where the runbooks are: a URL or a path."
)
_NAMESPACE = click.option("--namespace", default="nephoran-system", show_default=True)


@click.group()
def monitoring() -> None:
    """Print rules for Prometheus and a dashboard for Grafana."""


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
