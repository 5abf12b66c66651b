"""The reflector: lists once and follows for ever, on an in-memory server and virtual time."""

from __future__ import annotations

import asyncio
import json
import logging
import random
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

import pytest

from steady.apiserver import Server
from steady.cache import Reflector, Store
from steady.client import Client
from steady.client.transport import Request, Response
from steady.schema import crd
from steady.tasks import Scope
from steady.testing.faults import CALM, OUTAGE, Fault, FaultyTransport
from steady.testing.memory import MemoryStream, MemoryTransport
from steady.writes import Writes
from tests.behaviour.house import CRDS
from tests.unit.steady.widgets import RESOURCE, World, key, world

from examples.echo import Echo  # isort: skip

pytestmark = pytest.mark.looptime


class Following:
    """A world, a store that follows it, and the requests it took."""

    def __init__(self, it: World, transport: MemoryTransport) -> None:
        self.world = it
        self.asked: list[Request] = []
        transport.before = self._count
        self.weather = FaultyTransport(transport)
        self.store = Store(RESOURCE)
        self.reflector = Reflector(Client(self.weather), self.store, rng=random.Random(3))

    async def _count(self, request: Request) -> None:
        self.asked.append(request)

    @property
    def relists(self) -> int:
        """Requests for the whole state."""
        return sum("watch" not in it.query or "sendInitialEvents" in it.query for it in self.asked)

    @asynccontextmanager
    async def outage(self) -> AsyncIterator[None]:
        """No request arrives and no stream stands."""
        self.weather.rates = OUTAGE
        self.world.server.disconnect()
        await asyncio.sleep(1.0)
        yield
        self.weather.rates = CALM

    def text(self, name: str) -> str:
        """What the cached echo is to say."""
        obj = self.store.get(key(name))
        return str(json.loads(bytes(obj.spec))["text"]) if obj else ""


@asynccontextmanager
async def following(
    transport: Callable[[Server], MemoryTransport] = MemoryTransport, *, served: bool = True
) -> AsyncIterator[Following]:
    """A running reflector, synced if its kind is served."""
    async with world(served=served) as it, Scope("test") as scope:
        found = Following(it, transport(it.server))
        if served:
            await it.create("a", "one")
        scope.start(found.reflector.run(), "reflector")
        if served:
            await found.store.synced.wait()
        yield found


async def test_one_request_lists_and_follows() -> None:
    """WatchList: no list, and what happens next comes on the same stream."""
    async with following() as it:
        assert it.text("a") == "one"
        assert it.reflector.trouble == ""
        await it.world.edit("a", {"spec": {"text": "two"}})
        await it.world.create("b")
        await asyncio.sleep(1.0)
        assert (it.text("a"), it.text("b")) == ("two", "hello")
        await it.world.delete("b")
        await asyncio.sleep(1.0)
        assert it.store.get(key("b")) is None
        assert len(it.asked) == 1


async def test_a_stream_that_ends_is_resumed_without_a_relist() -> None:
    """From the last version, so what happened meanwhile is told."""
    async with following() as it:
        it.world.server.disconnect()
        await it.world.edit("a", {"spec": {"text": "two"}})
        await asyncio.sleep(5.0)
        assert it.text("a") == "two"
        assert it.relists == 1
        assert len(it.asked) == 2


async def test_after_410_there_is_exactly_one_relist() -> None:
    """And what was deleted meanwhile is deleted here."""
    async with following() as it:
        await it.world.create("b")
        await asyncio.sleep(1.0)
        async with it.outage():
            await it.world.delete("a")
            it.world.server.compact()
        await asyncio.sleep(30.0)
        assert it.store.get(key("a")) is None
        assert it.text("b") == "hello"
        assert it.relists == 2


async def test_one_silence_resumes_and_the_next_starts_a_new_epoch() -> None:
    """A silent connection is given up after 70 s; what answers is believed, and a relist only follows the second."""
    async with following() as it:
        it.world.server.silence()
        await it.world.edit("a", {"spec": {"text": "two"}})
        await asyncio.sleep(72.0)
        assert it.text("a") == "two"
        assert it.relists == 1
        it.world.server.silence()
        await asyncio.sleep(72.0)
        assert it.relists == 1, "an event in between makes it a first silence again"


async def test_a_second_silence_in_a_row_starts_a_new_epoch() -> None:
    """As after a restore: a watch from our newer version stays silent, and the older state is accepted."""
    async with following() as it:
        it.world.server.silence()
        await asyncio.sleep(71.0)
        it.world.server.silence()
        it.store.replace([], "999999", epoch=True)
        await asyncio.sleep(75.0)
        assert it.text("a") == "one"
        assert it.relists == 2
        await it.world.edit("a", {"spec": {"text": "two"}})
        await asyncio.sleep(1.0)
        assert it.text("a") == "two"


async def test_a_missing_kind_is_waited_for_and_named_once_a_minute(caplog: pytest.LogCaptureFixture) -> None:
    """It goes on by itself when the definition comes."""
    caplog.set_level(logging.WARNING, "steady.cache")
    async with following(served=False) as it:
        await asyncio.sleep(299.0)
        said = [record.message for record in caplog.records]
        assert said == ["echoes.example.com is not served: is its CustomResourceDefinition installed?"] * 5
        assert "echoes.example.com" in it.reflector.trouble
        assert len(it.asked) <= 2 * 30
        await it.world.user.send("POST", CRDS, crd(Echo))
        await it.world.create("a", "one")
        await asyncio.sleep(11.0)
        assert it.text("a") == "one"
        assert it.reflector.trouble == ""


async def test_a_definition_that_is_removed_takes_its_objects_with_it() -> None:
    """Their deletion is told, and a new definition is followed."""
    async with following() as it:
        await it.world.user.send("DELETE", f"{CRDS}/echoes.example.com")
        await asyncio.sleep(15.0)
        assert len(it.store) == 0
        await it.world.user.send("POST", CRDS, crd(Echo))
        await it.world.create("c", "new")
        await asyncio.sleep(11.0)
        assert it.text("c") == "new"


class Closing(MemoryTransport):
    """Ends every stream at once."""

    @asynccontextmanager
    async def stream(self, request: Request) -> AsyncIterator[MemoryStream]:
        """An answer without a line, unless the initial state is asked for."""
        async with super().stream(request) as stream:
            if "sendInitialEvents" in request.query:
                self._server.disconnect()
                yield stream
            else:
                yield MemoryStream(Response(200, {}, b""), None)


async def test_a_server_that_closes_at_once_is_not_asked_in_a_loop() -> None:
    """The pauses grow: an hour costs a few hundred requests at most."""
    async with following(Closing) as it:
        await asyncio.sleep(3600.0)
        assert it.relists == 1
        assert 60 < len(it.asked) < 300


class Expiring(MemoryTransport):
    """Says 410 at the end of every initial state."""

    @asynccontextmanager
    async def stream(self, request: Request) -> AsyncIterator[MemoryStream]:
        """The initial state, then 410."""
        async with super().stream(request) as stream:
            self._server.disconnect()
            yield MemoryStream(stream.response, self._expired(stream))

    @staticmethod
    async def _expired(stream: MemoryStream) -> AsyncIterator[bytes]:
        async for line in stream.chunks():
            yield line
        yield b'{"type":"ERROR","object":{"code":410,"reason":"Expired"}}\n'


async def test_a_server_that_expires_everything_is_not_asked_in_a_loop() -> None:
    """A relist per 410, each later than the last."""
    async with following(Expiring) as it:
        await asyncio.sleep(3600.0)
        assert 60 < len(it.asked) < 300


async def test_where_watchlist_is_refused_pages_are_listed() -> None:
    """All of them, and then followed."""
    async with world(watch_list=False) as it, Scope("test") as scope:
        for number in range(1100):
            await it.create(f"e{number}")
        found = Following(it, MemoryTransport(it.server))
        scope.start(found.reflector.run(), "reflector")
        await found.store.synced.wait()
        assert len(found.store) == 1100
        pages = [request for request in found.asked if "watch" not in request.query]
        assert len(pages) == 3
        await it.create("late", "last")
        await asyncio.sleep(1.0)
        assert found.text("late") == "last"


async def test_an_unreachable_server_is_tried_again_with_growing_pauses() -> None:
    """At most every 30 s, and followed at once when it is back."""
    async with following() as it:
        it.weather.rates = OUTAGE
        it.world.server.disconnect()
        await asyncio.sleep(600.0)
        assert 20 <= it.weather.faults[Fault.UNREACHABLE] <= 60
        assert "connection refused" in it.reflector.trouble
        it.weather.rates = CALM
        await it.world.edit("a", {"spec": {"text": "two"}})
        await asyncio.sleep(31.0)
        assert it.text("a") == "two"


async def test_a_watch_tells_how_long_it_has_been_quiet() -> None:
    """The alert on a stalled watch looks at this: any word of the server starts it anew, and a stall lets it grow."""
    async with following() as it:

        def age() -> float | None:
            registry = it.reflector._client.metrics.registry
            labels = {"resource": "echoes.example.com"}
            return registry.get_sample_value("steady_watch_last_event_age_seconds", labels)

        await asyncio.sleep(20.0)
        assert age() == pytest.approx(20.0)
        await it.world.create("b")
        await asyncio.sleep(1.0)
        assert age() == pytest.approx(1.0)
        async with it.outage():
            await asyncio.sleep(300.0)
            assert age() == pytest.approx(302.0)
        await asyncio.sleep(100.0)
        assert (age() or 0.0) < 100.0


async def test_every_new_beginning_of_a_watch_is_counted_by_its_cause() -> None:
    """An end in good order is told from an outage."""
    async with following() as it:

        def restarts(reason: str) -> float | None:
            registry = it.reflector._client.metrics.registry
            labels = {"resource": "echoes.example.com", "reason": reason}
            return registry.get_sample_value("steady_watch_restarts_total", labels)

        it.world.server.disconnect()
        await asyncio.sleep(5.0)
        assert (restarts("Ended"), restarts("Unreachable")) == (1, None)
        async with it.outage():
            await asyncio.sleep(1.0)
        assert (restarts("Unreachable") or 0) >= 1


async def test_changes_by_others_are_counted_and_our_own_are_not() -> None:
    """The budget of writes is what others have changed; our own write and its echo are no cause."""
    async with following() as it:

        def counted() -> list[float | None]:
            registry = it.reflector._client.metrics.registry
            return [
                registry.get_sample_value("steady_changes_total", {"resource": "echoes.example.com", "change": change})
                for change in ("created", "changed", "deleted")
            ]

        assert counted() == [1, 0, 0]
        await it.world.edit("a", {"spec": {"text": "two"}})
        await it.world.create("b")
        await it.world.delete("b")
        await asyncio.sleep(1.0)
        assert counted() == [2, 1, 1]
        mine = it.store.get(key("a"))
        assert mine is not None
        await Writes(Client(it.weather)).finalizers(it.store, mine, ("example.com/mine",))
        await asyncio.sleep(1.0)
        held = it.store.get(key("a"))
        assert held is not None
        assert held.metadata.finalizers == ("example.com/mine",)
        assert counted() == [2, 1, 1]
