"""What a sentence means: the one type that interpretation produces and planning consumes."""

from __future__ import annotations

from typing import Any, Literal

import msgspec

Action = Literal["deploy", "scale", "slice", "configure", "optimize", "maintenance"]
SliceType = Literal["embb", "urllc", "mmtc"]


class Autoscale(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, forbid_unknown_fields=True):
    """Limits of automatic scaling: instances, and the CPU utilisation (percent) that triggers it."""

    min: int | None = None
    max: int | None = None
    cpu: int | None = None


class Detail(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Everything stated that the other keys do not hold: a closed schema. Absent means not stated.

    Rates in Mbit/s, latency in ms, `cpu` and `memory` and `storage` as Kubernetes quantities, `reliability` in percent,
    `window` as HH:MM-HH:MM. `change` (instances more or, negative, fewer) and `factor` (times as many) are relative to
    what runs, so they are never in `Meaning.replicas`.
    """

    ha: bool = False
    autoscale: bool | Autoscale = False
    cpu: str | None = None
    memory: str | None = None
    storage: str | None = None
    bandwidth_mbps: float | None = None
    downlink_mbps: float | None = None
    uplink_mbps: float | None = None
    latency_ms: float | None = None
    reliability: float | None = None
    qos_priority: int | None = None
    users: int | None = None
    devices: int | None = None
    site: str | None = None
    region: str | None = None
    gpu: bool = False
    xapp: bool = False
    urgent: bool = False
    monitoring: bool = False
    isolation: bool = False
    encryption: bool = False
    mesh: bool = False
    window: str | None = None
    version: str | None = None
    cells: int | None = None
    change: int | None = None
    factor: float | None = None


class Meaning(msgspec.Struct, frozen=True, omit_defaults=True):
    """The meaning of one sentence, with the keys of `nephoran interpret`; `replicas` by component."""

    text: str
    action: Action
    components: tuple[str, ...]
    replicas: dict[str, int] = msgspec.field(default_factory=dict)
    namespace: str | None = None
    slice: SliceType | None = None
    detail: Detail = msgspec.field(default_factory=Detail)

    def __hash__(self) -> int:
        return hash((self.text, self.action, self.components, self.namespace, self.slice, self.detail))


def to_json(meaning: Meaning) -> dict[str, Any]:
    """The meaning as plain data: what is not stated is absent, but for `components`, which may be empty."""
    data: dict[str, Any] = msgspec.to_builtins(meaning)
    data["components"] = list(meaning.components)
    if not data.get("detail"):
        data.pop("detail", None)
    return data
