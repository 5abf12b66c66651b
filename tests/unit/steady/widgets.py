"""What tests of the runtime share: the echo example's kind on an in-memory server, and its user."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from examples.echo import Echo
from steady.apiserver import Server
from steady.client import Client
from steady.clock import ManualClock
from steady.objects.keys import Key
from steady.schema import crd
from steady.testing.memory import MemoryTransport
from tests.behaviour.house import CRDS, Json, User

ECHOES = "/apis/example.com/v1/namespaces/default/echoes"
RESOURCE = Echo.declaration.resource


def key(name: str) -> Key:
    """An object of that name in the tests' namespace."""
    return Key("default", name)


class World:
    """A server that serves echoes, a user, and the operator's way in."""

    def __init__(self, server: Server, clock: ManualClock) -> None:
        self.server = server
        self.clock = clock
        self.user = User(server)
        self.transport = MemoryTransport(server)
        self.client = Client(self.transport)

    async def create(self, name: str, text: str = "hello") -> Json:
        """A new echo."""
        head = {"apiVersion": "example.com/v1", "kind": "Echo", "metadata": {"name": name}}
        return await self.user.send("POST", ECHOES, {**head, "spec": {"text": text}})

    async def edit(self, name: str, body: Any) -> Json:
        """A merge patch on an echo."""
        return await self.user.merge(f"{ECHOES}/{name}", body)

    async def get(self, name: str) -> Json:
        """An echo as it is."""
        return await self.user.send("GET", f"{ECHOES}/{name}")

    async def delete(self, name: str) -> None:
        """Remove an echo."""
        await self.user.send("DELETE", f"{ECHOES}/{name}")

    def verbs(self, resource: str = "echoes") -> list[str]:
        """What the operator asked of a resource, in order."""
        return [it.verb for it in self.server.log if it.user == "operator" and it.resource == resource]


@asynccontextmanager
async def world(*, served: bool = True, watch_list: bool = True) -> AsyncIterator[World]:
    """A server for one test; without `served` its kind is not installed, without `watch_list` it is an old one."""
    clock = ManualClock()
    async with Server(clock=clock, watch_list=watch_list) as server:
        it = World(server, clock)
        if served:
            await it.user.send("POST", CRDS, crd(Echo))
        yield it
