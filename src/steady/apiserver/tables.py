"""Tables (`meta.k8s.io/v1`): what `kubectl get` prints."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import Any

from steady.apiserver import jsonpath
from steady.apiserver.exchange import Json
from steady.apiserver.kinds import Column, Kind

_NAME = {
    "name": "Name",
    "type": "string",
    "format": "name",
    "description": "Name must be unique within a namespace.",
    "priority": 0,
}


def table(
    kind: Kind, objects: Sequence[Json], row_object: Callable[[Json], Json] | None, metadata: Json | None = None
) -> Json:
    """`objects` as a table; `row_object` makes what each row carries along, None leaves it out."""
    columns = [_NAME, *(_definition(column) for column in kind.columns)]
    return {
        "kind": "Table",
        "apiVersion": "meta.k8s.io/v1",
        "metadata": metadata or {"resourceVersion": objects[0]["metadata"]["resourceVersion"]},
        "columnDefinitions": columns,
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


def _row(kind: Kind, data: Json, row_object: Callable[[Json], Json] | None) -> Json:
    served = kind.outward(data)
    cells = [data["metadata"]["name"], *(_cell(column, served) for column in kind.columns)]
    return {"cells": cells} | ({"object": row_object(data)} if row_object else {})


def _cell(column: Column, data: Json) -> Any:
    value = jsonpath.first(data, column.path)
    if column.counted:
        return len(value or ())
    if column.type == "date":
        return _age(value)
    if column.type == "string" and value is not None and not isinstance(value, str):
        return str(value).lower() if isinstance(value, bool) else str(value)
    return value


def _age(value: Any) -> str:
    if not isinstance(value, str):
        return "<unknown>"
    seconds = int((datetime.now(UTC) - datetime.fromisoformat(value.replace("Z", "+00:00"))).total_seconds())
    return duration(seconds)


def duration(seconds: int) -> str:
    """Seconds as people read ages: `45s`, `12m`, `3h20m`, `5d`."""
    if seconds < 0:
        return "<invalid>" if seconds < -1 else "0s"
    if seconds < 120:
        return f"{seconds}s"
    minutes, rest = divmod(seconds, 60)
    if minutes < 10:
        return f"{minutes}m{rest}s" if rest else f"{minutes}m"
    if minutes < 180:
        return f"{minutes}m"
    hours, minutes = divmod(minutes, 60)
    if hours < 8:
        return f"{hours}h{minutes}m" if minutes else f"{hours}h"
    if hours < 48:
        return f"{hours}h"
    days, hours = divmod(hours, 24)
    if days < 8 and hours:
        return f"{days}d{hours}h"
    return f"{days}d" if days < 730 else f"{days // 365}y"
