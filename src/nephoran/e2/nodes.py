"""The nodes of a set as ConfigMaps: which there should be, and what each says. Pure functions of their arguments."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from nephoran.api import names
from nephoran.api.e2nodeset import E2NodeSetSpec, NodeState
from steady.clock import seconds, timestamp
from steady.objects import ObjectMeta

label_limit = 63  # characters of a label's value
name_limit = 253  # characters of an object's name
minimum_interval = 1.0  # seconds; a shorter heartbeat would load the RIC for nothing

_NAME = re.compile(r"-e2node-(0|[1-9][0-9]{0,5})$")


class RanFunction(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """One RAN function of a node (E2SM), as the node's configuration writes it."""

    function_id: int
    revision: int
    description: str
    oid: str


DEFAULT_FUNCTIONS = (
    RanFunction(1, 1, "Key Performance Measurement (KPM)", "1.3.6.1.4.1.53148.1.1.2.2"),
    RanFunction(2, 1, "RAN Control (RC)", "1.3.6.1.4.1.53148.1.1.2.3"),
    RanFunction(3, 1, "Network Interface (NI)", "1.3.6.1.4.1.53148.1.1.2.4"),
)
"""What a node offers whose template names no function."""


class Simulation(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """How a simulated node behaves; `metrics_interval` is a duration such as `30s`."""

    ue_count: int = 100
    traffic_generation: bool = False
    metrics_interval: str = "30s"
    traffic_profile: str = "low"


class RicSettings(msgspec.Struct, frozen=True, gc=False):
    """How a set talks to its RIC.

    Times in seconds. `connection_timeout`: how long the RIC may be silent. `heartbeat_interval`: between two looks.
    `max_attempts`: fruitless registrations in a row before a node is in error. `backoff_interval`: for the caller.
    """

    endpoint: str = names.DEFAULT_RIC_ENDPOINT
    connection_timeout: float = 30.0
    heartbeat_interval: float = 10.0
    max_attempts: int = 3
    backoff_interval: float = 5.0

    @property
    def patience(self) -> float:
        """Seconds that all attempts may take: how long a deleted set waits for a RIC that does not answer."""
        return self.max_attempts * (self.connection_timeout + self.backoff_interval)

    @classmethod
    def of(cls, spec: E2NodeSetSpec, annotations: Mapping[str, str] | None = None) -> RicSettings:
        """The settings of a set with `spec` and `annotations`; neither interval nor timeout below `minimum_interval`.

        Raises ValueError for a text that is no duration.
        """
        ric = spec.ric_configuration
        return cls(
            endpoint_of(spec, annotations),
            max(seconds(ric.connection_timeout), minimum_interval),
            max(seconds(ric.heartbeat_interval), minimum_interval),
            ric.retry_config.max_attempts,
            seconds(ric.retry_config.backoff_interval),
        )


class NodeTemplate(msgspec.Struct, frozen=True, gc=False):
    """What all nodes of a set have in common. `labels` and `annotations` never override a node's own."""

    endpoint: str = names.DEFAULT_RIC_ENDPOINT
    interface_version: str = names.DEFAULT_E2_VERSION
    functions: tuple[RanFunction, ...] = DEFAULT_FUNCTIONS
    simulation: Simulation = Simulation()
    labels: Mapping[str, str] = {}
    annotations: Mapping[str, str] = {}

    @classmethod
    def of(cls, spec: E2NodeSetSpec, annotations: Mapping[str, str] | None = None) -> NodeTemplate:
        """The template of a set with `spec` and (its own) `annotations`."""
        node, simulation = spec.template.spec, spec.simulation_config
        return cls(
            endpoint_of(spec, annotations),
            node.e2_interface_version or names.DEFAULT_E2_VERSION,
            tuple(
                RanFunction(function.function_id, function.revision, function.description, function.oid)
                for function in node.supported_ran_functions
            )
            or DEFAULT_FUNCTIONS,
            Simulation(
                simulation.ue_count,
                simulation.traffic_generation,
                simulation.metrics_interval,
                simulation.traffic_profile,
            ),
            spec.template.metadata.labels,
            spec.template.metadata.annotations,
        )


class NodeConfig(msgspec.Struct, frozen=True, gc=False, rename="camel"):
    """The configuration of one node, without the times that its ConfigMap adds."""

    node_id: str
    e2_interface_version: str
    ric_endpoint: str
    ran_functions: tuple[RanFunction, ...]
    simulation_config: Simulation


class Node(msgspec.Struct, frozen=True, gc=False):
    """One node that should exist: `name` is its ConfigMap's, `node_id` its name at the RIC.

    `digest` is the hash of everything desired of it: equal wishes, equal digests.
    """

    index: int
    name: str
    node_id: str
    config: NodeConfig
    digest: str
    labels: Mapping[str, str]
    annotations: Mapping[str, str]


class ExistingNode(msgspec.Struct, frozen=True, gc=False):
    """One ConfigMap of the set, as its metadata shows it. `index` is None when its name is no node's name."""

    name: str
    index: int | None
    node_id: str = ""
    digest: str = ""
    endpoint: str = ""
    created_at: str = ""


class NodePlan(NamedTuple):
    """What to do, by ascending index, but for `remove` (no node's name first, then the highest)."""

    create: tuple[Node, ...]
    update: tuple[tuple[Node, ExistingNode], ...]
    keep: tuple[Node, ...]
    remove: tuple[ExistingNode, ...]

    @property
    def desired(self) -> tuple[Node, ...]:
        """All nodes that should exist, by ascending index."""
        nodes = (*self.create, *self.keep, *(node for node, _ in self.update))
        return tuple(sorted(nodes, key=lambda node: node.index))


def shortened(text: str, limit: int = label_limit) -> str:
    """`text`; if it is longer than `limit` characters, its beginning and a hash of all of it."""
    if len(text) <= limit:
        return text
    return f"{text[: limit - 11].rstrip('-.')}-{hashlib.sha256(text.encode()).hexdigest()[:10]}"


def node_id(namespace: str, set_name: str, index: int) -> str:
    """How the node is called at the RIC and in labels; never longer than a label's value may be."""
    return shortened(f"{namespace}-{set_name}-node-{index}")


def node_name(set_name: str, index: int) -> str:
    """The name of the node's ConfigMap."""
    suffix = f"-e2node-{index}"
    return shortened(set_name, name_limit - len(suffix)) + suffix


def endpoint_of(spec: E2NodeSetSpec, annotations: Mapping[str, str] | None = None) -> str:
    """Where the RIC is: the configuration, else the deprecated field, else the set's annotation, else the default."""
    candidates = (
        spec.ric_configuration.ric_endpoint,
        spec.ric_endpoint,
        (annotations or {}).get(names.NEAR_RT_RIC_ANNOTATION),
    )
    return next((candidate for candidate in candidates if candidate), names.DEFAULT_RIC_ENDPOINT).rstrip("/")


def existing_node(set_name: str, metadata: ObjectMeta) -> ExistingNode:
    """What a ConfigMap's metadata says of its node. The name alone decides the index: labels can be edited."""
    labels, annotations = metadata.labels or {}, metadata.annotations or {}
    return ExistingNode(
        metadata.name,
        _index(set_name, metadata.name),
        labels.get(names.NODE_ID_LABEL, ""),
        annotations.get(names.CONFIG_HASH_ANNOTATION, ""),
        annotations.get(names.RIC_ENDPOINT_ANNOTATION, ""),
        annotations.get(names.CREATED_AT_ANNOTATION, ""),
    )


def desired_nodes(
    namespace: str,
    set_name: str,
    replicas: int,
    template: NodeTemplate,
    existing: Iterable[ExistingNode],
    *,
    anew: bool = False,
) -> NodePlan:
    """How to come from `existing` to `replicas` nodes.

    Invariants: indices 0..replicas-1 exist afterwards (gaps are filled, the highest go first); a node whose digest is
    the desired one is kept untouched, unless all are wanted `anew`; what carries no node's name is removed.
    """
    strays, present = [], {}
    for old in existing:
        if old.index is None:
            strays.append(old)
        else:
            present[old.index] = old
    wanted = [_node(namespace, set_name, index, template) for index in range(replicas)]
    pairs = [(node, present[node.index]) for node in wanted if node.index in present]
    return NodePlan(
        create=tuple(node for node in wanted if node.index not in present),
        update=tuple(pair for pair in pairs if anew or not _same(*pair)),
        keep=tuple(node for node, old in pairs if not anew and _same(node, old)),
        remove=(*strays, *(present[index] for index in sorted(present, reverse=True) if index >= replicas)),
    )


def set_labels(set_name: str) -> dict[str, str]:
    """The labels that select the ConfigMaps of a set."""
    return {names.NODE_SET_LABEL: shortened(set_name), names.APP_LABEL: names.NODE_APP}


def config_map(namespace: str, set_name: str, node: Node, now: datetime, created_at: str = "") -> dict[str, Any]:
    """The ConfigMap of `node`, without owners. `created_at` (RFC 3339) is what an earlier version of it says."""
    moment = timestamp(now)
    created = created_at or moment
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": node.name,
            "namespace": namespace,
            "labels": _labels(set_name, node),
            "annotations": _annotations(node, created),
        },
        "data": {
            names.NODE_CONFIG_KEY: _text(
                {**msgspec.to_builtins(node.config), "createdAt": created, "updatedAt": moment}
            ),
            names.NODE_STATUS_KEY: _text(_initial_status(node, moment)),
        },
    }


def _node(namespace: str, set_name: str, index: int, template: NodeTemplate) -> Node:
    identity = node_id(namespace, set_name, index)
    config = NodeConfig(
        identity, template.interface_version, template.endpoint, template.functions, template.simulation
    )
    digest = _digest(config, template.labels, template.annotations)
    return Node(index, node_name(set_name, index), identity, config, digest, template.labels, template.annotations)


def _digest(*parts: object) -> str:
    return hashlib.sha256(msgspec.json.encode(parts, order="sorted")).hexdigest()[:16]


def _same(node: Node, old: ExistingNode) -> bool:
    return old.digest == node.digest and old.node_id == node.node_id


def _index(set_name: str, name: str) -> int | None:
    match = _NAME.search(name)
    if match is None or node_name(set_name, int(match[1])) != name:
        return None
    return int(match[1])


def _labels(set_name: str, node: Node) -> dict[str, str]:
    own = {names.NODE_ID_LABEL: node.node_id, names.NODE_INDEX_LABEL: str(node.index)}
    return {**node.labels, **set_labels(set_name), **own}


def _annotations(node: Node, created: str) -> dict[str, str]:
    return {
        **node.annotations,
        names.E2_VERSION_ANNOTATION: node.config.e2_interface_version,
        names.RIC_ENDPOINT_ANNOTATION: node.config.ric_endpoint,
        names.CREATED_AT_ANNOTATION: created,
        names.CONFIG_HASH_ANNOTATION: node.digest,
    }


def _initial_status(node: Node, moment: str) -> dict[str, object]:
    return {
        "nodeId": node.node_id,
        "state": NodeState.PENDING.value,
        "activeSubscriptions": 0,
        "heartbeatCount": 0,
        "statusUpdatedAt": moment,
    }


def _text(value: object) -> str:
    return msgspec.json.encode(value).decode()
