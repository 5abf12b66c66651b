"""Leadership: who may write, on virtual time and one in-memory server."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from steady import errors
from steady.apiserver import Server
from steady.client import Client
from steady.clock import ManualClock
from steady.leadership import Leadership
from steady.objects.keys import LEASES, Key
from steady.reasons import Reason
from steady.tasks import Scope
from steady.testing.faults import CALM, OUTAGE, FaultyTransport, Rates, writes
from steady.testing.memory import MemoryTransport
from tests.behaviour.house import User

pytestmark = pytest.mark.looptime

LEASE = Key("default", "steady")
PATH = "/apis/coordination.k8s.io/v1/namespaces/default/leases/steady"


class LoopClock:
    """Dates that pass with virtual time: a renewal that changes nothing would be no renewal."""

    def now(self) -> datetime:
        """The start of 2026 and what the loop has seen since."""
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=asyncio.get_running_loop().time())


class Candidate:
    """One process that wants to lead."""

    def __init__(self, server: Server, name: str) -> None:
        self.weather = FaultyTransport(MemoryTransport(server, name))
        self.leadership = Leadership(Client(self.weather), LEASE, name, LoopClock())
        self.led: list[float] = []

    async def run(self) -> None:
        """Lead when possible, until it is lost."""
        await self.leadership.acquire()
        self.led.append(asyncio.get_running_loop().time())
        await self.leadership.keep()


@pytest.fixture
async def api() -> AsyncIterator[Server]:
    async with Server(clock=ManualClock()) as it:
        yield it


def leaders(*candidates: Candidate) -> list[str]:
    """Who may write at this moment."""
    return [it.leadership.identity for it in candidates if it.leadership.held]


async def test_one_of_two_leads(api: Server) -> None:
    """For as long as it renews; the other waits."""
    a, b = Candidate(api, "a"), Candidate(api, "b")
    async with Scope("test") as scope:
        scope.start(a.run(), "a")
        await asyncio.sleep(0.5)
        scope.start(b.run(), "b")
        for _ in range(600):
            await asyncio.sleep(1.0)
            assert leaders(a, b) == ["a"]
    with pytest.raises(errors.NotLeader):
        b.leadership.check()


async def test_a_leader_writes_its_lease_every_five_seconds_and_reads_nothing(api: Server) -> None:
    """One PUT each time."""
    a = Candidate(api, "a")
    async with Scope("test") as scope:
        scope.start(a.run(), "a")
        await asyncio.sleep(1.0)
        api.log.clear()
        await asyncio.sleep(300.0)
        assert {entry.verb for entry in api.log} == {"update"}
        assert 59 <= len(api.log) <= 60


async def test_nobody_writes_after_the_renew_deadline(api: Server) -> None:
    """Ten seconds after the last confirmed renewal the leader is none, and says so; until then it still is."""
    a = Candidate(api, "a")
    async with Scope("test") as scope:
        run = scope.start(a.run(), "a")
        await asyncio.sleep(1.0)
        a.weather.meant, a.weather.rates = writes, OUTAGE
        await asyncio.sleep(8.5)
        a.leadership.check()
        await asyncio.sleep(1.0)
        with pytest.raises(errors.NotLeader):
            a.leadership.check()
        await asyncio.wait([run], timeout=3.0)
        assert isinstance(run.exception(), errors.NotLeader)
        with pytest.raises(errors.NotLeader):
            await scope.failed()
        scope._failure = None


async def test_the_next_leader_starts_only_after_the_last_one_stopped(api: Server) -> None:
    """At no moment do two believe that they lead, and the gap is short."""
    a, b = Candidate(api, "a"), Candidate(api, "b")

    async def lead() -> None:
        with pytest.raises(errors.NotLeader):
            await a.run()

    async with Scope("test") as scope:
        scope.start(lead(), "a")
        await asyncio.sleep(1.0)
        scope.start(b.run(), "b")
        await asyncio.sleep(60.0)
        a.weather.rates = OUTAGE
        gap = 0
        for _ in range(300):
            await asyncio.sleep(0.1)
            assert len(leaders(a, b)) <= 1
            gap += not leaders(a, b)
        assert leaders(a, b) == ["b"]
        assert 0 < gap <= 120


async def test_a_short_outage_costs_no_leadership(api: Server) -> None:
    """Renewed in time after it."""
    a = Candidate(api, "a")
    async with Scope("test") as scope:
        scope.start(a.run(), "a")
        await asyncio.sleep(1.0)
        a.weather.rates = OUTAGE
        await asyncio.sleep(6.0)
        a.weather.rates = CALM
        await asyncio.sleep(60.0)
        assert leaders(a) == ["a"]


async def test_a_renewal_whose_answer_is_lost_is_not_a_loss(api: Server) -> None:
    """The version has moved on; the lease is read again and still ours."""
    a = Candidate(api, "a")
    async with Scope("test") as scope:
        scope.start(a.run(), "a")
        await asyncio.sleep(1.0)
        a.weather.meant, a.weather.rates = writes, Rates(interrupted=1.0)
        await asyncio.sleep(5.0)
        a.weather.rates = CALM
        await asyncio.sleep(60.0)
        assert leaders(a) == ["a"]


async def test_release_hands_over_within_the_retry_period(api: Server) -> None:
    """Not after the lease's duration."""
    a, b = Candidate(api, "a"), Candidate(api, "b")
    async with Scope("test") as scope:
        keeping = scope.start(a.run(), "a")
        await asyncio.sleep(1.0)
        scope.start(b.run(), "b")
        await asyncio.sleep(60.0)
        keeping.cancel()
        released = asyncio.get_running_loop().time()
        await a.leadership.release()
        assert leaders(a) == []
        await asyncio.sleep(3.0)
        assert leaders(a, b) == ["b"]
        assert b.led[0] - released <= 2.5
    lease = (await User(api).send("GET", PATH))["spec"]
    assert (lease["holderIdentity"], lease["leaseTransitions"]) == ("b", 1)


async def test_a_lease_that_another_takes_is_given_up(api: Server) -> None:
    """Somebody who ignores the rules and overwrites it: the next renewal sees it."""
    a = Candidate(api, "a")

    async def lead() -> None:
        with pytest.raises(errors.NotLeader):
            await a.run()

    async with Scope("test") as scope:
        task = scope.start(lead(), "a")
        await asyncio.sleep(1.0)
        await User(api).merge(PATH, {"spec": {"holderIdentity": "thief"}})
        await asyncio.wait([task], timeout=8.0)
        assert task.done()
        assert leaders(a) == []


async def test_a_fenced_client_refuses_to_write(api: Server) -> None:
    """Before the request; reads go on."""
    a = Candidate(api, "a")
    client = Client(MemoryTransport(api), fence=a.leadership.check)
    body = b'{"metadata":{"name":"x"}}'
    with pytest.raises(errors.NotLeader):
        await client.create(LEASES, body, "default", reason=Reason.LEASE)
    assert api.log == []
    await client.page(LEASES, reason=Reason.LIST)
    assert len(api.log) == 1


async def test_metrics_tell_who_leads_and_how_often_that_has_changed(api: Server) -> None:
    """From the Lease itself, so it survives every process; a standby tells the same number."""
    a, b = Candidate(api, "a"), Candidate(api, "b")

    def told(candidate: Candidate) -> tuple[float | None, float | None]:
        registry = candidate.leadership._client.metrics.registry
        labels = {"name": "steady"}
        return (
            registry.get_sample_value("leader_election_master_status", labels),
            registry.get_sample_value("steady_lease_transitions", labels),
        )

    assert str(told(a)) == "(0.0, nan)"  # 0 would look like a change once the Lease is read
    async with Scope("test") as scope:
        keeping = scope.start(a.run(), "a")
        await asyncio.sleep(1.0)
        scope.start(b.run(), "b")
        await asyncio.sleep(60.0)
        assert (told(a), told(b)) == ((1, 0), (0, 0))
        keeping.cancel()
        await a.leadership.release()
        await asyncio.sleep(3.0)
        assert (told(a)[0], told(b)) == (0, (1, 1))
        scope.start(a.run(), "a again")
        await asyncio.sleep(3.0)
        assert told(a) == (0, 1)


async def test_only_a_lease_that_cannot_be_had_is_trouble(api: Server) -> None:
    """Neither to lead nor to wait for one's turn is; not to be answered is, until the next answer."""
    a, b = Candidate(api, "a"), Candidate(api, "b")
    async with Scope("test") as scope:
        scope.start(a.run(), "a")
        await asyncio.sleep(1.0)
        scope.start(b.run(), "b")
        await asyncio.sleep(10.0)
        assert (a.leadership.trouble, b.leadership.trouble) == ("", "")
        b.weather.rates = OUTAGE
        await asyncio.sleep(5.0)
        assert (a.leadership.trouble, b.leadership.trouble) == ("", f"GET {PATH}: connection refused")
        b.weather.rates = CALM
        await asyncio.sleep(5.0)
        assert b.leadership.trouble == ""
