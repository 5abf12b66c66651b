"""Faults between a client and its server: what each of them looks like, and that a runtime bears them."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from contextlib import aclosing

import pytest

from examples.echo import controller
from steady import Manager, Options, errors
from steady.client import Client
from steady.client.watch import watch
from steady.objects.keys import CONFIG_MAPS
from steady.reasons import Reason
from steady.tasks import Scope
from steady.testing.faults import CALM, OUTAGE, Fault, FaultyTransport, Rates, writes
from steady.testing.memory import MemoryTransport
from tests.unit.steady.widgets import RESOURCE, World, world

pytestmark = [pytest.mark.looptime, pytest.mark.usefixtures("rules_of_conditions")]

BODY = b'{"metadata":{"name":"a"}}'


def through(it: World, rates: Rates, seed: int = 0) -> FaultyTransport:
    """A way to the server in that weather."""
    return FaultyTransport(MemoryTransport(it.server), rates, seed=seed)


async def create(weather: FaultyTransport) -> None:
    """Make a ConfigMap."""
    await Client(weather).create(CONFIG_MAPS, BODY, "default", reason=Reason.CHILD)


async def test_a_throttled_request_says_when_to_come_again_and_does_nothing() -> None:
    """429 with Retry-After, and the server has not heard of it."""
    async with world() as it:
        with pytest.raises(errors.TooManyRequests) as refused:
            await create(through(it, Rates(throttled=1.0)))
        assert refused.value.retry_after == 1.0
        assert it.server.objects("configmaps") == []


async def test_a_failed_request_does_nothing() -> None:
    """500, and the server has not heard of it."""
    async with world() as it:
        with pytest.raises(errors.ServerError):
            await create(through(it, Rates(failed=1.0)))
        assert it.server.objects("configmaps") == []


async def test_an_unreachable_server_is_asked_twice_for_each_request() -> None:
    """For a request that provably never left may be repeated, and is, once."""
    async with world() as it:
        weather = through(it, OUTAGE)
        with pytest.raises(errors.Unreachable):
            await create(weather)
        assert weather.faults == {Fault.UNREACHABLE: 2}
        assert it.server.objects("configmaps") == []


async def test_an_interrupted_request_has_taken_effect() -> None:
    """Its answer is what is lost."""
    async with world() as it:
        with pytest.raises(errors.Interrupted):
            await create(through(it, Rates(interrupted=1.0)))
        assert [each["metadata"]["name"] for each in it.server.objects("configmaps")] == ["a"]


async def test_a_delayed_request_is_late_and_right() -> None:
    """By up to the delay."""
    async with world() as it:
        weather, start = through(it, Rates(delayed=1.0)), asyncio.get_running_loop().time()
        await create(weather)
        assert 0.0 < asyncio.get_running_loop().time() - start <= 5.0
        assert len(it.server.objects("configmaps")) == 1


@pytest.mark.parametrize(
    ("rates", "error"),
    [
        (Rates(throttled=1.0), errors.TooManyRequests),
        (Rates(failed=1.0), errors.ServerError),
        (OUTAGE, errors.Unreachable),
        (Rates(interrupted=1.0), errors.Interrupted),
    ],
)
async def test_a_watch_can_fail_to_open(rates: Rates, error: type[Exception]) -> None:
    """As any request can."""
    async with world() as it:
        await it.create("a")
        events = watch(Client(through(it, rates)), RESOURCE, {"resourceVersion": "0"})
        with pytest.raises(error):
            await anext(events)


async def test_a_cut_watch_breaks_within_a_piece() -> None:
    """What came before is whole, half an event is none."""
    async with world() as it:
        for name in "abc":
            await it.create(name)
        weather = through(it, Rates(cut=0.4), seed=3)
        async with aclosing(watch(Client(weather), RESOURCE, {"resourceVersion": "0"})) as events:
            assert [event.type for event in await anext(events)] == ["ADDED"]
            with pytest.raises(errors.Interrupted, match="connection reset"):
                await anext(events)
        assert weather.faults[Fault.CUT] == 1


async def test_only_what_is_meant_is_met() -> None:
    """Reads go on where writes fail."""
    async with world() as it:
        weather = through(it, OUTAGE)
        weather.meant = writes
        assert (await Client(weather).page(CONFIG_MAPS, reason=Reason.LIST)).items == ()
        with pytest.raises(errors.Unreachable):
            await create(weather)


def test_the_same_seed_brings_the_same_weather() -> None:
    """And the shares are those that were asked for."""
    rates = Rates.evenly(0.25)
    first, second = ([rates.draw(dice) for _ in range(10_000)] for dice in (random.Random(7), random.Random(7)))
    assert first == second
    counts = Counter(first)
    assert counts.keys() == {*Fault, None} - {Fault.CUT}
    assert all(counts[fault] == pytest.approx(500, rel=0.2) for fault in counts if fault)


@pytest.mark.parametrize("seed", range(5))
async def test_an_operator_in_bad_weather_gets_there(seed: int) -> None:
    """One request in four fails, one piece in four is a stream's last, and the server is restarted: all is done."""
    async with world() as it:
        weather = through(it, Rates.evenly(0.25), seed)
        manager = Manager(controller, transport=lambda: weather, clock=it.clock, options=Options(name="echo"))
        async with Scope("test") as scope:
            scope.start(manager.serve(), "manager")
            for number in range(20):
                await it.create(f"e{number}", f"text {number}")
                await asyncio.sleep(1.0)
            it.server.restart()
            await it.edit("e3", {"spec": {"text": "edited"}})
            await it.delete("e4")
            await asyncio.sleep(300.0)
            weather.rates = CALM
            await asyncio.sleep(300.0)
            echoes = {each["metadata"]["name"]: each for each in it.server.objects("echoes")}
            assert {name: each["status"]["said"] for name, each in echoes.items()} == {
                name: each["spec"]["text"] for name, each in echoes.items()
            }
            texts = {each["metadata"]["name"]: each["data"]["text"] for each in it.server.objects("configmaps")}
            assert texts == {name: each["spec"]["text"] for name, each in echoes.items()}
            assert weather.faults.total() >= 10
            manager.stop()
            await scope.drained()
