"""How a process ends: in order, so that nothing is said after the last word."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from examples.echo import controller
from steady import Key, Manager, Options
from steady.client import Request, Response
from steady.tasks import Scope
from steady.testing.memory import MemoryStream, MemoryTransport
from tests.unit.steady.widgets import World, world

pytestmark = [pytest.mark.looptime, pytest.mark.usefixtures("rules_of_conditions")]


class Line(MemoryTransport):
    """A connection that remembers what came after it was closed, and is slow to release a lease."""

    def __init__(self, it: World, late: list[str]) -> None:
        super().__init__(it.server)
        self._clock = it.clock
        self._late = late
        self._closed = False

    async def send(self, request: Request) -> Response:
        self._note(request)
        if b'"holderIdentity":""' in request.body:
            await asyncio.sleep(1.9)
        return await super().send(request)

    @asynccontextmanager
    async def stream(self, request: Request) -> AsyncIterator[MemoryStream]:
        self._note(request)
        async with super().stream(request) as stream:
            yield stream

    async def close(self) -> None:
        self._closed = True
        # A real one closes its sockets, which those who still listen take for the end of their stream.
        self._server.disconnect()
        await asyncio.sleep(0.1)

    def _note(self, request: Request) -> None:
        self._clock.advance(1.0)
        if self._closed:
            self._late.append(request.path)


async def test_nothing_is_asked_after_the_connection_is_closed_nor_the_lease_after_its_release() -> None:
    """Whatever moment it is that it is stopped at: what follows the cluster and what renews the lease ends first."""
    for moment in range(20):
        async with world() as it:
            late: list[str] = []
            options = Options(name="echo", lease=Key("default", "echo"), identity="one")
            manager = Manager(controller, transport=lambda: Line(it, late), clock=it.clock, options=options)  # noqa: B023
            async with Scope("test") as scope:
                scope.start(manager.serve(), "manager")
                await manager.started.wait()
                await asyncio.sleep(5.0 + moment * 0.25)
                manager.stop()
                await scope.drained()
            assert late == []
            (lease,) = it.server.objects("leases")
            assert lease["spec"]["holderIdentity"] == ""
