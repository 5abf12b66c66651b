"""Benchmarks of metrics."""

from __future__ import annotations

from contextlib import asynccontextmanager

from bench.micro.case import Prepared, Step
from steady.metrics import Metrics


@asynccontextmanager
async def result(_: int) -> Prepared:
    """A reconcile begins and ends: two changes of a gauge, a counter, a histogram."""
    counters = Metrics().controller("networkintent")

    async def run(times: int) -> None:
        for _ in range(times):
            counters.started()
            counters.finished("success", 0.01)

    yield Step(run)


@asynccontextmanager
async def delay(_: int) -> Prepared:
    """One observation of a histogram with three labels."""
    counters = Metrics().controller("networkintent")

    async def run(times: int) -> None:
        for _ in range(times):
            counters.delayed("transient", "exponential", 2.0)

    yield Step(run)


@asynccontextmanager
async def timer(_: int) -> Prepared:
    """A timer is made, entered and left."""
    counters = Metrics().controller("networkintent")

    async def run(times: int) -> None:
        for _ in range(times):
            with counters.phase("render"):
                pass

    yield Step(run)
