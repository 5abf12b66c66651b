"""The quick form's judgement: only of what repeats (requests, watch events, bytes), never of times."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import msgspec
from rich import box
from rich.console import Console
from rich.table import Table

from bench.peers.record import Phase, Run

_LEASES = " leases "
_EVENTS = " events "
_READS = ("get ", "list ")

# Per intent. The bytes are those of its JSON in one watch, with some room for longer numbers.
_BYTES = {"create": 3_200.0, "delete": 4_800.0}
_SEEN = 2.0
_WRITES = {"ours": {"create": 1.0, "delete": 1.0}, "right": {"create": 2.0, "delete": 1.0}}


class Verdict(msgspec.Struct, frozen=True):
    """One budget and what became of it."""

    contender: str
    budget: str
    measured: float
    allowed: float

    @property
    def kept(self) -> bool:
        """Whether the measured number is within the budget."""
        return self.measured <= self.allowed


def verdicts(runs: Sequence[Run]) -> list[Verdict]:
    """The budgets of the quick form. The peer's are there to show that it still does what it stands for."""
    return [verdict for run in runs for verdict in _of(run)]


def requests(phase: Phase) -> dict[str, int]:
    """A phase's requests without leases."""
    return {name: count for name, count in phase.requests.items() if _LEASES not in name}


def refused(phase: Phase) -> int:
    """How many requests were answered with an error."""
    return sum(count for name, count in requests(phase).items() if int(name.rpartition(" ")[2]) >= 400)


def _of(run: Run) -> Iterator[Verdict]:
    name = run.contender
    yield Verdict(name, "troubles", 1.0 if run.trouble else 0.0, 0.0)
    for phase_name, writes in _WRITES[name].items():
        phase = run.phase(phase_name)
        if phase is None:
            yield Verdict(name, f"{phase_name}: phases missing", 1.0, 0.0)
            continue
        made = requests(phase)
        events = sum(count for request, count in made.items() if _EVENTS in request)
        reads = sum(count for request, count in made.items() if request.startswith(_READS))
        yield Verdict(name, f"{phase_name}: stuck, lost or duplicated", phase.stuck + phase.lost + phase.duplicated, 0)
        yield Verdict(
            name, f"{phase_name}: writes per intent", (sum(made.values()) - events - reads) / run.size, writes
        )
        yield Verdict(name, f"{phase_name}: events per intent", events / run.size, 1.0)
        yield Verdict(name, f"{phase_name}: reads", reads, 0.0)
        yield Verdict(name, f"{phase_name}: refused requests", refused(phase), 0.0)
        if name == "ours":
            seen, size = (each.get("networkintents", 0) / run.size for each in (phase.events, phase.bytes))
            yield Verdict(name, f"{phase_name}: watch events per intent", seen, _SEEN)
            yield Verdict(name, f"{phase_name}: watch bytes per intent", size, _BYTES[phase_name])


def show(judged: Sequence[Verdict], console: Console) -> None:
    """Print them all."""
    table = Table(title="Budgets", box=box.SIMPLE)
    for heading in ("contender", "budget"):
        table.add_column(heading)
    for heading in ("measured", "allowed", ""):
        table.add_column(heading, justify="right")
    for it in judged:
        kept = "kept" if it.kept else "[bold]MISSED[/]"
        table.add_row(it.contender, it.budget, f"{it.measured:.6g}", f"{it.allowed:g}", kept)
    console.print(table)
