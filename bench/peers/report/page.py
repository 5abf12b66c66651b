"""`docs/benchmarks.md`, made from the runs alone."""

from __future__ import annotations

import inspect
from collections.abc import Iterator, Sequence
from pathlib import Path

from bench.peers.contenders import CONTENDERS
from bench.peers.record import Machine, Results, Run
from bench.peers.report.numbers import METRICS, TOTALS, Cell, Metric, Numbers, Place, losses, numbers
from bench.peers.report.pictures import Picture, draw
from bench.peers.report.targets import Target, targets
from bench.peers.workloads import WORKLOADS

_MARGIN = 0.05
_SHOWN = ("requests", "refused", "server", "controller", "p50", "p95", "p99", "events", "bytes", "peak")
_HEADING = """\
# Benchmarks

Made by `python -m bench.peers report` from the runs in `{results}`; edit the bench, not this page. To make the runs
again: `make bench-peers` (hours), or `make bench-peers ARGS="--workload burst --size 200"` for one table. All numbers
below come from one campaign.
"""
_METHOD = """\
## How it is measured

Each run has a control plane of its own (kube-apiserver {kubernetes}, etcd {etcd}, on loopback), one contender, a user
who creates and deletes, and a watcher in a process of its own. The contenders take turns (A B A B …) {repetitions}.
A first intent, created and deleted, shows that a contender works; then all must be quiet before anything is counted.

- **Requests** come from the server's audit log, the contender's only, leases left out.
- **CPU of API server and etcd** holds the user's requests and the watcher, the same for all, less what both use when
  nobody asks. **CPU of the controller** is user and system time of its process. All from `/proc`.
- **p50 … max** are from the user's request until the watcher saw the goal.
- **Watch events and KB** are what one watch in JSON gets.
- Numbers are medians over the repetitions and, where that makes sense, per intent or node.

The machine: {cores} cores ({processor}), {memory:.0f} GiB, Linux {kernel}, shared with others (load {load:.1f} at the
start). Latencies hold for this machine; **trust counts and ratios**. Python {python}, {go}, {peers}; made on {date} at
commit {commit}.
"""
_CONTENDERS = """\
## Who takes part

All do the same work: the same objects, the same final status with six conditions, in the git variant the same manifests
in a commit that the remote has. Without git the peers' phases are empty, while ours still interprets each sentence and
renders its manifests. "Ordinary CRD": conditions as a list-map, no atomic status, no default. "Our CRD": as shipped.

| name | what | CRD | admission policy |
|---|---|---|---|
{rows}
"""


def write(results: Results, docs: Path) -> None:
    """Write the page and its pictures into the folder `docs`."""
    runs = results.runs()
    found = _ordered(numbers(runs))
    pictures = draw(found, docs / "benchmarks")
    text = "\n".join(_page(results, runs, found, pictures))
    (docs / "benchmarks.md").write_text(text, encoding="utf-8")


def _ordered(found: Numbers) -> Numbers:
    """Workloads in their order, sizes ascending, phases as they followed each other."""
    order = list(WORKLOADS)
    return dict(sorted(found.items(), key=lambda pair: (order.index(pair[0].workload), pair[0].size, pair[0].git)))


def _page(results: Results, runs: Sequence[Run], found: Numbers, pictures: Sequence[Picture]) -> Iterator[str]:
    yield _HEADING.format(results=results.folder.as_posix())
    yield from _targets(targets(found))
    yield from _losses(found)
    yield from (f"![{picture.title}](benchmarks/{picture.name}.svg)\n" for picture in pictures)
    yield _method(results.machine(), runs)
    yield _CONTENDERS.format(rows="\n".join(_contenders({run.contender for run in runs})))
    for name, workload in WORKLOADS.items():
        places = [place for place in found if place.workload == name]
        if places:
            yield f"## {workload.title}\n"
            yield f"{inspect.cleandoc(type(workload).__doc__ or '')}\n"
            for place in places:
                yield from _table(place, found[place])
    yield from _troubles(runs)


def _targets(all_targets: Sequence[Target]) -> Iterator[str]:
    yield "## What was to be reached\n"
    yield "| | target | measured | |"
    yield "|---|---|---|---|"
    for target in all_targets:
        met = "reached" if target.met else "**missed**"
        yield f"| {target.about} | {target.wanted} | {target.measured} | {met} |"
    yield ""


def _losses(found: Numbers) -> Iterator[str]:
    yield "## Where a peer is better\n"
    yield f"Every number of the tables below in which another contender is better by more than {100 * _MARGIN:.0f} %.\n"
    lost = list(losses(found, _MARGIN))
    if not lost:
        yield "None.\n"
        return
    yield "| where | what | ours | best | who |"
    yield "|---|---|---|---|---|"
    for place, metric, who, theirs, ours in lost:
        numbers_shown = f"{_shown(metric, ours)} | {_shown(metric, theirs)}"
        yield f"| {_named(place)} | {_heading(metric)} | {numbers_shown} | {CONTENDERS[who].title} |"
    yield ""


def _method(machine: Machine, runs: Sequence[Run]) -> str:
    most = max((run.repetition for run in runs), default=0)
    peers = ", ".join(f"{name} {version}" for name, version in machine.peers.items())
    told = {name: getattr(machine, name) for name in machine.__struct_fields__} | {"peers": peers}
    return _METHOD.format(**told, repetitions="once" if most == 1 else f"{most} times")


def _contenders(names: set[str]) -> Iterator[str]:
    for name, contender in CONTENDERS.items():
        if name in names:
            kinds = "our CRD" if contender.kinds == "ours" else "ordinary CRD"
            yield f"| *{name}* | {contender.title} | {kinds} | {'yes' if contender.policy else 'no'} |"


def _table(place: Place, cells: dict[str, Cell]) -> Iterator[str]:
    metrics = list(_metrics(place))
    notes = list(dict.fromkeys(name for cell in cells.values() for name in cell.notes))
    headings = [*(_heading(metric) for metric in metrics), *notes, "short"]
    yield f"### {_named(place)}\n"
    yield f"| | {' | '.join(headings)} |"
    yield "|---" * (len(headings) + 1) + "|"
    for name in CONTENDERS:
        if name in cells:
            cell = cells[name]
            told = [
                *(_told(metric, cell) for metric in metrics),
                *(f"{cell.notes.get(note, 0):,.6g}" for note in notes),
            ]
            yield f"| {CONTENDERS[name].title} | {' | '.join(told)} | {cell.short or '–'} |"
    yield ""


def _metrics(place: Place) -> Iterator[Metric]:
    """What is told of a phase; CPU and memory only where the same processes live all through it."""
    if place.phase in _WHOLE:
        yield from TOTALS
        return
    left_out = {"server", "controller", "peak"} if place.phase in _RESTARTED else set()
    for metric in METRICS:
        if metric.name in {*_SHOWN} - left_out or (place.git and metric.name == "children"):
            yield metric


_WHOLE = {"idle", "restart", "heartbeats"}
"""Phases that are told as a whole and not per unit."""
_RESTARTED = {"storm"}
"""Phases in which the API server restarts, and contenders may."""


def _heading(metric: Metric) -> str:
    return f"{metric.title}, {metric.unit}" if metric.unit and metric.unit not in metric.title else metric.title


def _shown(metric: Metric, value: float) -> str:
    return f"{value:,.{metric.digits}f}"


def _told(metric: Metric, cell: Cell) -> str:
    """A wait that nothing reached the end of is no number."""
    none = metric.name in {"p50", "p95", "p99", "max"} and not cell.reached
    return "–" if none else _shown(metric, cell.numbers[metric.name])


def _named(place: Place) -> str:
    git = ", with git" if place.git else ""
    return f"{WORKLOADS[place.workload].title}, {place.size:,}{git}: {place.phase}"


def _troubles(runs: Sequence[Run]) -> Iterator[str]:
    troubled = [run for run in runs if run.trouble]
    if troubled:
        yield "## Runs that did not come to their end\n"
        yield from (f"- {run.key}: {run.trouble}" for run in troubled)
        yield ""
