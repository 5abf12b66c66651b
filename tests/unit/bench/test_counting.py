"""What the bench counts: requests of one user, goals that a watcher sees, and budgets that are exceeded."""

import json
from pathlib import Path
from typing import Any

import pytest

from bench.peers.audit import Tally
from bench.peers.record import Phase, Run
from bench.peers.sightings import Sighting
from bench.peers.user import Gone, Reached, waits
from bench.peers.verdict import verdicts
from bench.peers.workloads.base import completed
from bench.peers.workloads.nodesets import Shape


def entry(stage: str, verb: str, resource: str, code: int, *, user: str = "operator", part: str = "") -> str:
    about: dict[str, Any] = {"resource": resource} | ({"subresource": part} if part else {})
    return json.dumps(
        {
            "stage": stage,
            "verb": verb,
            "user": {"username": user},
            "objectRef": about,
            "responseStatus": {"code": code},
        }
    )


def test_requests_count_when_answered_and_watches_when_they_begin(tmp_path: Path) -> None:
    log = tmp_path / "audit.log"
    lines = [
        entry("ResponseComplete", "patch", "networkintents", 200, part="status"),
        entry("ResponseComplete", "patch", "networkintents", 409, part="status"),
        entry("ResponseComplete", "create", "networkintents", 201, user="somebody"),
        entry("ResponseStarted", "watch", "networkintents", 200),
        entry("ResponseComplete", "watch", "networkintents", 200),
        entry("ResponseComplete", "watch", "e2nodesets", 429),
    ]
    log.write_text("\n".join(lines) + "\n" + entry("ResponseComplete", "get", "half", 200)[:20])
    assert Tally(log, "operator").counts() == {
        "patch networkintents/status 200": 1,
        "patch networkintents/status 409": 1,
        "watch networkintents 200": 1,
        "watch e2nodesets 429": 1,
    }


def test_a_tally_goes_on_where_it_stopped(tmp_path: Path) -> None:
    log = tmp_path / "audit.log"
    first = entry("ResponseComplete", "get", "leases", 200)
    log.write_text(f"{first}\n{first[:9]}")
    tally = Tally(log, "operator")
    assert tally.counts().total() == 1
    log.write_text(f"{first}\n{first}\n{first}\n")
    assert tally.counts() == {"get leases 200": 3}


def intent(name: str, phase: str, at: float = 0.0, change: str = "MODIFIED") -> Sighting:
    return Sighting(at, "networkintents", change, 100, name, phase=phase)


def test_a_goal_notes_when_it_was_first_seen_and_what_left_it_and_came_back() -> None:
    goal = Reached("networkintents", ["a", "b"], completed)
    for at, phase in enumerate(("Pending", "Completed", "Completed", "LLMProcessing", "Completed")):
        goal.see(intent("a", phase, at))
    goal.see(intent("stranger", "Completed"))
    assert (goal.times, goal.again, goal.complete) == ({"a": 1}, 1, False)
    goal.see(intent("b", "Completed", 9))
    assert goal.complete
    assert waits({"a": 0.5, "b": 5}, goal.times) == [0.5, 4]


def test_what_is_seen_deleted_is_gone() -> None:
    goal = Gone("networkintents", ["a"])
    goal.see(intent("a", "Completed"))
    assert not goal.complete
    goal.see(intent("a", "Completed", 3, "DELETED"))
    assert goal.times == {"a": 3}


def node(index: int, version: str = "v3.0", change: str = "ADDED", at: float = 0.0) -> Sighting:
    return Sighting(at, "configmaps", change, 100, f"set-e2node-{index}", owner="set", version=version)


def status(ready: int, *, observed: int = 1, generation: int = 1, at: float = 0.0) -> Sighting:
    return Sighting(
        at,
        "e2nodesets",
        "MODIFIED",
        100,
        "set",
        generation=generation,
        observed=observed,
        ready=ready,
        updated=ready,
    )


def test_a_set_has_its_shape_when_all_nodes_are_there_and_it_says_so_of_its_newest_generation() -> None:
    shape = Shape("set")
    shape.aim(2, "v3.0")
    for sighting in (node(0), status(2), node(1, "v2.1")):
        shape.see(sighting)
    assert not shape.complete
    shape.see(node(1, at=5.0))
    assert shape.at == 5.0
    shape.aim(2, "v2.1")
    for sighting in (status(2, generation=2), node(0, "v2.1"), node(1, "v2.1")):
        shape.see(sighting)
    assert not shape.complete
    shape.see(status(2, generation=2, observed=2, at=7.0))
    assert shape.at == 7.0
    shape.aim(1, "v2.1")
    shape.see(status(1, generation=3, observed=3))
    assert not shape.complete
    shape.see(node(1, "v2.1", "DELETED", at=9.0))
    assert shape.at == 9.0


def run(contender: str, writes: int, extra: dict[str, int] | None = None, reached: int = 10) -> Run:
    phases = [
        Phase(
            name=name,
            units=10,
            objects=10,
            requests={"patch networkintents/status 200": count, "update leases 200": 3} | (extra or {}),
            events={"networkintents": 20},
            bytes={"networkintents": 30_000},
            waits=[0.1] * reached,
        )
        for name, count in (("create", writes), ("delete", 10))
    ]
    return Run(contender=contender, workload="burst", size=10, git=False, repetition=1, started="", phases=phases)


def missed(*runs: Run) -> set[str]:
    return {verdict.budget for verdict in verdicts(runs) if not verdict.kept}


def test_leases_cost_no_budget_and_one_event_is_allowed() -> None:
    assert not missed(run("ours", 10, {"create events 201": 10}), run("right", 20))


@pytest.mark.parametrize(
    ("exceeding", "budget"),
    [
        (run("ours", 11), "create: writes per intent"),
        (run("ours", 10, {"create events 201": 11}), "create: events per intent"),
        (run("ours", 10, {"get networkintents 200": 1}), "create: reads"),
        (run("ours", 9, {"patch networkintents/status 409": 1}), "create: refused requests"),
        (run("ours", 10, reached=9), "create: stuck, lost or duplicated"),
    ],
)
def test_one_request_too_many_misses_a_budget(exceeding: Run, budget: str) -> None:
    assert budget in missed(exceeding)


def test_a_run_that_did_not_end_misses_a_budget() -> None:
    broken = run("ours", 10)
    broken.phases, broken.trouble = [], "it has ended by itself"
    assert {"troubles", "create: phases missing", "delete: phases missing"} <= missed(broken)
