"""What is to run: a meaning, and what other intents of the namespace change of it, laid over the facts. Pure.

Everything that a meaning says of a component is a flat mapping of *aspects* (`replicas`, `cpu`, `latency_ms` …). An
adjustment is another such mapping laid over it, oldest first, so the newest wins aspect by aspect; an adjustment none
of whose aspects is left on top is superseded.

What the aspects do to a function:

- `replicas` is the number of instances, or the least number where it scales by itself; unstated it is 1, or the
  component's own number for high availability (`ha`, which also spreads the instances over machines).
- `factor` and `change` make that number relative to the one below them, and never bring it from some to none.
- `cpu`, `memory` and `storage` replace request and limit alike: what is stated is what one instance gets.
- `gpu` adds one to each instance.
- `optimize` gives the whole limit as request: a guaranteed pod shares no CPU time and is evicted last.
- All others are settings: handed to the function in its configuration.
"""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, cast

import msgspec

from nephoran.intent.meaning import Autoscale, Detail, Meaning
from nephoran.intent.memory import remembered
from nephoran.knowledge import Component, Size, knowledge
from steady.backoff import ErrorType

most_replicas = 200  # of one function; the limit of the newest Go contract (intent-plan schema)
most_e2_nodes = 1000  # of one set; the limit of the E2NodeSet's schema
default_utilisation = 80  # percent of the CPU request; what the HorizontalPodAutoscaler itself assumes
growth = 3  # times the least number of instances, where no upper limit is stated
most_remembered = 1024  # plans
gpu_resource = "nvidia.com/gpu"
e2_node = "e2-node"

_SIZE = {"cpu": "cpu", "memory": "memory", "storage": "ephemeral-storage"}
_RELATIVE = frozenset({"change", "factor"})
_SHAPE = frozenset({"replicas", "autoscale", "max", "utilisation", "gpu", "ha", "guaranteed", *_SIZE, *_RELATIVE})
_CPU = re.compile(r"(?=.*[1-9])(\d{1,4}(\.\d{1,3})?|\d{1,7}m)")
_BYTES = re.compile(r"(?=.*[1-9])(\d{1,18}|\d{1,9}(\.\d{1,3})?(k|[MGTP]|[KMGTP]i))")

Aspects = dict[str, Any]
Part = tuple[str, str]  # a component and one of its aspects


class Unplannable(Exception):
    """There is nothing to plan, or it cannot be; the message says what, and what to write instead."""

    error_type = ErrorType.VALIDATION


class Adjustment(msgspec.Struct, frozen=True):
    """Another intent of the same namespace that changes what this one deploys."""

    name: str
    uid: str
    generation: int
    meaning: Meaning


class Scaling(msgspec.Struct, frozen=True):
    """Limits of automatic scaling: instances, and the CPU utilisation (percent of the request) that triggers it."""

    least: int
    most: int
    utilisation: int


class Function(msgspec.Struct, frozen=True):
    """One network function that runs as a Deployment. `requests` and `limits` are quantities by resource name."""

    component: str
    replicas: int
    requests: Mapping[str, str]
    limits: Mapping[str, str]
    autoscale: Scaling | None = None
    spread: bool = False
    interfaces: tuple[str, ...] = ()
    ports: tuple[str, ...] = ()
    dependencies: tuple[str, ...] = ()
    settings: Mapping[str, Any] = {}


class NetworkSlice(msgspec.Struct, frozen=True, omit_defaults=True):
    """One slice: the standard's values with what was stated in their place. `assumed`: no type was stated."""

    type: str
    sst: int
    latency_ms: float
    reliability: float
    five_qi: int | None = None
    assumed: bool = False
    settings: Mapping[str, Any] = {}


class Policy(msgspec.Struct, frozen=True, omit_defaults=True):
    """A behaviour asked for of nothing that runs here: kept for whoever enforces it."""

    components: tuple[str, ...] = ()
    settings: Mapping[str, Any] = {}


class Plan(msgspec.Struct, frozen=True):
    """Everything that one intent's directory is rendered from. `e2_nodes` is None where no E2 nodes are asked for."""

    text: str
    functions: tuple[Function, ...] = ()
    slice: NetworkSlice | None = None
    policy: Policy | None = None
    e2_nodes: int | None = None


def plan(meaning: Meaning, adjustments: Sequence[Adjustment] = ()) -> Plan:
    """The plan for `meaning` under `adjustments` (oldest first). Raises Unplannable."""
    return planned(meaning, tuple(adjustments))


@remembered("plans", most_remembered)
def planned(meaning: Meaning, adjustments: tuple[Adjustment, ...]) -> Plan:
    """What `plan` gives, remembered by content: `planned.cache_info()` tells how often that helped."""
    if fault := _fault(meaning):
        raise Unplannable(fault)
    if targets(meaning):
        raise Unplannable(f"{_names(meaning)}: changes what another intent deploys and deploys nothing itself")
    aspects = {component: _adjusted(meaning, component, adjustments) for component in sorted(provides(meaning))}
    result = Plan(
        text=meaning.text,
        functions=tuple(_function(name, told) for name, told in aspects.items() if name != e2_node),
        slice=_slice(meaning),
        policy=_policy(meaning),
        e2_nodes=_replicas(e2_node, aspects[e2_node]) if e2_node in aspects else None,
    )
    if result == Plan(text=meaning.text):
        raise Unplannable(_nothing(meaning))
    return result


def provides(meaning: Meaning) -> frozenset[str]:
    """The components that `meaning` itself deploys."""
    return frozenset(meaning.components) if meaning.action in {"deploy", "slice"} else frozenset()


def targets(meaning: Meaning) -> frozenset[str]:
    """The components that `meaning` changes where other intents deploy them.

    `optimize` and `maintenance` that name no component act on all. What says nothing to change, or something that
    cannot be, has no target: `plan` says why.
    """
    if meaning.action in {"deploy", "slice"} or _fault(meaning):
        return frozenset()
    named = meaning.components
    if not named and meaning.action in {"optimize", "maintenance"}:
        named = tuple(knowledge().components)
    return frozenset(name for name in named if _alters(meaning, name))


def modifies(meaning: Meaning) -> bool:
    """Whether `meaning` changes what other intents deploy, instead of deploying."""
    return bool(targets(meaning))


def superseded(adjustments: Sequence[Adjustment], components: Collection[str] | None = None) -> dict[str, str]:
    """Which of `adjustments` (oldest first) have no effect left: name to the newest one that took its place.

    Only their effect on `components` counts, if given. One that has no effect there at all was not superseded.
    """
    parts = {one.name: _parts(one, components) for one in adjustments}
    holders: dict[Part, list[str]] = {}
    for name, own in parts.items():
        for part, relative in own.items():
            holders[part] = [*holders[part], name] if relative and part in holders else [name]
    order = list(parts)
    held = {name: [holder for part in own for holder in holders[part]] for name, own in parts.items() if own}
    return {name: max(on_top, key=order.index) for name, on_top in held.items() if name not in on_top}


def effective(adjustments: Sequence[Adjustment], components: Collection[str] | None = None) -> tuple[Adjustment, ...]:
    """Those of `adjustments` (oldest first) that still change something of `components` (of anything, if not given)."""
    lost = superseded(adjustments, components)
    return tuple(one for one in adjustments if _parts(one, components) and one.name not in lost)


def _parts(adjustment: Adjustment, components: Collection[str] | None) -> dict[Part, bool]:
    """What `adjustment` changes, and whether relative to what older ones made of it."""
    acted = targets(adjustment.meaning)
    if components is not None:
        acted &= frozenset(components)
    told = {component: _aspects(adjustment.meaning, component) for component in acted}
    relative = {(name, "replicas"): True for name, aspects in told.items() if aspects.keys() & _RELATIVE}
    absolute = {(name, aspect): False for name, aspects in told.items() for aspect in aspects.keys() - _RELATIVE}
    return relative | absolute


def _adjusted(meaning: Meaning, component: str, adjustments: Sequence[Adjustment]) -> Aspects:
    aspects = _laid({}, _aspects(meaning, component), component)
    for adjustment in adjustments:
        if component in targets(adjustment.meaning):
            aspects = _laid(aspects, _aspects(adjustment.meaning, component), component)
    return aspects


def _laid(below: Aspects, above: Aspects, component: str) -> Aspects:
    merged = below | above
    if above.keys() & _RELATIVE:
        standing = _replicas(component, merged)
        moved = math.ceil(standing * merged.pop("factor", 1)) + merged.pop("change", 0)
        merged["replicas"] = max(min(standing, 1), min(moved, _most(component)))
    return merged


def _replicas(component: str, aspects: Aspects) -> int:
    alone = knowledge().components[component].ha_replicas if "ha" in aspects else 1
    return cast(int, aspects.get("replicas", alone))


def _most(component: str) -> int:
    return most_e2_nodes if component == e2_node else most_replicas


def _aspects(meaning: Meaning, component: str) -> Aspects:
    aspects = _settings(meaning.detail)
    aspects |= _autoscale_aspects(aspects.pop("autoscale", None))
    if component in meaning.replicas:
        aspects = {"replicas": meaning.replicas[component], **aspects}
    if meaning.action == "optimize":
        aspects["guaranteed"] = True
    if meaning.action == "maintenance":
        aspects["maintenance"] = True
    return aspects


def _settings(detail: Detail) -> Aspects:
    return cast(Aspects, msgspec.to_builtins(detail))


def _autoscale_aspects(autoscale: bool | dict[str, int] | None) -> Aspects:
    if not autoscale:
        return {}
    stated = autoscale if isinstance(autoscale, dict) else {}
    renamed = {"min": "replicas", "max": "max", "cpu": "utilisation"}
    return {"autoscale": True} | {renamed[key]: value for key, value in stated.items()}


def _alters(meaning: Meaning, component: str) -> bool:
    aspects = _aspects(meaning, component).keys()
    return bool(aspects & _SHAPE if meaning.action == "scale" else aspects)


def _function(component: str, aspects: Aspects) -> Function:
    fact = knowledge().components[component]
    interfaces, ports = _connections(component)
    replicas = _replicas(component, aspects)
    requests, limits = _resources(fact, aspects)
    return Function(
        component=component,
        replicas=replicas,
        requests=requests,
        limits=limits,
        autoscale=_scaling(replicas, aspects),
        spread="ha" in aspects,
        interfaces=interfaces,
        ports=ports,
        dependencies=fact.dependencies,
        settings={key: value for key, value in aspects.items() if key not in _SHAPE},
    )


@cache
def _connections(component: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names of its interfaces and of the ports on which it listens."""
    return knowledge().interfaces_of(component), knowledge().ports_of(component)


def _resources(fact: Component, aspects: Aspects) -> tuple[dict[str, str], dict[str, str]]:
    stated = {resource: aspects[key] for key, resource in _SIZE.items() if key in aspects}
    if aspects.get("gpu"):
        stated[gpu_resource] = "1"
    limits = _quantities(fact.limits) | stated
    return (limits if "guaranteed" in aspects else _quantities(fact.requests) | stated), limits


def _quantities(size: Size | None) -> dict[str, str]:
    return cast(dict[str, str], msgspec.to_builtins(size)) if size else {}


def _scaling(replicas: int, aspects: Aspects) -> Scaling | None:
    if "autoscale" not in aspects or replicas == 0:
        return None
    most = max(aspects.get("max", growth * replicas), replicas)
    return Scaling(replicas, min(most, most_replicas), aspects.get("utilisation", default_utilisation))


def _slice(meaning: Meaning) -> NetworkSlice | None:
    if meaning.slice is None and meaning.action != "slice":
        return None
    name = meaning.slice or "embb"  # the standard's ordinary slice
    fact = knowledge().slices[name]
    told = _settings(meaning.detail)
    return NetworkSlice(
        type=name,
        sst=fact.sst,
        five_qi=fact.five_qi,
        latency_ms=told.pop("latency_ms", fact.latency_ms),
        reliability=told.pop("reliability", fact.reliability),
        assumed=meaning.slice is None,
        settings=told,
    )


def _policy(meaning: Meaning) -> Policy | None:
    if meaning.action != "configure":
        return None
    return Policy(meaning.components, _settings(meaning.detail))


def _fault(meaning: Meaning) -> str:
    """What of `meaning` cannot be, and what to write instead; empty if all of it can."""
    return next(filter(None, _faults(meaning)), "")


def _faults(meaning: Meaning) -> Iterator[str]:
    if unknown := sorted({*meaning.components, *meaning.replicas} - knowledge().components.keys()):
        yield f"unknown component {', '.join(map(repr, unknown))}: known are {', '.join(knowledge().components)}"
    for component, number in meaning.replicas.items():
        if not 0 <= number <= _most(component):
            yield f"{number} instances of {component} are out of range: name a number from 0 to {_most(component)}"
    if (factor := meaning.detail.factor) is not None and not 0 < factor <= most_e2_nodes:
        yield f"{factor} times the instances is out of range: name the number that there shall be"
    if isinstance(meaning.detail.autoscale, Autoscale):
        yield _autoscale_fault(meaning.detail.autoscale)
    for key, pattern in (("cpu", _CPU), ("memory", _BYTES), ("storage", _BYTES)):
        value = getattr(meaning.detail, key)
        if value is not None and not pattern.fullmatch(value):
            yield f"{key} {value!r} is not an amount that a pod can have: write for example '2' or '4Gi'"


def _autoscale_fault(limits: Autoscale) -> str:
    least = 1 if limits.min is None else limits.min
    most = most_replicas if limits.max is None else limits.max
    if not 1 <= least <= most <= most_replicas:
        return f"autoscaling from {limits.min} to {limits.max}: name limits with 1 ≤ min ≤ max ≤ {most_replicas}"
    if limits.cpu is not None and not 1 <= limits.cpu <= 100:
        return f"autoscaling at {limits.cpu} percent CPU: name a percentage from 1 to 100"
    return ""


def _names(meaning: Meaning) -> str:
    return f"{meaning.action} {', '.join(meaning.components) or 'everything'}"


def _nothing(meaning: Meaning) -> str:
    if meaning.action != "scale":
        return (
            f"{meaning.action}: names no network function that is known. Write for example 'Deploy AMF with 2 replicas'"
        )
    if not meaning.components:
        return "scale: names no network function that is known. Write for example 'Scale AMF to 3 replicas'"
    return f"{_names(meaning)}: to how many? Write for example 'Scale {meaning.components[0]} to 3 replicas'"
