"""Tables (`meta.k8s.io/v1`): what `kubectl get` prints."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from steady.apiserver import jsonpath
from steady.apiserver.exchange import Json
from steady.apiserver.kinds import Column, Kind
from steady.clock import parse_timestamp

_NAME = {
    "name": "Name",
    "type": "string",
    "format": "name",
    "description": "Name must be unique within a namespace.",
    "priority": 0,
}

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_YEAR = 365 * _DAY
_UNITS = {1: "s", _MINUTE: "m", _HOUR: "h", _DAY: "d", _YEAR: "y"}
_AGES = (
    (2 * _MINUTE, 1, 0),
    (10 * _MINUTE, _MINUTE, 1),
    (3 * _HOUR, _MINUTE, 0),
    (8 * _HOUR, _HOUR, _MINUTE),
    (2 * _DAY, _HOUR, 0),
    (8 * _DAY, _DAY, _HOUR),
    (2 * _YEAR, _DAY, 0),
    (8 * _YEAR, _YEAR, _DAY),
)
"""Below how many seconds an age is told in which unit, and with which smaller one."""


def table(
    kind: Kind, objects: Sequence[Json], row_object: Callable[[Json], Json] | None, metadata: Json | None = None
) -> Json:
    """`objects` as a table; `row_object` makes what each row carries along, None leaves that null."""
    columns = [_NAME] if _named(kind) else []
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata or {"resourceVersion": objects[0]["metadata"]["resourceVersion"]},
        "columnDefinitions": [*columns, *(_definition(column) for column in kind.columns)],
        "rows": [_row(kind, data, row_object) for data in objects],
    }


def _definition(column: Column) -> Json:
    return {
        "name": column.name,
        "type": column.type,
        "format": column.format,
        "description": column.description or f"Custom resource definition column (in JSONPath format): {column.path}",
        "priority": column.priority,
    }


def _named(kind: Kind) -> bool:
    """Whether the name comes first, as it does unless the kind has a column of its own for it."""
    return all(column.format != "name" for column in kind.columns)


def _row(kind: Kind, data: Json, row_object: Callable[[Json], Json] | None) -> Json:
    name = [data["metadata"]["name"]] if _named(kind) else []
    cells = [*name, *(_cell(column, data) for column in kind.columns)]
    return {"cells": cells, "object": row_object(data) if row_object else None}


def _cell(column: Column, data: Json) -> Any:
    if column.cell is not None:
        return column.cell(data)
    value = jsonpath.first(data, column.path)
    if column.type == "date":
        return age(value)
    if column.type == "string" and value is not None and not isinstance(value, str):
        return str(value).lower() if isinstance(value, bool) else str(value)
    return value


def age(date: Any) -> str:
    """How long ago a date was, as people read it."""
    if not isinstance(date, str):
        return "<unknown>"
    seconds = int((datetime.now(UTC) - parse_timestamp(date)).total_seconds())
    return duration(seconds)


def duration(seconds: int) -> str:
    """Seconds as people read ages: `45s`, `12m`, `3h20m`, `5d`."""
    if seconds < 0:
        return "0s" if seconds == -1 else "<invalid>"
    for limit, unit, smaller in _AGES:
        if seconds < limit:
            return _spoken(seconds, unit, smaller)
    return _spoken(seconds, _YEAR, 0)


def _spoken(seconds: int, unit: int, smaller: int) -> str:
    """`seconds` in one unit, and the rest in a smaller one where that is told."""
    whole, rest = divmod(seconds, unit)
    text = f"{whole}{_UNITS[unit]}"
    return text + (f"{rest // smaller}{_UNITS[smaller]}" if smaller and rest // smaller else "")
