"""What counts: a counter, a gauge and a histogram, each one series of labels.

A reconcile counts some fifteen times. The library's own instruments lock for every one and would be a tenth of the
runtime's part of a reconcile; these are used from the event loop's thread alone, scrapes included.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import accumulate
from typing import Final, Protocol, TypeAlias

Point: TypeAlias = tuple[str, Mapping[str, str], float]
"""One line of a series: what follows the family's name, labels beside its own, and the value."""

_NONE: Final[Mapping[str, str]] = {}


class Instrument(Protocol):
    """One series."""

    def points(self) -> Iterator[Point]:
        """Its lines at this moment."""
        ...


class Counter:
    """Only ever grows."""

    __slots__ = ("_value",)

    def __init__(self) -> None:
        self._value = 0.0

    def inc(self, amount: float = 1.0) -> None:
        """Count `amount`, which is not negative."""
        self._value += amount

    def points(self) -> Iterator[Point]:
        """Its line at this moment."""
        yield "_total", _NONE, self._value


class Gauge:
    """Goes up and down, or is read from a function."""

    __slots__ = ("_function", "_value")

    def __init__(self) -> None:
        self._value = 0.0
        self._function: Callable[[], float] | None = None

    def inc(self, amount: float = 1.0) -> None:
        """Add `amount`."""
        self._value += amount

    def dec(self, amount: float = 1.0) -> None:
        """Take `amount` off."""
        self._value -= amount

    def set(self, value: float) -> None:
        """Make it `value`."""
        self._value = float(value)

    def set_function(self, function: Callable[[], float]) -> None:
        """Ask `function` when scraped."""
        self._function = function

    def points(self) -> Iterator[Point]:
        """Its line at this moment."""
        yield "", _NONE, float(self._function()) if self._function else self._value


class Histogram:
    """Counts values by `bounds`, which ascend; what is above all of them has a bucket of its own."""

    __slots__ = ("_bounds", "_counts", "_sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self._bounds = bounds
        self._counts = [0] * (len(bounds) + 1)
        self._sum = 0.0

    def observe(self, value: float) -> None:
        """Count `value`; a bound belongs to the bucket below it."""
        self._counts[bisect_left(self._bounds, value)] += 1
        self._sum += value

    def points(self) -> Iterator[Point]:
        """Its lines at this moment."""
        total = 0
        for bound, total in zip((*map(float, self._bounds), "+Inf"), accumulate(self._counts), strict=True):
            yield "_bucket", {"le": str(bound)}, float(total)
        yield "_count", _NONE, float(total)
        yield "_sum", _NONE, self._sum
