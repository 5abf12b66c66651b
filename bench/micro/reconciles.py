"""Benchmarks of whole reconciles: of the smallest controller, and of the operator's on an API server in memory."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from functools import partial
from itertools import count, cycle, islice
from typing import Any, Final

import msgspec

from bench.micro.case import Prepare, Prepared, Step
from bench.micro.house import NAMESPACE, UNLIMITED, NoMetrics, echo_controller, echoes, house
from bench.workload import Body, Intents
from nephoran.api import NetworkIntent
from nephoran.api.install import crds
from nephoran.api.names import GROUP, INTENT_FINALIZER, VERSION
from nephoran.controllers import Settings, intent_controller
from nephoran.intent.interpret import RuleInterpreter
from nephoran.knowledge import knowledge
from nephoran.repository.memory import MemoryRepository
from steady import Controller, Manager, Options
from steady.apiserver import Request, Server
from steady.cache import Change
from steady.clock import SystemClock
from steady.metrics import Metrics
from steady.objects.meta import ObjectMeta
from steady.objects.patches import MERGE_PATCH
from steady.objects.raw import RawObject
from steady.status.composition import known
from steady.tasks import Scope
from steady.testing.memory import MemoryTransport

_CRDS: Final = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
_INTENTS: Final = f"/apis/{GROUP}/{VERSION}/namespaces/{NAMESPACE}/networkintents"
TOGETHER: Final = 20
"""Reconciles of one operation of `echo` and `intent`."""


class Operator:
    """The operator on an API server in memory, all in one process, and somebody who changes intents."""

    def __init__(self, server: Server, manager: Manager) -> None:
        self.server = server
        self._unfinished: set[str] = set()
        self._done = asyncio.Event()
        manager.stores[NetworkIntent.declaration.resource].listen(self._see)

    async def create(self, bodies: Sequence[Body]) -> None:
        """Create these intents, and wait until each has its final status."""
        self._await(body["metadata"]["name"] for body in bodies)
        for body in bodies:
            await sent(self.server, "POST", _INTENTS, body)
        await self._done.wait()

    async def change(self, sentences: Mapping[str, str]) -> None:
        """Change the sentences of intents, and wait until each has its final status."""
        self._await(sentences)
        for name, sentence in sentences.items():
            await sent(self.server, "PATCH", f"{_INTENTS}/{name}", {"spec": {"intent": sentence}}, MERGE_PATCH)
        await self._done.wait()

    def _await(self, names: Iterable[str]) -> None:
        self._unfinished.update(names)
        self._done.clear()

    def _see(self, change: Change) -> None:
        new = change.new
        if new is None or b'"Completed"' not in bytes(new.status):
            return
        if known(new.status).observed_generation == new.metadata.generation:
            self._unfinished.discard(change.key.name)
            if not self._unfinished:
                self._done.set()


async def sent(server: Server, method: str, path: str, body: object, kind: str = "application/json") -> None:
    """One request of the user's, which must succeed."""
    headers = {"authorization": "Bearer user", "content-type": kind}
    answer = await server.handle(Request(method, path, {}, headers, msgspec.json.encode(body)))
    assert answer.status < 400, answer.body


def intents() -> tuple[Controller[Any, Any], MemoryRepository]:
    """The controller of intents and the repository, in memory, that it writes to."""
    repository = MemoryRepository(clock=SystemClock())
    images = {component: f"registry.example/{component}:1" for component in knowledge().components}
    return intent_controller(RuleInterpreter(), repository, Settings(images=images)), repository


@asynccontextmanager
async def operator() -> AsyncIterator[Operator]:
    """The operator at work."""
    controller, repository = intents()
    async with Server() as server:
        for body in crds():
            await sent(server, "POST", _CRDS, body)
        server.add_finalizer_on_create(GROUP, "networkintents", INTENT_FINALIZER)
        await sent(server, "POST", "/api/v1/namespaces", {"metadata": {"name": NAMESPACE}})
        options = Options(name="nephoran", limiter=UNLIMITED)
        manager = Manager(controller, options=options, services=[repository], transport=lambda: MemoryTransport(server))
        async with Scope("bench") as scope:
            scope.start(manager.serve(), "manager")
            await manager.started.wait()
            yield Operator(server, manager)
            manager.stop()
            await scope.drained()


def together(concurrency: int) -> Prepare:
    """So many intents are changed at once; each is interpreted, planned, rendered, committed and told of."""

    @asynccontextmanager
    async def prepare(keys: int) -> Prepared:
        async with operator() as it:
            bodies = Intents(max(keys, concurrency)).bodies()
            await it.create(bodies)
            names = cycle([body["metadata"]["name"] for body in bodies])
            numbers = count()

            async def run(times: int) -> None:
                for _ in range(times):
                    await it.change({name: _sentence(next(numbers)) for name in islice(names, concurrency)})

            yield Step(run)

    return prepare


def _sentence(number: int) -> str:
    return f"Deploy AMF with {2 + number % 5} replicas and {129 + 2 * number}Mi memory"


@asynccontextmanager
async def echo(keys: int, metrics: type[Metrics] = Metrics) -> Prepared:
    """The runtime alone: event, queue, an empty reconcile, status, patch, answer; `TOGETHER` at once."""
    async with house(echo_controller(), echoes(max(keys, TOGETHER)), metrics=metrics()) as it:
        keys_of = cycle([obj.key for obj in it.store])

        async def run(times: int) -> None:
            for _ in range(times):
                await it.change([obj for key in islice(keys_of, TOGETHER) if (obj := it.store.get(key))])

        yield Step(run)


@asynccontextmanager
async def intent(keys: int) -> Prepared:
    """The operator's controller without any server; `TOGETHER` at once."""
    controller, repository = intents()
    async with repository, house(controller, _stored(max(keys, TOGETHER))) as it:
        keys_of = cycle([obj.key for obj in it.store])
        numbers = count()

        def changed(obj: RawObject) -> RawObject:
            spec = msgspec.Raw(msgspec.json.encode({"intent": _sentence(next(numbers))}))
            return msgspec.structs.replace(obj, spec=spec)

        async def run(times: int) -> None:
            for _ in range(times):
                some = [obj for key in islice(keys_of, TOGETHER) if (obj := it.store.get(key))]
                await it.change([changed(obj) for obj in some])

        yield Step(run)


def _stored(keys: int) -> list[RawObject]:
    finalizers = (INTENT_FINALIZER,)
    return [
        RawObject(
            f"{GROUP}/{VERSION}",
            "NetworkIntent",
            ObjectMeta(
                f"intent-{n}", NAMESPACE, f"uid-{n}", str(n + 1), 1, "2026-01-01T00:00:00Z", finalizers=finalizers
            ),
        )
        for n in range(keys)
    ]


silent_echo = partial(echo, metrics=NoMetrics)
