"""A set of E2 nodes: what is stored, what the RIC knows, and what it cost."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import cycle, islice
from typing import Any

import pytest

from nephoran.addresses import AddressPolicy
from nephoran.api import E2NodeSet
from nephoran.api.names import NODE_SET_FINALIZER
from nephoran.controllers import node_set_controller
from nephoran.e2.fleet import Fleet
from nephoran.e2.ric import RicClients
from nephoran.e2.simulator import MemoryRic, NodeTable
from steady import BatchConfig, Manager
from steady.apiserver import Server
from steady.backoff import DEFAULTS, ErrorType
from steady.clock import ManualClock
from steady.schema import crd
from steady.writes import LimiterConfig
from tests.behaviour.house import CRDS, Json, User, condition, pass_time, requests, running
from tests.kstatus import KStatus, awaited, kstatus

pytestmark = pytest.mark.looptime

SETS = "/apis/nephoran.com/v1/namespaces/default/e2nodesets"
NODES = "/api/v1/namespaces/default/configmaps"
POST, DELETE, PATCH = ("create", "configmaps", ""), ("delete", "configmaps", ""), ("patch", "configmaps", "")
STATUS, FINALIZER = ("patch", "e2nodesets", "status"), ("patch", "e2nodesets", "")
EVENT = ("create", "events", "")
BATCH_SECONDS = BatchConfig().batch_timeout


class House:
    """One server, one user, one RIC; the operator may run several times on them."""

    def __init__(self, server: Server, clock: ManualClock) -> None:
        self.server = server
        self.clock = clock
        self.user = User(server)
        self.table = NodeTable()

    async def create(self, name: str, replicas: int, **spec: Any) -> Json:
        """A new set."""
        body = {
            "apiVersion": "nephoran.com/v1",
            "kind": "E2NodeSet",
            "metadata": {"name": name},
            "spec": {"replicas": replicas, **spec},
        }
        return await self.user.send("POST", SETS, body)

    async def get(self, name: str) -> Json:
        """A set as it is."""
        return await self.user.send("GET", f"{SETS}/{name}")

    async def seen(self, name: str) -> KStatus:
        """A set as tools see it; `kubectl wait` agrees."""
        node_set = await self.get(name)
        assert awaited(node_set) == (kstatus(node_set) == "Current")
        return kstatus(node_set)

    def nodes(self) -> list[str]:
        """Names of the nodes' ConfigMaps, in order."""
        return sorted(obj["metadata"]["name"] for obj in self.server.objects("configmaps"))

    def events(self) -> list[tuple[str, str]]:
        """Reason and message of all Events."""
        return [(event["reason"], event["message"]) for event in self.server.objects("events")]

    async def pass_time(self, seconds: float) -> None:
        """Let time pass, on the calendar too, where it moves by a heartbeat at most."""
        while seconds > 0.0:
            step = min(seconds, 10.0)
            self.clock.advance(step)
            await pass_time(step)
            seconds -= step

    async def sway(self, looks: Sequence[str], count: int, interval: int) -> None:
        """Let `count` looks find nodes (C)onnected or (D)isconnected: one letter for all of them, or one for each."""
        states = {"C": "CONNECTED", "D": "DISCONNECTED"}
        for look in islice(cycle(looks), count):
            for node, letter in zip(sorted(self.table.nodes), cycle(look), strict=False):
                self.table.mark(node, states[letter])
            await self.pass_time(interval)

    @asynccontextmanager
    async def operator(self, rics: RicClients | None = None) -> AsyncIterator[Manager]:
        """The operator at work."""
        fleet = Fleet(rics or (lambda _: MemoryRic(self.table)), self.clock)
        services = [rics, fleet] if rics else [fleet]
        async with running(self.server, node_set_controller(fleet), services=services, clock=self.clock) as manager:
            yield manager


@pytest.fixture
async def house() -> AsyncIterator[House]:
    clock = ManualClock()
    async with Server(clock=clock) as server:
        house = House(server, clock)
        await house.user.send("POST", CRDS, crd(E2NodeSet))
        yield house


@pytest.mark.parametrize("policy", [True, False])
async def test_a_set_costs_one_post_per_node_and_one_status(house: House, *, policy: bool) -> None:
    """N nodes to Ready: N POST, one status, one finalizer where the server does not add it; each registered once."""
    if policy:
        house.server.add_finalizer_on_create("nephoran.com", "e2nodesets", NODE_SET_FINALIZER)
    async with house.operator():
        await house.create("ran", 10)
        await pass_time(5.0)
        status = (await house.get("ran"))["status"]
        assert (status["phase"], status["readyReplicas"], status["replicas"]) == ("Ready", 10, 10)
        assert requests(house.server) == {POST: 10, STATUS: 1} | ({} if policy else {FINALIZER: 1})
        assert len(house.table.nodes) == 10


async def test_healthy_nodes_cost_nothing_and_a_restart_neither(house: House) -> None:
    """An hour of heartbeats writes nothing; a restart neither registers nor writes again."""
    async with house.operator():
        await house.create("ran", 5)
        await house.pass_time(5.0)
        house.server.log.clear()
        await house.pass_time(3600.0)
        assert requests(house.server) == {}
    calls = house.table.calls["register"]
    house.server.log.clear()
    async with house.operator():
        await house.pass_time(30.0)
        assert requests(house.server) == {}
        assert house.table.calls["register"] == calls


async def test_scaling_removes_the_highest_first_and_fills_gaps(house: House) -> None:
    """abs(M−N) writes and one status each way; a node deleted by hand comes back for one."""
    async with house.operator():
        await house.create("ran", 5)
        await pass_time(5.0)
        house.server.log.clear()
        await house.user.merge(f"{SETS}/ran", {"spec": {"replicas": 2}})
        await pass_time(5.0)
        assert house.nodes() == ["ran-e2node-0", "ran-e2node-1"]
        assert requests(house.server) == {DELETE: 3, STATUS: 1}
        assert len(house.table.nodes) == 2
        house.server.log.clear()
        await house.user.merge(f"{SETS}/ran", {"spec": {"replicas": 4}})
        await pass_time(5.0)
        assert requests(house.server) == {POST: 2, STATUS: 1}
        house.server.log.clear()
        await house.user.send("DELETE", f"{NODES}/ran-e2node-1")
        await pass_time(5.0)
        assert requests(house.server) == {POST: 1}
        assert house.nodes() == [f"ran-e2node-{number}" for number in range(4)]


async def test_a_template_change_rolls_and_keeps_owners(house: House) -> None:
    """N patches and one status; the nodes stay the set's, and the RIC hears of it."""
    async with house.operator():
        await house.create("ran", 3)
        await pass_time(5.0)
        house.server.log.clear()
        template = {"spec": {"e2InterfaceVersion": "v2.0"}}
        await house.user.merge(f"{SETS}/ran", {"spec": {"template": template}})
        await pass_time(5.0)
        assert requests(house.server) == {PATCH: 3, STATUS: 1}
        assert (house.table.calls["register"], house.table.calls["update"]) == (3, 3)
        node = await house.user.send("GET", f"{NODES}/ran-e2node-0")
        assert node["metadata"]["ownerReferences"][0]["name"] == "ran"
        assert node["metadata"]["annotations"]["nephoran.com/e2-interface-version"] == "v2.0"


async def test_deleting_a_set_costs_one_patch_and_forgets_every_node(house: House) -> None:
    """The children go by their owner, the RIC is told."""
    async with house.operator():
        await house.create("ran", 5)
        await pass_time(5.0)
        house.server.log.clear()
        await house.user.send("DELETE", f"{SETS}/ran")
        await pass_time(5.0)
        assert requests(house.server) == {FINALIZER: 1}
        assert house.nodes() == []
        assert not house.table.nodes


@pytest.mark.parametrize("fault", ["down", "silent"])
async def test_a_ric_that_is_lost_costs_one_status_and_one_when_it_is_back(house: House, fault: str) -> None:
    """Nodes say Disconnected, the set Degraded; an hour of it costs nothing more; it heals by itself."""
    async with house.operator():
        await house.create("ran", 3)
        await house.pass_time(5.0)
        house.server.log.clear()
        setattr(house.table, fault, True)
        await house.pass_time(120.0)
        degraded = await house.get("ran")
        assert degraded["status"]["phase"] == "Degraded"
        assert condition(degraded, "Degraded") == ("True", "NodesDisconnected")
        assert requests(house.server) == {STATUS: 1}
        house.server.log.clear()
        await house.pass_time(3600.0)
        assert requests(house.server) == {}
        setattr(house.table, fault, False)
        await house.pass_time(120.0)
        assert (await house.get("ran"))["status"]["phase"] == "Ready"
        assert requests(house.server) == {STATUS: 1}
        assert house.table.calls["register"] == 3


async def test_a_ric_that_comes_and_goes_costs_one_status_each_time(house: House) -> None:
    """Twelve times an hour away for longer than the connection timeout: twenty-four statuses."""
    async with house.operator():
        await house.create("ran", 3)
        await house.pass_time(5.0)
        house.server.log.clear()
        for _ in range(12):
            house.table.down = True
            await house.pass_time(60.0)
            house.table.down = False
            await house.pass_time(240.0)
        assert requests(house.server) == {STATUS: 24}


async def test_a_ric_that_is_away_for_less_than_the_connection_timeout_costs_nothing(house: House) -> None:
    """Two looks that fail, every minute of an hour."""
    async with house.operator():
        await house.create("ran", 3)
        await house.pass_time(5.0)
        house.server.log.clear()
        for _ in range(60):
            house.table.down = True
            await house.pass_time(20.0)
            house.table.down = False
            await house.pass_time(40.0)
        assert requests(house.server) == {}


@pytest.mark.parametrize(
    ("interval", "looks", "statuses"),
    [
        (10, ["D", "C"], 360),
        (10, ["D", "D", "D", "C", "C", "C"], 120),
        (10, ["DCC", "DDC", "DDD", "CDD", "CCD", "CCC"], 360),
        (2, ["D", "C"], 360),
        (2, ["DCC", "DDC", "DDD", "CDD", "CCD", "CCC"], 360),
    ],
)
async def test_nodes_that_change_cost_at_most_one_status_per_batch_timeout(
    house: House, interval: int, looks: list[str], statuses: int
) -> None:
    """One for each of 360 looks that finds something else, none for the others."""
    async with house.operator():
        await house.create("ran", 3, ricConfiguration={"heartbeatInterval": f"{interval}s"})
        await house.pass_time(5.0)
        house.server.log.clear()
        await house.sway(looks, 360, interval)
        await house.pass_time(BATCH_SECONDS)
        assert requests(house.server) == {STATUS: statuses}
        assert statuses <= 360 * interval / BATCH_SECONDS


async def test_looks_that_come_faster_than_statuses_may_be_written_are_held_to_their_rate(house: House) -> None:
    """Lost and found around every batch timeout: the limiter's burst, then one per batch timeout, and Events say so."""
    async with house.operator():
        await house.create("ran", 3, ricConfiguration={"heartbeatInterval": "1s"})
        await house.pass_time(5.0)
        house.server.log.clear()
        await house.sway(["D", "D", "C"], 1200, 1)
        spent = requests(house.server)
        assert spent[STATUS] <= 1200 / BATCH_SECONDS + LimiterConfig().burst
        assert spent[EVENT] <= 1200 / 300
        assert set(spent) == {STATUS, EVENT}


async def test_tools_see_where_a_set_stands_at_every_step(house: House) -> None:
    """InProgress until all nodes are connected and whenever they are not, Current then, Terminating when deleted.

    A RIC that is down fails nothing for good: nobody need touch the set, so it is InProgress.
    """
    await house.create("ran", 3)
    assert await house.seen("ran") == "InProgress"
    house.table.slow = True
    async with house.operator():
        await house.pass_time(5.0)
        assert (await house.get("ran"))["status"]["phase"] == "Initializing"
        assert await house.seen("ran") == "InProgress"
        house.table.slow = False
        house.table.connect()
        await house.pass_time(30.0)
        assert await house.seen("ran") == "Current"

        await house.user.merge(f"{SETS}/ran", {"spec": {"replicas": 4}})
        assert await house.seen("ran") == "InProgress"
        await house.pass_time(5.0)
        assert await house.seen("ran") == "Current"

        house.table.down = True
        await house.pass_time(3600.0)
        assert condition(await house.get("ran"), "Degraded") == ("True", "NodesDisconnected")
        assert await house.seen("ran") == "InProgress"
        house.table.down = False
        await house.pass_time(120.0)
        assert await house.seen("ran") == "Current"

        house.table.down = True
        await house.user.send("DELETE", f"{SETS}/ran")
        await house.pass_time(30.0)
        assert kstatus(await house.get("ran")) == "Terminating"
        house.table.down = False
        await house.pass_time(60.0)
    assert house.server.objects("e2nodesets") == []


async def test_tools_see_a_set_failed_whose_ric_is_not_allowed(house: House) -> None:
    """Only somebody else can help; a set that asks nothing of its RIC is Current."""
    async with house.operator(RicClients(AddressPolicy(["near-rt-ric"]))):
        await house.create("ran", 0, ricConfiguration={"ricEndpoint": "http://metadata.internal:80"})
        await house.pass_time(5.0)
        assert await house.seen("ran") == "Current"
        await house.user.merge(f"{SETS}/ran", {"spec": {"replicas": 2}})
        await house.pass_time(5.0)
        assert await house.seen("ran") == "Failed"
        await house.user.merge(f"{SETS}/ran", {"spec": {"replicas": 0}})
        assert await house.seen("ran") == "InProgress"
        await house.pass_time(5.0)
        assert await house.seen("ran") == "Current"


@pytest.mark.parametrize(
    "edit",
    [
        {"data": {"e2node-config.json": "{}"}},
        {"data": {"e2node-config.json": None, "more": "of it"}},
        {"data": {"e2node-config.json": "{}"}, "metadata": {"annotations": {"a": "b"}}},
    ],
    ids=["changed", "removed", "along-with-an-annotation"],
)
async def test_a_node_that_somebody_else_has_edited_is_written_again(house: House, edit: Json) -> None:
    """One patch, although nobody watches the data; and nothing afterwards."""
    async with house.operator():
        await house.create("ran", 3)
        await pass_time(5.0)
        path = f"{NODES}/ran-e2node-1"
        written = await house.user.send("GET", path)
        house.server.log.clear()
        await house.user.merge(path, edit)
        await pass_time(3600.0)
        assert requests(house.server) == {PATCH: 1}
        assert (await house.user.send("GET", path))["data"] == written["data"]
        assert house.table.calls["register"] == 3


async def test_a_deleted_set_is_gone_although_its_ric_is_down(house: House) -> None:
    """It waits for all attempts of its retryConfig, across a restart; the next retry lets it go and says who stays."""
    patience, longest_delay = 3 * (30 + 5), DEFAULTS[ErrorType.TRANSIENT].max_delay
    async with house.operator():
        await house.create("ran", 12)
        await house.pass_time(5.0)
        house.table.down = True
        await house.pass_time(60.0)
        house.server.log.clear()
        await house.user.send("DELETE", f"{SETS}/ran")
        await house.pass_time(patience / 2)
        stuck = await house.get("ran")
        assert condition(stuck, "Reconciling") == ("True", "Retrying")
        assert "the RIC does not answer" in str(stuck["status"]["conditions"])
        assert requests(house.server) == {STATUS: 1}
    async with house.operator():
        await house.pass_time(patience + longest_delay)
    assert house.server.objects("e2nodesets") == []
    assert house.nodes() == []
    ((reason, message),) = house.events()
    assert reason == "CleanupFailedMaxRetries"
    assert message.startswith("12 nodes could not be deregistered (the RIC does not answer: ")
    assert message.endswith(" …")
    assert message.count("ran-e2node-") == 10
    assert len(house.table.nodes) == 12


async def test_a_ric_that_is_back_in_time_hears_of_the_deletion(house: House) -> None:
    """At once, and nobody is told of trouble."""
    async with house.operator():
        await house.create("ran", 3)
        await house.pass_time(5.0)
        house.table.down = True
        await house.pass_time(60.0)
        await house.user.send("DELETE", f"{SETS}/ran")
        await house.pass_time(40.0)
        house.table.down = False
        await house.pass_time(11.0)
    assert house.server.objects("e2nodesets") == []
    assert not house.table.nodes
    assert house.events() == []


async def test_a_ric_that_is_not_allowed_is_refused_once(house: House) -> None:
    """A condition that says which address and who can allow it; no retry until the spec changes; it can be deleted."""
    async with house.operator(RicClients(AddressPolicy(["near-rt-ric"]))):
        await house.create("ran", 2, ricConfiguration={"ricEndpoint": "http://metadata.internal:80"})
        await house.pass_time(5.0)
        refused = await house.get("ran")
        assert condition(refused, "Ready") == ("False", "E2NodesFailed")
        assert condition(refused, "Stalled") == ("True", "AddressForbidden")
        assert "metadata.internal:80 is not among the addresses" in str(refused["status"]["conditions"])
        assert requests(house.server) == {POST: 2, FINALIZER: 1, STATUS: 1}
        house.server.log.clear()
        await house.pass_time(3600.0)
        assert requests(house.server) == {}
        await house.user.merge(f"{SETS}/ran", {"spec": {"replicas": 1}})
        await house.pass_time(5.0)
        assert house.nodes() == ["ran-e2node-0"]
        await house.user.send("DELETE", f"{SETS}/ran")
        await house.pass_time(5.0)
        assert house.server.objects("e2nodesets") == []


async def test_a_suspended_set_is_left_alone_also_at_its_ric(house: House) -> None:
    """No node comes back, no heartbeat is asked for; resumed, what is missing is made and registered again."""
    async with house.operator():
        await house.create("ran", 3)
        await pass_time(5.0)
        house.server.log.clear()
        await house.user.merge(f"{SETS}/ran", {"metadata": {"annotations": {"nephoran.com/suspend": "true"}}})
        await pass_time(5.0)
        house.table.calls.clear()
        await house.user.send("DELETE", f"{NODES}/ran-e2node-1")
        del house.table.nodes["default-ran-node-2"]
        await house.user.merge(f"{SETS}/ran", {"spec": {"replicas": 4}})
        await pass_time(3600.0)
        assert requests(house.server) == {STATUS: 1}
        assert house.table.calls == {}
        assert condition(await house.get("ran"), "Suspended") == ("True", "SuspendedByAnnotation")
        house.server.log.clear()
        await house.user.merge(f"{SETS}/ran", {"metadata": {"annotations": {"nephoran.com/suspend": None}}})
        await pass_time(5.0)
        assert requests(house.server) == {POST: 2, STATUS: 1}
        assert len(house.table.nodes) == 4
        assert condition(await house.get("ran"), "Suspended") is None


async def test_a_suspended_set_is_still_removed(house: House) -> None:
    """The RIC forgets every node, for one patch."""
    async with house.operator():
        await house.create("ran", 3)
        await pass_time(5.0)
        await house.user.merge(f"{SETS}/ran", {"metadata": {"annotations": {"nephoran.com/suspend": "true"}}})
        await pass_time(5.0)
        house.server.log.clear()
        await house.user.send("DELETE", f"{SETS}/ran")
        await pass_time(5.0)
        assert requests(house.server) == {FINALIZER: 1}
        assert not house.table.nodes


async def test_reconciling_once_more_renews_every_node_once(house: House) -> None:
    """N patches and one status; the RIC hears of each node. The same value again and a restart cost nothing."""
    async with house.operator():
        await house.create("ran", 3)
        await pass_time(5.0)
    await house.user.merge(f"{NODES}/ran-e2node-0", {"data": {"e2node-config.json": "spoilt"}})
    async with house.operator():
        await pass_time(5.0)
        assert (await house.user.send("GET", f"{NODES}/ran-e2node-0"))["data"]["e2node-config.json"] == "spoilt"
        house.server.log.clear()
        house.table.asked.clear()
        for _ in range(2):
            await house.user.merge(f"{SETS}/ran", {"metadata": {"annotations": {"nephoran.com/reconcile": "1"}}})
            await pass_time(30.0)
            assert requests(house.server) == {PATCH: 3, STATUS: 1}
            assert sum(house.table.asked.values()) == 3
        node = await house.user.send("GET", f"{NODES}/ran-e2node-0")
        assert node["data"]["e2node-config.json"] != "spoilt"
    house.server.log.clear()
    async with house.operator():
        await pass_time(30.0)
        assert requests(house.server) == {}
