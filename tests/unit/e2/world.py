"""A fleet on virtual time, with one simulated RIC and a reader of its changes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from nephoran.e2.fleet import Fleet
from nephoran.e2.nodes import DEFAULT_FUNCTIONS, RicSettings
from nephoran.e2.simulator import MemoryRic, NodeTable
from steady.clock import ManualClock
from steady.objects import Key
from steady.tasks import Scope

SET = Key("radio", "edge")
OTHER = Key("radio", "core")
RIC = RicSettings("http://ric:38080")


class World:
    """A fleet, one RIC behind every endpoint, and the keys that the fleet has told."""

    def __init__(self, fleet: Fleet, ric: MemoryRic, clock: ManualClock) -> None:
        self.fleet = fleet
        self.ric = ric
        self.table = ric.table
        self.clock = clock
        self.told: list[Key] = []

    def watch(self, key: Key, count: int, ric: RicSettings = RIC) -> None:
        self.fleet.watch(key, ric, dict.fromkeys(ids(key, count), DEFAULT_FUNCTIONS))

    async def settle(self, key: Key, count: int) -> None:
        self.watch(key, count)
        assert await self.fleet.register(key) == {}

    def states(self, key: Key = SET) -> list[str]:
        return [session.state.value for session in self.fleet.sessions(key).values()]

    def sent(self) -> dict[str, int]:
        """The requests since the last time, by kind."""
        calls = dict(self.table.calls)
        self.table.calls.clear()
        return calls


def ids(key: Key, count: int) -> list[str]:
    return [f"{key.namespace}-{key.name}-node-{index}" for index in range(count)]


@asynccontextmanager
async def world(latency: float = 0.0, table: NodeTable | None = None) -> AsyncIterator[World]:
    ric, clock = MemoryRic(table, latency), ManualClock()

    async def listen(self: World) -> None:
        async for key in self.fleet.changes():
            self.told.append(key)

    async with Fleet(lambda _: ric, clock) as fleet, Scope("test") as scope:
        here = World(fleet, ric, clock)
        scope.start(listen(here), "listener")
        yield here
