"""What tests of the status batcher share: two kinds on an in-memory server, a door that can be slow and faulty."""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from typing import NamedTuple

import msgspec

from examples.echo import Echo, EchoSpec, EchoStatus
from steady import Object, errors, resource
from steady.apiserver import Server
from steady.cache import Reflector, Store
from steady.client import Client
from steady.client.transport import Request, Response
from steady.objects.conditions import Condition
from steady.objects.keys import Key
from steady.objects.raw import RawObject
from steady.queue import Priority
from steady.reasons import Reason
from steady.schema import crd
from steady.status import Batch, BatchConfig, Outcome, StatusBatcher, Ticket, Update, Waiting
from steady.tasks import Scope
from steady.testing.memory import MemoryStream, MemoryTransport
from steady.writes import Limiter, LimiterConfig, Writes
from tests.behaviour.house import CRDS, Json, User


@resource("example.com/v1", plural="noises")
class Noise(Object[EchoSpec, EchoStatus]):
    """Another kind that says something."""


KINDS: tuple[type[Object[EchoSpec, EchoStatus]], ...] = (Echo, Noise)


class Fault(Enum):
    """What may happen to a write; the last two lose the answer, not the request."""

    CONFLICT = auto()
    INVALID = auto()
    OTHER_UID = auto()
    NOT_FOUND = auto()
    THROTTLED = auto()
    BROKEN = auto()
    UNREACHABLE = auto()
    LOST = auto()
    LOST_ANSWER = auto()
    BROKEN_ANSWER = auto()


_ANSWERS: dict[Fault, tuple[int, str, Json]] = {
    Fault.CONFLICT: (409, "Conflict", {}),
    Fault.INVALID: (422, "Invalid", {"causes": [{"field": "status"}]}),
    Fault.OTHER_UID: (422, "Invalid", {}),
    Fault.NOT_FOUND: (404, "NotFound", {}),
    Fault.THROTTLED: (429, "TooManyRequests", {}),
    Fault.BROKEN: (500, "InternalError", {}),
}


class LoopClock:
    """The date moves with the event loop's time."""

    def now(self) -> datetime:
        """The present moment."""
        return datetime(2026, 1, 1, tzinfo=UTC) + timedelta(seconds=now())


def now() -> float:
    """The loop's time in seconds."""
    return asyncio.get_running_loop().time()


class Write(NamedTuple):
    """One status patch as it was sent."""

    moment: float
    kind: str
    name: str
    uid: str
    status: Json


class Door(MemoryTransport):
    """The way to the server. Every status patch takes `slow` seconds and what `faults` say next; events take `lag`."""

    def __init__(self, server: Server) -> None:
        super().__init__(server)
        self.slow = 0.0
        self.lag = 0.0
        self.retry_after = 3
        self.faults: deque[Fault] = deque()
        self.sent: list[Write] = []
        self.flying: Counter[tuple[str, str]] = Counter()
        self.most = 0
        self.leaving: Callable[[Write], None] = lambda write: None
        self.landed: Callable[[Write], None] = lambda write: None
        self.doubted: Callable[[Write], None] = lambda write: None

    async def send(self, request: Request) -> Response:
        """Send a request; only status patches can be slow or fail."""
        if request.method != "PATCH" or not request.path.endswith("/status"):
            return await super().send(request)
        kind, name = request.path.split("/")[-3:-1]
        test, add = msgspec.json.decode(request.body)
        write = Write(now(), kind, name, test["value"], add["value"])
        self.leaving(write)
        self.sent.append(write)
        self.flying[kind, name] += 1
        self.most = max(self.most, self.flying.total())
        fault = self.faults.popleft() if self.faults else None
        try:
            return await self._answer(request, write, fault)
        except (errors.Interrupted, asyncio.CancelledError):
            self.doubted(write)
            raise
        finally:
            self.flying[kind, name] -= 1

    async def _answer(self, request: Request, write: Write, fault: Fault | None) -> Response:
        if fault is Fault.UNREACHABLE:
            raise errors.Unreachable("connection refused")
        await asyncio.sleep(self.slow)
        if fault is Fault.LOST:
            raise errors.Interrupted("connection reset")
        if fault in _ANSWERS:
            if fault is Fault.BROKEN:
                self.doubted(write)
            return self._refusal(*_ANSWERS[fault])
        answer = await super().send(request)
        if answer.status < 400:
            self.landed(write)
        if fault is Fault.LOST_ANSWER:
            raise errors.Interrupted("connection reset")
        if fault is Fault.BROKEN_ANSWER:
            self.doubted(write)
            return self._refusal(*_ANSWERS[Fault.BROKEN])
        return answer

    def _refusal(self, code: int, reason: str, details: Json) -> Response:
        body = {"kind": "Status", "code": code, "reason": reason, "message": "on purpose", "details": details}
        headers = {"retry-after": str(self.retry_after)} if code == 429 else {}
        return Response(code, headers, msgspec.json.encode(body))

    @asynccontextmanager
    async def stream(self, request: Request) -> AsyncIterator[MemoryStream]:
        """Follow a watch, `lag` seconds late."""
        async with super().stream(request) as stream:
            yield _Late(stream, self)


class _Late(MemoryStream):
    def __init__(self, stream: MemoryStream, door: Door) -> None:
        super().__init__(stream.response, None)
        self._stream = stream
        self._door = door

    async def chunks(self) -> AsyncIterator[bytes]:
        async for chunk in self._stream.chunks():
            if self._door.lag:
                await asyncio.sleep(self._door.lag)
            yield chunk


class Batching:
    """A server with two kinds, stores that follow them, and a batcher."""

    def __init__(self, server: Server, config: BatchConfig) -> None:
        self.server = server
        self.user = User(server)
        self.door = Door(server)
        self.client = Client(self.door)
        self.stores = {kind.declaration.resource.plural: Store(kind.declaration.resource) for kind in KINDS}
        self.batches: list[Batch] = []
        limits = LimiterConfig(burst=1_000_000, rate=1_000_000.0)
        writes = Writes(self.client, limiter=Limiter(self.client.metrics, limits))
        self.batcher = StatusBatcher(
            writes, LoopClock(), config=config, metrics=self.client.metrics, grace=10.0, observe=self.batches.append
        )

    @property
    def names(self) -> list[str]:
        """Whose status was sent, in order."""
        return [write.name for write in self.door.sent]

    async def install(self, scope: Scope) -> None:
        """Serve the kinds and follow them."""
        for kind in KINDS:
            await self.user.send("POST", CRDS, crd(kind))
        for store in self.stores.values():
            scope.start(Reflector(self.client, store).run(), "reflector")
            await store.synced.wait()

    async def create(self, name: str, kind: str = "echoes", *, known: bool = True) -> Json:
        """A new object; if it is to be `known`, the watch has time to tell of it."""
        made = self.stores[kind].resource.kind
        body = {"apiVersion": "example.com/v1", "kind": made, "metadata": {"name": name}, "spec": {"text": "hello"}}
        created = await self.user.send("POST", self.path("", kind), body)
        if known:
            await asyncio.sleep(self.door.lag + 0.001)
        return created

    async def edit(self, name: str, body: Json, kind: str = "echoes") -> None:
        """A user's merge patch."""
        await self.user.merge(self.path(name, kind), body)

    async def delete(self, name: str, kind: str = "echoes") -> None:
        """Remove an object."""
        await self.user.send("DELETE", self.path(name, kind))

    def path(self, name: str, kind: str = "echoes") -> str:
        """Where an object is served, or its kind."""
        return self.stores[kind].resource.path("default", name)

    def obj(self, name: str, kind: str = "echoes") -> RawObject:
        """An object as the store has it."""
        found = self.stores[kind].get(Key("default", name))
        assert found, name
        return found

    def submit(
        self,
        name: str,
        said: str = "hi",
        priority: Priority = Priority.HIGH,
        *conditions: Condition,
        generation: int = 0,
        kind: str = "echoes",
    ) -> Ticket:
        """Ask for a complete status."""
        status = EchoStatus(generation, conditions, said=said)
        return self.batcher.submit(self.stores[kind], self.obj(name, kind), status, priority, Reason.STATUS)

    def update(
        self,
        name: str,
        update: Update,
        priority: Priority = Priority.HIGH,
        *,
        kind: str = "echoes",
    ) -> Ticket:
        """Ask for a partial update."""
        return self.batcher.queue_update(self.stores[kind], self.obj(name, kind), update, priority)

    def waiting(self, name: str, kind: str = "echoes") -> Waiting | None:
        """Why the status of an object has not left."""
        return self.batcher.waiting(self.obj(name, kind))

    async def status(self, name: str, kind: str = "echoes") -> Json:
        """What the server stores."""
        found: Json = (await self.user.send("GET", self.path(name, kind))).get("status", {})
        return found

    async def said(self, name: str, kind: str = "echoes") -> object:
        """What the server stores of the one field."""
        return (await self.status(name, kind)).get("said")

    def avoided(self, reason: str, kind: str = "echoes.example.com") -> float:
        """How many writes were not made."""
        labels = {"resource": kind, "reason": reason}
        return self.client.metrics.registry.get_sample_value("steady_writes_avoided_total", labels) or 0.0


@asynccontextmanager
async def batching(config: BatchConfig | None = None, *, names: str = "a", noises: str = "") -> AsyncIterator[Batching]:
    """Echoes and noises of these names, one letter each, stores that follow them, and a running batcher."""
    async with Server(clock=LoopClock()) as server, Scope("test") as scope:
        it = Batching(server, config or BatchConfig())
        await it.install(scope)
        for kind, letters in (("echoes", names), ("noises", noises)):
            for name in letters:
                await it.create(name, kind)
        async with it.batcher:
            yield it


async def outcomes(*tickets: Ticket) -> list[Outcome]:
    """What became of each."""
    return [await ticket.wait() for ticket in tickets]
