"""What was measured, beside what the Go package measured and what a saved run had."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
from rich import box
from rich.console import Console
from rich.table import Table

from bench.micro.case import FEW, MANY, Go
from bench.micro.catalogue import CASES
from bench.micro.counts import Count
from bench.micro.timing import Memory, Time
from bench.report import Verdict

_LITTLE = 5.0
"""Percent of a reconcile that instrumentation may take."""
_GROWTH = 2.0
"""Times as long with MANY keys as with FEW that is no growth: what does not fit a processor's cache costs that much."""


class Measured(msgspec.Struct, frozen=True):
    """One benchmark, per operation. `growth` is the time with 100,000 keys as a multiple of that with 100."""

    name: str
    time: Time
    memory: Memory
    count: Count | None = None
    growth: float | None = None


class Run(msgspec.Struct, frozen=True):
    """One run. `yardstick` is in nanoseconds, `instrumentation` the percentage of a reconcile that counting takes."""

    python: str
    yardstick: float
    measured: list[Measured]
    instrumentation: dict[str, float] = {}

    def verdicts(self) -> Iterator[Verdict]:
        """The promises that concern what was measured."""
        limits = {case.name: case.limit for case in CASES}
        for it in self.measured:
            if limit := limits[it.name]:
                least = it.time.least
                yield Verdict(f"{it.name} under {limit:g} µs", f"{least:.3g} µs", least < limit)
            if it.growth is not None:
                promise = f"{it.name} does not grow from {FEW:,} to {MANY:,} keys"
                yield Verdict(promise, f"{it.growth:.2f}", it.growth < _GROWTH)
        for name, percent in self.instrumentation.items():
            yield Verdict(f"instrumentation under {_LITTLE:g} % of a {name}", f"{percent:.1f} %", percent < _LITTLE)


def show(run: Run, before: Run | None, console: Console) -> None:
    """Print the numbers, the Go package's beside them, and the promises."""
    console.print(_numbers(run, before))
    console.print(_goes(run))
    console.print(_promises(run))


def _numbers(run: Run, before: Run | None) -> Table:
    title = f"Per operation, Python {run.python}; the yardstick, an empty loop's turn, takes {run.yardstick:.1f} ns"
    table = Table(title=title, box=box.SIMPLE)
    saved = {it.name: it for it in before.measured} if before else {}
    table.add_column("benchmark", no_wrap=True)
    headings = ["least µs", "median", "peak B", "kept B"]
    headings += ["bytes", "allocations", "instructions"] if any(it.count for it in run.measured) else []
    headings += ["growth"]
    headings += ["to saved"] if before else []
    for heading in headings:
        table.add_column(heading, justify="right")
    for it in run.measured:
        cells = [_plain(it.time.least), _plain(it.time.median), f"{it.memory.peak:,.0f}", f"{it.memory.kept:,.0f}"]
        if "instructions" in headings:
            cells += [f"{value:,.0f}" for value in msgspec.structs.astuple(it.count)] if it.count else ["–"] * 3
        cells.append("–" if it.growth is None else f"{it.growth:.2f}")
        if before:
            cells.append(_ratio(it, saved.get(it.name), run.yardstick / before.yardstick))
        table.add_row(it.name, *cells)
    return table


def _ratio(now: Measured, before: Measured | None, slower: float) -> str:
    """Instructions where both runs have counted them, for they repeat; else times, of a machine `slower` than then."""
    if before is None:
        return "new"
    if now.count and before.count:
        return f"{now.count.instructions / before.count.instructions:.3f} i"
    return f"{now.time.least / before.time.least / slower:.2f} t"


def _goes(run: Run) -> Table:
    """The Go package's numbers were measured on another day: they say what kind of size a thing has, and no more."""
    gos = {case.name: (case.go, case.what) for case in CASES}
    table = Table(title="Beside the Go package (another day; its ConcurrentReconcile sleeps)", box=box.SIMPLE)
    table.add_column("benchmark", no_wrap=True)
    for heading in ("ours µs", "Go µs", "Go B", "Go allocations"):
        table.add_column(heading, justify="right")
    table.add_column("ours is")
    table.add_column("Go's is")
    for it in run.measured:
        go, what = gos[it.name]
        if go:
            table.add_row(it.name, _plain(it.time.least), *_go(go), what, go.note)
    return table


def _go(go: Go) -> Sequence[str]:
    known = ("–" if value is None else f"{value:,}" for value in (go.bytes, go.allocations))
    return _plain(go.nanoseconds / 1000), *known


def _promises(run: Run) -> Table:
    table = Table(title="Promises", box=box.SIMPLE)
    for heading in ("promise", "measured", ""):
        table.add_column(heading, no_wrap=True)
    for verdict in run.verdicts():
        table.add_row(verdict.promise, verdict.measured, "kept" if verdict.kept else "[bold]MISSED[/]")
    return table


def _plain(microseconds: float) -> str:
    return f"{microseconds:.2f}" if microseconds < 100 else f"{microseconds:,.0f}"
