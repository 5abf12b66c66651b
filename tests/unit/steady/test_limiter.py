"""The limiter: a hot loop is slowed down and named."""

from __future__ import annotations

import asyncio
import logging

import pytest

from steady import errors
from steady.metrics import Metrics
from steady.writes import Limiter, LimiterConfig

pytestmark = pytest.mark.looptime


def hot(metrics: Metrics) -> float:
    """How often something was slowed down."""
    return metrics.registry.get_sample_value("steady_hot_objects_total") or 0.0


async def test_ordinary_work_is_not_limited() -> None:
    """A burst of twenty, and half a write a second for ever."""
    metrics = Metrics()
    limiter = Limiter(metrics)
    for _ in range(20):
        limiter.take("u", "writes", "widget a")
    for _ in range(500):
        await asyncio.sleep(2.0)
        limiter.take("u", "writes", "widget a")
    assert hot(metrics) == 0


async def test_a_hot_loop_is_stopped_and_named(caplog: pytest.LogCaptureFixture) -> None:
    """The error says when the next write may go; the log names object and part once a minute; a metric counts."""
    caplog.set_level(logging.WARNING, "steady.writes")
    metrics = Metrics()
    limiter = Limiter(metrics)
    written, longest = 0, 0.0
    loop = asyncio.get_running_loop()
    start = loop.time()
    while loop.time() - start < 600.0:
        try:
            limiter.take("u", "writes", "widget a")
            written += 1
        except errors.Throttled as error:
            longest = max(longest, error.retry_after)
            await asyncio.sleep(error.retry_after)
    assert 0.0 < longest <= 2.0
    assert 310 <= written <= 322
    assert hot(metrics) >= 290
    assert 9 <= len(caplog.records) <= 11
    assert "widget a: 20 writes in a row for no change of a spec; slowed down to 0.5 a second" in caplog.text


@pytest.mark.parametrize("pause", [0.1, 0.3, 0.7, 1.1, 1.3, 1.9])
async def test_who_waits_as_long_as_told_to_is_let_through(pause: float) -> None:
    """Also where a sum of fractions ends a little below one: to be told of no time at all would be a loop in itself."""
    limiter = Limiter(Metrics(), LimiterConfig(burst=1))
    told = 0
    for _ in range(1000):
        await asyncio.sleep(pause)
        try:
            limiter.take("u", "writes", "widget a")
        except errors.Throttled as error:
            told += 1
            await asyncio.sleep(error.retry_after)
            limiter.take("u", "writes", "widget a")
    assert told > 500


async def test_each_part_of_each_object_has_its_own_budget() -> None:
    """One hot object slows nobody else, and its finalizer can still go."""
    limiter = Limiter(Metrics(), LimiterConfig(burst=1))
    limiter.take("u", "writes", "widget a")
    with pytest.raises(errors.Throttled):
        limiter.take("u", "writes", "widget a")
    limiter.take("u", "finalizers", "widget a")
    limiter.take("v", "status", "widget b")


async def test_a_new_generation_explains_itself() -> None:
    """Whoever edits a spec a hundred times a second is no hot loop; an older generation explains nothing."""
    limiter = Limiter(Metrics(), LimiterConfig(burst=1))
    for generation in range(1, 1000):
        limiter.take("u", "writes", "widget a", generation)
    limiter.take("u", "writes", "widget a", 5)
    with pytest.raises(errors.Throttled):
        limiter.take("u", "writes", "widget a", 5)
