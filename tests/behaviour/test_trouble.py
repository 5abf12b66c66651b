"""What is missing around the operator: it says so, asks rarely, loses nothing, and goes on by itself."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator

import pytest

from nephoran.api import E2NodeSet, NetworkIntent
from nephoran.repository.memory import MemoryCommit
from steady import apiserver
from steady.apiserver import Server
from steady.apiserver.call import parse
from steady.client import Request
from steady.clock import ManualClock
from steady.errors import Unreachable
from steady.schema import crd
from steady.testing.memory import MemoryTransport
from tests.behaviour.house import CRDS, Json, User, condition, pass_time
from tests.behaviour.lives import World

pytestmark = pytest.mark.looptime

OBJECTS = "/apis/nephoran.com/v1/namespaces/default"
INTENTS, SETS = f"{OBJECTS}/networkintents", f"{OBJECTS}/e2nodesets"
LONG = 600.0
HEAL = 60.0
"""Seconds within which all is as it should be once the cause is gone."""


VERBS = {"GET": "get", "POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


class Door:
    """What the operator is kept from: one right (`verb resource/subresource`), or the whole server."""

    def __init__(self) -> None:
        self.denied = ""
        self.shut = False
        self.refused = 0

    def refusal(self, request: apiserver.Request) -> apiserver.Response | None:
        """The answer to a request without the right to it. Raises Unreachable."""
        if self.shut:
            self.refused += 1
            raise Unreachable("connection refused")
        path = parse(request.path)
        assert path is not None
        verb = (
            "watch"
            if "watch" in request.query
            else "list"
            if request.method == "GET" and not path.name
            else VERBS[request.method]
        )
        right = f"{verb} {path.plural}/{path.subresource}".rstrip("/")
        if right != self.denied:
            return None
        self.refused += 1
        message = f"forbidden: User operator cannot {right} at the cluster scope"
        status = {"kind": "Status", "status": "Failure", "reason": "Forbidden", "code": 403, "message": message}
        return apiserver.Response(403, {}, json.dumps(status).encode())


class Guarded(MemoryTransport):
    """A way to the server through a door."""

    def __init__(self, server: Server, door: Door) -> None:
        super().__init__(server)
        self._door = door

    async def _handle(self, request: Request) -> apiserver.Response:
        asked = apiserver.Request(request.method, request.path, request.query, request.headers, request.body)
        return self._door.refusal(asked) or await super()._handle(request)


class House:
    """A world behind a door, and its user."""

    def __init__(self, server: Server) -> None:
        self.door = Door()
        self.world = World(server, ManualClock())
        self.world.transport = lambda: Guarded(server, self.door)
        self.user = User(server)

    async def install(self) -> None:
        """Install the kinds."""
        for kind in (NetworkIntent, E2NodeSet):
            await self.user.send("POST", CRDS, crd(kind))

    async def intend(self, name: str, text: str) -> None:
        """A new intent."""
        await self._create(INTENTS, "NetworkIntent", name, {"intent": text})

    async def gather(self, name: str, replicas: int) -> None:
        """A new set."""
        await self._create(SETS, "E2NodeSet", name, {"replicas": replicas})

    async def phases(self) -> dict[str, str]:
        """Of all objects, by name."""
        found = [*self.world.server.objects("networkintents"), *self.world.server.objects("e2nodesets")]
        return {obj["metadata"]["name"]: obj["status"]["phase"] for obj in found}

    async def _create(self, path: str, kind: str, name: str, spec: Json) -> None:
        await self.user.send(
            "POST", path, {"apiVersion": "nephoran.com/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}
        )


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with Server(clock=ManualClock()) as server:
        yield House(server)


async def test_missing_definitions_are_named_once_a_minute_and_waited_for(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    """Started before the CRDs, it works as soon as they are there."""
    async with house.world.lived_in():
        await pass_time(LONG - 1)
        said = [record.message for record in caplog.records if "is not served" in record.message]
        assert len(said) == 2 * LONG / 60
        assert set(said) == {
            f"{kind}.nephoran.com is not served: is its CustomResourceDefinition installed?"
            for kind in ("networkintents", "e2nodesets")
        }
        await house.install()
        await house.intend("amf", "Deploy AMF")
        await house.gather("ran", 2)
        await pass_time(15.0)
        assert await house.phases() == {"amf": "Completed", "ran": "Ready"}


RIGHTS = [
    *("watch networkintents", "patch networkintents", "patch networkintents/status"),
    *("watch e2nodesets", "patch e2nodesets", "patch e2nodesets/status"),
    *("watch configmaps", "create configmaps", "patch configmaps", "delete configmaps"),
]
TOLD = {
    "patch networkintents": f"{INTENTS}/smf",
    "patch e2nodesets": f"{SETS}/far",
    "create configmaps": f"{SETS}/far",
    "patch configmaps": f"{SETS}/ran",
    "delete configmaps": f"{SETS}/ran",
}
"""The object that can tell of the missing right, if one can."""


@pytest.mark.parametrize("right", RIGHTS)
async def test_a_missing_right_is_named_and_heals(house: House, right: str, caplog: pytest.LogCaptureFixture) -> None:
    """Log and condition name verb and resource; few requests meanwhile; a minute after its return all is done."""
    await house.install()
    async with house.world.lived_in():
        await house.intend("amf", "Deploy AMF")
        await house.gather("ran", 2)
        await pass_time(10.0)
        caplog.clear()
        house.door.denied = right
        house.world.server.disconnect()
        await house.intend("smf", "Deploy SMF")
        await house.gather("far", 1)
        changed = {"replicas": 1, "template": {"spec": {"e2InterfaceVersion": "v2.0"}}}
        await house.user.merge(f"{SETS}/ran", {"spec": changed})
        await pass_time(LONG)
        assert any(f"cannot {right} at" in record.message for record in caplog.records)
        assert house.door.refused <= 2 * LONG / 30
        if path := TOLD.get(right):
            assert f"cannot {right} at" in str((await house.user.send("GET", path))["status"]["conditions"])
        house.door.denied = ""
        await pass_time(HEAL)
        assert await house.phases() == {"amf": "Completed", "smf": "Completed", "far": "Ready", "ran": "Ready"}
    assert len(house.world.remote.commits) == 2
    nodes = [each["metadata"] for each in house.world.server.objects("configmaps")]
    assert [node["name"] for node in nodes] == ["far-e2node-0", "ran-e2node-0"]
    assert nodes[1]["annotations"]["nephoran.com/e2-interface-version"] == "v2.0"


async def test_a_missing_right_to_remove_a_finalizer_is_told_by_the_deleted_object(house: House) -> None:
    """It stays until the right is back, its directory gone already; then it goes."""
    await house.install()
    async with house.world.lived_in():
        await house.intend("amf", "Deploy AMF")
        await pass_time(10.0)
        house.door.denied = "patch networkintents"
        await house.user.send("DELETE", f"{INTENTS}/amf")
        await pass_time(LONG)
        stuck = await house.user.send("GET", f"{INTENTS}/amf")
        assert condition(stuck, "Reconciling") == ("True", "Retrying")
        assert "cannot patch networkintents at" in str(stuck["status"]["conditions"])
        house.door.denied = ""
        await pass_time(HEAL)
        assert await house.phases() == {}
    assert len(house.world.remote.commits) == 2


async def test_a_missing_right_to_the_lease_is_named_and_waited_for(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    """Nobody leads without it; once it is there, work begins."""
    await house.install()
    house.door.denied = "get leases"
    async with house.world.lived_in():
        await house.intend("amf", "Deploy AMF")
        await pass_time(LONG - 1)
        said = [record.message for record in caplog.records if "cannot get leases" in record.message]
        assert len(said) == LONG / 60
        assert await house.phases() == {"amf": "Pending"}
        house.door.denied = ""
        await pass_time(HEAL)
        assert await house.phases() == {"amf": "Completed"}


@pytest.mark.parametrize("seconds", [5.0, 600.0], ids=["shorter-than-the-lease", "longer"])
async def test_an_unreachable_server_loses_nothing(house: House, seconds: float) -> None:
    """It goes right after a push, and objects come while the operator cannot see them; nothing is done twice."""

    def leave(commit: MemoryCommit) -> None:
        house.door.shut, house.world.remote.hook = True, None

    await house.install()
    async with house.world.lived_in():
        await house.intend("amf", "Deploy AMF")
        await house.gather("ran", 2)
        await pass_time(10.0)
        house.world.remote.hook = leave
        await house.intend("smf", "Deploy SMF")
        await pass_time(1.0)
        assert house.door.shut
        house.world.server.disconnect()
        await house.intend("upf", "Deploy UPF")
        await house.user.merge(f"{INTENTS}/amf", {"spec": {"intent": "Deploy AMF with 3 replicas"}})
        await house.user.merge(f"{SETS}/ran", {"spec": {"replicas": 3}})
        await pass_time(seconds)
        assert await house.phases() == {"amf": "Completed", "smf": "Pending", "upf": "Pending", "ran": "Ready"}
        house.door.shut = False
        await pass_time(HEAL)
        assert await house.phases() == dict.fromkeys(["amf", "smf", "upf"], "Completed") | {"ran": "Ready"}
    told = [line for commit in house.world.remote.commits for line in commit.message.splitlines() if line[:1] == "-"]
    assert len(told) == 4
    (table,) = house.world.rics.values()
    assert len(table.nodes) == 3
    assert {count for (kind, _), count in table.asked.items() if kind == "register"} == {1}
