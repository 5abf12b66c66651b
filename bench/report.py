"""What was measured, held against what was promised."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec
from rich import box
from rich.console import Console
from rich.table import Table

from bench.measure import Percentiles


class Verdict(msgspec.Struct, frozen=True):
    """One promise and what became of it."""

    promise: str
    measured: str
    kept: bool


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One run. Requests and CPU (milliseconds; None where it cannot be read) are per intent or node; peak in MiB.

    `wait` is from creation to the goal, in seconds, as another client saw it.
    """

    name: str
    kind: str
    server: str
    git: bool
    policy: bool
    units: int
    objects: int
    reached: int
    requests: dict[str, float]
    cpu: float
    children_cpu: float
    server_cpu: float | None
    wait: Percentiles
    peak: float

    def verdicts(self) -> Iterator[Verdict]:
        """The promises that concern this run."""
        yield Verdict(
            "every object reaches its goal", f"{self.reached} of {self.objects}", self.reached == self.objects
        )
        if self.kind == "e2nodesets":
            yield _at_most("1,000 nodes Ready within 5 s", self.wait.maximum, 5.0, "s")
            return
        writes = sum(count for request, count in self.requests.items() if "events" not in request)
        allowed = 1 if self.policy else 2
        yield _at_most(f"{allowed} request(s) per intent", writes, allowed, "")
        if not self.git:
            yield _at_most("2 ms CPU of the controller per intent, without git", self.cpu, 2.0, "ms")
        if self.units == 200:
            yield _at_most("p95 within 2 s at 200 at once", self.wait.p95, 2.0, "s")
        if self.units == 2000:
            yield _at_most("peak below 80 MiB at 2,000", self.peak, 80.0, "MiB")


def _at_most(promise: str, measured: float, allowed: float, unit: str) -> Verdict:
    return Verdict(promise, f"{measured:.3g} {unit}".strip(), measured <= allowed)


def show(results: list[Result], console: Console) -> None:
    """Print both tables."""
    console.print(f"API server: {', '.join(sorted({result.server for result in results}))}")
    console.print(_numbers(results))
    console.print(_promises(results))


def _numbers(results: list[Result]) -> Table:
    table = Table(title="Per intent or node", box=box.SIMPLE)
    for heading in ("run", "requests"):
        table.add_column(heading, no_wrap=True)
    for heading in ("CPU ms", "git ms", "server ms", "wait p50 p95 p99 s", "MiB"):
        table.add_column(heading, justify="right")
    for it in results:
        table.add_row(
            it.name,
            "\n".join(f"{count:.3g} {request}" for request, count in sorted(it.requests.items())),
            f"{it.cpu:.2f}",
            f"{it.children_cpu:.2f}" if it.git else "–",
            "–" if it.server_cpu is None else f"{it.server_cpu:.2f}",
            f"{it.wait.p50:.2f} {it.wait.p95:.2f} {it.wait.p99:.2f}",
            f"{it.peak:.0f}",
        )
    return table


def _promises(results: list[Result]) -> Table:
    table = Table(title="Promises", box=box.SIMPLE)
    for heading in ("run", "promise", "measured", ""):
        table.add_column(heading, no_wrap=True)
    for it in results:
        for verdict in it.verdicts():
            table.add_row(it.name, verdict.promise, verdict.measured, "kept" if verdict.kept else "[bold]MISSED[/]")
    return table
