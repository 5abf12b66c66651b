"""What the operator counts of interpretations, git, RICs and its objects."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest

from nephoran.api import NetworkIntent
from nephoran.api.networkintent import IntentPhase
from nephoran.e2.fleet import Fleet
from nephoran.e2.nodes import RicSettings
from nephoran.e2.ric import RicRefused, RicUnavailable
from nephoran.e2.simulator import MemoryRic, NodeTable
from nephoran.intent.interpret import Meaningless, RuleInterpreter
from nephoran.intent.meaning import Meaning
from nephoran.intent.memory import Memory
from nephoran.intent.plan import plan
from nephoran.intent.sanitise import Rejected
from nephoran.metrics import OperatorMetrics
from nephoran.repository.drift import Drift
from nephoran.repository.errors import ForeignDirectory, Moved, Refused, RemoteUnavailable
from nephoran.repository.memory import MemoryRepository
from nephoran.repository.protocol import Change, Commit, Record
from nephoran.repository.repository import Repository
from nephoran.repository.requests import Outcome, Request, removing
from steady.cache import Store
from steady.clock import ManualClock
from steady.objects import Key
from steady.objects.raw import RawObject, decode_object

pytestmark = pytest.mark.looptime

SET = Key("default", "cell")
RIC = RicSettings(endpoint="http://ric.example")


@pytest.fixture
async def metrics() -> OperatorMetrics:
    return OperatorMetrics()


def value(metrics: OperatorMetrics, name: str, /, **labels: str) -> float | None:
    return metrics.runtime.registry.get_sample_value(f"nephoran_{name}", labels)


class Broken:
    """An interpreter that fails as it is told to."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    async def interpret(self, text: str) -> Meaning:
        await asyncio.sleep(3.0)
        raise self.error


async def test_sentences_are_counted_by_what_became_of_them(metrics: OperatorMetrics) -> None:
    """To be told that a text means nothing is an answer; only what is no answer is the interpreter's failure."""
    assert value(metrics, "interpretations_total", result="failed") == 0
    await metrics.interpreter(RuleInterpreter()).interpret("Deploy AMF")
    with pytest.raises(Meaningless):
        await metrics.interpreter(RuleInterpreter()).interpret("Please make it work somehow")
    for error in (Rejected("Empty", "nothing"), ConnectionError("no model")):
        with pytest.raises(type(error)):
            await metrics.interpreter(Broken(error)).interpret("Deploy AMF")
    counted = {it: value(metrics, "interpretations_total", result=it) for it in ("understood", "meaningless")}
    assert counted == {"understood": 1, "meaningless": 1}
    assert value(metrics, "interpretations_total", result="rejected") == 1
    assert value(metrics, "interpretations_total", result="failed") == 1
    assert value(metrics, "interpretation_duration_seconds_sum", result="failed") == 3.0


async def test_an_interpretation_that_is_given_up_has_failed(metrics: OperatorMetrics) -> None:
    """The caller's deadline ends it; that is no answer either."""
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(1.0):
            await metrics.interpreter(Broken(ConnectionError())).interpret("Deploy AMF")
    assert value(metrics, "interpretations_total", result="failed") == 1


class Landing:
    """A place for groups that says or raises what it is told to."""

    def __init__(self, answer: Sequence[Outcome] | Exception) -> None:
        self.answer = answer

    async def land(self, group: Sequence[Request]) -> Sequence[Outcome]:
        await asyncio.sleep(2.0)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


DONE, SAME = Commit("c0ffee", changed=True), Commit("c0ffee", changed=False)


@pytest.mark.parametrize(
    ("answer", "result", "size"),
    [
        ([DONE, DONE, SAME], "success", 2),
        ([DONE, ForeignDirectory("of another"), DONE], "success", 2),
        ([SAME, SAME, SAME], "unchanged", 0),
        (Moved("first"), "Moved", 0),
        (Refused("by a hook"), "Refused", 0),
        (RemoteUnavailable("no route"), "RemoteUnavailable", 0),
    ],
)
async def test_a_push_is_counted_by_what_became_of_it(
    metrics: OperatorMetrics, answer: Sequence[Outcome] | Exception, result: str, size: int
) -> None:
    """And a commit by how many directories it holds; every result is there from the start."""
    assert value(metrics, "git_pushes_total", result=result) == 0
    group = [removing("default", f"intent-{number}", "u", "c") for number in range(3)]
    if isinstance(answer, Exception):
        with pytest.raises(type(answer)):
            await metrics.landing(Landing(answer)).land(group)
    else:
        assert await metrics.landing(Landing(answer)).land(group) == answer
    assert value(metrics, "git_pushes_total", result=result) == 1
    assert value(metrics, "git_push_duration_seconds_sum", result=result) == 2.0
    assert value(metrics, "git_group_size_sum") == size
    assert value(metrics, "git_group_size_count") == (1 if size else 0)


@pytest.mark.looptime(False)
async def test_a_repository_lets_its_pushes_be_counted(metrics: OperatorMetrics, tmp_path: Path) -> None:
    """With one remote or none; what is written twice is pushed once."""
    record = Record(spec_digest="s", interpretation=msgspec.Raw(b"{}"), renderer_version="1", digest="d")
    change = Change(namespace="default", name="amf", uid="u", generation=1, files={"a.yaml": b"a: 1\n"}, record=record)
    async with Repository(None, work=tmp_path / "work", clock=ManualClock(), meter=metrics.landing) as repository:
        for _ in range(2):
            await repository.write(change)
    assert value(metrics, "git_pushes_total", result="success") == 1
    assert value(metrics, "git_pushes_total", result="unchanged") == 1
    assert value(metrics, "git_group_size_sum") == 1


async def test_to_look_the_head_up_is_no_push(metrics: OperatorMetrics) -> None:
    """An empty group leaves nothing behind but the answer."""
    async with MemoryRepository(clock=ManualClock()) as repository:
        assert await metrics.landing(repository).land([]) == []
    assert value(metrics, "git_pushes_total", result="unchanged") == 0


async def test_calls_to_rics_are_counted_by_operation_and_outcome(metrics: OperatorMetrics) -> None:
    """Whatever the RIC: an endpoint is somebody's word and no label."""
    table = NodeTable()
    ric = metrics.connect(lambda _: MemoryRic(table, latency=0.5))("http://ric.example")

    def calls(operation: str, result: str) -> float | None:
        return value(metrics, "ric_calls_total", operation=operation, result=result)

    assert calls("update", "timeout") == 0
    await ric.register("n1", ())
    assert await ric.states() is not None
    await ric.deregister("n1")
    with pytest.raises(RicRefused):
        await ric.update("n1", ())
    table.down = True
    with pytest.raises(RicUnavailable):
        await ric.states()
    table.silent = True
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(10.0):
            await ric.states()
    assert calls("register", "success") == calls("deregister", "success") == 1
    assert calls("update", "refused") == 1
    assert [calls("states", result) for result in ("success", "unavailable", "timeout")] == [1, 1, 1]
    assert value(metrics, "ric_call_duration_seconds_sum", operation="register") == 0.5


async def test_nodes_and_rics_are_told_by_state(metrics: OperatorMetrics) -> None:
    """From the fleet, when scraped."""
    table = NodeTable()
    async with Fleet(lambda _: MemoryRic(table), ManualClock()) as fleet:
        metrics.follow(fleet, {})

        def nodes(state: str) -> float | None:
            return value(metrics, "e2_nodes", state=state)

        def rics() -> list[float | None]:
            return [value(metrics, "rics", state=state) for state in ("up", "down", "unknown")]

        assert rics() == [0, 0, 0]
        fleet.watch(SET, RIC, {"n1": (), "n2": ()})
        assert (rics(), nodes("Pending")) == ([0, 0, 1], 2)
        await fleet.register(SET)
        assert (rics(), nodes("Connected"), nodes("Pending")) == ([1, 0, 0], 2, 0)
        table.down = True
        await asyncio.sleep(120.0)
        assert (rics(), nodes("Connected"), nodes("Disconnected")) == ([0, 1, 0], 0, 2)


def intent(name: str, status: Any) -> RawObject:
    head = {"apiVersion": "nephoran.com/v1", "kind": "NetworkIntent", "spec": {"intent": "Deploy AMF"}}
    metadata = {"name": name, "namespace": "default", "uid": name, "resourceVersion": "1"}
    return decode_object(msgspec.Raw(msgspec.json.encode({**head, "metadata": metadata, "status": status})))


async def test_intents_are_told_by_phase_and_readiness(metrics: OperatorMetrics) -> None:
    """However many there are; a status that nobody can read, or of an unknown phase, counts as a new one."""
    store = Store(NetworkIntent.declaration.resource)
    async with Fleet(lambda _: MemoryRic(), ManualClock()) as fleet:
        stores: dict[Any, Store] = {}
        metrics.follow(fleet, stores)

        def intents(phase: str, ready: str) -> float | None:
            return value(metrics, "intents", phase=phase, ready=ready)

        assert intents("Completed", "True") == 0
        stores[store.resource] = store
        ready = {"phase": "Completed", "conditions": [{"type": "Ready", "status": "True"}]}
        refused = {"phase": "LLMProcessing", "conditions": [{"type": "Ready", "status": "False"}]}
        odd = [{}, {"phase": "Spinning"}, {"phase": 7}]
        found = [*([ready] * 3), refused, *odd]
        store.replace([intent(f"i{number}", status) for number, status in enumerate(found)], "1")
        assert intents("Completed", "True") == 3
        assert intents("LLMProcessing", "False") == 1
        assert intents("Pending", "Unknown") == 3
        store.replace([], "2")
        assert intents("Completed", "True") == 0
        total = sum(intents(phase, ready) or 0 for phase in IntentPhase for ready in ("True", "False", "Unknown"))
        assert total == 0


async def test_caches_tell_their_use(metrics: OperatorMetrics) -> None:
    """Those that the operator was given, and those of pure functions; each under its name."""
    meanings: Memory[str, int] = Memory(2)
    metrics.memories(meanings=meanings)

    def read(cache: str) -> list[float | None]:
        asked = [value(metrics, "cache_requests_total", cache=cache, result=result) for result in ("hit", "miss")]
        return [*asked, value(metrics, "cache_entries", cache=cache)]

    assert read("meanings") == [0, 0, 0]
    for number in range(3):
        assert meanings.recall("a" * number) is None
        meanings.keep("a" * number, number)
    assert meanings.recall("aa") == 2
    assert read("meanings") == [1, 3, 2]

    before = read("plans")
    meaning = Meaning("a plan that nobody had", "deploy", ("amf",))
    assert plan(meaning) is plan(meaning)
    after = read("plans")
    assert [late - early for early, late in zip(before, after, strict=True) if early is not None and late is not None][
        :2
    ] == [1, 1]
    for cache in ("words", "readings", "texts", "containers", "kustomizations"):
        assert None not in read(cache)


async def test_what_others_did_at_the_remote_is_counted(metrics: OperatorMetrics) -> None:
    """By directories, and how often the remote was asked."""
    drift = Drift()
    metrics.watch(drift)
    assert value(metrics, "git_drifts_total") == value(metrics, "git_looks_total") == 0
    drift.note([("default", "a"), ("default", "b")])
    drift.note([])
    drift.looks += 1
    assert (value(metrics, "git_drifts_total"), value(metrics, "git_looks_total")) == (2, 1)
