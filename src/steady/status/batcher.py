"""What to tell the cluster, and how rarely.

Invariants
- One entry per object and life (UID). A complete status replaces the waiting one as a whole, a partial one composes
  onto it. None is dropped.
- Nothing is sent that the cluster already shows; `lastTransitionTime` comes from the last status that was sent.
- `observedGeneration` never goes down. One write in flight per object; what arrives meanwhile goes with the next.
- A submission's ticket always settles. Nothing here retries: whoever holds the ticket decides.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from typing import Self

import msgspec

from steady import errors
from steady.cache.store import Store, same_json
from steady.clock import Clock, timestamp
from steady.metrics import Metrics
from steady.objects.raw import RawObject
from steady.objects.view import Status
from steady.queue import Priority
from steady.reasons import Avoided, Reason
from steady.status.budget import Budget
from steady.status.composition import Update, composed, known
from steady.status.config import BatchConfig
from steady.status.lanes import Lanes
from steady.status.pending import NEVER, Line, Pending, Share, Waiting, Why
from steady.status.statistics import Batch, Flush, Tally
from steady.status.ticket import Outcome, Ticket
from steady.tasks import Scope
from steady.trace import current, work_for
from steady.writes import Gone, Writes

_BREATH = 32  # statuses in a row, after which others of the process have their turn even if none of them was a request


class _Sent(msgspec.Struct, frozen=True, gc=False):
    """A status that the cache need not show yet: the object got it at `version`, None when nobody knows whether."""

    status: msgspec.Raw
    version: int | None


class StatusBatcher:
    """Sends statuses by priority, all kinds in fair shares. Leaving its context drains, for `grace` seconds at most.

    `observe` is told of every batch that has left, by default the metrics. What is submitted before the context is
    entered waits for it.
    """

    def __init__(
        self,
        writes: Writes,
        clock: Clock,
        *,
        config: BatchConfig | None = None,
        metrics: Metrics | None = None,
        grace: float = 10.0,
        observe: Callable[[Batch], None] | None = None,
    ) -> None:
        self.config = config or BatchConfig()
        self.statistics: dict[str, Tally] = {}
        self.budget = Budget(self.config.max_in_flight, self.config.writes_per_second)
        self._writes = writes
        self._clock = clock
        self._metrics = metrics or Metrics()
        self._grace = grace
        self._observe = observe or self._record
        self._metrics.statuses(self.statistics, [priority.name.lower() for priority in Priority])
        self._shares: dict[Store, Share] = {}
        self._pending: dict[str, Pending] = {}
        self._flying: dict[str, Pending] = {}
        self._sent: dict[str, _Sent] = {}
        self._delays = [self.config.delay(priority) for priority in Priority]
        self._lanes = Lanes(self.config.ageing)
        self._scope = Scope("status")
        self._timer: asyncio.TimerHandle | None = None
        self._idle = asyncio.Event()
        self._idle.set()
        self._open = self._closed = self._draining = self._calling = False

    async def __aenter__(self) -> Self:
        await self._scope.__aenter__()
        self._open = True
        self._call()
        return self

    async def __aexit__(self, *exc: object) -> None:
        try:
            await self.drain(self._grace)
        finally:
            self._open, self._closed = False, True
            try:
                await self._scope.__aexit__(None, None, None)
            finally:
                self._give_up()

    def __len__(self) -> int:
        return len(self._pending)

    def use(self, config: BatchConfig) -> None:
        """Batch by `config` from the next submission on; rate, writes in flight and ageing are those of the start."""
        self.config = config
        self._delays = [config.delay(priority) for priority in Priority]

    async def drain(self, within: float) -> bool:
        """Send all that waits, nobody waiting for others; False when `within` seconds did not suffice."""
        loop = asyncio.get_running_loop()
        self._draining = True
        self.budget.ends = loop.time() + within
        try:
            for share in self._shares.values():
                self._release(share, share.ripe(NEVER), loop.time())
            async with asyncio.timeout(within):
                await self._idle.wait()
        except TimeoutError:
            return False
        finally:
            self._draining = False
            self.budget.ends = NEVER
        return True

    async def room(self, store: Store, obj: RawObject) -> None:
        """Wait while as many objects of the kind are pending as may be, unless `obj` is one of them.

        Whoever submits without asking is not refused: a CRITICAL status need not wait for room.
        """
        share = self._share(store)
        while share.pending >= self.config.max_queue_size and obj.metadata.uid not in self._pending:
            share.room.clear()
            await share.room.wait()

    def submit(self, store: Store, obj: RawObject, status: Status, priority: Priority, reason: Reason) -> Ticket:
        """Make `status` the whole status of `obj` some time soon.

        Its conditions need neither times nor generations; without a generation of its own it observed that of `obj`. It
        takes the place of all that is pending, unless that observed a later one.
        """
        ticket = Ticket()
        now = asyncio.get_running_loop().time()
        pending = self._admit(store, obj, priority, now)
        if pending is None:
            ticket.settle(Outcome.FAILED, _stopped())
            return ticket
        if not status.observed_generation:
            status = msgspec.structs.replace(status, observed_generation=obj.metadata.generation)
        if pending.ticket or pending.updates:
            if pending.latest > status.observed_generation:
                self._count(pending, Outcome.SUPERSEDED, 1)
                ticket.settle(Outcome.SUPERSEDED)
                return ticket
            self._metrics.avoided(pending.share.kind, Avoided.SUPERSEDED)
            self._count(pending, Outcome.SUPERSEDED, pending.tickets)
            pending.settle(Outcome.SUPERSEDED)
        pending.replace(status, ticket)
        self._schedule(pending, priority, reason, now)
        return ticket

    def queue_update(
        self,
        store: Store,
        obj: RawObject,
        update: Update,
        priority: Priority = Priority.MEDIUM,
        reason: Reason = Reason.STATUS,
    ) -> Ticket:
        """Change parts of the status of `obj` some time soon: on top of what is pending, or else of what is shown then.

        Its conditions need no times; those without a generation were observed at that of `obj`.
        """
        ticket = Ticket()
        now = asyncio.get_running_loop().time()
        pending = self._admit(store, obj, priority, now)
        if pending is None:
            ticket.settle(Outcome.FAILED, _stopped())
            return ticket
        if pending.tickets:
            self._metrics.avoided(pending.share.kind, Avoided.MERGED)
        pending.compose(update.at(obj.metadata.generation), ticket, obj.metadata.generation)
        self._schedule(pending, priority, reason, now)
        return ticket

    def forget(self, uid: str) -> None:
        """The object with `uid` is gone: nothing more is sent for it."""
        self._sent.pop(uid, None)
        pending = self._pending.get(uid)
        if pending is None:
            return
        if pending.line is not None:
            del pending.line[uid]
        elif uid not in self._flying:
            self._lanes.remove(pending)
        self._remove(pending)
        self._settle(pending, Outcome.GONE)

    def waiting(self, obj: RawObject) -> Waiting | None:
        """What is pending for `obj` and why it has not left, or that it is being sent."""
        uid = obj.metadata.uid
        if pending := self._pending.get(uid):
            return Waiting(pending.priority, pending.since, pending.due, self._why(pending))
        if flying := self._flying.get(uid):
            return Waiting(flying.priority, flying.since, flying.due, Why.SENDING)
        return None

    # Coming in.

    def _share(self, store: Store) -> Share:
        share = self._shares.get(store)
        if share is None:
            kind = store.resource.qualified
            share = self._shares[store] = Share(store, kind, self.statistics.setdefault(kind, Tally()))
        return share

    def _admit(self, store: Store, obj: RawObject, priority: Priority, now: float) -> Pending | None:
        share = self._shares.get(store) or self._share(store)
        tally = share.tally
        tally.queued[priority] += 1
        if self._closed:
            tally.settled[Outcome.FAILED][priority] += 1
            tally.dropped[priority] += 1
            return None
        uid = obj.metadata.uid
        pending = self._pending.get(uid)
        if pending is None:
            pending = self._pending[uid] = Pending(share, obj, uid, now)
            share.pending += 1
            tally.pending += 1
            self._idle.clear()
        else:
            pending.obj = obj
        return pending

    def _schedule(self, pending: Pending, priority: Priority, reason: Reason, now: float) -> None:
        pending.reason, pending.trace = reason, current()
        if not self.config.priorities:
            priority = Priority.MEDIUM
        if pending.ready != NEVER:
            self._lift(pending, priority)
            return
        pending.priority = max(pending.priority, priority)
        due = now if self._draining else now + self._delays[priority]
        if due >= pending.due:
            return
        if pending.line is not None:
            del pending.line[pending.uid]
        pending.due = due
        if due <= now:
            self._release(pending.share, (pending,), now)
        else:
            self._wait(pending, pending.share.medium if priority is Priority.MEDIUM else pending.share.low, now)

    def _lift(self, pending: Pending, priority: Priority) -> None:
        if priority <= pending.priority:
            return
        held = pending.uid in self._flying
        if not held:
            self._lanes.remove(pending)
        pending.priority = priority
        if not held:
            self._lanes.add(pending)
            self._call()

    def _wait(self, pending: Pending, line: Line, now: float) -> None:
        line[pending.uid] = pending
        pending.line = line
        share = pending.share
        if len(share.medium) + len(share.low) >= self.config.max_batch_size:
            self._release(share, share.ripe(NEVER), now)
        else:
            self._arm(pending.due)

    def _release(self, share: Share, ripe: Iterable[Pending], now: float) -> None:
        """Let these leave as soon as it is their turn."""
        for pending in ripe:
            pending.line = None
            pending.ready = now
            pending.due = min(pending.due, now)
            flush = share.flushes[pending.priority]
            if flush is None:
                flush = share.flushes[pending.priority] = Flush(share.kind, pending.priority, now, self._observe)
            flush.join()
            pending.flush = flush
            if pending.uid not in self._flying:
                self._lanes.add(pending)
        self._call()

    def _arm(self, moment: float) -> None:
        if self._timer:
            if self._timer.when() <= moment:
                return
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_at(moment, self._tick)

    def _tick(self) -> None:
        self._timer = None
        now = asyncio.get_running_loop().time()
        for share in self._shares.values():
            self._release(share, share.ripe(now), now)
        if (moment := min((share.due for share in self._shares.values()), default=NEVER)) < NEVER:
            self._arm(moment)

    # Going out.

    def _call(self) -> None:
        """Have a sender take whatever is most urgent when it comes to it."""
        if not self._calling and self._open and self._may(asyncio.get_running_loop().time()):
            self._calling = True
            self._scope.start(self._send_all(), "sender")

    def _may(self, now: float) -> bool:
        """Whether something may leave; where only time is missing, look again then."""
        if not self._lanes:
            return False
        wait = self.budget.wait(now, urgent=self._lanes.urgent)
        if 0.0 < wait < NEVER:
            self._arm(now + wait)
        return not wait

    def _take(self) -> Pending | None:
        now = asyncio.get_running_loop().time()
        ordinary = not self.budget.wait(now)
        pending = self._lanes.take(now, urgent=not ordinary) if ordinary or self._may(now) else None
        if pending:
            self._remove(pending)
            self._flying[pending.uid] = pending
            pending.share.flying += 1
        return pending

    async def _send_all(self) -> None:
        self._calling = False
        sent = 0
        while pending := self._take():
            self._call()
            await self._send(pending)
            sent += 1
            if not sent % _BREATH:
                await asyncio.sleep(0)

    async def _send(self, pending: Pending) -> None:
        outcome = Outcome.FAILED
        error: Exception | None = None
        try:
            work_for(pending.trace)
            outcome = await self._delivered(pending)
        except Gone:
            outcome = Outcome.GONE
        except asyncio.CancelledError:
            error = TimeoutError("stopped while the status was being sent")
            raise
        except Exception as failure:  # noqa: BLE001 - the ticket's holder asks what to do about it
            error = failure
        finally:
            self._settle(pending, outcome, error)
            self._land(pending)

    async def _delivered(self, pending: Pending) -> Outcome:
        kind = pending.share.kind
        current = _living(pending)
        if current is None:
            self._sent.pop(pending.uid, None)
            self._metrics.avoided(kind, Avoided.GONE)
            raise Gone(f"{kind} {pending.obj.key} with uid {pending.uid} is not in the cache")
        sent = self._unseen(current)
        shown = sent.status if sent else current.status
        last, generation = known(shown), current.metadata.generation
        if pending.complete and pending.complete.observed_generation < last.latest(generation):
            self._metrics.avoided(kind, Avoided.SUPERSEDED)
            if not pending.update:
                return Outcome.SUPERSEDED
            self._count(pending, Outcome.SUPERSEDED, 1)
            pending.give_way()
        now = timestamp(self._clock.now())
        status = composed(pending.complete, pending.update, shown, last, generation, now)
        certain = sent is None or sent.version is not None
        if certain and same_json(status, shown):
            self._metrics.avoided(kind, Avoided.UNCHANGED)
        else:
            await self._write(pending, status)
        return Outcome.LANDED

    async def _write(self, pending: Pending, status: msgspec.Raw) -> None:
        loop = asyncio.get_running_loop()
        flight = self.budget.begin(loop.time(), urgent=pending.priority is Priority.CRITICAL)
        failure: BaseException | None = None
        try:
            version = await self._writes.status(pending.share.store, pending.obj, status, reason=pending.reason)
        except BaseException as error:
            failure = error
            if not _refused(error):
                self._remember(pending, status, None)
            raise
        finally:
            self.budget.end(flight, loop.time(), failure)
        self._remember(pending, status, version)

    def _unseen(self, current: RawObject) -> _Sent | None:
        """The status that was sent last, unless the cache shows it or what came after it."""
        sent = self._sent.get(current.metadata.uid)
        if sent is None:
            return None
        passed = sent.version is not None and current.metadata.version >= sent.version
        if passed or same_json(sent.status, current.status):
            del self._sent[current.metadata.uid]
            return None
        return sent

    def _remember(self, pending: Pending, status: msgspec.Raw, version: int | None) -> None:
        current = _living(pending)
        if current is not None and (version is None or current.metadata.version < version):
            self._sent[pending.uid] = _Sent(status, version)
        else:
            self._sent.pop(pending.uid, None)

    def _land(self, pending: Pending) -> None:
        del self._flying[pending.uid]
        pending.share.flying -= 1
        after = self._pending.get(pending.uid)
        if after and after.ready != NEVER:
            self._lanes.add(after)
        self._rest()

    def _remove(self, pending: Pending) -> None:
        """It is pending no longer: it leaves or is given up."""
        del self._pending[pending.uid]
        pending.share.pending -= 1
        pending.share.tally.pending -= 1
        pending.share.room.set()
        if pending.flush:
            pending.share.leave(pending.flush)

    def _record(self, batch: Batch) -> None:
        self._metrics.batch(batch.kind, batch.priority.name.lower(), batch.size, batch.seconds)

    def _rest(self) -> None:
        if not self._pending and not self._flying:
            self._idle.set()

    def _settle(self, pending: Pending, outcome: Outcome, error: Exception | None = None) -> None:
        self._count(pending, outcome, pending.tickets)
        pending.settle(outcome, error)
        if pending.flush:
            pending.flush.settle(asyncio.get_running_loop().time())
        self._rest()

    def _count(self, pending: Pending, outcome: Outcome, tickets: int) -> None:
        pending.share.tally.settled[outcome][pending.priority] += tickets

    def _why(self, pending: Pending) -> Why:
        now = asyncio.get_running_loop().time()
        if pending.ready == NEVER:
            return Why.TIME
        if pending.uid in self._flying:
            return Why.WRITE
        return self.budget.why(now, urgent=pending.priority is Priority.CRITICAL)

    def _give_up(self) -> None:
        if self._timer:
            self._timer.cancel()
        for pending in list(self._pending.values()):
            pending.share.tally.dropped[pending.priority] += pending.tickets
            self._remove(pending)
            self._settle(pending, Outcome.FAILED, _stopped())


def _living(pending: Pending) -> RawObject | None:
    """The object as the cache has it, if it is still the same one."""
    found = pending.share.store.get(pending.obj.key)
    return found if found is not None and found.metadata.uid == pending.uid else None


def _stopped() -> TimeoutError:
    return TimeoutError("stopped before the status could be sent")


def _refused(error: BaseException) -> bool:
    """Whether the server certainly did not take it."""
    if isinstance(error, errors.ApiError):
        return error.status < 500
    return isinstance(error, Gone | errors.Throttled | errors.NotLeader | errors.Unreachable)
