"""The status batcher against a model of what it promises: any options, failures of each class, a slow and late server.

`STATUS_MODEL_EXAMPLES` is the number of examples, `STATUS_MODEL_STEPS` the number of steps of each. What it finds
becomes a test of its own in `test_status_found.py`, which replays the steps.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from contextlib import AsyncExitStack
from typing import Any, NamedTuple

import looptime
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from steady import errors
from steady.objects.conditions import Condition, false, true
from steady.objects.keys import Key
from steady.objects.raw import RawObject
from steady.queue import Priority
from steady.status import BatchConfig, Outcome, Ticket, Update, Why
from steady.tasks import Scope
from tests.behaviour.house import Json
from tests.unit.steady.batching import Batching, Fault, Write, batching

OBJECTS = [("echoes", "a"), ("echoes", "b"), ("noises", "a")]  # few, so that much happens to each
CONDITIONS = [true("Ready", "Fine"), false("Ready", "Broken"), true("Synced", "Yes"), false("Odd", "No")]
GRACE = 10.0

State = tuple[str, int]

configs = st.builds(
    BatchConfig,
    max_batch_size=st.sampled_from([1, 2, 3, 100]),
    batch_timeout=st.sampled_from([0.0, 1.0, 2.0]),
    flush_interval=st.sampled_from([2.0, 5.0]),
    max_queue_size=st.sampled_from([1, 2, 10_000]),
    max_in_flight=st.sampled_from([1, 2, 32]),
    writes_per_second=st.sampled_from([0.0, 0.0, 0.5, 10.0]),
    ageing=st.sampled_from([0.0, 5.0, 1000.0]),
    priorities=st.sampled_from([True, True, True, False]),
)
objects = st.sampled_from(OBJECTS)
priorities = st.sampled_from(Priority)
saids = st.sampled_from(["", "one", "two"])
conditions = st.lists(st.sampled_from(CONDITIONS), max_size=3, unique_by=lambda condition: condition.type).map(tuple)
types = st.frozensets(st.sampled_from(["Ready", "Synced", "Odd"]), max_size=2)


class Told(NamedTuple):
    """One submission."""

    ticket: Ticket
    priority: Priority
    moment: float
    generation: int
    said: str | None
    conditions: tuple[Condition, ...]
    without: frozenset[str]
    complete: bool

    def onto(self, shown: Shown) -> Shown:
        """What the cluster shows once this has landed on `shown`."""
        if self.complete:
            own: dict[str, State] = {it.type: (it.status, self.generation) for it in self.conditions}
            return Shown(self.said or "", tuple(sorted(own.items())))
        own = {type_: state for type_, state in shown.conditions if type_ not in self.without}
        for condition in self.conditions:
            if self.generation >= own.get(condition.type, ("", 0))[1]:
                own[condition.type] = (condition.status, self.generation)
        return Shown(shown.said if self.said is None else self.said, tuple(sorted(own.items())))


class Shown(NamedTuple):
    """What a status says: one field, and the truth and the generation of each condition."""

    said: str
    conditions: tuple[tuple[str, State], ...]


def shown(status: Json) -> Shown:
    """The same of a stored status."""
    own = {it["type"]: (it["status"], it.get("observedGeneration", 0)) for it in status.get("conditions", ())}
    return Shown(status.get("said") or "", tuple(sorted(own.items())))


class StatusBatching(RuleBasedStateMachine):
    """Everything that may happen to a batcher, and what must hold whatever happens."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = looptime.new_event_loop(start=1000.0)
        self.stack = AsyncExitStack()
        self.it: Batching
        self.told: dict[str, list[Told]] = {}
        self.first: dict[str, Shown] = {}
        self.stored: dict[str, Json] = {}
        self.doubts: set[str] = set()
        self.critical: set[str] = set()
        self.last: Write | None = None
        self.broken: AssertionError | None = None

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Let `work` and all else happen, in virtual time."""
        return self.loop.run_until_complete(work)

    @initialize(config=configs)
    def start(self, config: BatchConfig) -> None:
        """A server with objects of two kinds."""
        self.run(self._start(config))

    async def _start(self, config: BatchConfig) -> None:
        self.it = await self.stack.enter_async_context(batching(config, names="", noises=""))
        self.scope = await self.stack.enter_async_context(Scope("submitters"))
        self.it.door.leaving = self._kept(self._leaving)
        self.it.door.landed = self._kept(self._landed)
        self.it.door.doubted = lambda write: self.doubts.add(write.uid)
        for kind, name in OBJECTS:
            await self._create(kind, name)

    async def _create(self, kind: str, name: str, *, known: bool = True) -> None:
        made = await self.it.create(name, kind, known=known)
        uid = made["metadata"]["uid"]
        self.stored[uid] = made.get("status", {})
        self.first[uid] = shown(self.stored[uid])
        self.told[uid] = []

    # What may happen.

    @rule(which=objects, said=saids, conditions=conditions, priority=priorities, behind=st.sampled_from([0, 0, 1]))
    def submit(
        self, which: tuple[str, str], said: str, conditions: tuple[Condition, ...], priority: Priority, behind: int
    ) -> None:
        """A complete status, sometimes one of an older generation."""
        self.run(self._submit(which, said, conditions, priority, behind))

    async def _submit(
        self, which: tuple[str, str], said: str, conditions: tuple[Condition, ...], priority: Priority, behind: int
    ) -> None:
        if (obj := self._obj(which)) is None:
            return
        generation = max(obj.metadata.generation - behind, 1)
        kind, name = which
        self._start_anew(obj.metadata.uid)
        ticket = self.it.submit(name, said, priority, *conditions, generation=generation, kind=kind)
        self._tell(
            obj.metadata.uid,
            Told(ticket, priority, self.loop.time(), generation, said, conditions, frozenset(), complete=True),
        )

    @rule(which=objects, said=st.none() | saids, conditions=conditions, without=types, priority=priorities)
    def update(
        self,
        which: tuple[str, str],
        said: str | None,
        conditions: tuple[Condition, ...],
        without: frozenset[str],
        priority: Priority,
    ) -> None:
        """A partial update."""
        self.run(self._update(which, said, conditions, without, priority))

    async def _update(
        self,
        which: tuple[str, str],
        said: str | None,
        conditions: tuple[Condition, ...],
        without: frozenset[str],
        priority: Priority,
    ) -> None:
        if (obj := self._obj(which)) is None:
            return
        fields = {} if said is None else {"said": said or None}
        kind, name = which
        self._start_anew(obj.metadata.uid)
        ticket = self.it.update(name, Update(fields, conditions, without), priority, kind=kind)
        told = Told(
            ticket, priority, self.loop.time(), obj.metadata.generation, said, conditions, without, complete=False
        )
        self._tell(obj.metadata.uid, told)

    @rule(which=objects, said=saids, priority=priorities)
    def submit_when_there_is_room(self, which: tuple[str, str], said: str, priority: Priority) -> None:
        """As the controllers do."""
        self.run(self._later(which, said, priority))

    async def _later(self, which: tuple[str, str], said: str, priority: Priority) -> None:
        async def submitter() -> None:
            if (obj := self._obj(which)) is None:
                return
            await self.it.batcher.room(self.it.stores[which[0]], obj)
            queued = self.it.batcher.statistics[f"{which[0]}.example.com"].pending
            assert queued < self.it.batcher.config.max_queue_size or self.it.batcher.waiting(obj)
            await self._submit(which, said, (), priority, 0)

        self.scope.start(submitter(), "submitter")
        await asyncio.sleep(0)

    @rule(kind=st.sampled_from(["echoes", "noises"]), said=saids, priority=priorities)
    def flood(self, kind: str, said: str, priority: Priority) -> None:
        """All of a kind at once."""
        for which in OBJECTS:
            if which[0] == kind:
                self.run(self._submit(which, said, (), priority, 0))

    @rule(seconds=st.sampled_from([0.001, 0.1, 1.0, 3.0, 20.0]))
    def wait(self, seconds: float) -> None:
        """Time passes."""
        self.run(asyncio.sleep(seconds))

    @rule(which=objects, text=st.sampled_from(["x", "y"]), known=st.booleans())
    def edit(self, which: tuple[str, str], text: str, known: bool) -> None:
        """The user wants something else; the store may have heard of it or not."""
        self._change(which, {"spec": {"text": text}}, known=known)

    @rule(which=objects, value=st.sampled_from(["1", "2"]), known=st.booleans())
    def label(self, which: tuple[str, str], value: str, known: bool) -> None:
        """Somebody changes what no status write predicts."""
        self._change(which, {"metadata": {"labels": {"v": value}}}, known=known)

    def _change(self, which: tuple[str, str], body: Json, *, known: bool) -> None:
        self.run(self.it.edit(which[1], body, which[0]))
        if known:
            self.run(asyncio.sleep(self.it.door.lag + 0.001))

    @rule(which=objects)
    def recreate(self, which: tuple[str, str]) -> None:
        """Another object of the same name."""
        self.run(self.it.delete(which[1], which[0]))
        self.run(self._create(*which, known=False))

    @rule(faults=st.lists(st.sampled_from(Fault), min_size=1, max_size=3), retry_after=st.sampled_from([1, 30, 3600]))
    def fail(self, faults: list[Fault], retry_after: int) -> None:
        """The next writes will not go well."""
        self.it.door.faults.extend(faults)
        self.it.door.retry_after = retry_after

    @rule(slow=st.sampled_from([0.0, 0.01, 1.0, 30.0]))
    def slow(self, slow: float) -> None:
        """The server takes its time."""
        self.it.door.slow = slow

    @rule(lag=st.sampled_from([0.0, 0.0, 0.5, 4.0]))
    def lag(self, lag: float) -> None:
        """The watch is late."""
        self.it.door.lag = lag

    @rule()
    def calm(self) -> None:
        """Nothing goes wrong any more: everything settles, and the cluster shows what was said last."""
        self.it.door.faults.clear()
        self.it.door.slow = self.it.door.lag = 0.0
        self.run(asyncio.sleep(300.0))
        assert not self._open()
        self._check_shown()

    def teardown(self) -> None:
        """Stop under whatever conditions there are: in time, and nothing is lost silently."""
        try:
            if hasattr(self, "it"):
                began = self.loop.time()
                self.run(self.it.batcher.__aexit__())
                assert self.loop.time() - began <= GRACE + 0.1
                assert not self._open()
                self._check_shown()
                self.no_write_broke_a_promise()
                late = self.run(self._late())
                assert late.outcome is Outcome.FAILED
        finally:
            self.run(self.stack.aclose())
            self.loop.close()

    async def _late(self) -> Ticket:
        found = Ticket()
        for which in OBJECTS:
            if self._obj(which):
                return self.it.submit(which[1], kind=which[0])
        found.settle(Outcome.FAILED)
        return found

    # What must hold.

    def _kept(self, check: Callable[[Write], None]) -> Callable[[Write], None]:
        """`check`, with what it finds kept: raised on the way to the server it would be one more failed write."""

        def checked(write: Write) -> None:
            try:
                check(write)
            except AssertionError as broken:
                self.broken = self.broken or broken

        return checked

    @invariant()
    def no_write_broke_a_promise(self) -> None:
        """Neither when it left nor when it landed."""
        if self.broken:
            raise self.broken

    @invariant()
    def counts_add_up(self) -> None:
        """Whatever was queued is settled or open."""
        if hasattr(self, "it"):
            tallies = self.it.batcher.statistics.values()
            queued = sum(sum(tally.queued) for tally in tallies)
            settled = sum(sum(map(sum, tally.settled.values())) for tally in tallies)
            assert queued == settled + len(self._open())
            assert sum(tally.pending for tally in tallies) == len(self.it.batcher)

    @invariant()
    def waiting_says_why_and_how_long(self) -> None:
        """Nothing waits for others longer than it may."""
        if hasattr(self, "it"):
            self.run(self._check_waiting())

    async def _check_waiting(self) -> None:
        config = self.it.batcher.config
        for which in OBJECTS:
            obj = self._obj(which)
            waiting = self.it.batcher.waiting(obj) if obj else None
            if waiting and waiting.why is Why.TIME:
                assert self.loop.time() <= waiting.leaves_by + 0.001
                assert waiting.leaves_by <= waiting.since + config.flush_interval
                assert waiting.priority < Priority.HIGH

    def _leaving(self, write: Write) -> None:
        config = self.it.batcher.config
        assert not self.it.door.flying[write.kind, write.name], "two writes in flight for one object"
        assert self.it.door.flying.total() < config.max_in_flight
        again = self.last is not None and self.last.uid == write.uid and self.last.moment == write.moment
        if config.writes_per_second and self.last and not again:
            assert write.moment - self.last.moment >= 1 / config.writes_per_second - 0.001
        if write.uid not in self.doubts:
            assert write.status != self.stored[write.uid], "a request although nothing differs"
        self._check_turn(write)
        self.critical.discard(write.uid)
        self.last = write

    def _check_turn(self, write: Write) -> None:
        """CRITICAL first; only what has waited for long may go ahead of it."""
        flying = {key for key, number in self.it.door.flying.items() if number}
        ahead = {
            obj.metadata.uid
            for which in OBJECTS
            if which not in flying and (obj := self._obj(which)) and self._waits(obj.metadata.uid)
        } & self.critical - {write.uid}
        if not ahead or write.uid in self.critical or not self.it.batcher.config.priorities:
            return
        began = min(told.moment for told in self.told[write.uid] if told.ticket.outcome is None)
        assert self.loop.time() - began > self.it.batcher.config.ageing

    def _landed(self, write: Write) -> None:
        before, after = self.stored[write.uid], write.status
        assert after.get("observedGeneration", 0) >= before.get("observedGeneration", 0)
        shown_before = {condition["type"]: condition for condition in before.get("conditions", ())}
        for condition in after.get("conditions", ()):
            if was := shown_before.get(condition["type"]):
                assert condition.get("observedGeneration", 0) >= was.get("observedGeneration", 0)
                assert condition["lastTransitionTime"] >= was["lastTransitionTime"]
                if write.uid not in self.doubts and condition["status"] == was["status"]:
                    assert condition["lastTransitionTime"] == was["lastTransitionTime"]
        self.stored[write.uid] = after
        self.doubts.discard(write.uid)

    def _check_shown(self) -> None:
        """The cluster shows what landed, in the order in which it was said; what was lost is there or not."""
        for which in OBJECTS:
            server = self.run(self.it.user.send("GET", self.it.path(which[1], which[0])))
            uid = server["metadata"]["uid"]
            possible = {self.first[uid]}
            for number, told in enumerate(self.told[uid]):
                if told.ticket.outcome is Outcome.SUPERSEDED:
                    self._check_superseded(told, self.told[uid][:number], self.told[uid][number + 1 :])
                after = {told.onto(one) for one in possible}
                if told.ticket.outcome is Outcome.LANDED:
                    possible = after
                elif told.ticket.outcome is Outcome.FAILED and not _refused(told.ticket.error):
                    possible |= after
            assert shown(server.get("status", {})) in possible

    @staticmethod
    def _check_superseded(told: Told, before: list[Told], after: list[Told]) -> None:
        """By a later complete one that is no older, or, itself complete, by an earlier one of a later generation."""
        newer = any(later.complete and later.generation >= told.generation for later in after)
        assert newer or (told.complete and any(earlier.generation > told.generation for earlier in before))

    def _obj(self, which: tuple[str, str]) -> RawObject | None:
        return self.it.stores[which[0]].get(Key("default", which[1]))

    def _tell(self, uid: str, told: Told) -> None:
        self.told[uid].append(told)
        if told.priority is Priority.CRITICAL:
            self.critical.add(uid)

    def _start_anew(self, uid: str) -> None:
        """Before a submission: what was urgent has settled without a write, unless something still waits."""
        if not self._waits(uid):
            self.critical.discard(uid)

    def _waits(self, uid: str) -> bool:
        return any(told.ticket.outcome is None for told in self.told[uid])

    def _open(self) -> list[Ticket]:
        return [told.ticket for tolds in self.told.values() for told in tolds if told.ticket.outcome is None]


def _refused(error: Exception | None) -> bool:
    if isinstance(error, errors.ApiError):
        return error.status < 500
    return isinstance(error, errors.Unreachable)


TestStatusBatching = StatusBatching.TestCase
TestStatusBatching.settings = settings(
    max_examples=int(os.environ.get("STATUS_MODEL_EXAMPLES", "40")),
    stateful_step_count=int(os.environ.get("STATUS_MODEL_STEPS", "30")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
