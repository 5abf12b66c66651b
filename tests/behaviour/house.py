"""What behaviour tests share: a user, a running operator on the in-memory server, and the requests it made."""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import pytest

from steady import Controller, Key, Manager, Options, apiserver, client
from steady.apiserver import Request, Server
from steady.apiserver.call import parse
from steady.backoff import BackoffManager
from steady.clock import ManualClock
from steady.tasks import Scope
from steady.testing.memory import MemoryTransport
from tests.kstatus import broken

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
        backoff=BackoffManager(rng=random.Random(1)),
    )
    async with Scope("test") as scope:
        scope.start(manager.serve(), "manager")
        await manager.started.wait()
        yield manager
        manager.stop()
        await scope.drained()


@contextmanager
def witnessed() -> Iterator[list[str]]:
    """The rules of conditions that operators on any server break, each where a write of theirs breaks it.

    What others had broken before is not theirs to mend. Looked at are all objects of kinds that a CRD defines.
    """
    found: list[str] = []
    handle = MemoryTransport._handle

    async def watched(transport: MemoryTransport, request: client.Request) -> apiserver.Response:
        before = _stored(transport._server, request.path)
        answer = await handle(transport, request)
        after = _stored(transport._server, request.path)
        if before and after and after is not before:
            known = broken(before)
            found.extend(f"{request.path}: {rule}" for rule in broken(after, before) if rule not in known)
        return answer

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(MemoryTransport, "_handle", watched)
        yield found


def _stored(server: Server, place: str) -> Json | None:
    """The object of a custom kind at a path, as the server has it; every write makes another one."""
    path = parse(place)
    kind = server._registry.find(path.group, path.version, path.plural) if path else None
    if path is None or kind is None or not kind.custom:
        return None
    item = server._store.collection(kind.storage).items.get(Key(path.namespace, path.name))
    return item.data if item else None


async def pass_time(seconds: float = 1.0) -> None:
    """Let virtual time pass: what is not waiting for something else has happened afterwards."""
    await asyncio.sleep(seconds)


def condition(obj: Json, type_: str) -> tuple[str, str] | None:
    """Status and reason of one condition."""
    for found in obj.get("status", {}).get("conditions", ()):
        if found["type"] == type_:
            return found["status"], found["reason"]
    return None
