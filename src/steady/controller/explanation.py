"""Why one object is as it is: its reconciles, its place in the queue, its backoff, its status on the way."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import Literal

import msgspec

from steady.clock import timestamp


class Reconcile(msgspec.Struct, frozen=True):
    """One that has ended (`at` is RFC 3339). `id` is the one of log lines, events, commits and the audit log."""

    id: str
    cause: str
    result: str
    at: str
    seconds: float
    error: str = ""


class Queued(msgspec.Struct, frozen=True):
    """Where the key is: `position` keys go first where it is ready; `seconds` until it is where it is delayed."""

    state: Literal["idle", "ready", "delayed", "running"]
    priority: str = ""
    position: int = 0
    seconds: float = 0.0


class Delayed(msgspec.Struct, frozen=True):
    """What backoff says: see `steady.backoff.Wait`. `seconds` until the next try, None where only an event ends it."""

    outcome: str
    error_type: str
    strategy: str
    attempt: int
    seconds: float | None
    cause: str = ""


class Unsent(msgspec.Struct, frozen=True):
    """A status that has not landed: since `waited` seconds, leaving in `seconds` at the latest, and `why`."""

    priority: str
    waited: float
    seconds: float
    why: str


class Explanation(msgspec.Struct, frozen=True):
    """All of it. `requests` are those that the object's reconciles have cost in this process, by reason."""

    controller: str
    namespace: str
    name: str
    exists: bool
    queue: Queued
    reconciles: int = 0
    requests: dict[str, int] = {}
    last: Reconcile | None = None
    backoff: Delayed | None = None
    status: Unsent | None = None


class Past:
    """What is remembered of one object's reconciles, about 500 bytes.

    `ended` is a moment of the loop's clock, `spent` counts requests by reason.
    """

    __slots__ = ("cause", "count", "ended", "error", "reconcile", "result", "seconds", "spent")

    def __init__(self) -> None:
        self.count = 0
        self.reconcile = self.cause = self.result = self.error = ""
        self.ended = self.seconds = 0.0
        self.spent: Counter[str] = Counter()

    def last(self, now: datetime, moment: float) -> Reconcile | None:
        """The last reconcile, where `moment` of the loop's clock is `now`."""
        if not self.count:
            return None
        at = timestamp(now - timedelta(seconds=moment - self.ended))
        return Reconcile(self.reconcile, self.cause, self.result, at, self.seconds, self.error)
