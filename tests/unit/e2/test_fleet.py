"""The fleet on virtual time: which requests it sends, and what it says of the nodes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from nephoran.api.e2nodeset import NodeState
from nephoran.e2.fleet import Fleet
from nephoran.e2.nodes import DEFAULT_FUNCTIONS, RanFunction, RicSettings
from nephoran.e2.ric import RicRefused, RicUnavailable
from nephoran.e2.simulator import MemoryRic, NodeTable
from steady.clock import ManualClock, timestamp
from steady.objects import Key
from steady.tasks import Scope

pytestmark = pytest.mark.looptime

SET = Key("radio", "edge")
OTHER = Key("radio", "core")
RIC = RicSettings("http://ric:38080")


class World:
    """A fleet, one RIC behind every endpoint, and the keys that the fleet has told."""

    def __init__(self, fleet: Fleet, ric: MemoryRic, clock: ManualClock) -> None:
        self.fleet = fleet
        self.ric = ric
        self.table = ric.table
        self.clock = clock
        self.told: list[Key] = []

    def watch(self, key: Key, count: int, ric: RicSettings = RIC) -> None:
        self.fleet.watch(key, ric, dict.fromkeys(ids(key, count), DEFAULT_FUNCTIONS))

    async def settle(self, key: Key, count: int) -> None:
        self.watch(key, count)
        assert await self.fleet.register(key) == {}

    def states(self, key: Key = SET) -> list[str]:
        return [session.state.value for session in self.fleet.sessions(key).values()]

    def sent(self) -> dict[str, int]:
        """The requests since the last time, by kind."""
        calls = dict(self.table.calls)
        self.table.calls.clear()
        return calls


def ids(key: Key, count: int) -> list[str]:
    return [f"{key.namespace}-{key.name}-node-{index}" for index in range(count)]


@asynccontextmanager
async def world(latency: float = 0.0, table: NodeTable | None = None) -> AsyncIterator[World]:
    ric, clock = MemoryRic(table, latency), ManualClock()

    async def listen(self: World) -> None:
        async for key in self.fleet.changes():
            self.told.append(key)

    async with Fleet(lambda _: ric, clock) as fleet, Scope("test") as scope:
        here = World(fleet, ric, clock)
        scope.start(listen(here), "listener")
        yield here


async def test_new_nodes_are_registered_once_each_between_two_looks() -> None:
    """N nodes cost N registrations and two looks, and are connected when `register` returns."""
    async with world() as here:
        await here.settle(SET, 40)
        assert here.states() == ["Connected"] * 40
        assert here.sent() == {"states": 2, "register": 40}
        assert set(here.table.asked.values()) == {1}


async def test_registrations_carry_the_ran_functions() -> None:
    """The RIC gets every function's number, revision, identifier and description."""
    async with world() as here:
        await here.settle(SET, 1)
        functions = here.table.nodes[ids(SET, 1)[0]].functions
        assert [function.function_oid for function in functions] == [function.oid for function in DEFAULT_FUNCTIONS]


async def test_a_healthy_fleet_looks_once_per_interval_and_tells_nothing() -> None:
    """Two sets at one RIC share one look per interval; nobody is woken."""
    async with world() as here:
        await here.settle(SET, 10)
        await here.settle(OTHER, 10)
        here.sent()
        await asyncio.sleep(3605)
        assert here.sent() == {"states": 360}
        assert here.told == []


async def test_the_shortest_interval_of_the_sets_counts() -> None:
    """A set that asks for a look every 2 s gives all sets of the RIC one."""
    async with world() as here:
        await here.settle(SET, 1)
        here.watch(OTHER, 1, RicSettings(RIC.endpoint, heartbeat_interval=2.0))
        await here.fleet.register(OTHER)
        here.sent()
        await asyncio.sleep(21)
        assert here.sent() == {"states": 10}


async def test_registering_again_what_is_registered_sends_nothing() -> None:
    """A reconcile of an unchanged set makes no request to the RIC."""
    async with world() as here:
        await here.settle(SET, 5)
        here.sent()
        await here.settle(SET, 5)
        assert here.sent() == {}


async def test_at_most_sixteen_registrations_are_in_flight() -> None:
    """With 1 s per answer, 33 nodes take three rounds between two looks."""
    async with world(latency=1.0) as here:
        begun = asyncio.get_running_loop().time()
        await here.settle(SET, 33)
        assert asyncio.get_running_loop().time() - begun == pytest.approx(5.0)


async def test_after_a_restart_nodes_are_recognised() -> None:
    """A new process with the same RIC looks once, registers nothing and keeps the time of connection."""
    async with world() as before:
        await before.settle(SET, 20)
        before.sent()
    async with world(table=before.table) as here:
        earlier = dict.fromkeys(ids(SET, 20), "2025-12-31T00:00:00Z")
        here.fleet.watch(SET, RIC, dict.fromkeys(ids(SET, 20), DEFAULT_FUNCTIONS), earlier)
        assert await here.fleet.register(SET) == {}
        assert here.sent() == {"states": 1}
        assert {session.connected_since for session in here.fleet.sessions(SET).values()} == {"2025-12-31T00:00:00Z"}


async def test_a_set_that_the_last_look_has_seen_costs_no_look() -> None:
    """After a restart one look serves every set of the RIC."""
    async with world() as before:
        await before.settle(SET, 3)
        await before.settle(OTHER, 3)
        before.sent()
    async with world(table=before.table) as here:
        await here.settle(SET, 3)
        await here.settle(OTHER, 3)
        assert here.states(OTHER) == ["Connected"] * 3
        assert here.sent() == {"states": 1}


async def test_a_registration_lost_halfway_is_completed_only_where_it_is_missing() -> None:
    """A process that dies after 3 of 8 registrations leaves 5 for the next one."""
    table = NodeTable()
    for node in ids(SET, 3):
        table.registered(node, ())
    async with world(table=table) as here:
        await here.settle(SET, 8)
        assert here.sent() == {"states": 2, "register": 5}


async def test_scaling_up_registers_the_new_nodes_only() -> None:
    """From 3 to 5 nodes: two registrations."""
    async with world() as here:
        await here.settle(SET, 3)
        here.sent()
        await here.settle(SET, 5)
        assert here.sent() == {"states": 2, "register": 2}


async def test_a_node_passes_from_pending_over_initializing_to_connected() -> None:
    """Before the first look Pending, while the RIC connects Initializing, then Connected; the set is told."""
    async with world() as here:
        here.table.slow = True
        here.watch(SET, 1)
        assert here.states() == ["Pending"]
        await here.fleet.register(SET)
        assert here.states() == ["Initializing"]
        assert here.told == []
        here.table.connect()
        here.clock.advance(10)
        await asyncio.sleep(10.1)
        session = here.fleet.state(SET, ids(SET, 1)[0])
        assert (session.state, session.connected_since) == (NodeState.CONNECTED, timestamp(here.clock.now()))
        assert here.told == [SET]


@pytest.mark.parametrize(
    ("status", "state"),
    [
        ("DISCONNECTED", NodeState.DISCONNECTED),
        ("SHUT_DOWN", NodeState.DISCONNECTED),
        ("UNDER_RESET", NodeState.INITIALIZING),
        ("CONNECTED_SETUP_FAILED", NodeState.ERROR),
        ("A_WORD_OF_TOMORROW", NodeState.DISCONNECTED),
    ],
)
async def test_what_the_ric_says_of_a_node_is_its_state(status: str, state: NodeState) -> None:
    """A node that the RIC reports in another state takes it at the next look, unregistered; its set is told."""
    async with world() as here:
        await here.settle(SET, 2)
        here.sent()
        here.table.mark(ids(SET, 2)[1], status)
        await asyncio.sleep(30.1)
        assert here.states() == ["Connected", state.value]
        assert here.told == [SET]
        assert here.sent() == {"states": 3}


async def test_only_the_set_whose_node_changed_is_told() -> None:
    """The other sets of the same RIC sleep on."""
    async with world() as here:
        await here.settle(SET, 2)
        await here.settle(OTHER, 2)
        here.table.mark(ids(OTHER, 1)[0], "DISCONNECTED")
        await asyncio.sleep(10.1)
        assert here.told == [OTHER]


async def test_changes_of_many_nodes_wake_the_set_once() -> None:
    """A hundred nodes that change in one look are one wake-up."""
    async with world() as here:
        await here.settle(SET, 100)
        for node in ids(SET, 100):
            here.table.mark(node, "DISCONNECTED")
        await asyncio.sleep(10.1)
        assert here.told == [SET]


def _down(table: NodeTable) -> None:
    table.down = True


def _silent(table: NodeTable) -> None:
    table.silent = True


@pytest.mark.parametrize(("break_", "found", "looks"), [(_down, 30, 360), (_silent, 40, 120)], ids=["down", "silent"])
async def test_a_ric_that_is_gone_is_asked_once_per_interval(
    break_: Callable[[NodeTable], None], found: float, looks: int
) -> None:
    """Nodes are Disconnected, with the reason, once the connection timeout has passed; then nothing loops.

    A RIC that never answers is given the whole connection timeout each time, so it is asked less often.
    """
    async with world() as here:
        await here.settle(SET, 50)
        break_(here.table)
        await asyncio.sleep(found - 1)
        assert here.states() == ["Connected"] * 50
        await asyncio.sleep(2)
        assert here.states() == ["Disconnected"] * 50
        assert "does not answer" in here.fleet.state(SET, ids(SET, 1)[0]).error
        here.sent()
        await asyncio.sleep(3605)
        assert here.sent() == {"states": looks}
        assert here.told == [SET]


async def test_a_blink_of_the_ric_is_not_told() -> None:
    """A RIC that is back within the connection timeout, nodes and all, disturbs nobody."""
    async with world() as here:
        await here.settle(SET, 5)
        here.table.down = True
        await asyncio.sleep(25)
        here.table.down = False
        await asyncio.sleep(60)
        assert here.states() == ["Connected"] * 5
        assert here.told == []


async def test_nodes_that_the_ric_lost_are_registered_again() -> None:
    """A RIC that restarts empty gets each node once more, and keeps the set asleep."""
    async with world() as here:
        await here.settle(SET, 20)
        here.sent()
        here.table.lose()
        await asyncio.sleep(30.1)
        assert here.sent() == {"states": 4, "register": 20}
        assert here.states() == ["Connected"] * 20
        assert here.told == []


async def test_a_ric_that_comes_back_empty_is_filled_again_and_told() -> None:
    """After an outage nodes are registered again without anybody's help, and the set hears of it once each way."""
    async with world() as here:
        await here.settle(SET, 20)
        here.table.down = True
        await asyncio.sleep(65)
        here.table.lose()
        here.table.down = False
        here.sent()
        here.clock.advance(60)
        await asyncio.sleep(10.1)
        assert here.sent() == {"states": 2, "register": 20}
        assert here.states() == ["Connected"] * 20
        assert {session.connected_since for session in here.fleet.sessions(SET).values()} == {
            timestamp(here.clock.now())
        }
        assert here.told == [SET, SET]


async def test_a_ric_that_was_never_there_costs_one_look() -> None:
    """`register` fails for every node after one look, and again without a request while the RIC is known to be down."""
    async with world() as here:
        here.table.down = True
        here.watch(SET, 30)
        failures = await here.fleet.register(SET)
        assert {type(error) for error in failures.values()} == {RicUnavailable}
        assert len(failures) == 30
        assert here.states() == ["Disconnected"] * 30
        assert len(await here.fleet.register(SET)) == 30
        assert here.sent() == {"states": 1}


async def test_a_ric_that_stops_answering_registrations_ends_them() -> None:
    """After sixteen unanswered registrations in a row the rest are not sent before the next look."""

    class Deaf(MemoryRic):
        async def register(self, node_id: str, functions: object) -> None:
            self.table.count("register", node_id)
            raise RicUnavailable("503")

    async with world() as here:
        here.fleet._connect = lambda _: Deaf(here.table)
        here.watch(SET, 200)
        failures = await here.fleet.register(SET)
        assert len(failures) == 200
        assert here.sent() == {"states": 1, "register": 16}


async def test_a_refused_node_is_an_error_and_is_not_tried_again_by_itself() -> None:
    """One request, state Error with the RIC's answer; the others are connected; the next `register` tries again."""
    async with world() as here:
        refused = ids(SET, 3)[1]
        here.table.refusing.add(refused)
        here.watch(SET, 3)
        failures = await here.fleet.register(SET)
        assert set(failures) == {refused}
        assert isinstance(failures[refused], RicRefused)
        assert here.states() == ["Connected", "Error", "Connected"]
        here.sent()
        await asyncio.sleep(3605)
        assert here.sent() == {"states": 360}
        here.table.refusing.clear()
        assert await here.fleet.register(SET) == {}
        assert here.sent() == {"states": 2, "register": 1}
        assert here.states() == ["Connected"] * 3


async def test_a_node_that_the_ric_accepts_but_never_reports_becomes_an_error() -> None:
    """Registered `max_attempts` times, one interval apart, and then no more."""

    class Forgetful(MemoryRic):
        async def register(self, node_id: str, functions: object) -> None:
            self.table.count("register", node_id)

    async with world() as here:
        here.fleet._connect = lambda _: Forgetful(here.table)
        here.watch(SET, 1)
        await here.fleet.register(SET)
        assert here.states() == ["Initializing"]
        await asyncio.sleep(3605)
        assert here.states() == ["Error"]
        assert here.sent()["register"] == RIC.max_attempts


async def test_a_ric_that_is_back_is_offered_what_it_had_refused() -> None:
    """After an outage a refused node gets one more try without anybody's help."""
    async with world() as here:
        here.table.refusing.add("*")
        here.watch(SET, 2)
        await here.fleet.register(SET)
        here.table.down = True
        await asyncio.sleep(65)
        here.table.down = False
        here.table.refusing.clear()
        await asyncio.sleep(15)
        assert here.states() == ["Connected"] * 2


async def test_a_fleet_whose_loop_has_died_says_so() -> None:
    """A defect ends the service by name; nobody waits for an answer that cannot come."""

    class Broken(MemoryRic):
        async def states(self) -> dict[str, NodeState] | None:
            raise ZeroDivisionError

    fleet = await Fleet(lambda _: Broken(), ManualClock()).__aenter__()
    fleet.watch(SET, RIC, {"n": DEFAULT_FUNCTIONS})
    assert "n" in await fleet.register(SET)
    with pytest.raises(ZeroDivisionError):
        await fleet.failed()
    with pytest.raises(RuntimeError, match="nobody talks to this RIC"):
        await fleet.register(SET)
    with pytest.raises(ZeroDivisionError):
        await fleet.__aexit__(None, None, None)


async def test_renewed_functions_are_sent_even_to_a_ric_that_has_the_node() -> None:
    """One update per node that is asked for, none for the others."""
    async with world() as here:
        await here.settle(SET, 3)
        here.sent()
        first = ids(SET, 3)[0]
        functions = (RanFunction(9, 2, "new", "1.2.3"),)
        here.fleet.watch(SET, RIC, dict.fromkeys(ids(SET, 3), functions))
        assert await here.fleet.register(SET, renew=[first]) == {}
        assert here.sent() == {"states": 1, "update": 1}
        assert [function.function_id for function in here.table.nodes[first].functions] == [9]
        assert await here.fleet.register(SET) == {}
        assert here.sent() == {}


async def test_deregistered_nodes_are_forgotten_by_the_ric_and_stay_so() -> None:
    """One request for each, and the next looks do not bring them back."""
    async with world() as here:
        await here.settle(SET, 5)
        here.sent()
        assert await here.fleet.deregister(SET, RIC, ids(SET, 5)[3:]) == {}
        await asyncio.sleep(30.1)
        assert here.sent() == {"deregister": 2, "states": 3}
        assert here.states() == ["Connected"] * 3
        assert list(here.table.nodes) == ids(SET, 3)


async def test_deregistering_works_without_watching() -> None:
    """A set that is being deleted when the process starts is deregistered without a look."""
    table = NodeTable()
    for node in ids(SET, 4):
        table.registered(node, ())
    async with world(table=table) as here:
        assert await here.fleet.deregister(SET, RIC, ids(SET, 4)) == {}
        assert here.sent() == {"deregister": 4}
        assert here.table.nodes == {}


async def test_an_unwatched_ric_that_is_down_is_asked_once_about_leaving_nodes() -> None:
    """One request finds out; the other nodes fail with it."""
    async with world() as here:
        here.table.down = True
        failures = await here.fleet.deregister(SET, RIC, ids(SET, 100))
        assert len(failures) == 100
        assert here.sent() == {"deregister": 1}


async def test_nodes_that_cannot_leave_are_terminating_until_the_ric_is_back() -> None:
    """No request while it is known to be down; the set is told when it is worth trying again."""
    async with world() as here:
        await here.settle(SET, 2)
        here.table.down = True
        await asyncio.sleep(40)
        here.sent()
        here.told.clear()
        leaving = ids(SET, 2)[1:]
        assert set(await here.fleet.deregister(SET, RIC, leaving)) == set(leaving)
        assert here.states() == ["Disconnected", "Terminating"]
        assert here.sent() == {}
        here.table.down = False
        await asyncio.sleep(10.1)
        assert here.told == [SET]
        assert await here.fleet.deregister(SET, RIC, leaving) == {}
        assert here.states() == ["Connected"]


async def test_a_node_wanted_again_while_it_leaves_is_registered_afresh() -> None:
    """Scaled down and up again before the RIC has answered: it ends registered and connected."""
    async with world(latency=1.0) as here:
        await here.settle(SET, 2)
        async with Scope("test") as scope:
            scope.start(here.fleet.deregister(SET, RIC, ids(SET, 2)[1:]), "scale down")
            await asyncio.sleep(0.5)
            here.watch(SET, 2)
            assert await here.fleet.register(SET) == {}
            await scope.drained()
        await asyncio.sleep(60)
        assert here.states() == ["Connected"] * 2
        assert list(here.table.nodes) == ids(SET, 2)


async def test_a_forgotten_set_is_asked_about_no_more() -> None:
    """The loop of a RIC ends with its last set."""
    async with world() as here:
        await here.settle(SET, 2)
        here.fleet.forget(SET)
        here.sent()
        await asyncio.sleep(3605)
        assert here.sent() == {}
        assert here.states() == []


async def test_a_set_that_moves_is_registered_at_the_new_ric() -> None:
    """The old RIC is asked no more, but for the deregistration that the caller makes."""
    old, new, clock = MemoryRic(), MemoryRic(), ManualClock()
    there = RicSettings("http://other:38080")
    rics = {RIC.endpoint: old, there.endpoint: new}
    async with Fleet(lambda endpoint: rics[endpoint], clock) as fleet:
        nodes = dict.fromkeys(ids(SET, 2), DEFAULT_FUNCTIONS)
        fleet.watch(SET, RIC, nodes)
        await fleet.register(SET)
        fleet.watch(SET, there, nodes)
        await fleet.register(SET)
        await fleet.deregister(SET, RIC, nodes)
        old.table.calls.clear()
        await asyncio.sleep(100)
        assert old.table.calls == {}
        assert old.table.nodes == {}
        assert list(new.table.nodes) == list(nodes)
        assert [session.state for session in fleet.sessions(SET).values()] == [NodeState.CONNECTED] * 2


async def test_a_ric_without_liveness_counts_registered_nodes_as_connected() -> None:
    """Its nodes are registered once, are connected, and are registered again after an outage."""
    async with world() as here:
        here.table.blind = True
        await here.settle(SET, 3)
        assert here.states() == ["Connected"] * 3
        await asyncio.sleep(100)
        assert here.sent()["register"] == 3
        here.table.down = True
        await asyncio.sleep(100)
        assert here.states() == ["Disconnected"] * 3
        here.table.down = False
        await asyncio.sleep(21)
        assert here.states() == ["Connected"] * 3
        assert here.sent()["register"] == 3


async def test_a_reconcile_that_is_cancelled_while_it_waits_is_told_instead() -> None:
    """The set is woken, because nobody has looked at the outcome."""
    async with world(latency=5.0) as here:
        here.watch(SET, 1)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(1):
                await here.fleet.register(SET)
        await asyncio.sleep(30)
        assert SET in here.told
        assert here.states() == ["Connected"]


async def test_the_fleet_counts_its_nodes_by_state() -> None:
    """Over all sets, as metrics show it."""
    async with world() as here:
        await here.settle(SET, 2)
        await here.settle(OTHER, 3)
        here.table.mark(ids(OTHER, 1)[0], "DISCONNECTED")
        await asyncio.sleep(10.1)
        assert here.fleet.counts() == {NodeState.CONNECTED: 4, NodeState.DISCONNECTED: 1}
