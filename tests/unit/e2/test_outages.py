"""The fleet when a RIC is gone, forgetful or in trouble, on virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import pytest

from nephoran.api.e2nodeset import NodeState
from nephoran.e2.fleet import Fleet
from nephoran.e2.nodes import DEFAULT_FUNCTIONS, RanFunction
from nephoran.e2.ric import RicUnavailable
from nephoran.e2.simulator import MemoryRic, NodeTable
from steady.clock import ManualClock, timestamp
from tests.unit.e2.world import RIC, SET, ids, world

pytestmark = pytest.mark.looptime


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


async def test_single_failures_do_not_end_the_registrations() -> None:
    """A RIC that fails every other time is asked about every node, and gets the failed ones at the next looks."""

    class Moody(MemoryRic):
        async def register(self, node_id: str, functions: Sequence[RanFunction]) -> None:
            if self.table.calls["register"] % 2:
                self.table.count("register", node_id)
                raise RicUnavailable("503")
            await super().register(node_id, functions)

    async with world() as here:
        here.fleet._connect = lambda _: Moody(here.table)
        here.watch(SET, 100)
        assert len(await here.fleet.register(SET)) == 50
        assert here.sent() == {"states": 2, "register": 100}


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


async def test_a_set_of_leaving_nodes_is_told_when_the_ric_is_back() -> None:
    """Nothing else would wake a set that is being deleted."""
    async with world() as here:
        await here.settle(SET, 2)
        here.table.down = True
        await asyncio.sleep(45)
        await here.fleet.deregister(SET, RIC, ids(SET, 2))
        here.told.clear()
        here.table.down = False
        await asyncio.sleep(15)
        assert here.told == [SET]


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
