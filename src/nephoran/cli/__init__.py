"""The command line. Exit codes: 0 done, 1 a goal was missed or something failed, 2 wrong usage or configuration."""

from __future__ import annotations

import sys

import click

from nephoran.cli.commands import apiserver, install, interpret
from nephoran.cli.config import config
from nephoran.cli.demo.command import demo
from nephoran.cli.explain import explain
from nephoran.cli.monitoring import monitoring
from nephoran.cli.run import run


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="nephoran")
def cli() -> None:
    """Sentences become verified commits; E2 nodes stay registered with their RIC."""


for command in (demo, run, config, explain, apiserver, install, interpret, monitoring):
    cli.add_command(command)


def main() -> None:
    """Run the command line; each thing that went wrong is one line on standard error."""
    try:
        cli(prog_name="nephoran")
    except Exception as error:
        # Looked up late: the runtime brings the HTTP client, for which `--help` need not wait.
        from steady.errors import SteadyError

        if not isinstance(error, SteadyError):
            raise
        for line in str(error).splitlines():
            click.echo(f"nephoran: {line}", err=True)
        sys.exit(2)
