"""Benchmarks of the status batcher; what is written goes nowhere."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import cycle, islice
from typing import Any, cast

from bench.micro.case import Prepared, Step
from bench.micro.house import echoes
from examples.echo import Echo, EchoStatus
from steady import Priority, Reason
from steady.cache import Store
from steady.clock import SystemClock, timestamp
from steady.objects.conditions import false, true
from steady.objects.patches import add, encode, test
from steady.objects.raw import EMPTY, RawObject
from steady.status import BatchConfig, StatusBatcher, Update
from steady.status.composition import composed, known
from steady.writes import Writes

_TASKS = 10
_MOST = 1_000_000
_DRAIN = 600.0
_FLOCK = 100  # statuses that are on their way together


class _Nowhere:
    """Takes every status and sends none."""

    async def status(self, *_: Any, **__: Any) -> int:
        """Answer at once."""
        return 0


class _Desk:
    """A batcher on a store of echoes, and their statuses in turn."""

    def __init__(self, keys: int) -> None:
        self.store = Store(Echo.declaration.resource)
        self.store.replace(echoes(keys), "1")
        config = BatchConfig(max_batch_size=_MOST, max_queue_size=_MOST)
        self.batcher = StatusBatcher(cast(Writes, _Nowhere()), SystemClock(), config=config, grace=_DRAIN)
        self._rows = cycle([(obj, _status(number)) for number, obj in enumerate(self.store)])

    def rows(self, times: int) -> islice[tuple[RawObject, EchoStatus]]:
        """So many objects with a status each."""
        return islice(self._rows, times)

    async def clear(self) -> None:
        """Let everything leave."""
        await self.batcher.drain(_DRAIN)


def _status(number: int) -> EchoStatus:
    return EchoStatus(1, (true("Ready", "Fine"),), f"hello {number}")


@asynccontextmanager
async def _desk(keys: int) -> AsyncIterator[_Desk]:
    desk = _Desk(keys)
    async with desk.batcher:
        yield desk


@asynccontextmanager
async def submit(keys: int) -> Prepared:
    """A complete status is submitted; it waits, or takes the place of one that does."""
    async with _desk(keys) as desk:

        async def run(times: int) -> None:
            for obj, status in desk.rows(times):
                desk.batcher.submit(desk.store, obj, status, Priority.MEDIUM, Reason.STATUS)

        yield Step(run, desk.clear)


@asynccontextmanager
async def queue_update(keys: int) -> Prepared:
    """A partial status is queued; it waits, or goes on top of one that does."""
    update = Update({"said": "hi"}, (true("Ready", "Fine"),))
    async with _desk(keys) as desk:

        async def run(times: int) -> None:
            for obj, _ in desk.rows(times):
                desk.batcher.queue_update(desk.store, obj, update)

        yield Step(run, desk.clear)


@asynccontextmanager
async def queue_update_concurrent(keys: int) -> Prepared:
    """The same by ten tasks in turn."""
    update = Update({"said": "hi"}, (true("Ready", "Fine"),))
    async with _desk(keys) as desk:

        async def some(times: int) -> None:
            for number, (obj, _) in enumerate(desk.rows(times)):
                desk.batcher.queue_update(desk.store, obj, update)
                if not number % 8:
                    await asyncio.sleep(0)

        async def run(times: int) -> None:
            await asyncio.gather(*(some(-(-times // _TASKS)) for _ in range(_TASKS)))

        yield Step(run, desk.clear)


@asynccontextmanager
async def change(keys: int) -> Prepared:
    """A status from its submission until its ticket is settled: composed, compared, encoded, handed to the writer."""
    async with _desk(keys) as desk:

        async def run(times: int) -> None:
            while times > 0:
                some = min(times, _FLOCK)
                for obj, status in desk.rows(some):
                    desk.batcher.submit(desk.store, obj, status, Priority.HIGH, Reason.STATUS)
                await desk.clear()
                times -= some

        yield Step(run)


@asynccontextmanager
async def encoded(_: int) -> Prepared:
    """A status against the one that is shown, to the body of its request."""
    shown = composed(_status(1), None, EMPTY, known(EMPTY), 1, "2026-01-01T00:00:00Z")
    status = EchoStatus(2, (false("Ready", "Progressing"), true("Reconciling", "Progressing")), "hello")
    clock = SystemClock()

    async def run(times: int) -> None:
        for _ in range(times):
            raw = composed(status, None, shown, known(shown), 2, timestamp(clock.now()))
            encode([test("/metadata/uid", "uid-0"), add("/status", raw)])

    yield Step(run)
