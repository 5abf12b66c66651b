"""Events under two names: stored as the core group's `Event`, shown as `events.k8s.io/v1` where asked for."""

from __future__ import annotations

from steady.apiserver.exchange import Json

_RENAMED = {
    "involvedObject": "regarding",
    "message": "note",
    "source": "deprecatedSource",
    "firstTimestamp": "deprecatedFirstTimestamp",
    "lastTimestamp": "deprecatedLastTimestamp",
    "count": "deprecatedCount",
    "reportingComponent": "reportingController",
}
_BACK = {new: old for old, new in _RENAMED.items()}


def to_new(data: Json) -> Json:
    """A core Event as `events.k8s.io/v1` shows it."""
    return {_RENAMED.get(field, field): value for field, value in data.items()} | {"apiVersion": "events.k8s.io/v1"}


def to_core(data: Json) -> Json:
    """An Event of `events.k8s.io/v1` as it is stored."""
    return {_BACK.get(field, field): value for field, value in data.items()} | {"apiVersion": "v1"}
