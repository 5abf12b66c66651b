"""One controller at work: triggers fill the queue, slots empty it.

Invariants
- A key runs in one slot at a time, on the latest snapshot; nothing it raises leaves its key.
- No reconciler that has a cleanup is called before the snapshot shows the finalizer.
- The reconciler's own writes do not wake its key; children and other kinds wake it by the mappings, old state and new.
- A failure's time is decided by backoff alone, and every run of a key is reported to it; a change of the object ends
  the wait. What is looked at again without a failure follows its interval.
- What is done more often than its causes explain is slowed down by a limiter, and said aloud.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractContextManager
from functools import partial
from typing import Any, Generic, TypeVar

from steady import errors
from steady.backoff import BackoffManager, Wait
from steady.cache.store import Change, Store
from steady.client.client import Client
from steady.clock import Clock
from steady.controller import conditions
from steady.controller.children import Family, owners
from steady.controller.context import Context
from steady.controller.declaration import Controller, Mapper
from steady.controller.explanation import Explanation, Past, Queued, Unsent
from steady.controller.result import Again, Failed, Result, Waiting
from steady.controller.retries import Retries
from steady.controller.wishes import Wishes
from steady.intervals import Interval, Intervals
from steady.metrics import Metrics
from steady.objects.conditions import find
from steady.objects.keys import Key, Resource
from steady.objects.raw import RawObject
from steady.objects.view import Object, Status
from steady.queue import Closed, Priority, Queue
from steady.reasons import Reason
from steady.recorder import Recorder
from steady.spans import Spans
from steady.status import Outcome, StatusBatcher, Ticket, Update
from steady.status.composition import known
from steady.tasks import Scope
from steady.trace import Trace, caused_by
from steady.writes import Gone, Limiter, LimiterConfig, Writes

_PACE = LimiterConfig(burst=100, rate=1.0)
"""Reconciles that no change of the spec explains, and how many a second there may be afterwards."""

_CATCH_UP = 5.0  # seconds that a key waits for the watch to pass what is known to exist, before one live read

S = TypeVar("S", bound=Status)
O = TypeVar("O", bound=Object[Any, Any])  # noqa: E741 - O for object, as S for status


class Loop(Generic[O, S]):
    """Runs `controller` on what the other parts give it. `stores` hold its own kind and all that it owns or watches."""

    def __init__(
        self,
        controller: Controller[O, S],
        stores: Mapping[Resource, Store],
        *,
        client: Client,
        writes: Writes,
        batcher: StatusBatcher,
        recorder: Recorder,
        backoff: BackoffManager,
        clock: Clock,
        metrics: Metrics,
        spans: Spans | None = None,
    ) -> None:
        self.controller = controller
        self.queue: Queue[Key] = Queue(metrics=metrics, name=controller.name)
        self._stores = stores
        self._store = stores[controller.resource]
        self._client = client
        self._writes = writes
        self._batcher = batcher
        self._recorder = recorder
        self._clock = clock
        self._spans = spans
        self._counters = metrics.controller(controller.name, controller.concurrency)
        self._retries = Retries(controller.name, self._store.resource.qualified, self.queue, backoff, self._counters)
        self._causes: dict[Key, str] = {}
        self._pasts: dict[Key, Past] = {}
        self._pace = Limiter(metrics, _PACE)
        self._wishes = Wishes(controller.domain)
        self._intervals: Intervals[Key] = Intervals()
        self._slots = Scope(controller.name)
        for name, function in controller.indexes.items():
            self._store.index(name, function)
        self._store.listen(self._own_change)
        for owned in controller.owns:
            stores[owned.child.resource].index("owner", owners)
            stores[owned.child.resource].listen(self._child_change)
        for watched in controller.watches:
            self._listen(stores[watched.resource], watched.mapper, watched.resource.kind)

    async def run(self) -> None:
        """Work until cancelled, or closed and done with what runs."""
        async with self._slots:
            for wake in self.controller.wakes:
                self._slots.start(self._woken(wake()), "wake")
            workers: asyncio.Future[Any] = asyncio.gather(
                *(self._slots.start(self._work(), f"slot-{number}") for number in range(self.controller.concurrency)),
                return_exceptions=True,
            )
            failure = asyncio.ensure_future(self._slots.failed())
            try:
                await asyncio.wait([failure, workers], return_when=asyncio.FIRST_COMPLETED)
            finally:
                failure.cancel()

    def enqueue(self, key: Key, cause: str, *, priority: Priority = Priority.MEDIUM, delay: float = 0.0) -> None:
        """Look at `key`, because of `cause`."""
        self._causes.setdefault(key, cause)
        self.queue.add(key, priority=priority, delay=delay)

    def close(self) -> None:
        """Take nothing new; what runs goes on."""
        self.queue.close()

    def explain(self, key: Key) -> Explanation:
        """Why the object is as it is."""
        now = asyncio.get_running_loop().time()
        raw = self._store.get(key)
        past = self._pasts.get(key) or Past()
        place = self.queue.place(key)
        waiting = self._batcher.waiting(raw) if raw else None
        return Explanation(
            controller=self.controller.name,
            namespace=key.namespace,
            name=key.name,
            exists=raw is not None,
            queue=Queued(place.state, place.priority.name.lower(), place.ahead, place.seconds),
            reconciles=past.count,
            requests=dict(past.spent),
            last=past.last(self._clock.now(), now),
            backoff=self._retries.explain(key, now),
            status=waiting
            and Unsent(
                waiting.priority.name.lower(), now - waiting.since, max(0.0, waiting.leaves_by - now), waiting.why
            ),
        )

    # Triggers.

    def _own_change(self, change: Change) -> None:
        self._intervals.changed(change.key)
        if change.new is None:
            self._retries.forget(change.key, "gone")
            self._wishes.forget(change.key)
            self._pasts.pop(change.key, None)
            if change.old:
                self._batcher.forget(change.old.metadata.uid)
        if change.own:
            return
        if not _same(change.old, change.new) or self._wishes.renewed(change.old, change.new):
            self._retries.forget(change.key, "changed")
        self.enqueue(change.key, "deleted" if change.new is None else "created" if change.old is None else "changed")

    def _child_change(self, change: Change) -> None:
        for obj in (change.old, change.new):
            owner = obj.metadata.controller if obj else None
            if obj and owner and owner.kind == self.controller.resource.kind:
                key = Key(obj.metadata.namespace, owner.name)
                self._intervals.changed(key)
                if not change.own:
                    self.enqueue(key, f"{obj.kind or 'child'} {change.key.name}")

    def _listen(self, store: Store, mapper: Mapper, kind: str) -> None:
        def mapped(change: Change) -> None:
            for obj in (change.old, change.new):
                if obj:
                    for key in mapper(obj, store):
                        self.enqueue(key, f"{kind} {change.key.name}")

        store.listen(mapped)

    async def _woken(self, keys: AsyncIterator[Key]) -> None:
        async for key in keys:
            self.enqueue(key, "wake")

    # Slots.

    async def _work(self) -> None:
        while True:
            try:
                key = await self.queue.get()
            except Closed:
                return
            try:
                await (self._run(key) if self._spans is None else self._spanned(key, self._spans))
            finally:
                self.queue.done(key)
            # After one that awaited nothing all that are queued would follow before the lease or a probe has its turn.
            await asyncio.sleep(0)

    async def _spanned(self, key: Key, spans: Spans) -> None:
        """Run the key within a span that tells how it went."""
        with spans.span(f"reconcile {self.controller.name}", {"steady.key": str(key)}) as span:
            past = await self._run(key)
            span.set_attribute("steady.controller", self.controller.name)
            span.set_attribute("steady.reconcile", past.reconcile)
            span.set_attribute("steady.cause", past.cause)
            span.set_attribute("steady.result", past.result)
            if past.error:
                kind, _, text = past.error.partition(": ")
                spans.failed(span, kind, text)

    async def _run(self, key: Key) -> Past:
        cause = self._causes.pop(key, "")
        past = self._pasts.setdefault(key, Past())
        past.error = ""
        trace = Trace(self.controller.name, str(key), past.spent)
        if self._spans is not None:
            trace.span = self._spans.context()
        began, result = asyncio.get_running_loop().time(), "error"
        self._counters.started()
        with caused_by(trace):
            try:
                result = await self._handle(key, cause)
            except Gone:
                self._retries.forget(key, "gone")
                result = "success"
            except errors.Throttled as error:
                self._cool(key, error)
            except Exception as error:  # noqa: BLE001 - contained per key
                self._retry(key, error)
            finally:
                past.ended = asyncio.get_running_loop().time()
                past.seconds = past.ended - began
                past.count += 1
                past.cause, past.result, past.reconcile = cause, result, trace.id
                self._counters.finished(result, past.seconds)
                if self._store.get(key) is None:
                    self._pasts.pop(key, None)
        return past

    async def _handle(self, key: Key, cause: str) -> str:
        if not await self._store.fresh(key, _CATCH_UP):
            await self._read(key)
        raw = self._store.get(key)
        if raw is None or raw.metadata.deleting:
            if raw:
                await self._clean(raw, cause)
            self._intervals.forget(key)
            self._retries.forget(key, "gone")
            return "success"
        if self._wishes.suspended(raw):
            await self._suspend(raw)
            return "success"
        if self.controller.cleanup and self.controller.finalizer not in (raw.metadata.finalizers or ()):
            await self._finalize(raw, (*(raw.metadata.finalizers or ()), self.controller.finalizer))
            raw = self._store.get(key)
            if raw is None or self.controller.finalizer not in (raw.metadata.finalizers or ()):
                self.enqueue(key, cause)
                return "again"
        name = f"{self._store.resource.qualified} {key}"
        self._pace.take(raw.metadata.uid, "reconciles", name, raw.metadata.generation)
        return await self._reconcile(raw, cause)

    async def _reconcile(self, raw: RawObject, cause: str) -> str:
        view = self.controller.kind(raw)
        try:
            view.spec  # noqa: B018 - decoding is what may fail
        except errors.DecodeError as error:
            return await self._failed(raw, Failed(self._last(view), error, terminal=True))
        try:
            async with asyncio.timeout(self.controller.deadline):
                result = await self.controller.reconcile(view, self._context(raw, cause))
        except (Gone, errors.Throttled):
            raise
        except Exception as error:  # noqa: BLE001 - a raised exception is a failed reconcile
            return await self._failed(raw, Failed(self._last(view), error))
        return await self._finish(raw, result)

    async def _suspend(self, raw: RawObject) -> None:
        """Do nothing, and say so once, on top of whatever is shown or about to be."""
        if self.controller.pause:
            self.controller.pause(raw.key)
        self._retries.forget(raw.key, "suspended")
        if update := conditions.suspended(known(raw.status).conditions, self._wishes.suspend):
            await self._batcher.room(self._store, raw)
            await self._land(self._batcher.queue_update(self._store, raw, update, Priority.HIGH))

    async def _finish(self, raw: RawObject, result: Result[S]) -> str:
        if isinstance(result, Failed):
            return await self._failed(raw, result)
        self._wishes.handled(raw)
        if isinstance(result, Waiting):
            return self._await(raw, result)
        if result.status is None:
            await self._leave(raw)
        else:
            status = conditions.finished(result.status, raw.metadata.generation)
            await self._batcher.room(self._store, raw)
            await self._land(self._submit(raw, status, Priority.HIGH, Reason.STATUS))
        self._retries.succeeded(raw.key)
        return self._look_again(raw, result.after if isinstance(result, Again) else self.controller.interval)

    def _look_again(self, raw: RawObject, after: float | Interval | None) -> str:
        """The time of the next look, where there is to be one: what is wished goes ahead of what was declared."""
        try:
            after = self._wishes.interval(raw) or after
        except ValueError as error:
            self._recorder.record(raw, "Warning", "IntervalIgnored", str(error))
        if isinstance(after, Interval):
            after = self._intervals.next(raw.key, after)
        else:
            self._intervals.forget(raw.key)
        if after is None:
            return "success"
        self._counters.requeued("again")
        self.enqueue(raw.key, "again", priority=Priority.LOW, delay=after)
        return "again"

    async def _leave(self, raw: RawObject) -> None:
        """The status is somebody else's, but for what it says of what people ask of us."""
        suspended = find(known(raw.status).conditions, conditions.SUSPENDED)
        update = Update(self._wishes.unnoted(raw), without=frozenset({conditions.SUSPENDED} if suspended else ()))
        if update != Update():
            await self._land(self._batcher.queue_update(self._store, raw, update, Priority.HIGH))

    def _await(self, raw: RawObject, result: Waiting[S]) -> str:
        self._report(raw, result.status)
        self._retries.succeeded(raw.key)
        if result.after is not None:
            self._counters.requeued("waiting")
            self.enqueue(raw.key, "waiting", priority=Priority.LOW, delay=result.after)
        return "again"

    async def _failed(self, raw: RawObject, result: Failed[S]) -> str:
        error = result.error
        wait = self._failure(raw.key, error, "reconcile", hold=result.terminal or None)
        if wait.held:
            self._wishes.handled(raw)
        status = conditions.failing(result.status, raw.metadata.generation, error, stalled=wait.held)
        await self._land(self._submit(raw, status, Priority.CRITICAL, Reason.STATUS))
        self._retries.later(raw.key, wait)
        return "timeout" if isinstance(error, TimeoutError) else "error"

    async def _clean(self, raw: RawObject, cause: str) -> None:
        finalizers = raw.metadata.finalizers or ()
        if self.controller.cleanup is None or self.controller.finalizer not in finalizers:
            return
        view = self.controller.kind(raw)
        try:
            async with asyncio.timeout(self.controller.deadline):
                await self.controller.cleanup(view, self._context(raw, cause))
        except Exception as error:
            self._show(raw, error)
            raise
        self._batcher.forget(raw.metadata.uid)
        await self._finalize(raw, [finalizer for finalizer in finalizers if finalizer != self.controller.finalizer])
        self._retries.succeeded(raw.key)

    async def _finalize(self, raw: RawObject, finalizers: Sequence[str]) -> None:
        """Make `finalizers` those of the object, which shows it where the right to do so is missing."""
        try:
            await self._writes.finalizers(self._store, raw, finalizers)
        except errors.Forbidden as error:
            self._show(raw, error)
            raise

    def _show(self, raw: RawObject, error: Exception) -> None:
        """Let the object's status say what keeps it from going on."""
        last = self._last(self.controller.kind(raw))
        stuck = conditions.failing(last, raw.metadata.generation, error, stalled=False)
        self._submit(raw, stuck, Priority.MEDIUM, Reason.STATUS)

    def _retry(self, key: Key, error: Exception) -> None:
        if isinstance(error, errors.Conflict):
            # The key now waits for the watch to show what it conflicted with.
            self._retries.conflict(key, error)
            self.enqueue(key, "conflict")
            return
        raw = self._store.get(key)
        deleting = raw is not None and raw.metadata.deleting
        # A deletion is not left to wait for a change of what is being deleted.
        wait = self._failure(key, error, "cleanup" if deleting else "write", hold=False if deleting else None)
        self._retries.later(key, wait)

    def _failure(self, key: Key, error: Exception, category: str, *, hold: bool | None) -> Wait:
        self._pasts.setdefault(key, Past()).error = conditions.redacted(f"{type(error).__name__}: {error}")
        self._causes.setdefault(key, f"retry after {type(error).__name__}")
        return self._retries.failed(key, error, category, hold=hold)

    def _cool(self, key: Key, error: errors.Throttled) -> None:
        """A hot loop, logged and counted by the limiter: an Event tells of it, and it goes on at the limit's pace."""
        self._pasts.setdefault(key, Past()).error = str(error)
        if raw := self._store.get(key):
            self._recorder.record(raw, "Warning", "HotLoop", str(error))
        self._counters.requeued("throttled")
        self.enqueue(key, "hot loop", priority=Priority.LOW, delay=error.retry_after)

    async def _land(self, ticket: Ticket) -> None:
        if await ticket.wait() is Outcome.FAILED and ticket.error:
            raise ticket.error

    async def _read(self, key: Key) -> None:
        try:
            obj = await self._client.get(self._store.resource, key, reason=Reason.FRESHNESS)
        except errors.NotFound:
            self._store.read(key, None)
        else:
            self._store.read(key, obj)

    # What a reconcile gets.

    def _context(self, raw: RawObject, cause: str) -> Context[S]:
        forced = self._wishes.forced(raw)
        families = {
            owned.child.resource: Family(
                self._stores[owned.child.resource],
                self._writes,
                raw,
                owned.labels,
                metadata_only=owned.metadata_only,
                forced=forced,
            )
            for owned in self.controller.owns
        }

        def event(type_: str, reason: str, message: str) -> None:
            self._recorder.record(raw, type_, reason, conditions.redacted(message))

        return Context(
            self._store,
            self._clock,
            stores=self._stores,
            families=families,
            report=partial(self._report, raw),
            event=event,
            phase=self._counters.phase if self._spans is None else partial(self._phase, self._spans),
            cause=cause,
            forced=forced,
        )

    def _phase(self, spans: Spans, name: str) -> AbstractContextManager[object]:
        return spans.phase(name, self._counters.phase(name))

    def _report(self, raw: RawObject, status: S) -> None:
        self._submit(raw, conditions.progressing(status, raw.metadata.generation), Priority.MEDIUM, Reason.PROGRESS)

    def _submit(self, raw: RawObject, status: Status, priority: Priority, reason: Reason) -> Ticket:
        return self._batcher.submit(self._store, raw, self._wishes.noted(raw, status), priority, reason)

    def _last(self, view: O) -> S:
        try:
            return conditions.unjudged(view.status)  # type: ignore[no-any-return]
        except errors.DecodeError:
            return self.controller.kind.status_type()  # type: ignore[return-value]


def _same(old: RawObject | None, new: RawObject | None) -> bool:
    """Whether it is the same object with the same spec, so that what failed would fail again."""
    if old is None or new is None:
        return False
    return (old.metadata.uid, old.metadata.generation) == (new.metadata.uid, new.metadata.generation)
