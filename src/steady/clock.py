"""Dates for objects. Durations never come from here: they come from the event loop's own clock."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Protocol

_units = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "μs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}
_term = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ns|us|µs|μs|ms|s|m|h)")


class Clock(Protocol):
    """Tells the date."""

    def now(self) -> datetime:
        """The present moment, with UTC as its zone."""
        ...


class SystemClock:
    """The machine's date."""

    def now(self) -> datetime:
        """The present moment, with UTC as its zone."""
        return datetime.now(UTC)


class ManualClock:
    """A date that moves only when told to, for tests."""

    def __init__(self, start: datetime | None = None) -> None:
        self._now = start or datetime(2026, 1, 1, tzinfo=UTC)

    def now(self) -> datetime:
        """The moment last set."""
        return self._now

    def advance(self, seconds: float) -> None:
        """Move the date on by `seconds`."""
        self._now += timedelta(seconds=seconds)


def timestamp(moment: datetime) -> str:
    """RFC 3339 with whole seconds, as `metav1.Time` is written."""
    return moment.astimezone(UTC).isoformat(timespec="seconds")[:19] + "Z"


def micro_timestamp(moment: datetime) -> str:
    """RFC 3339 with microseconds, as `metav1.MicroTime` is written."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_timestamp(text: str) -> datetime:
    """The moment that an RFC 3339 `text` names. Raises ValueError for anything else."""
    return datetime.fromisoformat(text)


def seconds(duration: str) -> float:
    """The seconds that a Go duration such as `1m30s` lasts. Raises ValueError naming what is wrong with it."""
    matches = list(_term.finditer(duration))
    if not matches or "".join(match[0] for match in matches) != duration:
        raise ValueError(f"{duration!r} is no duration: write numbers with units, such as 30s, 1m30s or 250ms")
    return sum(float(match[1]) * _units[match[2]] for match in matches)
