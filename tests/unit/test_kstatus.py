"""The readers of conditions that other tests rely on: each rule can be broken, and none is by a good status."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from examples.echo import Echo, EchoStatus
from steady import Context, Controller, Done, Result
from steady.objects.conditions import false, true
from tests.behaviour.house import Json, pass_time, running, witnessed
from tests.kstatus import awaited, broken, kstatus
from tests.unit.steady.widgets import world

SINCE = "2026-02-16T10:00:00Z"


def said(type_: str, status: str = "True", **more: Any) -> Json:
    """One condition."""
    first = {"type": type_, "status": status, "reason": "Because", "lastTransitionTime": SINCE, "observedGeneration": 2}
    return {**first, **more}


def obj(*conditions: Json, observed: int | None = 2, **metadata: Any) -> Json:
    """An object of generation 2 with a status."""
    status = {"conditions": list(conditions)} | ({} if observed is None else {"observedGeneration": observed})
    return {"metadata": {"generation": 2, **metadata}, "status": status}


READY, UNREADY = said("Ready"), said("Ready", "False")
FRESH = said("Ready", "Unknown", reason="Pending")
del FRESH["observedGeneration"]
WORKING, HOPELESS = obj(UNREADY, said("Reconciling")), obj(UNREADY, said("Stalled"))

GOOD = {
    "fresh": obj(FRESH, observed=None),
    "fresh and at work": obj(FRESH, said("Reconciling"), observed=None),
    "at work": WORKING,
    "without hope": HOPELESS,
    "ready": obj(READY, said("Available"), said("Degraded", "False")),
    "ready once": obj(said("Ready", observedGeneration=1), observed=1),
    "superseded": obj(READY, said("Superseded")),
    "suspended": obj(READY, said("Suspended")),
    "suspended after an edit": obj(said("Ready", observedGeneration=1), said("Suspended"), observed=1),
    "suspended on the way": obj(UNREADY, said("Suspended")),
    "suspended without hope": obj(UNREADY, said("Stalled"), said("Suspended")),
    "deleted": obj(UNREADY, said("Reconciling"), deletionTimestamp=SINCE),
}

BAD = {
    "Ready is not there": obj(said("Available")),
    "Ready is there 2 times": obj(READY, READY),
    "Odd is neither known as good news nor as bad, nor as neither": obj(READY, said("Odd")),
    "the reason of Ready is no CamelCase word: ''": obj(said("Ready", reason="")),
    "the reason of Ready is no CamelCase word: 'not now'": obj(said("Ready", reason="not now")),
    "the reason of Ready is no CamelCase word: 'ready'": obj(said("Ready", reason="ready")),
    "Ready does not say since when": obj(said("Ready", lastTransitionTime="")),
    "Reconciling is there, but not True": obj(READY, said("Reconciling", "False")),
    "Stalled is there, but not True": obj(READY, said("Stalled", "False")),
    "Reconciling and Stalled are both True": obj(UNREADY, said("Reconciling"), said("Stalled")),
    "Reconciling is True beside Ready": obj(READY, said("Reconciling")),
    "Stalled is True beside Ready": obj(READY, said("Stalled")),
    "Degraded is True beside Ready": obj(READY, said("Degraded")),
    "Ready is Unknown beside Stalled, although the object was looked at": obj(FRESH, said("Stalled")),
    "Ready is Unknown beside Reconciling, although the object was looked at": obj(FRESH, said("Reconciling")),
    "Reconciling is True beside Suspended": obj(UNREADY, said("Reconciling"), said("Suspended")),
    "Ready is False, and neither Reconciling nor Stalled says what comes next": obj(UNREADY),
    "kstatus says Current, and kubectl wait goes on": obj(said("Ready", observedGeneration=1)),
    "kstatus says InProgress, and kubectl wait ends": obj(READY, said("Reconciling")),
    "the status observed generation 3 of 2": obj(UNREADY, said("Reconciling"), observed=3),
    "Ready observed generation 3 of 2": obj(said("Ready", observedGeneration=3)),
    "Ready is True of no generation": obj(READY, observed=None),
    "Ready is True, but Available observed generation 1, and the status 2": obj(
        READY, said("Available", observedGeneration=1)
    ),
    "Ready is True, but Superseded observed generation None, and the status 2": obj(
        READY, said("Superseded", observedGeneration=None)
    ),
}

CHANGES = {
    "observedGeneration went down from 2": (WORKING, obj(UNREADY, said("Reconciling"), observed=1)),
    "Ready is False as before, but since another time": (
        WORKING,
        obj(said("Ready", "False", lastTransitionTime="2026-02-16T10:00:01Z"), said("Reconciling")),
    ),
    "the finalizer 'mine' names no domain": (WORKING, obj(UNREADY, said("Reconciling"), finalizers=["mine"])),
    "a.example/b was added to an object that is being deleted": (
        WORKING,
        obj(UNREADY, said("Reconciling"), finalizers=["a.example/b"], deletionTimestamp=SINCE),
    ),
}


@pytest.mark.parametrize("name", GOOD)
def test_a_good_status_breaks_no_rule(name: str) -> None:
    """Nor does one that follows it unchanged."""
    assert broken(GOOD[name], deepcopy(GOOD[name])) == []


@pytest.mark.parametrize("rule", BAD)
def test_a_status_can_break_every_rule(rule: str) -> None:
    """And it is said in words which one."""
    assert rule in broken(BAD[rule])


@pytest.mark.parametrize("rule", CHANGES)
def test_a_change_can_break_a_rule_that_its_result_keeps(rule: str) -> None:
    """Seen beside what was before, and only then."""
    before, after = CHANGES[rule]
    assert broken(after, before) == [rule]
    assert broken(after) == []


def test_what_others_said_is_no_measure_of_a_change() -> None:
    """A generation that nobody can have observed yet may go down; a new truth may have a new time."""
    assert broken(WORKING, obj(UNREADY, said("Reconciling"), observed=9)) == []
    later = "2026-02-16T10:00:01Z"
    assert broken(obj(said("Ready", lastTransitionTime=later)), WORKING) == []


@pytest.mark.parametrize(
    ("shown", "status"),
    [
        (obj(FRESH, observed=None), "InProgress"),
        (WORKING, "InProgress"),
        (obj(READY, observed=1), "InProgress"),
        (obj(UNREADY), "InProgress"),
        (HOPELESS, "Failed"),
        (obj(READY), "Current"),
        (obj(READY, said("Stalled", "False")), "Current"),
        (obj(READY, deletionTimestamp=SINCE), "Terminating"),
        (obj(said("Available")), "Current"),
        ({"metadata": {"generation": 1}}, "Current"),
    ],
)
def test_kstatus_reads_deletion_then_generation_then_trouble_then_ready(shown: Json, status: str) -> None:
    """An object without any of them is Current, which is why ours always have Ready."""
    assert kstatus(shown) == status


@pytest.mark.parametrize(
    ("shown", "ends"),
    [
        (obj(READY), True),
        (obj(UNREADY), False),
        (obj(FRESH, observed=None), False),
        (obj(said("Available")), False),
        (obj(said("Ready", observedGeneration=1)), False),
        ({"metadata": {"generation": 1}}, False),
    ],
)
def test_kubectl_waits_for_ready_of_this_generation(shown: Json, ends: bool) -> None:
    """The condition's own generation counts, or else the status's."""
    assert awaited(shown) is ends
    without = obj({name: value for name, value in READY.items() if name != "observedGeneration"}, observed=1)
    assert not awaited(without)


@pytest.mark.looptime
@pytest.mark.parametrize(
    ("conditions", "rules"),
    [
        ((false("Ready", "Broken"),), ["Ready is False, and neither Reconciling nor Stalled says what comes next"]),
        ((true("Ready", "Fine"), true("Degraded", "Broken")), ["Degraded is True beside Ready"]),
        ((true("Ready", "Fine"),), []),
    ],
)
async def test_what_an_operator_writes_is_witnessed_once(conditions: Any, rules: list[str]) -> None:
    """Each broken rule by the write that breaks it, although the next one leaves it broken."""

    async def reconcile(echo: Echo, context: Context[EchoStatus]) -> Result[EchoStatus]:
        return Done(EchoStatus(said=echo.spec.text, conditions=conditions))

    with witnessed() as found:
        async with world() as it, running(it.server, Controller(Echo, reconcile), clock=it.clock):
            await it.create("a")
            await pass_time()
            await it.edit("a", {"spec": {"text": "bye"}})
            await pass_time()
            assert (await it.get("a"))["status"]["said"] == "bye"
    assert found == [f"/apis/example.com/v1/namespaces/default/echoes/a/status: {rule}" for rule in rules]
