"""Measures the operator beside its peers: `python -m bench.peers`, and `python -m bench.peers report` for the docs."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console

from bench.peers.contenders import CONTENDERS
from bench.peers.record import Results
from bench.peers.runner import measure, planned
from bench.peers.workloads import WORKLOADS, Workload
from steady.testing.controlplane.binaries import BinariesMissingError, BuildFailedError, GoMissingError, locate

_MISSING = 3
_RESULTS = Path("bench/results")


@click.group(invoke_without_command=True, help=__doc__)
@click.option("--peer", "peers", multiple=True, type=click.Choice(list(CONTENDERS)), help="Only these contenders.")
@click.option(
    "--workload", "workloads", multiple=True, type=click.Choice(list(WORKLOADS)), help="Only these workloads."
)
@click.option("--size", "sizes", multiple=True, type=click.IntRange(1), help="In place of each workload's own sizes.")
@click.option("--smoke", is_flag=True, help="The smallest sizes: shows only that everything works.")
@click.option("--repetitions", default=3, show_default=True, type=click.IntRange(1))
@click.option("--git", type=click.Choice(["without", "with", "both"]), default="both", show_default=True)
@click.option(
    "--results", default=_RESULTS, show_default=True, type=click.Path(path_type=Path), help="Folder for JSON."
)
@click.pass_context
def main(  # noqa: PLR0917 - one parameter per option
    context: click.Context,
    peers: Sequence[str],
    workloads: Sequence[str],
    sizes: Sequence[int],
    smoke: bool,
    repetitions: int,
    git: str,
    results: Path,
) -> None:
    """Make all runs; the exit code is 1 where a contender that should have ended a run did not."""
    if context.invoked_subcommand:
        return
    chosen = [WORKLOADS[name] for name in workloads or WORKLOADS]
    plan = list(
        planned(
            [CONTENDERS[name] for name in peers or CONTENDERS],
            [(workload, _sizes(workload, sizes, smoke)) for workload in chosen],
            gits={"without": [False], "with": [True], "both": [False, True]}[git],
            repetitions=1 if smoke else repetitions,
        )
    )
    try:
        locate()
        runs = asyncio.run(measure(plan, Results(results), Console(stderr=True)))
    except (BinariesMissingError, GoMissingError) as missing:
        click.echo(str(missing), err=True)
        sys.exit(_MISSING)
    except BuildFailedError as failed:
        click.echo(str(failed), err=True)
        sys.exit(1)
    sys.exit(1 if any(run.trouble for run in runs) else 0)


def _sizes(workload: Workload, sizes: Sequence[int], smoke: bool) -> Sequence[int]:
    return sizes or ([workload.smoke] if smoke else workload.sizes)


if __name__ == "__main__":
    main()
