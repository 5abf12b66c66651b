"""What backoff says of one failure."""

from __future__ import annotations

from enum import StrEnum

import msgspec

from steady.backoff.config import BackoffStrategy, ErrorType


class Outcome(StrEnum):
    """What becomes of a key that failed."""

    RETRY = "retry"
    """It is tried again by its own count."""
    EARLY = "early"
    """It ran before its time (something woke it): not counted, its time stays."""
    SPENT = "spent"
    """Its retries are spent: it is tried again every `max_delay`."""
    PROBING = "probing"
    """Its retries are spent, and it tries for all that fail by the same cause."""
    PARKED = "parked"
    """Another key tries for it: it is woken when that succeeds, or when its own turn comes."""
    HELD = "held"
    """Only a change of its object, of the configuration or of the interpreter can help."""


class Wait(msgspec.Struct, frozen=True, gc=False):
    """How long a key waits, and why.

    `seconds` is None where only an event ends the wait; `next_try` is the same as a moment of the event loop's clock.
    `attempt` counts the failures of this `error_type` since the last success. With `low` it goes in the low lane,
    behind whatever else is to be done. `cause` is what it shares with others that wait (see `causes`).
    """

    outcome: Outcome
    error_type: ErrorType
    strategy: BackoffStrategy
    attempt: int
    seconds: float | None = None
    next_try: float | None = None
    low: bool = False
    cause: str = ""

    @property
    def held(self) -> bool:
        """Trying again is of no use: the object is stalled."""
        return self.outcome is Outcome.HELD


class Stats(msgspec.Struct, frozen=True):
    """Keys that are remembered at this moment, by the type of their last error, and those that wait for others.

    `causes` counts, for each cause that is being probed, the keys that wait for its cure, the probing one included.
    `held` wait for a change; `resets` counts successes that had something to reset.
    """

    keys: int
    by_type: dict[ErrorType, int]
    causes: dict[str, int]
    held: int
    resets: int
