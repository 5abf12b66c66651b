"""What a pool of objects could save of a reconcile, at most.

For every part that is made anew for each reconcile, what making it costs: a pool could save that and no more, for it
still has to take a part out, fill it and empty it. The whole is the runtime's own reconcile, with no work of a
reconciler in it, so that every share is the largest that it can be. Encoding is measured both ways.
"""

from __future__ import annotations

import asyncio
import sys
from typing import Final

import click
from rich import box
from rich.console import Console
from rich.table import Table

from bench.micro.case import FEW, Case
from bench.micro.catalogue import CASES
from bench.micro.counts import Count, available, counts_of
from bench.micro.pools import POOLS
from bench.micro.timing import together

_ENOUGH: Final = 5.0
"""Percent of a reconcile's time or allocations from which on a pool is worth its care."""
_WIDTH: Final = 130
_WHOLE: Final = next(case for case in CASES if case.name == "reconcile")


async def times_of(cases: list[Case]) -> dict[str, float]:
    """Microseconds of each, measured in turns."""
    rows = await together([case.prepare for case in cases], [FEW] * len(cases))
    return {case.name: min(row) / case.unit for case, row in zip(cases, rows, strict=True)}


def table_of(times: dict[str, float], counts: dict[str, Count]) -> Table:
    """Each part's share of the whole."""
    table = Table(title="Shares of a reconcile that its parts cost to make", box=box.SIMPLE)
    table.add_column("part", no_wrap=True)
    for heading in ("µs", "of the time", "allocations", "of all"):
        table.add_column(heading, justify="right")
    for case in (_WHOLE, *POOLS):
        cells = [f"{times[case.name]:.2f}", _share(times[case.name], times[_WHOLE.name])]
        if counts:
            made = counts[case.name].allocations
            cells += [f"{made:.1f}", _share(made, counts[_WHOLE.name].allocations)]
        else:
            cells += ["–", "–"]
        table.add_row(case.what, *cells)
    return table


def _share(part: float, whole: float) -> str:
    percent = 100 * part / whole
    return f"[bold]{percent:.1f} %[/]" if percent >= _ENOUGH else f"{percent:.1f} %"


@click.command(help=__doc__)
@click.option("--count", is_flag=True, help="Also by allocations, which repeat (valgrind; minutes).")
def main(count: bool) -> None:
    """Measure and show; shares of 5 % and more are bold."""
    cases = [_WHOLE, *POOLS]
    if count and not available():
        Console(stderr=True).print("[bold]VALGRIND MISSING[/]: allocations are not counted")
        count = False
    counts = counts_of(cases) if count else {}
    table = table_of(asyncio.run(times_of(cases)), counts)
    Console(width=None if sys.stdout.isatty() else _WIDTH).print(table)


if __name__ == "__main__":
    main()
