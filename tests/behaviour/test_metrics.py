"""No family is only declared: after all sorts of things have happened to the operator, each has something to tell."""

from __future__ import annotations

import asyncio
from typing import Final

import pytest

from nephoran.api import E2NodeSet, NetworkIntent
from nephoran.controllers import REMEMBERED, Meanings, Settings, intent_controller, node_set_controller
from nephoran.e2.fleet import Fleet
from nephoran.e2.simulator import MemoryRic, NodeTable
from nephoran.intent.interpret import RuleInterpreter
from nephoran.metrics import OperatorMetrics
from nephoran.repository.errors import AuthenticationFailed, RemoteUnavailable
from nephoran.repository.memory import MemoryRepository, Point
from steady import Key, Manager, Options
from steady.apiserver import Server
from steady.client.transport import Request
from steady.clock import ManualClock
from steady.errors import ServerError
from steady.schema import crd
from steady.tasks import Scope
from steady.testing.memory import MemoryTransport
from tests.behaviour.house import CRDS, Json, User, pass_time

pytestmark = pytest.mark.looptime

EXCEPTIONS: Final[dict[str, str]] = {}
"""Families that may be empty after this run, each with the reason."""

INTENTS = "/apis/nephoran.com/v1/namespaces/default/networkintents"
SETS = "/apis/nephoran.com/v1/namespaces/default/e2nodesets"
PHASES = {
    "networkintent": {"main", "interpret", "plan", "render", "commit"},
    "e2nodeset": {"main", "deregister", "register", "children"},
}


class Weather:
    """What goes wrong: the errors that the next pushes meet, and how the next status writes fare."""

    def __init__(self) -> None:
        self.pushes: list[Exception] = []
        self.refused = 0
        self.slow = 0.0

    def fault(self, point: Point) -> None:
        if point == "before push" and self.pushes:
            raise self.pushes.pop(0)

    async def before(self, request: Request) -> None:
        if request.method != "PATCH" or not request.path.endswith("/status"):
            return
        await asyncio.sleep(self.slow)
        if self.refused:
            self.refused -= 1
            raise ServerError(503, "ServiceUnavailable", "overloaded")


class House:
    """The whole operator on a server in memory, and all that may happen to it."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.user = User(server)
        self.weather = Weather()
        self.table = NodeTable()
        self.metrics = OperatorMetrics()
        clock, meanings = ManualClock(), Meanings(REMEMBERED)
        repository = MemoryRepository(clock=clock, fault=self.weather.fault, meter=self.metrics.landing)
        fleet = Fleet(self.metrics.connect(lambda _: MemoryRic(self.table)), clock)
        self.manager = Manager(
            intent_controller(
                self.metrics.interpreter(RuleInterpreter()),
                repository,
                Settings(images={"amf": "amf:1", "smf": "smf:1"}),
                meanings=meanings,
            ),
            node_set_controller(fleet),
            options=Options(name="nephoran", lease=Key("default", "nephoran"), identity="one"),
            services=[repository, fleet],
            transport=self._transport,
            metrics=self.metrics.runtime,
            clock=clock,
        )
        self.metrics.follow(fleet, self.manager.stores)
        self.metrics.memories(meanings=meanings)
        self.metrics.watch(repository.drift)

    def _transport(self) -> MemoryTransport:
        transport = MemoryTransport(self.server)
        transport.before = self.weather.before
        return transport

    async def create(self, path: str, kind: str, name: str, spec: Json) -> None:
        body = {"apiVersion": "nephoran.com/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}
        await self.user.send("POST", path, body)

    async def intent(self, name: str, text: str) -> None:
        await self.create(INTENTS, "NetworkIntent", name, {"intent": text})

    async def phase(self, path: str) -> str:
        return str((await self.user.send("GET", path)).get("status", {}).get("phase"))

    async def live(self) -> None:
        """Successes, failures that pass, one that is held, some that are parked, slow statuses, losses, removals."""
        await self.intent("amf", "Deploy AMF")
        await self.create(SETS, "E2NodeSet", "cell", {"replicas": 2})
        await self.intent("nonsense", "Please make it work somehow")
        await pass_time(30.0)
        self.weather.pushes = [RemoteUnavailable("no route"), AuthenticationFailed("no")]
        self.weather.refused = 2
        for number in range(3):
            await self.intent(f"late-{number}", f"Deploy SMF with {number + 2} replicas")
            await pass_time(3.0)
        self.weather.slow = 3.0
        await pass_time(900.0)
        self.weather.slow = 0.0
        self.table.down = True
        await pass_time(120.0)
        self.table.down = False
        await self.user.merge(f"{SETS}/cell", {"spec": {"replicas": 1}})
        self.server.disconnect()
        await self.user.send("DELETE", f"{INTENTS}/amf")
        await pass_time(120.0)
        assert await self.phase(f"{SETS}/cell") == "Ready"
        assert [await self.phase(f"{INTENTS}/late-{number}") for number in range(3)] == ["Completed"] * 3


async def life() -> OperatorMetrics:
    """The metrics of an operator that has seen all that."""
    async with Server(clock=ManualClock()) as server:
        house = House(server)
        for kind in (NetworkIntent, E2NodeSet):
            await house.user.send("POST", CRDS, crd(kind))
        async with Scope("test") as scope:
            scope.start(house.manager.serve(), "manager")
            await house.manager.started.wait()
            await house.live()
            house.manager.stop()
            await scope.drained()
        return house.metrics


async def test_no_declared_family_stays_empty() -> None:
    """One that nobody counts fails this, and so does an exception that has become needless."""
    lived = await life()
    families = {metric.name: list(metric.samples) for metric in lived.runtime.registry.collect()}
    empty = {name for name, samples in families.items() if not samples}
    assert empty - EXCEPTIONS.keys() == set()
    assert EXCEPTIONS.keys() - empty == set()
    assert len(families) > 50


async def test_what_happened_can_be_read() -> None:
    """Families that would be there at 0 anyway tell of this life."""
    lived = await life()
    read = lived.runtime.registry.get_sample_value

    def counted(family: str, /, **labels: str) -> float:
        return read(family, labels) or 0.0

    assert counted("nephoran_interpretations_total", result="understood") >= 4
    assert counted("nephoran_interpretations_total", result="meaningless") >= 1
    assert counted("nephoran_git_pushes_total", result="RemoteUnavailable") == 1
    assert counted("nephoran_git_pushes_total", result="AuthenticationFailed") == 1
    assert counted("nephoran_ric_calls_total", operation="states", result="unavailable") > 0
    assert counted("nephoran_cache_requests_total", cache="meanings", result="hit") > 0
    assert counted("nephoran_git_looks_total") > 0
    assert counted("controller_reconcile_total", controller="networkintent", result="error") >= 3
    assert counted("leader_election_master_status", name="nephoran") == 0  # it has stopped
    failed = sum(counted("controller_status_updates_failed_total", **labels) for labels in series(lived))
    assert failed >= 1


def series(metrics: OperatorMetrics) -> list[dict[str, str]]:
    """The labels under which failed statuses are counted."""
    found = (sample for metric in metrics.runtime.registry.collect() for sample in metric.samples)
    return [sample.labels for sample in found if sample.name == "controller_status_updates_failed_total"]


async def test_every_phase_is_timed() -> None:
    """By its name, as often as it was gone through."""
    lived = await life()
    timed: dict[str, set[str]] = {}
    for metric in lived.runtime.registry.collect():
        for sample in metric.samples:
            if sample.name == "controller_reconcile_duration_seconds_count" and sample.value > 0:
                timed.setdefault(sample.labels["controller"], set()).add(sample.labels["phase"])
    assert timed == PHASES
