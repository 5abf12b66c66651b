"""What one controller counts."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Final, Self

from steady.metrics.instruments import Histogram

if TYPE_CHECKING:
    from steady.metrics.families import Metrics

MAIN: Final = "main"
"""The phase that a whole reconcile is counted under."""

RESULTS: Final = ("success", "again", "error", "timeout")


class Timer:
    """Measures what happens within it, in seconds of the loop's clock, failures included."""

    __slots__ = ("_began", "_histogram")

    def __init__(self, histogram: Histogram) -> None:
        self._histogram = histogram
        self._began = 0.0

    def __enter__(self) -> Self:
        self._began = asyncio.get_running_loop().time()
        return self

    def __exit__(self, *exc: object) -> None:
        self._histogram.observe(asyncio.get_running_loop().time() - self._began)


class ControllerMetrics:
    """The counters of the controller called `name`; those that an alert divides by exist from the start, at 0."""

    __slots__ = ("_active", "_durations", "_families", "_name", "_results")

    def __init__(self, families: Metrics, name: str, concurrency: int) -> None:
        self._families = families
        self._name = name
        self._results = {result: families.reconciles(name, result) for result in RESULTS}
        self._durations = families.durations(name, MAIN)
        self._active = families.active(name)
        families.slots(name).set(concurrency)

    def started(self) -> None:
        """A reconcile begins."""
        self._active.inc()

    def finished(self, result: str, seconds: float) -> None:
        """A reconcile has ended after `seconds` with one of RESULTS."""
        self._active.dec()
        self._results[result].inc()
        self._durations.observe(seconds)

    def phase(self, name: str) -> Timer:
        """Times one phase of a reconcile."""
        return Timer(self._families.durations(self._name, name))

    def failed(self, error_type: str, category: str) -> None:
        """A reconcile met an error of `error_type` (a word of backoff) in `category`: where it happened."""
        self._families.errors(self._name, error_type, category).inc()

    def requeued(self, type_: str, strategy: str = "none") -> None:
        """A key will be looked at again: `type_` says why, `strategy` which backoff decided when."""
        self._families.requeues(self._name, type_, strategy).inc()

    def delayed(self, error_type: str, strategy: str, seconds: float) -> None:
        """Backoff asks for `seconds` of patience."""
        self._families.delays(self._name, error_type, strategy).observe(seconds)

    def retried(self, error_type: str, outcome: str, attempts: int) -> None:
        """A row of failures has ended after `attempts`, with `outcome`: success, parked, changed or gone."""
        self._families.retries(self._name, error_type, outcome).observe(attempts)

    def reset(self, resource: str) -> None:
        """A key's failures were forgotten."""
        self._families.resets(self._name, resource).inc()
