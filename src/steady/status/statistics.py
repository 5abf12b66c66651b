"""What a batcher has done, for whoever shows it."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from steady.queue import Priority
from steady.status.ticket import Outcome


class Batch(NamedTuple):
    """`size` statuses of one kind that were ready together, and the seconds until the last of them was settled."""

    kind: str
    priority: Priority
    size: int
    seconds: float


class Tally:
    """Counts of one kind's submissions by priority: `queued[HIGH]`, `settled[FAILED][HIGH]`.

    `queued` counts by the priority of the submission, the others by the one that it left with. `dropped` are those of
    the failed ones that a stop kept from being sent. `pending` is the number of objects that wait now. All that was
    queued is settled, part of what is pending, or on its way.
    """

    __slots__ = ("dropped", "pending", "queued", "settled")

    def __init__(self) -> None:
        self.pending = 0
        self.queued = [0] * len(Priority)
        self.settled = {outcome: [0] * len(Priority) for outcome in Outcome}
        self.dropped = [0] * len(Priority)

    @property
    def failed(self) -> list[int]:
        """Those that did not land."""
        return self.settled[Outcome.FAILED]


class Flush:
    """Statuses that are ready together, from the first that became so until all are settled; then `observe` is told.

    Others join until the first one leaves.
    """

    __slots__ = ("_began", "_kind", "_left", "_observe", "_size", "priority")

    def __init__(self, kind: str, priority: Priority, began: float, observe: Callable[[Batch], None]) -> None:
        self._kind = kind
        self.priority = priority
        self._began = began
        self._observe = observe
        self._size = self._left = 0

    def join(self) -> None:
        """One more status leaves with this flush."""
        self._size += 1
        self._left += 1

    def settle(self, now: float) -> None:
        """One of its statuses is settled."""
        self._left -= 1
        if not self._left:
            self._observe(Batch(self._kind, self.priority, self._size, now - self._began))
