"""Two who fight over one field are slowed down and named; whoever works for a reason is not."""

from __future__ import annotations

import asyncio
import logging

import pytest

from examples.echo import Echo, EchoStatus
from steady import ConfigMap, Context, Controller, Done, Result
from steady.objects import Key
from tests.behaviour.house import pass_time, requests, running
from tests.unit.steady.widgets import World, world

pytestmark = [pytest.mark.looptime, pytest.mark.usefixtures("rules_of_conditions")]

EVENTS = "/apis/events.k8s.io/v1/namespaces/default/events"


def saying(text: str) -> Controller[Echo, EchoStatus]:
    """A controller that wants an echo's ConfigMap to say `text`."""

    async def reconcile(echo: Echo, context: Context[EchoStatus]) -> Result[EchoStatus]:
        await context.apply(ConfigMap(echo.metadata.name, {"text": text}))
        return Done(EchoStatus(said="something"))

    return Controller(Echo, reconcile, owns=[ConfigMap])


async def hot_loops(it: World) -> list[str]:
    """The notes of the Events that name a hot loop."""
    found = (await it.user.send("GET", EVENTS))["items"]
    return [event["note"] for event in found if event["reason"] == "HotLoop"]


async def test_two_controllers_that_fight_over_one_field_are_slowed_down_and_named(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Each undoes what the other did: after a burst both go at half a write a second; log, metric and Event say so."""
    caplog.set_level(logging.WARNING, "steady.writes")
    async with world() as it:
        async with (
            running(it.server, saying("one"), clock=it.clock) as one,
            running(it.server, saying("two"), clock=it.clock) as two,
        ):
            await it.create("a")
            await pass_time(60.0)
            fought = requests(it.server)["patch", "configmaps", ""]
            await pass_time(600.0)
            later = requests(it.server)["patch", "configmaps", ""] - fought
            hot = [it.metrics.registry.get_sample_value("steady_hot_objects_total") for it in (one, two)]
        notes = await hot_loops(it)
    assert 40 <= fought <= 110
    assert 200 <= later <= 610
    assert max(value or 0 for value in hot) > 10
    assert any("configmaps default/a: 20 writes of its content in a row" in note for note in notes)
    assert "hot loop: configmaps default/a: 20 writes of its content in a row" in caplog.text


async def test_a_controller_that_is_woken_for_nothing_is_slowed_down_and_named() -> None:
    """Reconciles of one generation that write nothing are cheap, but not for ever: 100, then one a second."""
    looks = 0
    key = Key("default", "a")

    async def reconcile(echo: Echo, context: Context[EchoStatus]) -> Result[EchoStatus]:
        nonlocal looks
        looks += 1
        return Done(EchoStatus(said="done"))

    async with world() as it:
        async with running(it.server, Controller(Echo, reconcile), clock=it.clock) as manager:
            await it.create("a")
            await pass_time()
            for _ in range(6000):
                manager.loops[0].enqueue(key, "nothing")
                await asyncio.sleep(0.01)
        notes = await hot_loops(it)
    assert 100 <= looks <= 170
    assert notes == [
        "echoes.example.com default/a: 100 reconciles in a row for no change of a spec; slowed down to 1 a second"
    ]


async def test_an_object_that_is_edited_all_the_time_is_not_hot() -> None:
    """Every edit explains its reconcile: a thousand edits, and the last one is done at once."""
    async with world() as it:
        async with running(it.server, saying("one"), clock=it.clock) as manager:
            await it.create("a")
            for number in range(1000):
                await it.edit("a", {"spec": {"text": str(number)}})
                await asyncio.sleep(0.01)
            await pass_time()
            echo = await it.get("a")
            assert echo["status"]["observedGeneration"] == echo["metadata"]["generation"] == 1001
            assert manager.metrics.registry.get_sample_value("steady_hot_objects_total") is not None
        assert await hot_loops(it) == []
