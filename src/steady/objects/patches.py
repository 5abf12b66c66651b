"""Patches as data: JSON patch (RFC 6902) and JSON merge patch (RFC 7386)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

JSON_PATCH = "application/json-patch+json"
MERGE_PATCH = "application/merge-patch+json"


class Operation(msgspec.Struct, frozen=True, omit_defaults=True):
    """One step of a JSON patch."""

    op: str
    path: str
    value: Any = msgspec.UNSET


def pointer(*parts: str) -> str:
    """A JSON pointer (RFC 6901) to `parts`."""
    return "".join("/" + part.replace("~", "~0").replace("/", "~1") for part in parts)


def test(path: str, value: object) -> Operation:
    """Fail the whole patch unless `path` holds `value`."""
    return Operation("test", path, value)


def add(path: str, value: object) -> Operation:
    """Set `path`, whether or not it exists."""
    return Operation("add", path, value)


def remove(path: str) -> Operation:
    """Remove `path`, which must exist."""
    return Operation("remove", path)


def encode(operations: Sequence[Operation]) -> bytes:
    """The body of a JSON patch request."""
    return msgspec.json.encode(operations)
