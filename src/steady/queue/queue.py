"""A queue of keys.

Invariants
- A key is queued at most once, and handed out to one taker at a time; added meanwhile, it comes again after `done`.
- Adding again keeps the higher priority and the earlier moment.
- Nothing starves: a key's rank is the moment it became ready plus a fixed handicap per priority step, so whatever waits
  longer than the handicap passes newer work of any priority.
- One timer at most, set to the earliest delayed key.
"""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import Hashable
from typing import Generic, Literal, NamedTuple, TypeVar

from steady.metrics import Metrics, QueueMetrics
from steady.queue.priority import Priority

K = TypeVar("K", bound=Hashable)


class Closed(Exception):
    """The queue gives out nothing more."""


class Place(NamedTuple):
    """Where a key is. `ahead` keys go first where it is ready; `seconds` until it is where it is delayed."""

    state: Literal["idle", "ready", "delayed", "running"]
    priority: Priority = Priority.MEDIUM
    ahead: int = 0
    seconds: float = 0.0


class _Entry:
    __slots__ = ("due", "priority")

    def __init__(self, due: float, priority: Priority) -> None:
        self.due = due
        self.priority = priority


class Queue(Generic[K]):
    """`ageing` is the handicap of one priority step, in seconds; `name` is what `metrics` call it."""

    def __init__(self, *, ageing: float = 5.0, metrics: Metrics | None = None, name: str = "queue") -> None:
        self._ageing = ageing
        self._entries: dict[K, _Entry] = {}
        self._ready: list[tuple[float, int, K, _Entry]] = []
        self._delayed: list[tuple[float, int, K, _Entry]] = []
        self._running: dict[K, float] = {}
        self._again: dict[K, _Entry] = {}
        self._takers: deque[asyncio.Future[None]] = deque()
        self._timer: asyncio.TimerHandle | None = None
        self._sequence = 0
        self._closed = False
        self._metrics = metrics and QueueMetrics(metrics, name, depth=self.__len__, ages=self._ages)

    def __len__(self) -> int:
        return len(self._entries) + len(self._again)

    @property
    def running(self) -> int:
        """Keys that are handed out."""
        return len(self._running)

    @property
    def idle(self) -> bool:
        """Nothing is ready and nothing is handed out; delayed keys may wait."""
        now = asyncio.get_running_loop().time()
        return not self._running and not any(entry.due <= now for entry in self._entries.values())

    def due(self, key: K) -> float | None:
        """The loop time at which `key` may go next, or None when it is not queued."""
        entry = self._entries.get(key) or self._again.get(key)
        return entry.due if entry else None

    def place(self, key: K) -> Place:
        """Where `key` is; takes time in proportion to what is queued, so it is for people who ask."""
        now = asyncio.get_running_loop().time()
        if key in self._running:
            return Place("running", seconds=now - self._running[key])
        entry = self._entries.get(key)
        if entry is None:
            return Place("idle")
        if entry.due > now:
            return Place("delayed", entry.priority, seconds=entry.due - now)
        alive = [item for item in self._ready if self._entries.get(item[2]) is item[3]]
        own = next((item for item in alive if item[3] is entry), None)
        return Place("ready", entry.priority, sum(item[:2] < own[:2] for item in alive) if own else len(alive))

    def retry(self, key: K, *, priority: Priority, delay: float) -> None:
        """Queue `key` again because it failed."""
        if self._metrics:
            self._metrics.retried()
        self.add(key, priority=priority, delay=delay)

    def add(self, key: K, *, priority: Priority = Priority.MEDIUM, delay: float = 0.0) -> None:
        """Queue `key` to be taken in `delay` seconds at the earliest."""
        if self._closed:
            return
        now = asyncio.get_running_loop().time()
        due = now + max(delay, 0.0)
        waiting = self._again if key in self._running else self._entries
        before = waiting.get(key)
        if before is None:
            entry = _Entry(due, priority)
            if self._metrics:
                self._metrics.added()
        elif before.due <= due and before.priority >= priority:
            return
        else:
            entry = _Entry(min(due, before.due), max(priority, before.priority))
        waiting[key] = entry
        if waiting is self._entries:
            self._push(key, entry, now)

    def discard(self, key: K) -> None:
        """Forget `key` unless it is handed out."""
        self._entries.pop(key, None)
        self._again.pop(key, None)

    async def get(self) -> K:
        """Take the most urgent key that is ready, waiting for one. Raises Closed."""
        while True:
            if self._closed:
                raise Closed
            if (key := self._pop()) is not None:
                return key
            taker = asyncio.get_running_loop().create_future()
            self._takers.append(taker)
            try:
                await taker
            except BaseException:
                if taker.done() and not taker.cancelled():
                    self._wake()
                raise

    def done(self, key: K) -> None:
        """Give `key` back; if it was added meanwhile it is queued again."""
        now = asyncio.get_running_loop().time()
        taken = self._running.pop(key)
        if self._metrics:
            self._metrics.done(now - taken)
        entry = self._again.pop(key, None)
        if entry is None or self._closed:
            return
        self._entries[key] = entry
        self._push(key, entry, now)

    def close(self) -> None:
        """Hand out nothing more; all waiting takers get Closed."""
        self._closed = True
        if self._timer:
            self._timer.cancel()
        self._entries.clear()
        self._again.clear()
        while self._takers:
            taker = self._takers.popleft()
            if not taker.done():
                taker.set_result(None)

    def _push(self, key: K, entry: _Entry, now: float) -> None:
        self._sequence += 1
        if entry.due > now:
            heapq.heappush(self._delayed, (entry.due, self._sequence, key, entry))
            self._arm(now)
            return
        rank = entry.due - entry.priority * self._ageing
        heapq.heappush(self._ready, (rank, self._sequence, key, entry))
        self._wake()

    def _pop(self) -> K | None:
        while self._ready:
            _, _, key, entry = heapq.heappop(self._ready)
            if self._entries.get(key) is not entry:
                continue
            del self._entries[key]
            self._take(key, entry)
            if self._ready:
                self._wake()
            return key
        return None

    def _take(self, key: K, entry: _Entry) -> None:
        now = self._running[key] = asyncio.get_running_loop().time()
        if self._metrics:
            self._metrics.taken(now - entry.due)

    def _ages(self) -> list[float]:
        now = asyncio.get_running_loop().time()
        return [now - taken for taken in self._running.values()]

    def _wake(self) -> None:
        while self._takers:
            taker = self._takers.popleft()
            if not taker.done():
                taker.set_result(None)
                return

    def _arm(self, now: float) -> None:
        while self._delayed and self._entries.get(self._delayed[0][2]) is not self._delayed[0][3]:
            heapq.heappop(self._delayed)
        if not self._delayed:
            return
        due = self._delayed[0][0]
        if self._timer and not self._timer.cancelled() and self._timer.when() <= due and self._timer.when() > now:
            return
        if self._timer:
            self._timer.cancel()
        self._timer = asyncio.get_running_loop().call_at(due, self._promote)

    def _promote(self) -> None:
        now = asyncio.get_running_loop().time()
        self._timer = None
        while self._delayed and self._delayed[0][0] <= now:
            _, _, key, entry = heapq.heappop(self._delayed)
            if self._entries.get(key) is entry:
                self._push(key, entry, now)
        self._arm(now)
