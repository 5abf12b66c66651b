"""What the status batcher itself costs, without the write: `python -m bench.status`.

Microseconds of CPU per status change, best of several rounds. `submit` is the submission alone, of objects that wait
(MEDIUM); `replace` and `compose` submit a complete and a partial status for objects that wait already; `change` is all
of it, from the submission (HIGH) until the ticket is settled.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections.abc import Callable
from typing import Any, cast

from examples.echo import Echo, EchoStatus
from steady import Priority, Reason
from steady.cache import Store
from steady.clock import SystemClock
from steady.objects.conditions import true
from steady.objects.meta import ObjectMeta
from steady.objects.raw import RawObject
from steady.status import BatchConfig, StatusBatcher, Ticket, Update
from steady.writes import Writes

ROUNDS = 5
SIZES = (100, 1_000, 10_000, 100_000)


class _Nowhere:
    """Takes every status and sends none."""

    async def status(self, *_: Any, **__: Any) -> int:
        """Answer at once."""
        return 0


def store_of(size: int) -> Store:
    """A store of that many echoes."""
    store = Store(Echo.declaration.resource)
    store.replace(
        (
            RawObject("example.com/v1", "Echo", ObjectMeta(f"echo-{n}", "default", f"uid-{n}", str(n), 1))
            for n in range(size)
        ),
        str(size),
    )
    return store


class Bench:
    """A batcher on `store`."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.objects = list(store)
        self.statuses = [EchoStatus(1, (true("Ready", "Fine"),), f"hello {n}") for n in range(len(self.objects))]
        config = BatchConfig(max_batch_size=1_000_000, max_queue_size=1_000_000)
        self.batcher = StatusBatcher(cast(Writes, _Nowhere()), SystemClock(), config=config, grace=600.0)

    def submit(self, priority: Priority) -> list[Ticket]:
        """A status for every object."""
        return [
            self.batcher.submit(self.store, obj, status, priority, Reason.STATUS)
            for obj, status in zip(self.objects, self.statuses, strict=True)
        ]

    def update(self) -> list[Ticket]:
        """A partial update for every object."""
        part = Update({"said": "hi"}, (true("Ready", "Fine"),))
        return [self.batcher.queue_update(self.store, obj, part, Priority.MEDIUM) for obj in self.objects]

    async def seconds(self) -> dict[str, float]:
        """The seconds of each part."""
        async with self.batcher:
            found = {
                "submit": _timed(lambda: self.submit(Priority.MEDIUM)),
                "replace": _timed(lambda: self.submit(Priority.MEDIUM)),
                "compose": _timed(self.update),
            }
            await self.batcher.drain(600.0)
            began = time.process_time()
            self.submit(Priority.HIGH)
            await self.batcher.drain(600.0)
            found["change"] = time.process_time() - began
        return found


def _timed(work: Callable[[], object]) -> float:
    began = time.process_time()
    work()
    return time.process_time() - began


def main() -> None:
    """Print a line per number of objects."""
    parts = ("submit", "replace", "compose", "change")
    print("objects".rjust(8), *(part.rjust(8) for part in parts), "  µs of CPU per status")
    for size in SIZES:
        store = store_of(size)
        gc.freeze()
        repeats = ROUNDS * max(1, 2_000 // size)
        found = [asyncio.run(Bench(store).seconds()) for _ in range(repeats)]
        best = {part: min(run[part] for run in found) / size * 1e6 for part in parts}
        print(f"{size:8,}", *(f"{best[part]:8.2f}" for part in parts))


if __name__ == "__main__":
    main()
