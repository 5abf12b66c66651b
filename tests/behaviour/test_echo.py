"""The smallest controller through the whole house, on virtual time."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from examples.echo import Echo, controller
from steady import Manager, Options
from steady.apiserver import Request, Server
from steady.clock import ManualClock
from steady.schema import crd
from steady.tasks import Scope
from steady.testing.memory import MemoryTransport

pytestmark = pytest.mark.looptime

ECHOES = "/apis/example.com/v1/namespaces/default/echoes"


class User:
    """Somebody who talks to the server."""

    def __init__(self, server: Server) -> None:
        self.server = server

    async def send(self, method: str, path: str, body: Any = None, kind: str = "application/json") -> dict[str, Any]:
        headers = {"authorization": "Bearer user", "content-type": kind}
        answer = await self.server.handle(
            Request(method, path, {}, headers, json.dumps(body).encode() if body else b"")
        )
        assert answer.status < 400, answer.body
        decoded: dict[str, Any] = json.loads(answer.body)
        return decoded


def requests(server: Server) -> list[tuple[str, str, str]]:
    """What the operator asked for, watches aside."""
    return [
        (entry.verb, entry.resource, entry.subresource or "")
        for entry in server.log
        if entry.user == "operator" and entry.verb != "watch"
    ]


@asynccontextmanager
async def running(server: Server, *controllers: Any) -> AsyncIterator[Manager]:
    manager = Manager(
        *controllers, transport=lambda: MemoryTransport(server), clock=ManualClock(), options=Options(name="echo")
    )
    async with Scope("test") as scope:
        scope.start(manager.serve(), "manager")
        await manager.started.wait()
        yield manager
        manager.stop()
        await scope.drained()


async def settled(manager: Manager) -> None:
    """Let a second of virtual time pass: everything that is not waiting for something has happened."""
    import asyncio

    await asyncio.sleep(1.0)


async def test_echo_costs_one_child_and_one_status() -> None:
    """Create to done: one POST of the child, one status patch, no read; nothing when nothing changes."""
    async with Server(clock=ManualClock()) as server:
        user = User(server)
        await user.send("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", crd(Echo))
        async with running(server, controller) as manager:
            await user.send(
                "POST",
                ECHOES,
                {"apiVersion": "example.com/v1", "kind": "Echo", "metadata": {"name": "a"}, "spec": {"text": "hello"}},
            )
            await settled(manager)
            assert requests(server) == [("create", "configmaps", ""), ("patch", "echoes", "status")]
            echo = await user.send("GET", f"{ECHOES}/a")
            assert echo["status"]["said"] == "hello"
            assert [(c["type"], c["status"]) for c in echo["status"]["conditions"]] == [("Ready", "True")]
            assert (await user.send("GET", "/api/v1/namespaces/default/configmaps/a"))["data"] == {"text": "hello"}

            server.log.clear()
            await user.send("PATCH", f"{ECHOES}/a", {"spec": {"text": "bye"}}, "application/merge-patch+json")
            await settled(manager)
            assert requests(server) == [("patch", "configmaps", ""), ("patch", "echoes", "status")]

            server.log.clear()
            await user.send("DELETE", "/api/v1/namespaces/default/configmaps/a")
            await settled(manager)
            assert requests(server) == [("create", "configmaps", "")]
        server.log.clear()
        async with running(server, controller) as manager:
            await settled(manager)
            assert requests(server) == []


async def test_a_status_that_another_applies_by_force_is_written_whole_again() -> None:
    """The status is one field with one owner: unforced it is a conflict, forced it erases ours, and costs one patch."""
    theirs = {"apiVersion": "example.com/v1", "kind": "Echo", "metadata": {"name": "a"}, "status": {"said": "mine"}}
    headers = {"content-type": "application/apply-patch+yaml"}
    async with Server(clock=ManualClock()) as server:
        user = User(server)
        await user.send("POST", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", crd(Echo))
        async with running(server, controller) as manager:
            body = {key: value for key, value in theirs.items() if key != "status"} | {"spec": {"text": "hello"}}
            await user.send("POST", ECHOES, body)
            await settled(manager)
            whole = (await user.send("GET", f"{ECHOES}/a"))["status"]
            server.log.clear()
            refused, forced = [
                await server.handle(
                    Request(
                        "PATCH",
                        f"{ECHOES}/a/status",
                        {"fieldManager": "other", "force": force},
                        headers,
                        json.dumps(theirs).encode(),
                    )
                )
                for force in ("false", "true")
            ]
            assert (refused.status, forced.status) == (409, 200)
            assert json.loads(forced.body)["status"] == theirs["status"]
            await settled(manager)
            assert requests(server) == [("patch", "echoes", "status")]
            assert (await user.send("GET", f"{ECHOES}/a"))["status"] == whole
