"""The demo's world: API server, git remote, RIC and operator, and a user who talks to the server."""

from __future__ import annotations

import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import pygit2

from nephoran.cli.embedded import serving
from nephoran.cli.run import manager
from nephoran.configuration import Allow, Configuration, Lease
from nephoran.e2.simulator import RicSimulator
from nephoran.knowledge import knowledge
from nephoran.metrics import OperatorMetrics
from nephoran.repository import Repository
from steady import Manager
from steady.apiserver import Entry, Server
from steady.client import Connection, HttpTransport, Request
from steady.clock import SystemClock
from steady.tasks import Scope

NAMESPACE = "default"
OPERATOR, USER = "operator", "user"
_MERGE = "application/merge-patch+json"

Json = dict[str, Any]


class World:
    """What runs, where it is, and what the user can do with it."""

    def __init__(self, server: Server, url: str, remote: Path, ric: RicSimulator, operator: Manager) -> None:
        self.server = server
        self.url = url
        self.remote = pygit2.Repository(str(remote))
        self.ric = ric
        self.operator = operator
        self._transport = HttpTransport(Connection(url, token=USER))

    @property
    def metrics(self) -> str:
        """Where the operator's metrics are."""
        return f"http://127.0.0.1:{self.operator.probes.port}/metrics" if self.operator.probes else ""

    async def create(self, kind: str, name: str, spec: Json) -> None:
        """A new object."""
        body = {"apiVersion": "nephoran.com/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}
        await self._send("POST", _path(kind), body, "application/json")

    async def edit(self, kind: str, name: str, spec: Json) -> None:
        """Change parts of a spec."""
        await self._send("PATCH", f"{_path(kind)}/{name}", {"spec": spec}, _MERGE)

    async def delete(self, kind: str, name: str) -> None:
        """Delete an object."""
        await self._send("DELETE", f"{_path(kind)}/{name}", None, "application/json")

    def objects(self, kind: str) -> dict[str, Json]:
        """All objects of a kind by name, as the server holds them."""
        found = self.server.objects(f"{kind.lower()}s.nephoran.com")
        return {obj["metadata"]["name"]: obj for obj in found}

    def used(self) -> dict[str, Counter[str]]:
        """What the operator asked for, by object (a set's nodes count for the set) and reason."""
        used: dict[str, Counter[str]] = {}
        for entry in self.server.log:
            if entry.user == OPERATOR and entry.verb != "watch" and entry.resource != "leases":
                owner = entry.name.rpartition("-e2node-")[0] or entry.name
                used.setdefault(owner, Counter())[_reason(entry)] += 1
        return used

    async def close(self) -> None:
        """The user leaves."""
        await self._transport.close()

    async def _send(self, method: str, path: str, body: Json | None, kind: str) -> None:
        data = msgspec.json.encode(body) if body is not None else b""
        answer = await self._transport.send(Request(method, path, {}, {"content-type": kind}, data))
        if answer.status >= 400:
            raise RuntimeError(f"{method} {path}: {answer.status} {answer.body.decode()}")


@asynccontextmanager
async def world() -> AsyncIterator[World]:
    """Everything started, on free ports of 127.0.0.1 and in a directory that goes away."""
    with tempfile.TemporaryDirectory(prefix="nephoran-") as folder:
        remote = Path(folder) / "remote.git"
        pygit2.init_repository(str(remote), bare=True, initial_head="main")
        async with RicSimulator() as ric, Server() as server, serving(server) as address, Scope("demo") as scope:
            metrics = OperatorMetrics()
            repository = Repository(
                str(remote), work=Path(folder) / "work", clock=SystemClock(), cluster="demo", meter=metrics.landing
            )
            configuration = Configuration(
                images={component: f"registry.example/{component}:1.0" for component in knowledge().components},
                allow=Allow(("*=5g-core", "*=core5g", "*=oran"), ("127.0.0.0/8",)),
                lease=Lease(namespace=NAMESPACE),
                probes="127.0.0.1:0",
            )
            connection = Connection(address.url, token=OPERATOR)
            operator = manager(configuration, repository, lambda: HttpTransport(connection), metrics)
            running = scope.start(operator.serve(), "operator")
            here = World(server, address.url, remote, ric, operator)
            try:
                await operator.started.wait()
                yield here
                operator.stop()
                await running
            finally:
                await here.close()


def _reason(entry: Entry) -> str:
    if entry.resource.endswith("events"):
        return "event"
    if entry.resource == "configmaps":
        return f"child {entry.verb}"
    if entry.verb != "patch":
        return entry.verb
    return entry.subresource or "finalizer"


def _path(kind: str) -> str:
    return f"/apis/nephoran.com/v1/namespaces/{NAMESPACE}/{kind.lower()}s"
