"""What may leave now, in fair order.

Invariants
- CRITICAL goes first, then HIGH, MEDIUM and LOW; within one priority the kind goes first that has the fewest writes in
  flight (the one that waits longest, where they are equal), and within a kind whoever came first.
- Nothing starves: while something of a lower priority has been ready for longer than `ageing`, every fourth departure
  is from its lane. It goes ahead of a CRITICAL one only in an unbroken row of CRITICAL ones.
"""

from __future__ import annotations

from collections import OrderedDict

from steady.queue import Priority
from steady.status.pending import Line, Pending, Share

_DOWN = sorted(Priority, reverse=True)
_TURNS = 3  # departures in a row that may pass what has aged


class Lanes:
    """A lane per priority, in each a line per kind. `ageing` is in seconds."""

    def __init__(self, ageing: float) -> None:
        self._ageing = ageing
        self._lanes: list[dict[Share, Line]] = [{} for _ in Priority]
        self._sizes = [0 for _ in Priority]
        self._size = 0
        self._turns = sorted(Priority)  # whose turn comes first among lanes that have aged
        self._passed = 0  # departures in a row that passed something of a lower priority
        self._row = 0  # CRITICAL ones among them without any other between

    def __len__(self) -> int:
        return self._size

    @property
    def urgent(self) -> bool:
        """Whether something CRITICAL is here."""
        return self._sizes[Priority.CRITICAL] > 0

    def add(self, pending: Pending) -> None:
        """Let `pending` leave when it is its turn."""
        lane = self._lanes[pending.priority]
        line = lane.get(pending.share)
        if line is None:
            line = lane[pending.share] = OrderedDict()
        line[pending.uid] = pending
        self._sizes[pending.priority] += 1
        self._size += 1

    def remove(self, pending: Pending) -> None:
        """Let it not leave."""
        lane = self._lanes[pending.priority]
        line = lane[pending.share]
        del line[pending.uid]
        if not line:
            del lane[pending.share]
        self._sizes[pending.priority] -= 1
        self._size -= 1

    def take(self, now: float, *, urgent: bool = False) -> Pending | None:
        """Whose turn it is at `now`, if anybody's; with `urgent` only what is CRITICAL."""
        priority = Priority.CRITICAL if urgent else self._next(now)
        lane = self._lanes[priority]
        if not lane:
            return None
        share = min(lane, key=_flying)
        line = lane.pop(share)
        _, pending = line.popitem(last=False)
        if line:
            lane[share] = line  # behind the others
        self._sizes[priority] -= 1
        self._size -= 1
        return pending

    def _next(self, now: float) -> Priority:
        top = next(priority for priority in _DOWN if self._sizes[priority] or not priority)
        if self._size == self._sizes[top]:
            self._passed = self._row = 0
            return top
        critical = top is Priority.CRITICAL
        if (self._row if critical else self._passed) >= _TURNS and (aged := self._aged(top, now)) is not None:
            self._passed = self._row = 0
            return aged
        self._passed += 1
        self._row = self._row + 1 if critical else 0
        return top

    def _aged(self, top: Priority, now: float) -> Priority | None:
        for priority in self._turns:
            lines = self._lanes[priority].values() if priority < top else ()
            if any(now - next(iter(line.values())).ready > self._ageing for line in lines):
                self._turns.remove(priority)
                self._turns.append(priority)
                return priority
        return None


def _flying(share: Share) -> int:
    return share.flying
