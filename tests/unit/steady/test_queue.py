"""The queue: what is taken when, on virtual time."""

from __future__ import annotations

import asyncio

import pytest

from steady.queue import Closed, Priority, Queue
from steady.tasks import Scope

pytestmark = pytest.mark.looptime


def now() -> float:
    """The loop's time in seconds."""
    return asyncio.get_running_loop().time()


async def take_all(queue: Queue[str]) -> list[str]:
    """Everything that is ready, in the order in which it is handed out."""
    taken = []
    for _ in range(len(queue)):
        taken.append(await queue.get())
        queue.done(taken[-1])
    return taken


async def test_a_key_is_queued_once() -> None:
    """However often it is added."""
    queue: Queue[str] = Queue()
    for _ in range(3):
        queue.add("a")
    assert len(queue) == 1
    assert await take_all(queue) == ["a"]
    assert queue.idle


async def test_equal_priorities_are_served_in_order_of_arrival() -> None:
    """First come, first served."""
    queue: Queue[str] = Queue()
    for key in "cab":
        queue.add(key)
    assert await take_all(queue) == ["c", "a", "b"]


async def test_the_higher_priority_goes_first() -> None:
    """All four levels, whatever the order of arrival."""
    queue: Queue[str] = Queue()
    for priority in (Priority.LOW, Priority.CRITICAL, Priority.MEDIUM, Priority.HIGH):
        queue.add(priority.name, priority=priority)
    assert await take_all(queue) == ["CRITICAL", "HIGH", "MEDIUM", "LOW"]


async def test_adding_again_keeps_the_higher_priority() -> None:
    """A later, lower addition takes nothing away; a later, higher one lifts."""
    queue: Queue[str] = Queue()
    queue.add("a", priority=Priority.HIGH)
    queue.add("b", priority=Priority.MEDIUM)
    queue.add("c", priority=Priority.LOW)
    queue.add("a", priority=Priority.LOW)
    queue.add("c", priority=Priority.CRITICAL)
    assert await take_all(queue) == ["c", "a", "b"]


async def test_adding_again_keeps_the_earlier_moment() -> None:
    """In both orders of the delays; a higher priority with a later delay does not postpone."""
    queue: Queue[str] = Queue()
    queue.add("a", delay=5.0)
    queue.add("a", delay=60.0, priority=Priority.HIGH)
    queue.add("b", delay=60.0)
    queue.add("b", delay=6.0)
    start = now()
    assert await queue.get() == "a"
    assert now() - start == pytest.approx(5.0)
    assert await queue.get() == "b"
    assert now() - start == pytest.approx(6.0)


async def test_waiting_lifts_a_low_priority_above_newer_work() -> None:
    """Under an endless flood of CRITICAL keys a LOW one waits for three handicaps, no longer."""
    queue: Queue[str] = Queue(ageing=5.0)
    queue.add("patient", priority=Priority.LOW)
    start = now()
    for number in range(100):
        queue.add(f"urgent-{number}", priority=Priority.CRITICAL)
        if (key := await queue.get()) == "patient":
            break
        queue.done(key)
        await asyncio.sleep(1.0)
    assert 15.0 <= now() - start <= 16.0


async def test_what_is_added_while_it_runs_comes_again_after_done() -> None:
    """It is never handed out twice at a time."""
    queue: Queue[str] = Queue()
    queue.add("a")
    assert await queue.get() == "a"
    queue.add("a")
    queue.add("a")
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(60.0):
            await queue.get()
    queue.done("a")
    assert await queue.get() == "a"
    queue.done("a")
    assert len(queue) == 0


async def test_a_delay_given_while_the_key_runs_is_kept() -> None:
    """Counted from the addition, not from the end of the run."""
    queue: Queue[str] = Queue()
    queue.add("a")
    start = now()
    await queue.get()
    queue.add("a", delay=10.0)
    await asyncio.sleep(4.0)
    queue.done("a")
    await queue.get()
    assert now() - start == pytest.approx(10.0)


async def test_a_thousand_delayed_keys_share_one_timer() -> None:
    """Whatever the order of the delays; each key comes at its own moment."""
    queue: Queue[int] = Queue()
    loop = asyncio.get_running_loop()
    for number in range(1000):
        queue.add(number, delay=float((number * 7919) % 1000 + 1))
    alive = [handle for handle in loop._scheduled if not handle.cancelled()]  # type: ignore[attr-defined]
    assert len(alive) == 1
    start = now()
    for second in range(1, 1001):
        key = await queue.get()
        assert now() - start == pytest.approx(second)
        assert (key * 7919) % 1000 + 1 == second


async def test_an_earlier_key_moves_the_timer_forward() -> None:
    """The second key does not wait for the first."""
    queue: Queue[str] = Queue()
    queue.add("late", delay=100.0)
    queue.add("early", delay=1.0)
    start = now()
    assert await queue.get() == "early"
    assert now() - start == pytest.approx(1.0)


async def test_close_wakes_every_taker() -> None:
    """Each gets Closed; nothing is accepted or handed out afterwards."""
    queue: Queue[str] = Queue()

    async def take() -> None:
        with pytest.raises(Closed):
            await queue.get()

    async with Scope("test") as scope:
        takers = [scope.start(take(), f"taker-{number}") for number in range(3)]
        await asyncio.sleep(0)
        queue.close()
        await asyncio.wait(takers, timeout=1.0)
        assert all(taker.done() and taker.exception() is None for taker in takers)
    queue.add("a")
    assert len(queue) == 0
    with pytest.raises(Closed):
        await queue.get()


async def test_a_taker_that_is_cancelled_takes_nothing_with_it() -> None:
    """Even when it had just been woken: the next taker gets the key."""
    queue: Queue[str] = Queue()
    async with Scope("test") as scope:
        first = scope.start(queue.get(), "first")
        second = scope.start(queue.get(), "second")
        await asyncio.sleep(0)
        queue.add("a")
        first.cancel()
        async with asyncio.timeout(1.0):
            assert await second == "a"
        assert first.cancelled()
    assert queue.running == 1


async def test_one_addition_wakes_one_taker_and_a_burst_wakes_as_many_as_it_has_keys() -> None:
    """No key waits while a taker does."""
    queue: Queue[str] = Queue()
    async with Scope("test") as scope:
        takers = [scope.start(queue.get(), f"taker-{number}") for number in range(4)]
        await asyncio.sleep(0)
        for key in "abc":
            queue.add(key)
        await asyncio.sleep(1.0)
        assert sorted(taker.result() for taker in takers if taker.done()) == ["a", "b", "c"]


async def test_a_discarded_key_is_not_handed_out() -> None:
    """Neither a ready nor a delayed one; added again it starts anew."""
    queue: Queue[str] = Queue()
    queue.add("ready")
    queue.add("delayed", delay=5.0)
    queue.discard("ready")
    queue.discard("delayed")
    assert len(queue) == 0
    queue.add("delayed", delay=20.0)
    start = now()
    assert await queue.get() == "delayed"
    assert now() - start == pytest.approx(20.0)


async def test_due_tells_when_a_key_may_go() -> None:
    """Waiting, running and unknown keys."""
    queue: Queue[str] = Queue()
    queue.add("a", delay=3.0)
    assert queue.due("a") == pytest.approx(now() + 3.0)
    assert queue.due("b") is None
    assert not queue.running
    assert queue.idle
    await queue.get()
    assert queue.due("a") is None
    assert not queue.idle
