"""Why a request was made: a closed list, so that every request can be counted by its cause."""

from __future__ import annotations

from enum import StrEnum


class Reason(StrEnum):
    """The cause of one request to the API server. Every request names one; mypy is the guard."""

    LIST = "list"
    WATCH = "watch"
    FINALIZER = "finalizer"
    STATUS = "status"
    PROGRESS = "progress"
    CHILD = "child"
    EVENT = "event"
    LEASE = "lease"
    DISCOVERY = "discovery"
    CONFLICT = "conflict"
    FRESHNESS = "freshness"


class Avoided(StrEnum):
    """Why a request was not made."""

    UNCHANGED = "unchanged"
    SUPERSEDED = "superseded"
    MERGED = "merged"
    GONE = "gone"
