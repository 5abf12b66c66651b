"""The scale subresource (`autoscaling/v1` Scale)."""

from __future__ import annotations

from typing import Any

from steady.apiserver import columns, jsonpath, tables
from steady.apiserver.call import Call
from steady.apiserver.exchange import Json
from steady.apiserver.failures import Cause, invalid
from steady.apiserver.kinds import Kind
from steady.objects import Resource

_SCALE = Resource("autoscaling", "v1", "Scale", "scales")
_TYPES = {
    int: "int64",
    str: "string",
    bool: "bool",
    float: "float64",
    list: "[]interface {}",
    dict: "map[string]interface {}",
}
_PRINTED = Kind(_SCALE, "scales", columns=columns.SCALE)
_SHOWN = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")


def answered(call: Call, data: Json) -> Json:
    """The Scale of an object, or where that is asked for a table of it."""
    scale = shown(call.kind, data)
    return tables.table(_PRINTED, [scale], lambda _: scale) if call.wants_table else scale


def shown(kind: Kind, data: Json) -> Json:
    """The Scale of an object."""
    if kind.scale is None:
        raise LookupError(f"{kind.resource.qualified} has no scale")
    status: Json = {"replicas": jsonpath.first(data, kind.scale.status_replicas) or 0}
    if selector := _selector(jsonpath.first(data, kind.scale.selector) if kind.scale.selector else None):
        status["selector"] = selector
    replicas = jsonpath.first(data, kind.scale.spec_replicas)
    return {
        "kind": "Scale",
        "apiVersion": "autoscaling/v1",
        "metadata": {field: data["metadata"][field] for field in _SHOWN if field in data["metadata"]},
        "spec": {} if not replicas else {"replicas": replicas},
        "status": status,
    }


def scaled(kind: Kind, data: Json, scale: Json) -> Json:
    """The object after `scale` was written. Raises 422 for a negative number."""
    if kind.scale is None:
        raise LookupError(f"{kind.resource.qualified} has no scale")
    replicas = (scale.get("spec") or {}).get("replicas", 0)
    if not isinstance(replicas, int) or (replicas < 0 and not kind.custom):
        message = f"Invalid value: {replicas}: must be greater than or equal to 0"
        raise invalid(_SCALE, data["metadata"]["name"], [Cause("FieldValueInvalid", message, "spec.replicas")])
    return jsonpath.placed(data, jsonpath.plain(kind.scale.spec_replicas), replicas)


def faults(call: Call, data: Json) -> list[Cause]:
    """What cannot be a number of replicas where a custom kind's scale reads one; of a status only its own part."""
    scale = call.kind.scale
    if scale is None:
        return []
    paths = (scale.status_replicas,) if call.subresource == "status" else (scale.spec_replicas, scale.status_replicas)
    found = {path: _no_number(data, path) for path in paths}
    return [Cause("FieldValueInvalid", f"Invalid value: {why}", path) for path, why in found.items() if why]


def _no_number(data: Json, path: str) -> str:
    value: Any = data
    for field in jsonpath.plain(path):
        if not isinstance(value, dict):
            return _unreadable(path, value, "map[string]interface{}")
        value = value.get(field)
        if value is None:
            return ""
    if type(value) is not int:
        return _unreadable(path, value, "int64")
    return f"{value}: should be a non-negative integer" if value < 0 else ""


def _unreadable(path: str, value: Any, expected: str) -> str:
    return f"0: {path} accessor error: {_told(value)} is of the type {_TYPES[type(value)]}, expected {expected}"


def _told(value: Any) -> str:
    """A value as the server's own language prints it."""
    return f"[{' '.join(map(_told, value))}]" if isinstance(value, list) else str(value)


def _selector(value: object) -> str:
    if isinstance(value, dict):
        return ",".join(f"{key}={label}" for key, label in sorted((value.get("matchLabels") or {}).items()))
    return value if isinstance(value, str) else ""
