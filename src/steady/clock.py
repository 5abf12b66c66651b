"""Dates for objects. Durations never come from here: they come from the event loop's own clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Protocol


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
