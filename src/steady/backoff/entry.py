"""What is remembered of one key."""

from __future__ import annotations

from typing import TYPE_CHECKING

from steady.backoff.config import ErrorType

if TYPE_CHECKING:
    from steady.backoff.parking import Group


class Entry:
    """The type of the last error, and the count and the deadline of every type.

    A failure before `deadline` does not count. `group` is where the key waits for others.
    """

    __slots__ = ("attempts", "deadline", "error_type", "group", "others")

    def __init__(self, error_type: ErrorType) -> None:
        self.error_type = error_type
        self.attempts = 0
        self.deadline = 0.0
        self.group: Group | None = None
        self.others: dict[ErrorType, tuple[int, float]] | None = None

    def turn(self, error_type: ErrorType) -> None:
        """Another type of error: its own count goes on, this one's rests."""
        others = self.others or {}
        others[self.error_type] = (self.attempts, self.deadline)
        self.attempts, self.deadline = others.pop(error_type, (0, 0.0))
        self.error_type, self.others = error_type, others

    def pending(self) -> float:
        """The moment until which a delay is pending, of whatever type."""
        others = self.others.values() if self.others else ()
        return max((self.deadline, *(deadline for _, deadline in others)))
