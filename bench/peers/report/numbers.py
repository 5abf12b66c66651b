"""What the runs say: one number per contender, phase and metric, the median of all repetitions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from statistics import median
from typing import NamedTuple

from bench.measure import percentiles
from bench.peers.contenders import CONTENDERS
from bench.peers.record import Phase, Run
from bench.peers.verdict import refused, requests

_READS = ("get ", "list ", "watch ")


class Metric(NamedTuple):
    """Something measured of which less is better. `digits` behind the point are shown."""

    name: str
    title: str
    unit: str
    digits: int
    of: Callable[[Run, Phase], float]


class Place(NamedTuple):
    """Where a number belongs."""

    workload: str
    size: int
    git: bool
    phase: str


class Cell(NamedTuple):
    """One contender's numbers at one place.

    `reached` counts objects that got to their goal, `short` those that were stuck, lost or duplicated, in all runs.
    """

    numbers: Mapping[str, float]
    notes: Mapping[str, float]
    reached: int
    short: int
    repetitions: int


Numbers = dict[Place, dict[str, Cell]]


def _each(phase: Phase, total: float) -> float:
    return total / max(phase.units, 1)


def _writes(phase: Phase) -> int:
    return sum(
        count for name, count in requests(phase).items() if not name.startswith(_READS) and " events " not in name
    )


def _reads(phase: Phase) -> int:
    return sum(count for name, count in requests(phase).items() if name.startswith(_READS))


def _total(phase: Phase) -> int:
    return sum(requests(phase).values())


def _servers(phase: Phase) -> float:
    """CPU seconds of API server and etcd beyond what they use when nobody asks."""
    return max(0.0, phase.server + phase.etcd - phase.idle)


METRICS = (
    Metric("requests", "requests", "", 2, lambda _, phase: _each(phase, _total(phase))),
    Metric("refused", "of them refused", "", 2, lambda _, phase: _each(phase, refused(phase))),
    Metric("server", "API server + etcd CPU", "ms", 2, lambda _, phase: _each(phase, 1000 * _servers(phase))),
    Metric("controller", "controller CPU", "ms", 2, lambda _, phase: _each(phase, 1000 * phase.controller)),
    Metric("children", "its git commands' CPU", "ms", 2, lambda _, phase: _each(phase, 1000 * phase.children)),
    Metric("p50", "p50", "s", 3, lambda _, phase: percentiles(phase.waits).p50),
    Metric("p95", "p95", "s", 3, lambda _, phase: percentiles(phase.waits).p95),
    Metric("p99", "p99", "s", 3, lambda _, phase: percentiles(phase.waits).p99),
    Metric("max", "max", "s", 3, lambda _, phase: percentiles(phase.waits).maximum),
    Metric("events", "watch events", "", 2, lambda _, phase: _each(phase, sum(phase.events.values()))),
    Metric("bytes", "watch KB", "KB", 2, lambda _, phase: _each(phase, sum(phase.bytes.values()) / 1000)),
    Metric("peak", "peak memory", "MiB", 0, lambda run, _: run.peak),
)
"""What the tables show, per unit where that makes sense."""

TOTALS = (
    Metric("all writes", "writes", "", 0, lambda _, phase: _writes(phase)),
    Metric("all reads", "reads and watches", "", 0, lambda _, phase: _reads(phase)),
    Metric("cpu", "controller CPU", "s", 2, lambda _, phase: phase.controller),
    Metric("seconds", "time", "s", 1, lambda _, phase: phase.seconds),
    Metric("settled", "memory at the end", "MiB", 0, lambda run, _: run.settled),
)
"""What is told of a whole phase."""


def numbers(runs: Iterable[Run]) -> Numbers:
    """The medians of all runs that came to their end."""
    found: dict[tuple[Place, str], list[tuple[Run, Phase]]] = defaultdict(list)
    for run in runs:
        if not run.trouble:
            for phase in run.phases:
                found[Place(run.workload, run.size, run.git, phase.name), run.contender].append((run, phase))
    result: Numbers = {}
    for (place, contender), pairs in found.items():
        result.setdefault(place, {})[contender] = Cell(
            {metric.name: median(metric.of(*pair) for pair in pairs) for metric in (*METRICS, *TOTALS)},
            {
                name: median(phase.notes[name] for _, phase in pairs if name in phase.notes)
                for name in pairs[0][1].notes
            },
            sum(len(phase.waits) for _, phase in pairs),
            sum(phase.stuck + phase.lost + phase.duplicated for _, phase in pairs),
            len(pairs),
        )
    return result


def sizes(all_numbers: Numbers, workload: str) -> list[int]:
    """The sizes in which a workload was run, ascending."""
    return sorted({place.size for place in all_numbers if place.workload == workload})


class Loss(NamedTuple):
    """Somebody else's number that is better than ours."""

    place: Place
    metric: Metric
    who: str
    theirs: float
    ours: float


def losses(all_numbers: Numbers, margin: float) -> Iterator[Loss]:
    """Where somebody else is better than ours by more than `margin`; the same pair of numbers is told once.

    Those who left objects behind or never complete any do not count.
    """
    told = set()
    for place, cells in all_numbers.items():
        if (ours := cells.get("ours")) is None:
            continue
        for metric in METRICS:
            theirs = {name: cell.numbers[metric.name] for name, cell in cells.items() if _counts(name, cell)}
            best = min(theirs, key=theirs.__getitem__, default="")
            pair = (place._replace(phase=""), best, theirs.get(best), ours.numbers[metric.name])
            if best and ours.numbers[metric.name] > theirs[best] * (1 + margin) > 0 and pair not in told:
                told.add(pair)
                yield Loss(place, metric, best, theirs[best], ours.numbers[metric.name])


def _counts(name: str, cell: Cell) -> bool:
    return not cell.short and not name.startswith("ours") and CONTENDERS[name].completes
