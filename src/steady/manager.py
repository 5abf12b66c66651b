"""One process: what starts before what, and what stops after what.

Start: probes, caches, leadership, services, reconciles. Stop: intake, reconciles, status drain, services, lease
release, all within one grace period; a second signal stops at once. Services act on the world outside, so only a leader
has them; its successor waits with caches that are warm.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import signal
import socket
from collections.abc import Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from steady.backoff import BackoffManager
from steady.cache import Reflector, Store
from steady.client import Client, HttpTransport, Transport, connect
from steady.clock import Clock, SystemClock
from steady.controller import Controller, Explanation, Loop
from steady.controller.context import START
from steady.leadership import Leadership, LeaseConfig
from steady.metrics import Metrics
from steady.objects.keys import Key, Resource
from steady.probes import Check, Probes
from steady.queue import Priority
from steady.recorder import Recorder
from steady.spans import Spans
from steady.status import BatchConfig, StatusBatcher
from steady.tasks import Scope, run
from steady.writes import Limiter, LimiterConfig, Writes

if TYPE_CHECKING:
    from opentelemetry.trace import Tracer

_log = logging.getLogger("steady.manager")


class Options(msgspec.Struct, frozen=True):
    """How a process runs. `namespace` empty means all; `probe_port` None means no probes; seconds throughout.

    `lease` None means that nobody else runs: then there is no Lease and no request for one.
    """

    name: str = "steady"
    namespace: str = ""
    lease: Key | None = None
    lease_config: LeaseConfig = LeaseConfig()
    identity: str = ""
    probe_host: str = "127.0.0.1"
    probe_port: int | None = None
    batch: BatchConfig = BatchConfig()
    grace: float = 30.0
    limiter: LimiterConfig = LimiterConfig()


class _Watch(NamedTuple):
    resource: Resource
    selector: str
    metadata_only: bool


class Manager:
    """Runs controllers against one API server.

    `services` are async context managers entered after the caches have synced and left after the last status; one that
    has an awaitable `failed()`, which raises when it dies, stops the process by dying.
    `transport` makes connections, by default over HTTP by the usual kubeconfig rules; the lease gets one of its own.
    `readiness` has the checks behind `/readyz` by name. With a `tracer` (of opentelemetry-api) there is a span for each
    reconcile, and within it one for each of its phases and requests.
    """

    def __init__(
        self,
        *controllers: Controller[Any, Any],
        options: Options | None = None,
        services: Sequence[AbstractAsyncContextManager[Any]] = (),
        transport: Callable[[], Transport] | None = None,
        metrics: Metrics | None = None,
        clock: Clock | None = None,
        backoff: BackoffManager | None = None,
        tracer: Tracer | None = None,
    ) -> None:
        self.options = options or Options()
        self.metrics = metrics or Metrics()
        self.loops: list[Loop[Any, Any]] = []
        self.stores: dict[Resource, Store] = {}
        self.probes: Probes | None = None
        self.batcher: StatusBatcher | None = None
        self._controllers = controllers
        self._services = services
        self._transport = transport or (lambda: HttpTransport(connect()))
        self._clock = clock or SystemClock()
        self._backoff = BackoffManager() if backoff is None else backoff
        self._spans = None if tracer is None else Spans(tracer)
        self._reflectors: list[Reflector] = []
        self._leadership: Leadership | None = None
        self._leaving = False
        self._stopping = asyncio.Event()
        self.started = asyncio.Event()
        self.readiness: Mapping[str, Check] = {
            "shutdown": self._stop_trouble,
            "caches": self._cache_trouble,
            "leadership": self._leader_trouble,
            "started": self._start_trouble,
        }

    def run(self) -> None:
        """Run until SIGINT or SIGTERM, on uvloop where it is installed. Raises what went wrong, NotLeader included."""
        run(self.serve(signals=True))

    def use(self, batch: BatchConfig) -> None:
        """Batch statuses by `batch` from now on, as far as its keys are live (see `StatusBatcher.use`)."""
        self.options = msgspec.structs.replace(self.options, batch=batch)
        if self.batcher is not None:
            self.batcher.use(batch)

    def explain(self, controller: str, key: Key) -> Explanation | None:
        """Why an object is as it is; None where no running controller has that name."""
        return next((loop.explain(key) for loop in self.loops if loop.controller.name == controller), None)

    def stop(self) -> None:
        """Stop in order."""
        self._stopping.set()

    async def serve(self, *, signals: bool = False) -> None:
        """Run until `stop` or a failure, then stop in order. Raises NotLeader when leadership is lost."""
        options = self.options
        async with AsyncExitStack() as stack:
            if signals:
                self._listen(stack)
            await self._probe(stack)
            client = self._client(stack)
            # Entered after the connection was made, so that nobody uses it any more when it is closed.
            scope = await stack.enter_async_context(Scope(options.name))
            self._follow(client, scope)
            self._describe()
            if not await self._unless_stopped(self._synced()):
                return
            if not await self._unless_stopped(self._lead(stack, scope, client)):
                return
            for service in self._services:
                await stack.enter_async_context(service)
                if failed := getattr(service, "failed", None):
                    scope.start(failed(), f"service {type(service).__name__}")
            reconciling = await self._reconcile(stack, client)
            self.started.set()
            await self._until_stopped(scope, reconciling)

    async def _probe(self, stack: AsyncExitStack) -> None:
        if self.options.probe_port is None:
            return
        host, port = self.options.probe_host, self.options.probe_port
        self.probes = Probes(self.readiness, self.metrics, explain=self.explain, host=host, port=port)
        await stack.enter_async_context(self.probes)

    def _client(self, stack: AsyncExitStack) -> Client:
        transport = self._transport()
        stack.push_async_callback(transport.close)
        return Client(transport, metrics=self.metrics, field_manager=self.options.name, spans=self._spans)

    async def _lead(self, stack: AsyncExitStack, scope: Scope, client: Client) -> None:
        if self.options.lease is None:
            return
        # A connection of its own: a saturated one must not cost the leadership.
        transport = self._transport()
        stack.push_async_callback(transport.close)
        own = Client(transport, metrics=self.metrics, field_manager=self.options.name)
        self._leadership = Leadership(
            own, self.options.lease, self._identity(), self._clock, config=self.options.lease_config
        )
        await self._leadership.acquire()
        stack.push_async_callback(self._leadership.release)
        client.fence = self._leadership.check
        keeping = scope.start(self._leadership.keep(), "lease")
        # A renewal that came after the release would take the lease again.
        stack.push_async_callback(_cancel, keeping)

    def _follow(self, client: Client, scope: Scope) -> None:
        for watch in self._watches():
            store = self.stores[watch.resource] = Store(watch.resource, metadata_only=watch.metadata_only)
            reflector = Reflector(
                client,
                store,
                namespace=self.options.namespace if watch.resource.namespaced else "",
                selector=watch.selector,
                metadata_only=watch.metadata_only,
            )
            self._reflectors.append(reflector)
            scope.start(reflector.run(), f"watch {watch.resource.qualified}")

    def _watches(self) -> list[_Watch]:
        """One watch per kind; a kind that two of them want is watched as widely as both need."""
        wanted: dict[Resource, _Watch] = {}
        for watch in self._declared():
            known = wanted.get(watch.resource)
            if known and known != watch:
                selector = watch.selector if watch.selector == known.selector else ""
                watch = _Watch(watch.resource, selector, watch.metadata_only and known.metadata_only)  # noqa: PLW2901
            wanted[watch.resource] = watch
        return list(wanted.values())

    def _declared(self) -> Iterator[_Watch]:
        for controller in self._controllers:
            yield _Watch(controller.resource, "", False)
            for owned in controller.owns:
                selector = ",".join(f"{key}={value}" for key, value in sorted(owned.labels.items()))
                yield _Watch(owned.child.resource, selector, owned.metadata_only)
            for watched in controller.watches:
                yield _Watch(watched.resource, watched.selector, watched.metadata_only)

    def _describe(self) -> None:
        """Whose the requests to a kind are: its controller's, or that of the one that owns it."""
        owners = {owned.child.resource: it.name for it in self._controllers for owned in it.owns}
        owners |= {it.resource: it.name for it in self._controllers}
        self.metrics.attribute({resource.qualified: name for resource, name in owners.items()})

    async def _synced(self) -> None:
        for store in self.stores.values():
            await store.synced.wait()

    async def _reconcile(self, stack: AsyncExitStack, client: Client) -> Scope:
        options = self.options
        recorder = Recorder(client, self._clock, component=options.name, instance=self._identity())
        await stack.enter_async_context(recorder)
        limiter = Limiter(self.metrics, options.limiter)
        writes = Writes(client, limiter=limiter)
        self.batcher = StatusBatcher(
            writes, self._clock, config=options.batch, metrics=self.metrics, grace=options.grace / 2
        )
        await stack.enter_async_context(self.batcher)
        reconciling = await stack.enter_async_context(Scope("reconciles"))
        for controller in self._controllers:
            loop = Loop(
                controller,
                self.stores,
                client=client,
                writes=writes,
                batcher=self.batcher,
                recorder=recorder,
                backoff=self._backoff,
                clock=self._clock,
                metrics=self.metrics,
                spans=self._spans,
            )
            self.loops.append(loop)
            for obj in self.stores[controller.resource]:
                loop.enqueue(obj.key, START, priority=Priority.LOW)
            reconciling.start(loop.run(), controller.name)
        stack.push_async_callback(self._rest, reconciling)
        return reconciling

    async def _rest(self, reconciling: Scope) -> None:
        """Intake ends; what runs may end by itself for half of the grace period."""
        for loop in self.loops:
            loop.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(self.options.grace / 2):
                await reconciling.drained()

    async def _until_stopped(self, *scopes: Scope) -> None:
        async with Scope("end") as end:
            ends = [end.start(self._stopping.wait(), "stop")]
            ends += [end.start(scope.failed(), f"failure of {scope.name}") for scope in scopes]
            ended, _ = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            self._leaving = True
        for task in ended:
            task.result()

    async def _unless_stopped(self, work: Coroutine[Any, Any, None]) -> bool:
        """Do `work`; False when a stop came first."""
        async with Scope("start") as start:
            task = start.start(work, "start")
            stop = start.start(self._stopping.wait(), "stop")
            await asyncio.wait([task, stop], return_when=asyncio.FIRST_COMPLETED)
            if not task.done():
                return False
            task.result()
        return True

    def _listen(self, stack: AsyncExitStack) -> None:
        loop = asyncio.get_running_loop()

        def stop() -> None:
            if self._stopping.is_set():
                _log.warning("second signal: stopping at once")
                os._exit(1)
            self._stopping.set()

        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, stop)
            stack.callback(loop.remove_signal_handler, number)

    def _identity(self) -> str:
        return self.options.identity or f"{socket.gethostname()}_{os.getpid()}"

    def _cache_trouble(self) -> str:
        if not self._reflectors:
            return "not started"
        return "; ".join(reflector.trouble for reflector in self._reflectors if reflector.trouble)

    def _leader_trouble(self) -> str:
        return self._leadership.trouble if self._leadership else ""

    def _stop_trouble(self) -> str:
        return "the process is stopping" if self._leaving or self._stopping.is_set() else ""

    def _start_trouble(self) -> str:
        """A standby has no services and is ready: a rollout that waited for it would never stop the old leader."""
        standby = self._leadership is not None and not self._leadership.held
        return "" if standby or self.started.is_set() else "not started"


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.wait([task])
