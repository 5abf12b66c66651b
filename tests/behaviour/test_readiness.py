"""What `/readyz` says of a process from its start to its end, on virtual time."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from examples.echo import Echo, EchoStatus, controller
from steady import Context, Controller, Done, Key, Manager, Options, Result
from steady.apiserver import Server
from steady.client.transport import Request
from steady.clock import ManualClock, SystemClock
from steady.errors import Unreachable
from steady.schema import crd
from steady.tasks import Scope
from steady.testing.memory import MemoryTransport
from tests.behaviour.house import CRDS, User, pass_time

pytestmark = pytest.mark.looptime

LEASE = Key("default", "echo")


def troubles(manager: Manager) -> dict[str, str]:
    """The checks that fail."""
    return {name: trouble for name, check in manager.readiness.items() if (trouble := check())}


class Connections:
    """The transports that a manager has made, all of which can be cut."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.made: list[MemoryTransport] = []

    def __call__(self) -> MemoryTransport:
        self.made.append(MemoryTransport(self.server))
        return self.made[-1]

    def cut(self) -> None:
        """Nothing arrives any more, and no stream stands."""

        async def refuse(request: Request) -> None:
            raise Unreachable("connection refused")

        for transport in self.made:
            transport.before = refuse
        self.server.disconnect()

    def mend(self) -> None:
        for transport in self.made:
            transport.before = None


@pytest.fixture
async def api() -> AsyncIterator[Server]:
    async with Server(clock=ManualClock()) as it:
        await User(it).send("POST", CRDS, crd(Echo))
        yield it


def process(
    connections: Connections, identity: str = "one", *, lease: bool = True, services: Sequence[Any] = ()
) -> Manager:
    options = Options(name="echo", identity=identity, lease=LEASE if lease else None)
    return Manager(controller, options=options, transport=connections, clock=SystemClock(), services=services)


@asynccontextmanager
async def started(manager: Manager) -> AsyncIterator[Scope]:
    async with Scope("test") as scope:
        scope.start(manager.serve(), "manager")
        await manager.started.wait()
        yield scope
        manager.stop()
        await scope.drained()


async def test_a_leader_that_works_is_ready(api: Server) -> None:
    """All checks are named, none has anything to say."""
    manager = process(Connections(api))
    async with started(manager):
        assert list(manager.readiness) == ["shutdown", "caches", "leadership", "started"]
        assert troubles(manager) == {}


def test_the_guide_names_the_checks() -> None:
    """The answer that docs/monitoring.md shows is the one of a healthy process."""
    guide = (Path(__file__).parents[2] / "docs" / "monitoring.md").read_text(encoding="utf-8")
    shown = re.findall(r"^\[\+\](\w+) ok$", guide, re.MULTILINE)
    assert shown == list(Manager(controller).readiness)


async def test_nothing_is_ready_before_the_caches_have_synced(api: Server) -> None:
    """A kind that is not served is named."""
    await User(api).send("DELETE", f"{CRDS}/echoes.example.com")
    manager = process(Connections(api))
    assert troubles(manager) == {"caches": "not started", "started": "not started"}
    async with Scope("test") as scope:
        scope.start(manager.serve(), "manager")
        await pass_time(5.0)
        assert "echoes.example.com" in troubles(manager)["caches"]
        manager.stop()
        await scope.drained()


async def test_a_standby_with_warm_caches_is_ready(api: Server) -> None:
    """Were it not, a rolling update that waits for it would never stop the leader that it waits for."""
    leader, standby = process(Connections(api), "one"), process(Connections(api), "two")
    async with started(leader), Scope("test") as scope:
        scope.start(standby.serve(), "standby")
        await pass_time(10.0)
        assert not standby.started.is_set()
        assert troubles(standby) == {}
        standby.stop()
        await scope.drained()


async def test_a_standby_that_cannot_see_the_lease_is_not_ready(api: Server) -> None:
    """It could not take over."""
    connections = Connections(api)
    leader, standby = process(Connections(api), "one"), process(connections, "two")
    async with started(leader), Scope("test") as scope:
        scope.start(standby.serve(), "standby")
        await pass_time(5.0)
        connections.cut()
        await pass_time(10.0)
        assert set(troubles(standby)) == {"caches", "leadership"}
        assert "connection refused" in troubles(standby)["leadership"]
        connections.mend()
        await pass_time(120.0)
        assert troubles(standby) == {}
        standby.stop()
        await scope.drained()


async def test_a_leader_is_not_ready_while_its_services_start(api: Server) -> None:
    """A clone that takes long is work that is not done."""
    gate = asyncio.Event()

    @asynccontextmanager
    async def slow() -> AsyncIterator[None]:
        await gate.wait()
        yield

    manager = process(Connections(api), services=(slow(),))
    async with Scope("test") as scope:
        scope.start(manager.serve(), "manager")
        await pass_time(60.0)
        assert troubles(manager) == {"started": "not started"}
        gate.set()
        await manager.started.wait()
        assert troubles(manager) == {}
        manager.stop()
        await scope.drained()


async def test_a_watch_that_goes_stale_makes_it_unready_until_it_speaks_again(api: Server) -> None:
    """Without news for longer than bookmarks take, the cache may be old."""
    connections = Connections(api)
    manager = process(connections, lease=False)
    async with started(manager):
        connections.cut()
        await pass_time(30.0)
        assert set(troubles(manager)) == {"caches"}
        assert "connection refused" in troubles(manager)["caches"]
        connections.mend()
        await pass_time(120.0)
        assert troubles(manager) == {}


async def test_readiness_fails_from_the_first_moment_of_the_stop_to_its_end(api: Server) -> None:
    """What drains gets no new work: here a reconcile that takes ten seconds more."""

    async def reconcile(echo: Echo, _: Context[EchoStatus]) -> Result[EchoStatus]:
        await asyncio.sleep(10.0)
        return Done(echo.status)

    manager = Manager(
        Controller(Echo, reconcile), options=Options(name="echo"), transport=Connections(api), clock=SystemClock()
    )
    async with Scope("test") as scope:
        scope.start(manager.serve(), "manager")
        await manager.started.wait()
        head = {"apiVersion": "example.com/v1", "kind": "Echo", "metadata": {"name": "a"}, "spec": {"text": "hi"}}
        await User(api).send("POST", "/apis/example.com/v1/namespaces/default/echoes", head)
        await pass_time(1.0)
        manager.stop()
        for _ in range(8):
            assert troubles(manager) == {"shutdown": "the process is stopping"}
            await pass_time(1.0)
        assert len(scope) == 1
        await scope.drained()
        assert troubles(manager)["shutdown"]


async def test_a_process_that_ends_by_itself_is_not_ready_either(api: Server) -> None:
    """A service that dies stops it: from then on it drains."""
    died = asyncio.Event()
    seen: list[dict[str, str]] = []

    class Mortal:
        async def __aenter__(self) -> None: ...

        async def __aexit__(self, *exc: object) -> None:
            seen.append(troubles(manager))

        async def failed(self) -> None:
            await died.wait()
            raise OSError("no more")

    manager = process(Connections(api), lease=False, services=(Mortal(),))
    asyncio.get_running_loop().call_later(5.0, died.set)
    with pytest.raises(OSError, match="no more"):
        await manager.serve()
    assert [found["shutdown"] for found in seen] == ["the process is stopping"]
