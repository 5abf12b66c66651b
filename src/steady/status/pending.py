"""One object's status on its way out, and one kind's share of the batcher."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from enum import StrEnum
from typing import NamedTuple

import msgspec

from steady.cache.store import Store
from steady.objects.raw import RawObject
from steady.objects.view import Status
from steady.queue import Priority
from steady.reasons import Reason
from steady.status.composition import Update
from steady.status.statistics import Flush, Tally
from steady.status.ticket import Outcome, Ticket
from steady.trace import Trace

NEVER = float("inf")  # a moment that does not come

Line = OrderedDict[str, "Pending"]


class Why(StrEnum):
    """Why a pending status has not left."""

    TIME = "its time has not come"
    SENDING = "it is being sent"
    WRITE = "the object's last write has no answer yet"
    TURN = "others go first, or the server answers too slowly for more at a time"
    PAUSE = "the server asked to wait (Retry-After)"
    RATE = "writes_per_second allows no more"


class Waiting(NamedTuple):
    """A pending status. `since` and `leaves_by` are moments of the event loop's clock, in seconds.

    At `leaves_by` at the latest it stops waiting for others and leaves with the next turn that is free.
    """

    priority: Priority
    since: float
    leaves_by: float
    why: Why


class Pending(msgspec.Struct, eq=False):
    """What is to be sent for one object: `complete`, or else what is shown, with `update` on top.

    `ready` is since when nothing but its turn is missing; `line` is where it waits for its time until then; `latest` is
    the latest generation at which a part of it was observed; `trace` is the reconcile that had the last word.
    """

    share: Share
    obj: RawObject
    uid: str
    since: float
    priority: Priority = Priority.LOW
    reason: Reason = Reason.STATUS
    due: float = NEVER
    ready: float = NEVER
    line: Line | None = None
    flush: Flush | None = None
    complete: Status | None = None
    ticket: Ticket | None = None
    update: Update | None = None
    updates: list[Ticket] = []
    latest: int = 0
    trace: Trace | None = None

    @property
    def tickets(self) -> int:
        """How many submissions have a part in it."""
        return (self.ticket is not None) + len(self.updates)

    def replace(self, status: Status, ticket: Ticket) -> None:
        """Make `status` all that is to be sent."""
        self.complete, self.ticket, self.update, self.updates = status, ticket, None, []
        self.latest = status.observed_generation

    def compose(self, update: Update, ticket: Ticket, generation: int) -> None:
        """Put `update`, of an object of that generation, on top of what is to be sent."""
        self.update = self.update.then(update) if self.update else update
        # Also of one that names no condition: a removal has a time as well.
        self.latest = max(self.latest, update.latest, generation)
        self.updates.append(ticket)

    def give_way(self) -> None:
        """The cluster shows a later complete status: what is left is the update."""
        if self.ticket:
            self.ticket.settle(Outcome.SUPERSEDED)
        self.complete = self.ticket = None

    def settle(self, outcome: Outcome, error: Exception | None = None) -> None:
        """Tell everybody who has a part in it."""
        if self.ticket:
            self.ticket.settle(outcome, error)
        for ticket in self.updates:
            ticket.settle(outcome, error)


class Share:
    """One store's part: what waits for its time, and room for more.

    `medium` and `low` are in the order of their moments, for all of a line wait equally long. `flushes` are by priority
    those that others may still join.
    """

    __slots__ = ("flushes", "flying", "kind", "low", "medium", "pending", "room", "store", "tally")

    def __init__(self, store: Store, kind: str, tally: Tally) -> None:
        self.store = store
        self.kind = kind
        self.tally = tally
        self.medium: Line = OrderedDict()
        self.low: Line = OrderedDict()
        self.flushes: list[Flush | None] = [None for _ in Priority]
        self.flying = 0
        self.pending = 0
        self.room = asyncio.Event()

    @property
    def due(self) -> float:
        """When the first one's time has come; infinity when none waits for its time."""
        heads = [next(iter(line.values())).due for line in (self.medium, self.low) if line]
        return min(heads, default=NEVER)

    def leave(self, flush: Flush) -> None:
        """The first of `flush` leaves: what becomes ready from now on is of another one."""
        if self.flushes[flush.priority] is flush:
            self.flushes[flush.priority] = None

    def ripe(self, moment: float) -> list[Pending]:
        """Take those out whose time has come at `moment`."""
        taken = []
        for line in (self.medium, self.low):
            while line and next(iter(line.values())).due <= moment:
                taken.append(line.popitem(last=False)[1])
        return taken
