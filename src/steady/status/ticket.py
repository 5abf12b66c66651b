"""The receipt for a submission."""

from __future__ import annotations

import asyncio
from enum import Enum, auto

import msgspec


class Outcome(Enum):
    """What became of a submitted status.

    LANDED: the cluster shows it. SUPERSEDED: a newer one took its place. GONE: its object no longer exists.
    FAILED: it was not written, or nobody knows; the ticket's `error` says why.
    """

    LANDED = auto()
    SUPERSEDED = auto()
    GONE = auto()
    FAILED = auto()


class Ticket(msgspec.Struct, eq=False):
    """Settles exactly once. Nothing retries a failed write: the ticket's holder asks backoff and submits again.

    `error` is set with FAILED: what the server or the way to it said, or TimeoutError when the batcher was stopped.
    """

    outcome: Outcome | None = None
    error: Exception | None = None
    _settled: asyncio.Event | None = None

    def settle(self, outcome: Outcome, error: Exception | None = None) -> None:
        """Say what became of it; only the first word counts."""
        if self.outcome is not None:
            return
        self.outcome, self.error = outcome, error
        if self._settled:
            self._settled.set()

    async def wait(self) -> Outcome:
        """What became of it."""
        while self.outcome is None:
            # Most tickets are never waited for, or are settled by then.
            self._settled = self._settled or asyncio.Event()
            await self._settled.wait()
        return self.outcome
