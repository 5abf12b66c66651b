"""Micro-benchmarks of every hot part: time and memory per operation, growth with the number of keys.

Numbers of one run compare with each other. To compare times of two runs, each is divided by its yardstick, an empty
loop measured in the same run; counts of bytes, allocations and instructions (`--count`) repeat by themselves.
"""

from __future__ import annotations

import asyncio
import platform
import statistics
import sys
from collections.abc import Sequence
from pathlib import Path

import click
import msgspec
from rich.console import Console

from bench.micro import reconciles
from bench.micro.case import FEW, Case, Prepare
from bench.micro.catalogue import CASES
from bench.micro.counts import Count, available, counts_of
from bench.micro.report import Measured, Run, show
from bench.micro.timing import REPEATS, growth_of, memory_of, time_of, together, yardstick

_WIDTH = 150  # of the tables, where no terminal says otherwise
# The smallest reconcile that there is: of any other, counting is a smaller part.
_PAIRS: dict[str, tuple[Prepare, Prepare]] = {"reconcile": (reconciles.echo, reconciles.silent_echo)}


async def instrumentation(name: str, repeats: int = 2 * REPEATS) -> float:
    """The percentage of a reconcile that its counting takes: the median of pairs of runs with it and without."""
    with_it, without = await together(_PAIRS[name], [FEW, FEW], repeats)
    return 100 * statistics.median(1 - silent / counted for counted, silent in zip(with_it, without, strict=True))


async def measured(case: Case, count: Count | None, *, grown: bool) -> Measured:
    """All numbers of one benchmark."""
    growth = await growth_of(case) if grown and case.grows else None
    return Measured(case.name, await time_of(case), await memory_of(case), count, growth)


def _run(cases: Sequence[Case], *, count: bool, grown: bool, console: Console) -> Run:
    counts = counts_of(cases) if count else {}
    found = []
    for case in cases:
        with console.status(case.name):
            found.append(asyncio.run(measured(case, counts.get(case.name), grown=grown)))
    chosen = {case.name for case in cases}
    parts = {name: asyncio.run(instrumentation(name)) for name in _PAIRS if name in chosen}
    return Run(platform.python_version(), yardstick(), found, parts)


@click.command(help=__doc__)
@click.option("--only", default="", metavar="TEXT", help="Only the benchmarks whose name contains TEXT.")
@click.option("--count", is_flag=True, help="Also count bytes, allocations and instructions (valgrind; minutes).")
@click.option("--growth/--no-growth", default=True, show_default=True, help="Also measure with 100,000 keys.")
@click.option("--save", type=click.Path(path_type=Path, dir_okay=False), help="Keep the run in FILE.")
@click.option("--compare", type=click.Path(path_type=Path, exists=True), help="Show ratios to the run kept in FILE.")
@click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table", show_default=True)
def main(only: str, count: bool, growth: bool, save: Path | None, compare: Path | None, output: str) -> None:
    """Measure and report; the exit code is 1 where a promise was not kept."""
    errors = Console(stderr=True)
    cases = [case for case in CASES if only in case.name]
    if not cases:
        raise click.BadParameter(f"no benchmark has {only!r} in its name: {', '.join(case.name for case in CASES)}")
    before = _saved(compare) if compare else None
    if count and not available():
        errors.print("[bold]VALGRIND MISSING[/]: bytes, allocations and instructions are not counted")
        count = False
    run = _run(cases, count=count, grown=growth, console=errors)
    if save:
        save.write_bytes(msgspec.json.format(msgspec.json.encode(run)))
    if output == "json":
        told = {**msgspec.to_builtins(run), "verdicts": list(run.verdicts())}
        click.echo(msgspec.json.format(msgspec.json.encode(told)).decode())
    else:
        show(run, before, Console(width=None if sys.stdout.isatty() else _WIDTH))
    sys.exit(0 if all(verdict.kept for verdict in run.verdicts()) else 1)


def _saved(path: Path) -> Run:
    try:
        return msgspec.json.decode(path.read_bytes(), type=Run)
    except msgspec.DecodeError as error:
        raise click.BadParameter(f"{path} holds no run that --save has kept: {error}") from error


if __name__ == "__main__":
    main()
