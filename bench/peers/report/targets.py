"""What was to be reached, as ratios within one campaign, and what was."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from bench.peers.report.numbers import Cell, Numbers, Place, sizes


class Target(NamedTuple):
    """One target: what it is about, what was wanted, what was measured, whether that is enough."""

    about: str
    wanted: str
    measured: str
    met: bool


def targets(all_numbers: Numbers) -> list[Target]:
    """All targets for which there are numbers."""
    makers: tuple[Callable[[Numbers], Iterator[Target]], ...] = (
        _requests,
        _server,
        _controller,
        _at_once,
        _steadily,
        _many,
        _nodes,
        _heartbeats,
        _restart,
        _idle,
        _hot,
        _storm,
    )
    return [target for make in makers for target in make(all_numbers)]


def _cells(all_numbers: Numbers, workload: str, phase: str, size: int | None = None) -> tuple[int, dict[str, Cell]]:
    """The cells of a workload without git at a size, by default the largest that ours was run in."""
    there = [
        each
        for each in sizes(all_numbers, workload)
        if "ours" in all_numbers.get(Place(workload, each, False, phase), {})
    ]
    chosen = size if size is not None else max(there, default=0)
    return chosen, all_numbers.get(Place(workload, chosen, False, phase), {})


def _ratios(about: str, cells: dict[str, Cell], metric: str, limits: dict[str, float]) -> Iterator[Target]:
    if "ours" not in cells:
        return
    ours = cells["ours"].numbers[metric]
    for other, limit in limits.items():
        if other in cells and cells[other].numbers[metric]:
            ratio = ours / cells[other].numbers[metric]
            yield Target(f"{about}, beside *{other}*", f"≤ {limit:g} ×", f"{ratio:.2f} ×", ratio <= limit)


def _requests(all_numbers: Numbers) -> Iterator[Target]:
    size, create = _cells(all_numbers, "burst", "create")
    _, delete = _cells(all_numbers, "burst", "delete", size)
    totals = {
        name: create[name].numbers["requests"] + delete[name].numbers["requests"] for name in create if name in delete
    }
    if "ours" not in totals:
        return
    about = f"requests in the life of an intent ({size:,} at once)"
    yield Target(about, "≤ 3", f"{totals['ours']:.2f}", totals["ours"] <= 3)
    # The original cannot be waited for in the largest size; what it asks for does not depend on it.
    _, its_create = _cells(all_numbers, "burst", "create", 20)
    _, its_delete = _cells(all_numbers, "burst", "delete", 20)
    if "original" in its_create and "original" in its_delete:
        theirs = its_create["original"].numbers["requests"] + its_delete["original"].numbers["requests"]
        saved = 1 - totals["ours"] / theirs
        yield Target(f"{about}, beside *original*", "−85 %", f"−{100 * saved:.0f} %", saved >= 0.85)


def _server(all_numbers: Numbers) -> Iterator[Target]:
    size, cells = _cells(all_numbers, "burst", "create")
    limits = {"right": 0.65, "right-ours": 1.0, "ordinary": 0.2}
    yield from _ratios(f"API server + etcd CPU per intent ({size:,} at once)", cells, "server", limits)


def _controller(all_numbers: Numbers) -> Iterator[Target]:
    size, cells = _cells(all_numbers, "burst", "create")
    about = f"controller CPU per intent ({size:,} at once)"
    yield from _ratios(about, cells, "controller", {"right": 0.5, "kopf": 0.15})
    if "ours" in cells:
        used = cells["ours"].numbers["controller"]
        yield Target(about, "0.8 ms", f"{used:.2f} ms", used <= 0.8)


def _at_once(all_numbers: Numbers) -> Iterator[Target]:
    _, cells = _cells(all_numbers, "burst", "create", 200)
    if "ours" in cells:
        p95 = cells["ours"].numbers["p95"]
        yield Target("p95 with 200 at once", "≤ 1.5 s", f"{p95:.2f} s", p95 <= 1.5)
        yield from _ratios("p95 with 200 at once", cells, "p95", {"right": 0.8})


def _steadily(all_numbers: Numbers) -> Iterator[Target]:
    _, cells = _cells(all_numbers, "steady", "create")
    for metric, limit in (("p50", 1.1), ("p99", 1.5)):
        others = {name: cell.numbers[metric] for name, cell in cells.items() if not cell.short}
        if "ours" in others and len(others) > 1:
            fastest = min(others, key=others.__getitem__)
            ratio = others["ours"] / others[fastest]
            about = f"{metric} at 50 a second, beside the fastest (*{fastest}*)"
            yield Target(about, f"≤ {limit} ×", f"{ratio:.2f} ×", ratio <= limit)


def _many(all_numbers: Numbers) -> Iterator[Target]:
    _, cells = _cells(all_numbers, "burst", "create", 10_000)
    if "ours" in cells:
        ours = cells["ours"]
        yield Target("10,000 at once: objects stuck, lost or duplicated", "0", f"{ours.short}", not ours.short)
        peak = ours.numbers["peak"]
        yield Target("10,000 at once: peak memory", "≤ 90 MiB", f"{peak:.0f} MiB", peak <= 90)


def _nodes(all_numbers: Numbers) -> Iterator[Target]:
    size, cells = _cells(all_numbers, "nodes", "create")
    if "ours" in cells:
        writes = cells["ours"].numbers["all writes"]
        yield Target(f"{size:,} nodes to Ready: writes", f"≤ {size + 2:,}", f"{writes:,.0f}", writes <= size + 2)
        yield from _ratios(f"{size:,} nodes to Ready: time", cells, "max", {"right": 1.1})


def _heartbeats(all_numbers: Numbers) -> Iterator[Target]:
    size, cells = _cells(all_numbers, "heartbeats", "heartbeats")
    if "ours" in cells:
        writes = cells["ours"].numbers["all writes"]
        minutes = cells["ours"].numbers["seconds"] / 60
        yield Target(f"heartbeats of {size:,} nodes for {minutes:.1f} min: writes", "≤ 1", f"{writes:.0f}", writes <= 1)


def _restart(all_numbers: Numbers) -> Iterator[Target]:
    size, cells = _cells(all_numbers, "idle", "restart")
    if "ours" in cells:
        about = f"restart with {size:,} completed"
        writes, used = cells["ours"].numbers["all writes"] - 1, cells["ours"].numbers["cpu"]
        yield Target(f"{about}: writes but that of the new intent", "0", f"{writes:.0f}", writes <= 0)
        yield Target(f"{about}: controller CPU", "≤ 2 s", f"{used:.2f} s", used <= 2)


def _idle(all_numbers: Numbers) -> Iterator[Target]:
    size, cells = _cells(all_numbers, "idle", "idle")
    if "ours" in cells:
        found = cells["ours"].numbers
        about = f"idle with {size:,} completed"
        yield Target(f"{about}: writes", "0", f"{found['all writes']:.0f}", found["all writes"] == 0)
        used = 60 * found["cpu"] / found["seconds"]
        yield Target(f"{about}: controller CPU a minute", "≤ 0.1 s", f"{used:.3f} s", used <= 0.1)


def _hot(all_numbers: Numbers) -> Iterator[Target]:
    size, cells = _cells(all_numbers, "hot", "among")
    _, calm = _cells(all_numbers, "burst", "create", size)
    if "ours" not in cells:
        return
    if "ours" in calm:
        ratio = cells["ours"].numbers["p95"] / calm["ours"].numbers["p95"]
        yield Target("a hot object: p95 of the others, beside W1", "≤ 1.1 ×", f"{ratio:.2f} ×", ratio <= 1.1)
    after = cells["ours"].notes.get("last edit", -1.0)
    told = f"{after:.2f} s after it" if after >= 0 else "not in 30 s"
    yield Target("a hot object: it ends at its last edit", "yes", told, after >= 0)


def _storm(all_numbers: Numbers) -> Iterator[Target]:
    size, cells = _cells(all_numbers, "storm", "storm")
    _, calm = _cells(all_numbers, "storm", "calm", size)
    if "ours" in cells and "ours" in calm:
        yield Target("bad weather: stuck, lost or duplicated", "0", f"{cells['ours'].short}", not cells["ours"].short)
        ratio = cells["ours"].notes["asked"] / calm["ours"].notes["asked"]
        yield Target("bad weather: requests, beside calm", "≤ 1.3 ×", f"{ratio:.2f} ×", ratio <= 1.3)
