"""The defects of the Go batcher that this one replaces, each by name.

Each test names what the original does and proves that it does not happen here.
"""

from __future__ import annotations

import asyncio

import pytest

from steady import errors
from steady.objects.conditions import true
from steady.queue import Priority
from steady.status import BatchConfig, Outcome, Update
from tests.unit.steady.batching import Fault, batching, now, outcomes

pytestmark = pytest.mark.looptime

LETTERS = "abcdefghijklmnopqrstuvwxyz"


async def test_a_second_update_does_not_erase_the_conditions_of_the_first() -> None:
    """There: latest wins, so an update queued earlier in the same window is lost."""
    async with batching() as it:
        first = it.update("a", Update({}, (true("Processed", "Yes"),)), Priority.MEDIUM)
        second = it.update("a", Update({"said": "hi"}, (true("Deployed", "Yes"),)), Priority.MEDIUM)
        assert await outcomes(first, second) == [Outcome.LANDED] * 2
        status = await it.status("a")
        assert {"Processed", "Deployed"} <= {condition["type"] for condition in status["conditions"]}
        assert status["said"] == "hi"
        assert it.names == ["a"]


async def test_two_kinds_with_the_same_name_do_not_share_an_entry() -> None:
    """There: the key is namespace/name, so one overwrites the other, and its kind is guessed by reading."""
    async with batching(names="a", noises="a") as it:
        tickets = it.submit("a", "echo", Priority.MEDIUM), it.submit("a", "noise", Priority.MEDIUM, kind="noises")
        assert await outcomes(*tickets) == [Outcome.LANDED] * 2
        assert (await it.said("a"), await it.said("a", "noises")) == ("echo", "noise")
        asked = [entry.verb for entry in it.server.log if entry.user == "operator" and entry.verb != "watch"]
        assert asked.count("patch") == 2
        assert "get" not in asked


async def test_a_status_that_is_shown_already_is_not_written() -> None:
    """There: every flush writes, and with a new time, which wakes the controller, which flushes: for ever."""
    async with batching() as it:
        await it.submit("a", "hi", Priority.HIGH, true("Ready", "Fine")).wait()
        stored = await it.status("a")
        for _ in range(10):
            await asyncio.sleep(60.0)
            await it.submit("a", "hi", Priority.MEDIUM, true("Ready", "Fine")).wait()
        assert it.names == ["a"]
        assert await it.status("a") == stored


async def test_the_observed_generation_is_set() -> None:
    """There: never."""
    async with batching() as it:
        await it.edit("a", {"spec": {"text": "two"}})
        await asyncio.sleep(1.0)
        await it.submit("a", "two", Priority.HIGH, true("Ready", "Fine")).wait()
        status = await it.status("a")
        assert status["observedGeneration"] == status["conditions"][0]["observedGeneration"] == 2


async def test_a_write_that_failed_is_not_tried_again_for_ever() -> None:
    """There: the retry makes a new entry whose count starts at zero."""
    async with batching() as it:
        it.door.faults.extend([Fault.BROKEN] * 100)
        ticket = it.submit("a", "hi")
        assert await ticket.wait() is Outcome.FAILED
        assert isinstance(ticket.error, errors.ServerError)
        await asyncio.sleep(3600.0)
        assert it.names == ["a"]


async def test_a_failed_update_does_not_come_back_over_a_newer_one() -> None:
    """There: a late retry queues the old status over the new one."""
    async with batching() as it:
        it.door.slow = 1.0
        it.door.faults.append(Fault.INVALID)
        old = it.submit("a", "old")
        await asyncio.sleep(0.5)
        new = it.submit("a", "new", Priority.MEDIUM)
        assert await outcomes(old, new) == [Outcome.FAILED, Outcome.LANDED]
        await asyncio.sleep(3600.0)
        assert [write.status["said"] for write in it.door.sent] == ["old", "new"]
        assert await it.said("a") == "new"


@pytest.mark.parametrize("known", [True, False])
async def test_a_deleted_object_leaves_no_entry_behind(known: bool) -> None:
    """There: an update every three seconds, for ever."""
    async with batching() as it:
        it.door.lag = 0.0 if known else 60.0
        ticket = it.submit("a", "hi", Priority.MEDIUM)
        await it.delete("a")
        assert await ticket.wait() is Outcome.GONE
        await asyncio.sleep(3600.0)
        assert len(it.names) <= 1
        assert len(it.batcher) == 0


async def test_a_critical_update_goes_first_whatever_waits() -> None:
    """There: it flushes the first ten in order of arrival, sorted among themselves; the eleventh waits for a ticker."""
    async with batching(BatchConfig(max_batch_size=10, max_in_flight=1), names=LETTERS) as it:
        it.door.slow = 0.1
        others = [it.submit(name, "hi", Priority.HIGH) for name in LETTERS[:-1]]
        await asyncio.sleep(0.05)
        critical = it.submit("z", "hi", Priority.CRITICAL)
        assert await critical.wait() is Outcome.LANDED
        assert it.names[:2] == ["a", "z"]
        assert await outcomes(*others) == [Outcome.LANDED] * 25


async def test_what_does_not_fit_into_a_batch_leaves_in_its_own_time() -> None:
    """There: what is left over waits for the ticker."""
    async with batching(BatchConfig(max_batch_size=10), names=LETTERS) as it:
        began = now()
        tickets = [it.submit(name, "hi", Priority.MEDIUM) for name in LETTERS]
        await asyncio.sleep(1.0)
        assert sum(ticket.outcome is Outcome.LANDED for ticket in tickets) == 20
        await outcomes(*tickets)
        assert now() - began == pytest.approx(2.0, abs=0.01)


async def test_stopping_sends_everything_that_waits() -> None:
    """There: the context is cancelled first, so every pending write fails, and only one batch is tried."""
    async with batching(BatchConfig(max_batch_size=1000, max_in_flight=4), names=LETTERS) as it:
        it.door.slow = 0.5
        tickets = [it.submit(name, "hi", Priority.LOW) for name in LETTERS]
    assert [ticket.outcome for ticket in tickets] == [Outcome.LANDED] * len(LETTERS)
    assert len([task for task in asyncio.all_tasks() if "status" in task.get_name()]) == 0


async def test_the_queue_counts_an_object_once() -> None:
    """There: twice, so half of the limit is the limit."""
    async with batching(BatchConfig(max_queue_size=3), names="abcd") as it:
        for name in "abc":
            async with asyncio.timeout(0.1):
                await it.batcher.room(it.stores["echoes"], it.obj(name))
            it.submit(name, "hi", Priority.LOW)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.1):
                await it.batcher.room(it.stores["echoes"], it.obj("d"))


async def test_a_full_queue_takes_what_replaces_and_what_is_critical() -> None:
    """There: both are refused, and nobody is told."""
    async with batching(BatchConfig(max_queue_size=1), names="ab") as it:
        first = it.submit("a", "1", Priority.LOW)
        async with asyncio.timeout(0.1):
            await it.batcher.room(it.stores["echoes"], it.obj("a"))
        second = it.submit("a", "2", Priority.LOW)
        critical = it.submit("b", "now", Priority.CRITICAL)
        assert await critical.wait() is Outcome.LANDED
        assert await outcomes(first, second) == [Outcome.SUPERSEDED, Outcome.LANDED]


async def test_no_object_has_two_writes_in_flight() -> None:
    """There: two flushes at the same time may write the same object."""
    async with batching(names="ab") as it:
        it.door.slow = 0.7
        for number in range(20):
            it.submit("a", str(number), Priority.CRITICAL)
            it.update("a", Update({"said": str(number)}), Priority.CRITICAL)
            it.submit("b", str(number), Priority.HIGH)
            await asyncio.sleep(0.1)
            assert max(it.door.flying.values()) == 1
        await asyncio.sleep(2.0)
        assert await it.said("a") == "19"


async def test_an_object_that_the_cache_does_not_have_is_no_crash() -> None:
    """There: a nil pointer."""
    async with batching() as it:
        obj = it.obj("a")
        await it.delete("a")
        await asyncio.sleep(1.0)
        ticket = it.batcher.queue_update(it.stores["echoes"], obj, Update({"said": "hi"}), Priority.HIGH)
        assert await ticket.wait() is Outcome.GONE
        assert it.names == []
