"""Time and memory of one benchmark, in this process.

Time is the CPU time of the process, which a busy machine disturbs least: nothing here waits for anybody else. The
garbage collector is off while it is taken.
"""

from __future__ import annotations

import gc
import statistics
import time
import tracemalloc
from collections.abc import Iterator, Sequence
from contextlib import AsyncExitStack, contextmanager
from typing import Final

import msgspec

from bench.micro.case import FEW, MANY, Case, Prepare, Step

REPEATS: Final = 15
_LEAST_SECONDS: Final = 0.02
"""A repeat does the operation so often that it lasts that long."""


class Time(msgspec.Struct, frozen=True):
    """Microseconds per operation, of several repeats."""

    least: float
    median: float


class Memory(msgspec.Struct, frozen=True):
    """Bytes of Python's own memory: the most that one operation needs at a time, and what one leaves behind."""

    peak: float
    kept: float


def yardstick() -> float:
    """Nanoseconds of one turn of an empty loop: how fast Python is here and now, with what else the machine does."""
    turns = 100_000
    rows = []
    for _ in range(REPEATS):
        began = time.process_time_ns()
        for _ in range(turns):
            pass
        rows.append((time.process_time_ns() - began) / turns)
    return min(rows)


async def time_of(case: Case, repeats: int = REPEATS) -> Time:
    """What `case` takes."""
    (row,) = await together([case.prepare], [FEW], repeats)
    return Time(min(row) / case.unit, statistics.median(row) / case.unit)


async def growth_of(case: Case, repeats: int = REPEATS) -> float:
    """How many times as long it takes with MANY keys as with FEW."""
    few, many = await together([case.prepare, case.prepare], [FEW, MANY], repeats)
    return min(many) / min(few)


async def memory_of(case: Case) -> Memory:
    """What `case` needs."""
    async with case.prepare(FEW) as step:
        await _rested(step, 3)
        with _traced():
            await _rested(step, 3)
            tracemalloc.reset_peak()
            before, _ = tracemalloc.get_traced_memory()
            await step.run(1)
            after, peak = tracemalloc.get_traced_memory()
    return Memory((peak - before) / case.unit, (after - before) / case.unit)


async def together(prepares: Sequence[Prepare], keys: Sequence[int], repeats: int = REPEATS) -> list[list[float]]:
    """Microseconds per operation of each repeat; the repeats alternate, so that noise meets all of them alike."""
    async with AsyncExitStack() as stack:
        steps = [
            await stack.enter_async_context(prepare(number)) for prepare, number in zip(prepares, keys, strict=True)
        ]
        times = [await _calibrated(step) for step in steps]
        rows: list[list[float]] = [[] for _ in steps]
        with _uncollected():
            for _ in range(repeats):
                for step, often, row in zip(steps, times, rows, strict=True):
                    row.append(await _seconds(step, often) / often * 1e6)
                    gc.collect()
    return rows


async def _calibrated(step: Step) -> int:
    """How often the operation is to be done in a repeat; it is warm then."""
    times = 1
    while await _seconds(step, times) < _LEAST_SECONDS:
        times *= 2
    return times


async def _seconds(step: Step, times: int) -> float:
    began = time.process_time()
    await step.run(times)
    seconds = time.process_time() - began
    if step.rest:
        await step.rest()
    return seconds


async def _rested(step: Step, times: int) -> None:
    await step.run(times)
    if step.rest:
        await step.rest()


@contextmanager
def _uncollected() -> Iterator[None]:
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
        gc.unfreeze()


@contextmanager
def _traced() -> Iterator[None]:
    tracemalloc.start()
    try:
        yield
    finally:
        tracemalloc.stop()
