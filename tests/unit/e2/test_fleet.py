"""The fleet on virtual time: which requests it sends, and what it says of the nodes."""

from __future__ import annotations

import asyncio
from contextlib import suppress

import pytest

from nephoran.api.e2nodeset import NodeState
from nephoran.e2.fleet import Fleet
from nephoran.e2.nodes import DEFAULT_FUNCTIONS, RicSettings
from nephoran.e2.ric import RicRefused
from nephoran.e2.simulator import MemoryRic, NodeTable
from steady.clock import ManualClock, timestamp
from steady.tasks import Scope
from tests.unit.e2.world import OTHER, RIC, SET, ids, world

pytestmark = pytest.mark.looptime


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
        before = [session.connected_since for session in here.fleet.sessions(SET).values()]
        here.clock.advance(3600)
        await asyncio.sleep(3605)
        assert here.sent() == {"states": 360}
        assert here.told == []
        assert [session.connected_since for session in here.fleet.sessions(SET).values()] == before
        assert {session.last_heartbeat for session in here.fleet.sessions(SET).values()} == {
            timestamp(here.clock.now())
        }


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


async def test_a_node_wanted_again_at_once_is_registered_again() -> None:
    """What the last look saw of a node does not count once the node has been deregistered."""
    async with world() as here:
        await here.settle(SET, 2)
        await here.fleet.deregister(SET, RIC, ids(SET, 2)[1:])
        here.sent()
        await here.settle(SET, 2)
        assert here.sent() == {"states": 2, "register": 1}
        assert list(here.table.nodes) == ids(SET, 2)


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


async def test_an_outcome_that_a_cancelled_reconcile_has_missed_is_told() -> None:
    """Cancelled in the very moment in which the look ended: what it found must not be lost."""
    async with world() as here:
        await here.settle(SET, 1)
        with suppress(asyncio.CancelledError), here.fleet._attending(here.fleet._rosters[SET]):
            here.fleet._announce(SET)
            raise asyncio.CancelledError
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        assert here.told == [SET]


async def test_the_fleet_counts_its_nodes_by_state() -> None:
    """Over all sets, as metrics show it."""
    async with world() as here:
        await here.settle(SET, 2)
        await here.settle(OTHER, 3)
        here.table.mark(ids(OTHER, 1)[0], "DISCONNECTED")
        await asyncio.sleep(10.1)
        assert here.fleet.counts() == {NodeState.CONNECTED: 4, NodeState.DISCONNECTED: 1}
