"""The status batcher: what is sent, when, and what becomes of the rest."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from examples.echo import EchoStatus
from steady import errors
from steady.cache import Reflector, Store
from steady.client.transport import Request
from steady.objects.conditions import Condition, false, true
from steady.queue import Priority
from steady.reasons import Reason
from steady.status import BatchConfig, Outcome, StatusBatcher, Ticket
from steady.tasks import Scope
from steady.writes import Writes
from tests.behaviour.house import Json
from tests.unit.steady.widgets import RESOURCE, World, key, world

pytestmark = pytest.mark.looptime


class Batching:
    """A world with a batcher; `slow` is the seconds that every patch takes."""

    def __init__(self, it: World, config: BatchConfig) -> None:
        self.world = it
        self.store = Store(RESOURCE)
        self.batcher = StatusBatcher(Writes(it.client), it.clock, config=config, metrics=it.client.metrics, grace=10.0)
        self.slow = 0.0
        self.flying = 0
        self.most = 0
        self.names: list[str] = []
        it.transport.before = self._before
        it.transport.after = self._after

    async def _before(self, request: Request) -> None:
        if request.method != "PATCH":
            return
        self.names.append(request.path.split("/")[-2])
        self.flying += 1
        self.most = max(self.most, self.flying)
        await asyncio.sleep(self.slow)

    async def _after(self, request: Request) -> None:
        self.flying -= request.method == "PATCH"

    def submit(
        self,
        name: str,
        said: str,
        priority: Priority = Priority.HIGH,
        *conditions: Condition,
        generation: int = 1,
    ) -> Ticket:
        """Ask for a status."""
        obj = self.store.get(key(name))
        assert obj
        status = EchoStatus(generation, conditions, said)
        return self.batcher.submit(self.store, obj, status, priority, Reason.STATUS)

    async def status(self, name: str) -> Json:
        """What the server stores."""
        found: Json = (await self.world.get(name)).get("status", {})
        return found

    def avoided(self, reason: str) -> float:
        """How many writes were not made."""
        labels = {"resource": RESOURCE.qualified, "reason": reason}
        return self.world.client.metrics.registry.get_sample_value("steady_writes_avoided_total", labels) or 0.0


@asynccontextmanager
async def batching(
    config: BatchConfig | None = None, *, names: str = "a", following: bool = True
) -> AsyncIterator[Batching]:
    """Echoes of these names, a store that follows them, and a running batcher."""
    async with world() as it, Scope("test") as scope:
        found = Batching(it, config or BatchConfig())
        for name in names:
            await it.create(name)
        reflector = scope.start(Reflector(it.client, found.store).run(), "reflector")
        await found.store.synced.wait()
        if not following:
            reflector.cancel()
        async with found.batcher:
            yield found


async def test_a_status_lands_whole_with_times_and_generation() -> None:
    """What the submission leaves out is filled in."""
    async with batching() as it:
        ticket = it.submit("a", "hi", Priority.HIGH, true("Ready", "Fine"))
        assert await ticket.wait() is Outcome.LANDED
        assert await it.status("a") == {
            "observedGeneration": 1,
            "said": "hi",
            "conditions": [
                {
                    "type": "Ready",
                    "status": "True",
                    "reason": "Fine",
                    "observedGeneration": 1,
                    "lastTransitionTime": "2026-01-01T00:00:00Z",
                }
            ],
        }


async def test_progress_that_is_superseded_costs_nothing() -> None:
    """Three reports and a result are one patch, that of the result, and it does not wait for the batch."""
    async with batching() as it:
        start = asyncio.get_running_loop().time()
        reports = [it.submit("a", said, Priority.MEDIUM) for said in ("1", "2", "3")]
        result = it.submit("a", "done")
        assert await result.wait() is Outcome.LANDED
        assert asyncio.get_running_loop().time() - start < 0.1
        assert {await report.wait() for report in reports} == {Outcome.SUPERSEDED}
        assert it.names == ["a"]
        assert (await it.status("a"))["said"] == "done"


@pytest.mark.parametrize(("priority", "after"), [(Priority.LOW, 5.0), (Priority.MEDIUM, 2.0), (Priority.HIGH, 0.0)])
async def test_each_priority_waits_its_own_time(priority: Priority, after: float) -> None:
    """LOW for the flush interval, MEDIUM for the batch timeout, HIGH not at all."""
    async with batching() as it:
        start = asyncio.get_running_loop().time()
        await it.submit("a", "hi", priority).wait()
        assert asyncio.get_running_loop().time() - start == pytest.approx(after, abs=0.01)


async def test_a_full_batch_leaves_early() -> None:
    """With as many objects as a batch holds, nobody waits for the time to pass."""
    async with batching(BatchConfig(max_batch_size=3), names="abc") as it:
        tickets = [it.submit(name, "hi", Priority.LOW) for name in "abc"]
        await asyncio.sleep(0.1)
        assert [ticket.outcome for ticket in tickets] == [Outcome.LANDED] * 3


async def test_what_the_cluster_shows_already_is_not_sent() -> None:
    """Not even when the date has moved on: the transition time is the old one."""
    async with batching() as it:
        await it.submit("a", "hi", Priority.HIGH, true("Ready", "Fine")).wait()
        it.world.clock.advance(3600)
        assert await it.submit("a", "hi", Priority.CRITICAL, true("Ready", "Fine")).wait() is Outcome.LANDED
        assert it.names == ["a"]
        assert it.avoided("unchanged") == 1


async def test_a_transition_time_moves_only_when_the_status_does() -> None:
    """A new reason or message keeps it; True to False does not."""
    async with batching() as it:
        times = []
        for condition in (true("Ready", "Fine"), true("Ready", "Better", "so much"), false("Ready", "Broken")):
            await it.submit("a", "hi", Priority.HIGH, condition).wait()
            times.append((await it.status("a"))["conditions"][0]["lastTransitionTime"])
            it.world.clock.advance(60)
        assert times == ["2026-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "2026-01-01T00:02:00Z"]


async def test_a_removed_condition_stays_removed() -> None:
    """A submission is the whole status."""
    async with batching() as it:
        await it.submit("a", "hi", Priority.HIGH, true("Ready", "Fine"), true("Odd", "Odd")).wait()
        await it.submit("a", "hi", Priority.HIGH, true("Ready", "Fine")).wait()
        assert [it["type"] for it in (await it.status("a"))["conditions"]] == ["Ready"]


async def test_the_observed_generation_never_goes_down() -> None:
    """Neither against what waits nor against what the cluster shows."""
    async with batching() as it:
        await it.world.edit("a", {"spec": {"text": "two"}})
        await asyncio.sleep(1.0)
        newer = it.submit("a", "two", Priority.MEDIUM, generation=2)
        assert await it.submit("a", "one", Priority.CRITICAL, generation=1).wait() is Outcome.SUPERSEDED
        assert await newer.wait() is Outcome.LANDED
        assert await it.submit("a", "one", generation=1).wait() is Outcome.SUPERSEDED
        assert (await it.status("a"))["said"] == "two"


async def test_a_foreign_generation_from_the_future_is_put_right() -> None:
    """No object has been observed beyond its own generation."""
    async with batching() as it:
        await it.world.user.merge(
            "/apis/example.com/v1/namespaces/default/echoes/a/status", {"status": {"observedGeneration": 99}}
        )
        await asyncio.sleep(1.0)
        assert await it.submit("a", "hi").wait() is Outcome.LANDED
        assert (await it.status("a"))["observedGeneration"] == 1


async def test_a_status_of_a_deleted_object_is_not_sent() -> None:
    """Its ticket says gone, without a request."""
    async with batching() as it:
        ticket = it.submit("a", "hi", Priority.MEDIUM)
        await it.world.delete("a")
        assert await ticket.wait() is Outcome.GONE
        assert it.names == []


async def test_a_status_never_lands_on_the_next_object_of_the_same_name() -> None:
    """Even if the deletion is not known here yet: the request names the UID and is refused."""
    async with batching(following=False) as it:
        await it.world.delete("a")
        await it.world.create("a", "next life")
        assert await it.submit("a", "hi").wait() is Outcome.GONE
        assert "said" not in await it.status("a")


async def test_a_failed_write_is_told_to_whoever_holds_the_ticket() -> None:
    """Nothing is tried again here."""
    async with batching() as it:

        async def refuse(request: Request) -> None:
            it.names.append("refused")
            raise errors.Interrupted("connection reset")

        it.world.transport.before = refuse
        ticket = it.submit("a", "hi")
        assert await ticket.wait() is Outcome.FAILED
        assert isinstance(ticket.error, errors.Interrupted)
        await asyncio.sleep(60.0)
        assert it.names == ["refused"]


async def test_one_write_of_an_object_is_in_flight_at_a_time() -> None:
    """What comes meanwhile goes with the next, and only the newest of it."""
    async with batching() as it:
        it.slow = 1.0
        first = it.submit("a", "1")
        await asyncio.sleep(0.5)
        tickets = [it.submit("a", str(number)) for number in range(2, 6)]
        assert await first.wait() is Outcome.LANDED
        assert [await ticket.wait() for ticket in tickets] == [Outcome.SUPERSEDED] * 3 + [Outcome.LANDED]
        assert it.most == 1
        assert it.names == ["a", "a"]
        assert (await it.status("a"))["said"] == "5"


async def test_critical_goes_ahead_of_everything_that_waits() -> None:
    """With one place in flight, the order of departure is that of the priorities."""
    async with batching(BatchConfig(max_in_flight=1), names="abcd") as it:
        it.slow = 1.0
        it.submit("a", "1", Priority.HIGH)
        await asyncio.sleep(0.5)
        last = [
            it.submit("b", "1", Priority.HIGH),
            it.submit("c", "1", Priority.HIGH),
            it.submit("d", "1", Priority.CRITICAL),
        ]
        for ticket in last:
            await ticket.wait()
        assert it.names == ["a", "d", "b", "c"]


async def test_no_more_than_the_limit_is_in_flight() -> None:
    """Whatever the number of objects."""
    async with batching(BatchConfig(max_in_flight=2), names="abcdef") as it:
        it.slow = 1.0
        tickets = [it.submit(name, "hi") for name in "abcdef"]
        assert [await ticket.wait() for ticket in tickets] == [Outcome.LANDED] * 6
        assert it.most == 2


async def test_a_full_queue_makes_the_submitter_wait() -> None:
    """Until something has left; nothing is dropped."""
    async with batching(BatchConfig(max_queue_size=2), names="abc") as it:
        tickets = [it.submit(name, "hi", Priority.MEDIUM) for name in "ab"]
        start = asyncio.get_running_loop().time()
        obj = it.store.get(key("c"))
        assert obj
        await it.batcher.room(it.store, obj)
        assert asyncio.get_running_loop().time() - start == pytest.approx(2.0, abs=0.01)
        tickets.append(it.submit("c", "hi"))
        assert [await ticket.wait() for ticket in tickets] == [Outcome.LANDED] * 3


async def test_stopping_sends_what_waits() -> None:
    """At once, whatever its priority."""
    async with batching(names="ab") as it:
        tickets = [it.submit("a", "hi", Priority.LOW), it.submit("b", "hi", Priority.MEDIUM)]
        start = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - start < 0.1
    assert [ticket.outcome for ticket in tickets] == [Outcome.LANDED] * 2


async def test_stopping_ends_within_its_grace_and_loses_nothing_silently() -> None:
    """What could not leave in time is told as failed."""
    async with batching(BatchConfig(max_in_flight=1), names="ab") as it:
        it.slow = 3600.0
        tickets = [it.submit("a", "hi", Priority.LOW), it.submit("b", "hi", Priority.LOW)]
        start = asyncio.get_running_loop().time()
    assert asyncio.get_running_loop().time() - start == pytest.approx(10.0, abs=0.1)
    assert [ticket.outcome for ticket in tickets] == [Outcome.FAILED] * 2
