"""A runtime at work, with a server that takes every write: the controller's own cost, and nobody else's."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import Any

import msgspec

from examples.echo import Echo, EchoStatus
from steady import ConfigMap, Context, Controller, Done, Result
from steady.backoff import BackoffManager
from steady.cache import Change, Store
from steady.client import Client, Request, Response
from steady.client.transport import Stream
from steady.clock import SystemClock
from steady.controller import Loop
from steady.controller.context import START
from steady.metrics import ControllerMetrics, Metrics
from steady.objects.keys import Key, Resource
from steady.objects.meta import ObjectMeta
from steady.objects.raw import RawObject
from steady.queue import Priority
from steady.recorder import Recorder
from steady.status import StatusBatcher
from steady.tasks import Scope
from steady.writes import Limiter, LimiterConfig, Writes

NAMESPACE = "bench"
UNLIMITED = LimiterConfig(burst=10_000, rate=1000.0)


class Answers:
    """A transport to a server that says yes: it answers with the object's metadata at its next version."""

    def __init__(self) -> None:
        self.versions = itertools.count(1_000_000)
        self.taken = 0
        self.stores: dict[str, Store] = {}

    async def send(self, request: Request) -> Response:
        """Take a write."""
        self.taken += 1
        parts = request.path.split("/")
        if request.method == "POST":
            body = msgspec.json.decode(request.body)
            metadata = {**body["metadata"], "uid": f"uid-{next(self.versions)}"}
            return self._answer(201, msgspec.convert(metadata, ObjectMeta))
        plural, name = parts[parts.index(NAMESPACE) + 1 :][:2]
        obj = self.stores[plural].get(Key(NAMESPACE, name))
        assert obj is not None, request.path
        return self._answer(200, obj.metadata)

    def stream(self, request: Request) -> AbstractAsyncContextManager[Stream]:
        """Nobody watches."""
        raise NotImplementedError(request.path)

    async def close(self) -> None:
        """Nothing to give up."""

    def _answer(self, status: int, metadata: ObjectMeta) -> Response:
        moved = msgspec.structs.replace(metadata, resource_version=str(next(self.versions)))
        return Response(status, {}, msgspec.json.encode({"kind": "PartialObjectMetadata", "metadata": moved}))


class House:
    """A controller at work on what `store` holds. Every change that it is shown ends in one status write."""

    def __init__(self, store: Store, loop: Loop[Any, Any], answers: Answers) -> None:
        self.store = store
        self._loop = loop
        self._answers = answers
        self._landed = 0
        self._awaited = 0
        self._done = asyncio.Event()
        store.listen(self._see)

    @property
    def requests(self) -> int:
        """Requests that were made so far."""
        return self._answers.taken

    def restart(self) -> None:
        """Let the controller look at all objects, as after a start."""
        for obj in self.store:
            self._loop.enqueue(obj.key, START, priority=Priority.LOW)

    async def change(self, objects: Sequence[RawObject]) -> None:
        """Show the controller new states of these objects, all at once, and wait until their statuses have landed."""
        self._awaited = self._landed + len(objects)
        self._done.clear()
        for obj in objects:
            version = str(next(self._answers.versions))
            metadata = msgspec.structs.replace(
                obj.metadata, resource_version=version, generation=obj.metadata.generation + 1
            )
            self.store.apply("MODIFIED", msgspec.structs.replace(obj, metadata=metadata))
        await self._done.wait()

    def _see(self, change: Change) -> None:
        if change.own and change.old and change.new and change.old.status != change.new.status:
            self._landed += 1
            if self._landed == self._awaited:
                self._done.set()


@asynccontextmanager
async def house(
    controller: Controller[Any, Any], objects: Sequence[RawObject], *, metrics: Metrics | None = None
) -> AsyncIterator[House]:
    """`controller` at work on `objects`, watched kinds empty; no limit on writes per object."""
    metrics = metrics or Metrics()
    clock = SystemClock()
    answers = Answers()
    client = Client(answers, metrics=metrics)
    writes = Writes(client, limiter=Limiter(metrics, UNLIMITED))
    store = Store(controller.resource)
    store.replace(objects, "1")
    stores: dict[Resource, Store] = {watched.resource: Store(watched.resource) for watched in controller.watches}
    stores |= {owned.child.resource: Store(owned.child.resource) for owned in controller.owns}
    stores[controller.resource] = store
    answers.stores = {resource.plural: each for resource, each in stores.items()}
    async with (
        Recorder(client, clock, component="bench") as recorder,
        StatusBatcher(writes, clock, metrics=metrics) as batcher,
        Scope("house") as scope,
    ):
        loop = Loop(
            controller,
            stores,
            client=client,
            writes=writes,
            batcher=batcher,
            recorder=recorder,
            backoff=BackoffManager(),
            clock=clock,
            metrics=metrics,
        )
        scope.start(loop.run(), "loop")
        yield House(store, loop, answers)
        loop.close()
        await scope.drained()


# The smallest controller: what is left of a reconcile is the runtime.


async def _say(echo: Echo, _: Context[EchoStatus]) -> Result[EchoStatus]:
    return Done(EchoStatus(said=f"{echo.spec.text} {echo.metadata.generation}"))


def echo_controller() -> Controller[Echo, EchoStatus]:
    """Says in the status what it is told, and which generation it heard."""
    return Controller(Echo, _say, owns=[ConfigMap])


def echoes(count: int) -> list[RawObject]:
    """That many echoes, as the server stores them."""
    return [
        RawObject(
            "example.com/v1",
            "Echo",
            ObjectMeta(f"echo-{n}", NAMESPACE, f"uid-{n}", str(n + 1), 1, "2026-01-01T00:00:00Z"),
            msgspec.Raw(b'{"text":"hello"}'),
        )
        for n in range(count)
    ]


# Counters that count nothing.


class _Nothing:
    """Any family and any of its children."""

    def __call__(self, *_: object) -> _Nothing:
        return self

    def inc(self, _: float = 1) -> None:
        """Count nothing."""

    dec = set = observe = set_function = inc


class _NoController(ControllerMetrics):
    """A controller's counters that count nothing."""

    def started(self) -> None:
        """Nothing."""

    def finished(self, result: str, seconds: float) -> None:
        """Nothing."""


class NoMetrics(Metrics):
    """What the runtime is given to find out what its counting costs."""

    def counter(self, *_: Any) -> Any:
        """No family."""
        return _Nothing()

    def gauge(self, *_: Any) -> Any:
        """No family."""
        return _Nothing()

    def histogram(self, *_: Any) -> Any:
        """No family."""
        return _Nothing()

    def controller(self, name: str, concurrency: int = 1) -> ControllerMetrics:
        """Counters that count nothing."""
        return _NoController(self, name, concurrency)

    def request(self, resource: str, verb: str, reason: str) -> None:
        """Nothing."""

    def answered(self, resource: str, verb: str, method: str, code: int, error: str, seconds: float) -> None:
        """Nothing."""

    def avoided(self, resource: str, reason: str) -> None:
        """Nothing."""

    def batch(self, resource: str, priority: str, size: int, seconds: float) -> None:
        """Nothing."""
