"""A real Prometheus scrapes the running operator while all sorts of things happen: every panel shows something."""

from __future__ import annotations

import asyncio
import math
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from nephoran.cli.demo.story import INTENT, NODE_SET
from nephoran.cli.demo.world import World, world
from nephoran.monitoring.alerts import alerts
from nephoran.monitoring.files import rule_file
from nephoran.monitoring.panels import ROWS
from steady.testing.prometheus import Programs, Prometheus

pytestmark = pytest.mark.prometheus

PATIENCE = 180.0  # seconds until every query must have an answer
QUERIES = {
    f"{row.title} / {panel.title} / {query.legend}": query.expr.replace("$job", "nephoran")
    for row in ROWS
    for panel in row.panels
    for query in panel.queries
}


class Scene:
    """The demo's world, its user, and a Prometheus that looks on."""

    def __init__(self, here: World, prometheus: Prometheus) -> None:
        self.here = here
        self.prometheus = prometheus
        self.round = 0

    async def play(self) -> None:
        """One round of what happens to an operator; what counts events needs several rounds to have a rate."""
        self.round += 1
        here, tag = self.here, f"r{self.round}"
        ric = {"ricEndpoint": here.ric.url, "heartbeatInterval": "1s", "connectionTimeout": "2s"}
        await here.create(INTENT, f"{tag}-amf", {"intent": f"Deploy AMF with {self.round} replicas"})
        await here.create(INTENT, f"{tag}-nonsense", {"intent": f"Please make it work somehow {self.round}"})
        await here.create(NODE_SET, f"{tag}-cell", {"replicas": 3, "ricConfiguration": ric})
        await self.until(lambda: self.phase(INTENT, f"{tag}-amf") == "Completed")
        await self.until(lambda: self.phase(NODE_SET, f"{tag}-cell") == "Ready")
        await self.lose_the_ric(f"{tag}-cell")
        await self.lose_the_remote(f"{tag}-late")
        await self.fight(f"{tag}-amf")
        await here.edit(NODE_SET, f"{tag}-cell", {"replicas": 1})
        await here.delete(INTENT, f"{tag}-late")
        here.server.disconnect()
        await asyncio.sleep(1.0)

    async def lose_the_ric(self, name: str) -> None:
        """It goes away, and comes back."""
        self.here.ric.table.down = True
        await self.until(lambda: self.phase(NODE_SET, name) == "Degraded")
        self.here.ric.table.down = False
        await self.until(lambda: self.phase(NODE_SET, name) == "Ready")

    async def lose_the_remote(self, name: str) -> None:
        """A commit does not get through at first, and then does."""
        remote = Path(self.here.remote.path)
        away = remote.with_name("away.git")
        remote.rename(away)  # noqa: ASYNC240 - that takes no time
        await self.here.create(INTENT, name, {"intent": f"Deploy SMF with {self.round} replicas"})
        await self.until(lambda: "Retrying" in str(self.here.objects(INTENT)[name].get("status")))
        away.rename(remote)
        await self.until(lambda: self.phase(INTENT, name) == "Completed")

    async def fight(self, name: str) -> None:
        """Somebody takes an intent's status away as often as it is written."""
        before = self.slowed_down
        path = f"/apis/nephoran.com/v1/namespaces/default/networkintents/{name}/status"
        while self.slowed_down == before:
            await self.here._send("PATCH", path, {"status": {"phase": "Error"}}, "application/merge-patch+json")
            await self.until(lambda: self.phase(INTENT, name) == "Completed" or self.slowed_down > before)

    @property
    def slowed_down(self) -> float:
        """How often an object was, so far."""
        return self.here.operator.metrics.registry.get_sample_value("steady_hot_objects_total") or 0.0

    def phase(self, kind: str, name: str) -> str:
        """Where an object stands."""
        return str(self.here.objects(kind)[name].get("status", {}).get("phase", ""))

    async def until(self, done: Callable[[], bool]) -> None:
        async with asyncio.timeout(30.0):
            while not done():  # noqa: ASYNC110 - it looks on from outside, as a person would
                await asyncio.sleep(0.05)

    async def empty(self) -> set[str]:
        """The queries without a number in their answer."""
        answers = {name: await self.prometheus.query(expr) for name, expr in QUERIES.items()}
        return {name for name, found in answers.items() if all(math.isnan(float(it["value"][1])) for it in found)}


@pytest.fixture
async def scene(programs: Programs, tmp_path: Path) -> AsyncIterator[Scene]:
    """Everything started, and scraped once."""
    async with world() as here:
        target = here.metrics.removeprefix("http://").removesuffix("/metrics")
        async with Prometheus(programs, tmp_path, {"nephoran": target}, rule_file()["groups"]) as prometheus:
            it = Scene(here, prometheus)
            async with asyncio.timeout(10.0):
                while not await prometheus.query("up == 1"):  # noqa: ASYNC110 - another process tells nobody
                    await asyncio.sleep(0.2)
            yield it


async def test_every_panel_shows_something_and_every_rule_is_evaluated(scene: Scene) -> None:
    """Intents done and not understood, a RIC that goes down, a remote that is away, two who fight over a status."""
    async with asyncio.timeout(PATIENCE):
        while True:
            await scene.play()
            if not (empty := await scene.empty()) or scene.round == 5:
                break
    assert sorted(empty) == []

    rules = await scene.prometheus.rules()
    assert [rule for rule in rules if rule["health"] != "ok" or rule.get("lastError")] == []
    states = {rule["name"]: rule["state"] for rule in rules if rule["type"] == "alerting"}
    assert sorted(states) == sorted(alert.name for alert in alerts())
    assert states["HotLoop"] == "firing"
    assert states["WatchStalled"] == states["NoLeader"] == states["OperatorDown"] == "inactive"
