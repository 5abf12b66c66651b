"""What behaviour tests share: a user, a running operator on the in-memory server, and the requests it made."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from steady import Controller, Manager, Options
from steady.apiserver import Request, Server
from steady.clock import ManualClock
from steady.tasks import Scope
from steady.testing.memory import MemoryTransport

Json = dict[str, Any]
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
MERGE = "application/merge-patch+json"


class User:
    """Somebody who talks to the server."""

    def __init__(self, server: Server) -> None:
        self.server = server

    async def send(self, method: str, path: str, body: Any = None, kind: str = "application/json") -> Json:
        """One request; the answer must be a success."""
        headers = {"authorization": "Bearer user", "content-type": kind}
        data = json.dumps(body).encode() if body else b""
        answer = await self.server.handle(Request(method, path, {}, headers, data))
        assert answer.status < 400, answer.body
        decoded: Json = json.loads(answer.body)
        return decoded

    async def merge(self, path: str, body: Json) -> Json:
        """One merge patch."""
        return await self.send("PATCH", path, body, MERGE)


def requests(server: Server) -> Counter[tuple[str, str, str]]:
    """What the operator asked for since the log was cleared: verb, resource, subresource; watches aside."""
    return Counter(
        (entry.verb, entry.resource, entry.subresource or "")
        for entry in server.log
        if entry.user == "operator" and entry.verb != "watch"
    )


@asynccontextmanager
async def running(
    server: Server,
    *controllers: Controller[Any, Any],
    services: Any = (),
    options: Options | None = None,
    clock: ManualClock | None = None,
) -> AsyncIterator[Manager]:
    """The operator at work, stopped in order at the end."""
    manager = Manager(
        *controllers,
        transport=lambda: MemoryTransport(server),
        clock=clock or ManualClock(),
        options=options or Options(name="test"),
        services=services,
    )
    async with Scope("test") as scope:
        scope.start(manager.serve(), "manager")
        await manager.started.wait()
        yield manager
        manager.stop()
        await scope.drained()


async def pass_time(seconds: float = 1.0) -> None:
    """Let virtual time pass: what is not waiting for something else has happened afterwards."""
    await asyncio.sleep(seconds)


def condition(obj: Json, type_: str) -> tuple[str, str] | None:
    """Status and reason of one condition."""
    for found in obj.get("status", {}).get("conditions", ()):
        if found["type"] == type_:
            return found["status"], found["reason"]
    return None
