"""The scale subresource (`autoscaling/v1` Scale)."""

from __future__ import annotations

from steady.apiserver import jsonpath
from steady.apiserver.exchange import Json
from steady.apiserver.failures import Cause, invalid
from steady.apiserver.kinds import Kind
from steady.objects import Resource

_SCALE = Resource("autoscaling", "v1", "Scale", "scales")
_SHOWN = ("name", "namespace", "uid", "resourceVersion", "creationTimestamp")


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


def faults(kind: Kind, data: Json) -> list[Cause]:
    """Negative numbers where a custom kind's scale reads."""
    if kind.scale is None:
        return []
    paths = (kind.scale.spec_replicas, kind.scale.status_replicas)
    found = [(path, jsonpath.first(data, path)) for path in paths]
    return [
        Cause("FieldValueInvalid", f"Invalid value: {value}: should be a non-negative integer", path)
        for path, value in found
        if isinstance(value, int) and value < 0
    ]


def _selector(value: object) -> str:
    if isinstance(value, dict):
        return ",".join(f"{key}={label}" for key, label in sorted((value.get("matchLabels") or {}).items()))
    return value if isinstance(value, str) else ""
