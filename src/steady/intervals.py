"""When to look again when nothing is wrong: often at what changes, rarely at what stays as it is."""

from __future__ import annotations

import random
from collections.abc import Hashable
from typing import Annotated, Generic, TypeVar

import msgspec
from msgspec import Meta

from steady.errors import ConfigurationError

LONGEST = 86_400.0
"""Seconds: nothing is looked at less often than once a day."""

K = TypeVar("K", bound=Hashable)


class Interval(msgspec.Struct, frozen=True):
    """How often to look, in seconds: soon after a change, ever later without one.

    `shortest` after a change; each time that nothing has changed the interval grows by `growth`, up to `longest`. The
    wait is drawn evenly from a share of it, `jitter`, that lies above it, or ends at `longest`: so it stays within
    both bounds, and what began at one moment does not come back at one. Raises ConfigurationError naming key, value
    and allowed range.
    """

    shortest: Annotated[float, Meta(gt=0, le=LONGEST, description="Seconds after something has changed.")]
    longest: Annotated[float, Meta(gt=0, le=LONGEST, description="Seconds when nothing changes for long.")]
    growth: Annotated[float, Meta(ge=1, le=1000, description="Factor each time that nothing has changed.")] = 2.0
    jitter: Annotated[float, Meta(ge=0, le=1, description="Share of an interval by which it differs by chance.")] = 0.1

    def __post_init__(self) -> None:
        if not 0.0 < self.longest <= LONGEST:
            raise _refused("longest", self.longest, f"more than 0 and at most {LONGEST:g} s")
        if not 0.0 < self.shortest <= self.longest:
            raise _refused("shortest", self.shortest, f"more than 0 and at most longest, {self.longest:g} s")
        if not 1.0 <= self.growth < float("inf"):
            raise _refused("growth", self.growth, "finite and at least 1")
        if not 0.0 <= self.jitter <= 1.0:
            raise _refused("jitter", self.jitter, "from 0 to 1")

    def after(self, last: float | None) -> float:
        """The interval that follows on `last`, without jitter; None: the first one, or something has changed."""
        if last is None:
            return self.shortest
        return min(max(last, self.shortest) * self.growth, self.longest)

    def drawn(self, seconds: float, rng: random.Random) -> float:
        """`seconds`, an interval, with jitter."""
        width = seconds * self.jitter
        least = max(self.shortest, min(seconds, self.longest - width))
        return min(rng.uniform(least, least + width), self.longest)


def every(seconds: float) -> Interval:
    """Look about every so many seconds, never later, whatever happens. Raises ConfigurationError."""
    return Interval(shortest=seconds * 0.9, longest=seconds, growth=1000.0)


class Intervals(Generic[K]):
    """The interval of each key, by what was observed: nothing is kept of keys that nobody asked about or that are gone.

    Every call takes the same time, however many keys there are.
    """

    def __init__(self, rng: random.Random | None = None) -> None:
        self._rng = rng or random.Random()
        self._last: dict[K, float | None] = {}

    def __len__(self) -> int:
        return len(self._last)

    def changed(self, key: K) -> None:
        """Something about `key` is not as it was when it was last looked at."""
        if key in self._last:
            self._last[key] = None

    def next(self, key: K, interval: Interval) -> float:
        """Seconds until `key` is to be looked at again, now that it was."""
        seconds = self._last[key] = interval.after(self._last.get(key))
        return interval.drawn(seconds, self._rng)

    def forget(self, key: K) -> None:
        """`key` is gone, or nobody looks at it any more."""
        self._last.pop(key, None)


def _refused(key: str, value: float, allowed: str) -> ConfigurationError:
    return ConfigurationError(f"interval: {key} is {value!r}; it must be {allowed}")
