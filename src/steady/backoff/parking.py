"""Keys that wait for one another: for the cure of a cause that they share, or for a change of what they are made of."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import NamedTuple, TypeAlias

from steady.backoff.entry import Entry

Release: TypeAlias = Callable[[float], None]
"""Told how many seconds from now a key that waited is to be tried again; it must not call backoff."""

NEVER = math.inf


class _Member(NamedTuple):
    entry: Entry
    release: Release


class Group:
    """Keys in the order of their turns; `cause` is what they wait for, `interval` the seconds between two tries.

    Invariant: the first one probes at its deadline, the others have none.
    """

    __slots__ = ("cause", "interval", "members")

    def __init__(self, cause: str = "", interval: float = 0.0) -> None:
        self.cause = cause
        self.interval = interval
        self.members: OrderedDict[Hashable, _Member] = OrderedDict()

    def __len__(self) -> int:
        return len(self.members)

    @property
    def first(self) -> Hashable:
        """Whose turn it is."""
        return next(iter(self.members))

    def turn(self, now: float, due: float) -> None:
        """The first one has had its turn: the next one tries at `due`."""
        key = self.first
        self.members[key].entry.deadline = NEVER
        self.members.move_to_end(key)
        self.appoint(now, due)

    def appoint(self, now: float, due: float) -> None:
        """The first one tries at `due`, or after an interval where that has passed."""
        if due <= now:
            due = now + self.interval
        member = self.members[self.first]
        member.entry.deadline = due
        member.release(due - now)

    def release(self, now: float) -> None:
        """All may try at once."""
        members = list(self.members.values())
        self.members.clear()
        for member in members:
            member.entry.group, member.entry.deadline = None, now
        for member in members:
            member.release(0.0)


class Parking:
    """All groups: one for every cause that is being probed, and those that are `held` until something changes."""

    def __init__(self) -> None:
        self.causes: dict[str, Group] = {}
        self.held = Group()

    def hold(self, key: Hashable, entry: Entry, release: Release, now: float) -> None:
        """Put `key` among the held ones."""
        if entry.group is not self.held:
            self.leave(key, entry, now)
            entry.group = self.held
        entry.deadline = NEVER
        self.held.members[key] = _Member(entry, release)

    def join(self, wanted: Group, key: Hashable, entry: Entry, release: Release, now: float) -> Group:
        """Put `key` among those that wait for the same cause as `wanted`, at the end unless it is there already."""
        group = entry.group
        if group is None or group.cause != wanted.cause:
            self.leave(key, entry, now)
            group = entry.group = self.causes.setdefault(wanted.cause, wanted)
            if group:
                entry.deadline = NEVER
        group.interval = wanted.interval
        group.members[key] = _Member(entry, release)
        return group

    def leave(self, key: Hashable, entry: Entry, now: float) -> None:
        """Take `key` from where it waits, if it does; another takes its turn. It may not count before the next try."""
        group = entry.group
        if group is None:
            return
        first = group.first
        due = now if group is self.held else group.members[first].entry.deadline
        del group.members[key]
        entry.group, entry.deadline = None, due
        if group is self.held or first != key:
            return
        if group:
            group.appoint(now, due)
        else:
            del self.causes[group.cause]

    def cured(self, key: Hashable, group: Group, now: float) -> None:
        """`key` of `group` has succeeded: so may all that wait for the same cause."""
        del group.members[key]
        if group is not self.held:
            del self.causes[group.cause]
            group.release(now)
