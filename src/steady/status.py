"""What to tell the cluster, and how rarely.

Invariants
- One entry per object and life (UID); its newest complete status replaces the waiting one as a whole. None is dropped.
- Nothing is sent that the cluster already shows; `lastTransitionTime` comes from the last status that was sent.
- `observedGeneration` never goes down. One write in flight per object; what arrives meanwhile goes with the next.
- A submission's ticket always settles. Nothing here retries: whoever holds the ticket decides.
"""

from __future__ import annotations

import asyncio
from enum import Enum, auto
from typing import NamedTuple, Self

import msgspec

from steady.cache.store import Store, same_json
from steady.clock import Clock, timestamp
from steady.metrics import Metrics
from steady.objects.conditions import Condition, stamped
from steady.objects.keys import Key
from steady.objects.raw import RawObject
from steady.objects.view import Status
from steady.queue import Closed, Priority, Queue
from steady.reasons import Avoided, Reason
from steady.tasks import Scope
from steady.writes import Gone, Writes


class BatchConfig(msgspec.Struct, frozen=True):
    """Times in seconds.

    MEDIUM waits up to `batch_timeout`, LOW up to `flush_interval`; both leave when `max_batch_size` objects wait.
    """

    max_batch_size: int = 100
    batch_timeout: float = 2.0
    flush_interval: float = 5.0
    max_in_flight: int = 32
    max_queue_size: int = 10_000


class Outcome(Enum):
    """What became of a submitted status."""

    LANDED = auto()
    SUPERSEDED = auto()
    GONE = auto()
    FAILED = auto()


class Ticket:
    """A receipt for one submission."""

    __slots__ = ("_settled", "error", "outcome")

    def __init__(self) -> None:
        self.outcome: Outcome | None = None
        self.error: Exception | None = None
        self._settled = asyncio.Event()

    def settle(self, outcome: Outcome, error: Exception | None = None) -> None:
        """Say what became of it; only the first word counts."""
        if self.outcome is None:
            self.outcome, self.error = outcome, error
            self._settled.set()

    async def wait(self) -> Outcome:
        """What became of it."""
        await self._settled.wait()
        if self.outcome is None:
            raise RuntimeError("a settled ticket has an outcome")
        return self.outcome


class _Place(NamedTuple):
    resource: str
    key: Key
    uid: str


class _Pending(NamedTuple):
    store: Store
    obj: RawObject
    status: Status
    reason: Reason
    ticket: Ticket


class _Known(msgspec.Struct, frozen=True, rename="camel"):
    observed_generation: int = 0
    conditions: tuple[Condition, ...] = ()


_known = msgspec.json.Decoder(_Known)


class StatusBatcher:
    """Sends statuses by priority. Leaving its context drains what waits, for `grace` seconds at most."""

    def __init__(
        self,
        writes: Writes,
        clock: Clock,
        *,
        config: BatchConfig | None = None,
        metrics: Metrics | None = None,
        grace: float = 10.0,
    ) -> None:
        self.config = config or BatchConfig()
        self._writes = writes
        self._clock = clock
        self._metrics = metrics or Metrics()
        self._grace = grace
        self._pending: dict[_Place, _Pending] = {}
        self._queue: Queue[_Place] = Queue()
        self._scope = Scope("status")
        self._flying: set[_Place] = set()
        self._idle = asyncio.Event()
        self._idle.set()
        self._room = asyncio.Event()
        self._room.set()

    async def __aenter__(self) -> Self:
        await self._scope.__aenter__()
        for number in range(self.config.max_in_flight):
            self._scope.start(self._send_all(), f"sender-{number}")
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.drain(self._grace)
        self._queue.close()
        await self._scope.__aexit__(None, None, None)
        for pending in self._pending.values():
            pending.ticket.settle(Outcome.FAILED, TimeoutError("stopped before the status could be sent"))
        self._pending.clear()

    def __len__(self) -> int:
        return len(self._pending)

    async def drain(self, within: float) -> bool:
        """Send everything that waits now; False when `within` seconds did not suffice."""
        for place in self._pending:
            self._queue.add(place, priority=Priority.CRITICAL)
        try:
            async with asyncio.timeout(within):
                await self._idle.wait()
        except TimeoutError:
            return False
        return True

    async def room(self) -> None:
        """Wait until the queue is not full."""
        await self._room.wait()

    def submit(self, store: Store, obj: RawObject, status: Status, priority: Priority, reason: Reason) -> Ticket:
        """Make `status` the whole status of `obj` some time soon; its conditions need neither times nor generations."""
        ticket = Ticket()
        place = _Place(store.resource.qualified, obj.key, obj.metadata.uid)
        before = self._pending.get(place)
        if before:
            if before.status.observed_generation > status.observed_generation:
                ticket.settle(Outcome.SUPERSEDED)
                return ticket
            before.ticket.settle(Outcome.SUPERSEDED)
            self._metrics.avoided(store.resource.qualified, Avoided.SUPERSEDED)
        self._pending[place] = _Pending(store, obj, status, reason, ticket)
        self._idle.clear()
        if len(self._pending) >= self.config.max_queue_size:
            self._room.clear()
        self._queue.add(place, priority=priority, delay=self._delay(priority))
        if priority <= Priority.MEDIUM and len(self._pending) >= self.config.max_batch_size:
            for waiting in self._pending:
                self._queue.add(waiting)
        return ticket

    def forget(self, store: Store, key: Key, uid: str) -> None:
        """The object is gone: nothing more is sent for it."""
        self._drop(_Place(store.resource.qualified, key, uid), Outcome.GONE)

    def _delay(self, priority: Priority) -> float:
        if priority >= Priority.HIGH:
            return 0.0
        return self.config.batch_timeout if priority is Priority.MEDIUM else self.config.flush_interval

    async def _send_all(self) -> None:
        while True:
            try:
                place = await self._queue.get()
            except Closed:
                return
            try:
                if pending := self._pending.pop(place, None):
                    self._flying.add(place)
                    try:
                        await self._send(pending)
                    finally:
                        self._flying.discard(place)
            finally:
                self._queue.done(place)
                self._rest()

    async def _send(self, pending: _Pending) -> None:
        try:
            outcome = await self._delivered(pending)
        except Gone:
            pending.ticket.settle(Outcome.GONE)
        except Exception as error:  # noqa: BLE001 - the ticket's holder asks what to do about it
            pending.ticket.settle(Outcome.FAILED, error)
        else:
            pending.ticket.settle(outcome)
        finally:
            pending.ticket.settle(Outcome.FAILED, TimeoutError("cancelled while being sent"))

    async def _delivered(self, pending: _Pending) -> Outcome:
        kind = pending.store.resource.qualified
        current = pending.store.get(pending.obj.key)
        if current is None or current.metadata.uid != pending.obj.metadata.uid:
            self._metrics.avoided(kind, Avoided.GONE)
            return Outcome.GONE
        # A generation that the object has not reached was not observed by anybody: such a one is put right.
        if pending.status.observed_generation < _read(current).observed_generation <= current.metadata.generation:
            self._metrics.avoided(kind, Avoided.SUPERSEDED)
            return Outcome.SUPERSEDED
        status = self._complete(pending.status, current)
        if same_json(status, current.status):
            self._metrics.avoided(kind, Avoided.UNCHANGED)
        else:
            await self._writes.status(pending.store, pending.obj, status, reason=pending.reason)
        return Outcome.LANDED

    def _complete(self, status: Status, current: RawObject) -> msgspec.Raw:
        conditions = stamped(
            status.conditions,
            {condition.type: condition for condition in _read(current).conditions},
            status.observed_generation,
            timestamp(self._clock.now()),
        )
        complete = msgspec.structs.replace(status, conditions=conditions)
        # Sorted as the server writes it, so that most comparisons end at equal bytes.
        return msgspec.Raw(msgspec.json.encode(complete, order="sorted"))

    def _drop(self, place: _Place, outcome: Outcome) -> None:
        if pending := self._pending.pop(place, None):
            pending.ticket.settle(outcome)
            self._queue.discard(place)
            self._rest()

    def _rest(self) -> None:
        if len(self._pending) < self.config.max_queue_size:
            self._room.set()
        if not self._pending and not self._flying:
            self._idle.set()


def _read(obj: RawObject) -> _Known:
    try:
        return _known.decode(bytes(obj.status) or b"{}")
    except msgspec.DecodeError:
        return _Known()
