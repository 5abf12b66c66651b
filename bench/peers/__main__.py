"""Measures the operator beside its peers: `python -m bench.peers`, and `python -m bench.peers report` for the docs."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Sequence
from pathlib import Path

import click
import msgspec
from rich.console import Console

from bench.peers.contenders import CONTENDERS
from bench.peers.record import Results, Run
from bench.peers.runner import Planned, measure, planned
from bench.peers.verdict import show, verdicts
from bench.peers.workloads import WORKLOADS, Workload
from steady.testing.controlplane.binaries import BinariesMissingError, BuildFailedError, GoMissingError, locate

_MISSING = 3
_RESULTS = Path("bench/results")
_QUICK_RESULTS = Path("build/bench-quick")
_QUICK_SIZE = 200
_WIDTH = 120  # of the table, where no terminal says otherwise


@click.group(invoke_without_command=True, help=__doc__)
@click.option("--quick", is_flag=True, help=f"Only {_QUICK_SIZE} intents, ours and one peer, and judge the requests.")
@click.option("--peer", "peers", multiple=True, type=click.Choice(list(CONTENDERS)), help="Only these contenders.")
@click.option(
    "--workload", "workloads", multiple=True, type=click.Choice(list(WORKLOADS)), help="Only these workloads."
)
@click.option("--size", "sizes", multiple=True, type=click.IntRange(1), help="In place of each workload's own sizes.")
@click.option("--smoke", is_flag=True, help="The smallest sizes, once: shows only that everything works.")
@click.option("--repetitions", default=3, show_default=True, type=click.IntRange(1))
@click.option("--git", type=click.Choice(["without", "with", "both"]), default="both", show_default=True)
@click.option("--results", type=click.Path(path_type=Path), help=f"Folder for JSON ({_RESULTS}, {_QUICK_RESULTS}).")
@click.pass_context
def main(  # noqa: PLR0917 - one parameter per option
    context: click.Context,
    quick: bool,
    peers: Sequence[str],
    workloads: Sequence[str],
    sizes: Sequence[int],
    smoke: bool,
    repetitions: int,
    git: str,
    results: Path | None,
) -> None:
    """Make all runs; the exit code is 1 where one could not be made or a budget was missed."""
    if context.invoked_subcommand:
        return
    if quick:
        _quick(Results(results or _QUICK_RESULTS))
        return
    plan = planned(
        [CONTENDERS[name] for name in peers or CONTENDERS],
        [_work(WORKLOADS[name], sizes, smoke) for name in workloads or WORKLOADS],
        gits={"without": [False], "with": [True], "both": [False, True]}[git],
        repetitions=1 if smoke else repetitions,
    )
    runs = _measured(list(plan), Results(results or _RESULTS))
    sys.exit(1 if any(run.trouble for run in runs) else 0)


def _quick(results: Results) -> None:
    """Measure ours and one peer once, judge what repeats, keep the figures."""
    peers = [CONTENDERS[name] for name in ("ours", "right")]
    plan = planned(peers, [(WORKLOADS["burst"], [_QUICK_SIZE])], gits=[False], repetitions=1)
    judged = verdicts(_measured(list(plan), results))
    results.keep_figures([msgspec.to_builtins(verdict) | {"kept": verdict.kept} for verdict in judged])
    show(judged, Console(width=None if sys.stdout.isatty() else _WIDTH))
    # What a peer spends is its own: some of its writes meet conflicts, in no run as often as in another.
    sys.exit(0 if all(verdict.kept for verdict in judged if verdict.contender == "ours") else 1)


def _measured(plan: Sequence[Planned], results: Results) -> list[Run]:
    """Make the runs; ends the process where something that they need is not there."""
    try:
        locate()
        return asyncio.run(measure(plan, results, Console(stderr=True)))
    except (BinariesMissingError, GoMissingError) as missing:
        click.echo(str(missing), err=True)
        sys.exit(_MISSING)
    except BuildFailedError as failed:
        click.echo(str(failed), err=True)
        sys.exit(1)


def _work(workload: Workload, sizes: Sequence[int], smoke: bool) -> tuple[Workload, Sequence[int]]:
    if smoke:
        return workload.shortened(), sizes or [workload.smoke]
    return workload, sizes or workload.sizes


@main.command()
@click.option("--results", default=_RESULTS, show_default=True, type=click.Path(path_type=Path, exists=True))
@click.option("--docs", default=Path("docs"), show_default=True, type=click.Path(path_type=Path, exists=True))
def report(results: Path, docs: Path) -> None:
    """Write docs/benchmarks.md and its pictures from the stored runs."""
    from bench.peers.report.page import write  # noqa: PLC0415 - matplotlib takes a second, and no run needs it

    write(Results(results), docs)


if __name__ == "__main__":
    main()
