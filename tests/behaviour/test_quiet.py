"""Both controllers in one process: a burst at its budget, then an hour in which nothing happens."""

from __future__ import annotations

from collections import Counter

import pytest

from nephoran.api import E2NodeSet, NetworkIntent
from nephoran.api.names import INTENT_FINALIZER, NODE_SET_FINALIZER
from nephoran.controllers import Settings, intent_controller, node_set_controller
from nephoran.e2.fleet import Fleet
from nephoran.e2.simulator import MemoryRic, NodeTable
from nephoran.intent.interpret import RuleInterpreter
from nephoran.knowledge import knowledge
from nephoran.repository.memory import MemoryRemote, MemoryRepository
from steady import Key, Options
from steady.apiserver import Server
from steady.clock import ManualClock
from steady.schema import crd
from tests.behaviour.house import CRDS, User, pass_time, requests, running

pytestmark = pytest.mark.looptime

OBJECTS = "/apis/nephoran.com/v1/namespaces/default"
IMAGES = {component: f"registry.example/{component}:1" for component in knowledge().components}


@pytest.mark.parametrize("policy", [True, False])
async def test_a_burst_costs_its_budget_and_an_hour_costs_the_lease(*, policy: bool) -> None:
    """200 intents and 100 nodes: the exact requests; afterwards one lease PUT per 5 s and no other but watches."""
    async with Server(clock=ManualClock()) as server:
        user = User(server)
        for kind in (NetworkIntent, E2NodeSet):
            await user.send("POST", CRDS, crd(kind))
        if policy:
            server.add_finalizer_on_create("nephoran.com", "networkintents", INTENT_FINALIZER)
            server.add_finalizer_on_create("nephoran.com", "e2nodesets", NODE_SET_FINALIZER)
        remote, table = MemoryRemote(), NodeTable()
        repository = MemoryRepository(remote, clock=ManualClock())
        fleet = Fleet(lambda _: MemoryRic(table), ManualClock())
        controllers = (
            intent_controller(RuleInterpreter(), repository, Settings(images=IMAGES)),
            node_set_controller(fleet),
        )
        options = Options(name="nephoran", lease=Key("default", "nephoran"))
        async with running(server, *controllers, services=[repository, fleet], options=options):
            server.log.clear()
            for number in range(200):
                await user.send("POST", f"{OBJECTS}/networkintents", _object("NetworkIntent", f"i{number}"))
            await user.send("POST", f"{OBJECTS}/e2nodesets", _object("E2NodeSet", "ran"))
            await pass_time(30.0)
            expected = Counter(
                {
                    ("patch", "networkintents", "status"): 200,
                    ("create", "configmaps", ""): 100,
                    ("patch", "e2nodesets", "status"): 1,
                }
            )
            if not policy:
                expected |= Counter({("patch", "networkintents", ""): 200, ("patch", "e2nodesets", ""): 1})
            used = requests(server)
            del used["update", "leases", ""]
            assert used == expected
            assert len(remote.tree) == 200
            assert len(table.nodes) == 100

            server.log.clear()
            await pass_time(3600.0)
            assert set(requests(server)) == {("update", "leases", "")}
            assert requests(server)["update", "leases", ""] <= 3600 / 5 + 1


def _object(kind: str, name: str) -> dict[str, object]:
    spec: dict[str, object] = {"intent": "Deploy AMF with 2 replicas"} if kind == "NetworkIntent" else {"replicas": 100}
    return {"apiVersion": "nephoran.com/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}
