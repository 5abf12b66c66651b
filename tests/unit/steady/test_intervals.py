"""When to look again when nothing is wrong: bounds, growth, chance and memory; then a running controller."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples.echo import Echo, EchoStatus
from steady import Again, ConfigMap, Context, Controller, Done, Result
from steady.errors import ConfigurationError
from steady.intervals import Interval, Intervals, every
from tests.behaviour.house import pass_time, requests, running
from tests.unit.steady.widgets import World, key, world

pytestmark = [pytest.mark.looptime, pytest.mark.usefixtures("rules_of_conditions")]

FINE = Interval(1.0, 8.0, jitter=0.0)


@st.composite
def intervals(draw: st.DrawFn, *, jitter: float | None = None) -> Interval:
    one, two = draw(st.floats(0.001, 86_400.0)), draw(st.floats(0.001, 86_400.0))
    by_chance = draw(st.floats(0.0, 1.0)) if jitter is None else jitter
    return Interval(min(one, two), max(one, two), draw(st.floats(1.0, 1000.0)), by_chance)


@given(intervals(), st.lists(st.booleans(), max_size=60), st.integers())
def test_no_wait_is_ever_out_of_bounds(interval: Interval, changes: list[bool], seed: int) -> None:
    """Jitter included, whatever happens."""
    kept = Intervals[str](random.Random(seed))
    for changed in changes:
        if changed:
            kept.changed("a")
        assert interval.shortest <= kept.next("a", interval) <= interval.longest


@given(intervals(jitter=0.0), st.integers(1, 60))
def test_what_is_stable_is_looked_at_ever_more_rarely(interval: Interval, times: int) -> None:
    """From the shortest interval on, by the growth, to the longest and no further."""
    kept = Intervals[str]()
    waits = [kept.next("a", interval) for _ in range(times)]
    assert waits[0] == interval.shortest
    for before, after in pairwise(waits):
        assert after == min(before * interval.growth, interval.longest) >= before


@given(intervals(), st.integers(0, 60), st.integers())
def test_a_change_returns_to_the_shortest(interval: Interval, times: int, seed: int) -> None:
    """However long nothing had happened; jitter adds no more than its share of it."""
    kept = Intervals[str](random.Random(seed))
    for _ in range(times):
        kept.next("a", interval)
    kept.changed("a")
    assert kept.next("a", interval) <= interval.shortest * (1 + interval.jitter) * (1 + 1e-9)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(("next", "changed", "forget")))))
def test_one_key_never_changes_another(calls: list[tuple[str, str]]) -> None:
    """Each is served as if it were alone."""
    together, alone = Intervals[str](), {name: Intervals[str]() for name in "abc"}
    for name, call in calls:
        if call == "next":
            assert together.next(name, FINE) == alone[name].next(name, FINE)
        else:
            getattr(together, call)(name)
            getattr(alone[name], call)(name)


def test_two_hundred_keys_do_not_beat_together() -> None:
    """All begin at one moment, nothing happens; after a day no second sees more than three of them, no minute 16."""
    interval = Interval(60.0, 3600.0)
    kept = Intervals[int](random.Random(1))
    moments = [0.0] * 200
    for number in range(200):
        while moments[number] < 86_400.0:
            moments[number] += kept.next(number, interval)
    seconds = Counter(int(moment) for moment in moments)
    minutes = Counter(int(moment / 60) for moment in moments)
    assert max(seconds.values()) <= 3
    assert max(minutes.values()) <= 16


def test_the_first_wait_of_many_is_spread_as_well() -> None:
    """A start, or a change of all, makes no peak either."""
    kept = Intervals[int](random.Random(1))
    waits = sorted(kept.next(number, Interval(60.0, 3600.0)) for number in range(200))
    assert waits[0] < 60.5
    assert waits[-1] > 65.5
    assert max(after - before for before, after in pairwise(waits)) < 0.5


def test_nothing_is_remembered_of_keys_that_nobody_asked_about() -> None:
    """A change of a million objects without an interval costs no memory, nor does one that is forgotten."""
    kept = Intervals[int]()
    for number in range(1000):
        kept.changed(number)
    assert len(kept) == 0
    kept.next(1, FINE)
    assert len(kept) == 1
    kept.forget(1)
    assert len(kept) == 0


@pytest.mark.parametrize(
    ("values", "key_named"),
    [
        ({"shortest": 0.0}, "shortest"),
        ({"shortest": 9.0}, "shortest"),
        ({"shortest": float("nan")}, "shortest"),
        ({"longest": 86_401.0}, "longest"),
        ({"growth": 0.5}, "growth"),
        ({"growth": float("inf")}, "growth"),
        ({"jitter": 1.5}, "jitter"),
        ({"jitter": -0.1}, "jitter"),
    ],
)
def test_a_wrong_interval_is_refused_by_name(values: dict[str, float], key_named: str) -> None:
    """With the value and what is allowed."""
    with pytest.raises(ConfigurationError, match=f"interval: {key_named} is .*must be"):
        Interval(**{"shortest": 1.0, "longest": 8.0, **values})


def test_a_fixed_interval_is_never_exceeded_and_never_in_step() -> None:
    """Whoever says 30 s means 30 s at most."""
    kept = Intervals[str](random.Random(1))
    waits = [kept.next("a", every(30.0)) for _ in range(100)]
    assert 27.0 <= min(waits) < max(waits) <= 30.0
    assert len(set(waits)) == 100


# In a running controller.


class Looker:
    """A reconciler that says what it finds outside, and when it looked."""

    def __init__(self) -> None:
        self.outside = "calm"
        self.after: Interval | float | None = FINE
        self.looks: list[float] = []

    async def reconcile(self, echo: Echo, context: Context[EchoStatus]) -> Result[EchoStatus]:
        self.looks.append(asyncio.get_running_loop().time())
        await context.apply(ConfigMap(echo.metadata.name, {"text": self.outside}))
        status = EchoStatus(said=echo.spec.text)
        return Done(status) if self.after is None else Again(status, after=self.after)

    def waits(self) -> list[int]:
        """Between looks, in whole seconds; what is remembered begins anew with the last look."""
        found = [round(after - before) for before, after in pairwise(self.looks)]
        del self.looks[:-1]
        return found


@pytest.fixture
async def here() -> AsyncIterator[World]:
    async with world() as it:
        yield it


def controller(looker: Looker, **options: Any) -> Controller[Echo, EchoStatus]:
    return Controller(Echo, looker.reconcile, owns=[ConfigMap], **options)


async def test_what_stays_as_it_is_costs_ever_fewer_looks_and_no_request(here: World) -> None:
    """1, 2, 4, 8, 8 … seconds; a look that finds nothing new sends nothing."""
    looker = Looker()
    async with running(here.server, controller(looker)):
        await here.create("a")
        await pass_time()
        here.server.log.clear()
        await pass_time(32.0)
        assert looker.waits() == [1, 2, 4, 8, 8, 8]
        assert requests(here.server) == {}


async def test_a_changed_object_is_looked_at_soon_again(here: World) -> None:
    """Its spec, written by somebody, and so its status."""
    looker = Looker()
    async with running(here.server, controller(looker)):
        await here.create("a")
        await pass_time(20.0)
        looker.waits()
        await here.edit("a", {"spec": {"text": "other"}})
        await pass_time(4.0)
        assert looker.waits()[1:] == [1, 2]


async def test_a_changed_child_makes_the_looks_frequent_although_we_changed_it(here: World) -> None:
    """What the look itself had to put right counts as a change."""
    looker = Looker()
    async with running(here.server, controller(looker)):
        await here.create("a")
        await pass_time(20.0)
        looker.outside = "stormy"
        await pass_time(12.0)
        assert looker.waits()[-3:] == [1, 2, 4]


async def test_seconds_stay_seconds(here: World) -> None:
    """A number means that number, each time."""
    looker = Looker()
    looker.after = 3.0
    async with running(here.server, controller(looker)) as manager:
        await here.create("a")
        await pass_time(13.0)
        assert looker.waits() == [3, 3, 3, 3]
        assert len(manager.loops[0]._intervals) == 0


async def test_a_controller_may_look_again_at_all_that_is_done(here: World) -> None:
    """By its own interval; without one, nothing is polled."""
    looker = Looker()
    looker.after = None
    async with running(here.server, controller(looker, interval=FINE)):
        await here.create("a")
        await pass_time(8.0)
        assert looker.waits() == [1, 2, 4]
    async with running(here.server, controller(looker)):
        await pass_time(100.0)
        assert len(looker.waits()) == 1


async def nothing(echo: Echo, context: Context[EchoStatus]) -> None:
    """A cleanup with nothing to do: its finalizer goes by a write of ours."""


@pytest.mark.parametrize("cleanup", [None, nothing])
async def test_nothing_is_remembered_of_an_object_that_is_gone(here: World, cleanup: Any) -> None:
    """Nor is it looked at again, whoever made it go."""
    looker = Looker()
    async with running(here.server, controller(looker, cleanup=cleanup)) as manager:
        for name in "abc":
            await here.create(name)
        await pass_time()
        assert len(manager.loops[0]._intervals) == 3
        for name in "abc":
            await here.delete(name)
        await pass_time()
        looker.looks.clear()
        await pass_time(60.0)
        assert len(manager.loops[0]._intervals) == 0
        assert looker.looks == []


async def annotate(here: World, interval: str | None) -> None:
    await here.edit("a", {"metadata": {"annotations": {"example.com/interval": interval}}})


async def test_people_may_say_how_often_an_object_is_looked_at(here: World) -> None:
    """Ahead of whatever the reconciler says, until they take it back."""
    looker = Looker()
    looker.after = None
    async with running(here.server, controller(looker)):
        await here.create("a")
        await pass_time()
        await annotate(here, "1m")
        await pass_time(600.0)
        assert all(54 <= wait <= 60 for wait in looker.waits()[1:])
        looker.waits()
        await annotate(here, None)
        await pass_time(600.0)
        assert len(looker.waits()) == 1
        looker.after = 2.0
        await annotate(here, "10s")
        await pass_time(30.0)
        assert all(9 <= wait <= 10 for wait in looker.waits()[1:])


@pytest.mark.parametrize("wrong", ["often", "30", "", "1ms", "25h", "-1s"])
async def test_an_interval_that_cannot_be_is_said_once_and_ignored(here: World, wrong: str) -> None:
    """In an Event that says what to write instead; the object is cared for as without it."""
    looker = Looker()
    async with running(here.server, controller(looker)):
        await here.create("a")
        await pass_time()
        here.server.log.clear()
        await annotate(here, wrong)
        await pass_time(900.0)
        assert requests(here.server) == {("create", "events", ""): 1}
        assert looker.waits()[-1] == 8
    events = (await here.user.send("GET", "/apis/events.k8s.io/v1/namespaces/default/events"))["items"]
    told = [(it["reason"], it["note"]) for it in events if it["regarding"]["name"] == "a"]
    assert [reason for reason, _ in told] == ["IntervalIgnored"]
    assert "example.com/interval" in told[0][1]
    assert repr(wrong) in told[0][1]


async def test_an_interval_is_of_the_one_object(here: World) -> None:
    """Another object keeps its own."""
    looker = Looker()
    looker.after = None
    async with running(here.server, controller(looker)) as manager:
        await here.create("a")
        await here.create("b")
        await annotate(here, "10s")
        await pass_time(100.0)
        assert len(manager.loops[0]._intervals) == 1
        explained = manager.explain("echo", key("b"))
        assert explained is not None
        assert explained.queue.state == "idle"
