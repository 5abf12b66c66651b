"""The columns in which built-in kinds are printed."""

from __future__ import annotations

from typing import Any

from steady.apiserver.exchange import Json
from steady.apiserver.kinds import Column
from steady.apiserver.tables import age

_WIDE = 1
"""The priority of columns that only `-o wide` shows."""


def _role(data: Json) -> str:
    role = data.get("roleRef") or {}
    return f"{role.get('kind', '')}/{role.get('name', '')}"


def _count(data: Json) -> int:
    return len(data.get("data") or ()) + len(data.get("binaryData") or ())


def _available(data: Json) -> str:
    return f"{_status(data, 'readyReplicas')}/{(data.get('spec') or {}).get('replicas', 0)}"


def _status(data: Json, field: str) -> Any:
    return (data.get("status") or {}).get(field, 0)


def _containers(data: Json, field: str) -> str:
    containers = data["spec"].get("template", {}).get("spec", {}).get("containers") or ()
    return ",".join(str(container.get(field, "")) for container in containers)


def _selector(data: Json) -> str:
    labels = (data["spec"].get("selector") or {}).get("matchLabels") or {}
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items())) or "<none>"


def _about(data: Json) -> str:
    about = data.get("involvedObject") or {}
    return f"{str(about.get('kind', '')).lower()}/{about.get('name', '')}"


def _source(data: Json) -> str:
    source = data.get("source") or {}
    return ", ".join(source[part] for part in ("component", "host") if part in source)


AGE = Column("Age", "string", cell=lambda data: age(data["metadata"]["creationTimestamp"]))
CREATED_AT = Column("Created At", "date", cell=lambda data: data["metadata"]["creationTimestamp"])
_DATA = Column("Data", "string", cell=_count)
CONFIG_MAP = (_DATA, AGE)
SECRET = (Column("Type", "string", ".type"), _DATA, AGE)
NAMESPACE = (Column("Status", "string", ".status.phase"), AGE)
ROLE = (CREATED_AT,)
ROLE_BINDING = (Column("Role", "string", cell=_role), AGE)
LEASE = (Column("Holder", "string", ".spec.holderIdentity"), AGE)
DEPLOYMENT = (
    Column("Ready", "string", cell=_available),
    Column("Up-to-date", "string", cell=lambda data: _status(data, "updatedReplicas")),
    Column("Available", "string", cell=lambda data: _status(data, "availableReplicas")),
    AGE,
    Column("Containers", "string", priority=_WIDE, cell=lambda data: _containers(data, "name")),
    Column("Images", "string", priority=_WIDE, cell=lambda data: _containers(data, "image")),
    Column("Selector", "string", priority=_WIDE, cell=_selector),
)
EVENT = (
    Column("Last Seen", "string", cell=lambda data: age(data.get("lastTimestamp") or data.get("eventTime"))),
    Column("Type", "string", ".type"),
    Column("Reason", "string", ".reason"),
    Column("Object", "string", cell=_about),
    Column("Subobject", "string", ".involvedObject.fieldPath", _WIDE),
    Column("Source", "string", priority=_WIDE, cell=_source),
    Column("Message", "string", ".message"),
    Column("First Seen", "string", priority=_WIDE, cell=lambda data: age(data.get("firstTimestamp"))),
    Column("Count", "string", ".count", _WIDE),
    Column("Name", "string", ".metadata.name", _WIDE, format="name"),
)
SCALE = (
    Column("Desired", "integer", ".spec.replicas"),
    Column("Available", "integer", ".status.replicas"),
    Column("Age", "date", ".metadata.creationTimestamp"),
)
