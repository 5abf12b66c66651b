"""E2NodeSet: a number of simulated E2 nodes, connected to a near-real-time RIC."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from nephoran.api.names import API_VERSION
from nephoran.api.values import Duration, Endpoint, Part
from steady.objects import Column, Object, Scale, Spec, Status, resource

E2Version = Literal["v1.0", "v1.1", "v2.0", "v2.1", "v3.0", "v10", "v11", "v20"]
"""Versions of the E2 interface. The last three are spellings that the Go operator's types allowed."""

TrafficProfile = Literal["low", "medium", "high", "burst"]


class NodeState(StrEnum):
    """Where one node stands."""

    PENDING = "Pending"
    INITIALIZING = "Initializing"
    CONNECTED = "Connected"
    DISCONNECTED = "Disconnected"
    ERROR = "Error"
    TERMINATING = "Terminating"


class NodeSetPhase(StrEnum):
    """Where a set stands: derived from its conditions, for people to read."""

    PENDING = "Pending"
    INITIALIZING = "Initializing"
    READY = "Ready"
    SCALING = "Scaling"
    DEGRADED = "Degraded"
    FAILED = "Failed"
    TERMINATING = "Terminating"


class RanFunction(Part, frozen=True):
    """One RAN function that a node offers over E2."""

    function_id: Annotated[int, Meta(ge=0, le=4095, description="Number of the function.")] = msgspec.field(
        name="functionID"
    )
    revision: Annotated[int, Meta(ge=0, le=255, description="Revision of the function.")]
    description: Annotated[str, Meta(max_length=256, description="What the function does.")]
    oid: Annotated[str, Meta(max_length=256, pattern="^[0-9]+(\\.[0-9]+)*$", description="ASN.1 object identifier.")]


class TemplateMetadata(Part, frozen=True):
    """Labels and annotations that every node gets besides its own."""

    labels: dict[str, str] = msgspec.field(default_factory=dict)
    annotations: dict[str, str] = msgspec.field(default_factory=dict)


class NodeSpec(Part, frozen=True):
    """What every node of the set is."""

    node_id: Annotated[
        str,
        Meta(
            pattern="^[a-zA-Z0-9]([a-zA-Z0-9\\-]{0,61}[a-zA-Z0-9])?$",
            description="Kept for old objects: every node has an id of its own.",
        ),
    ] = msgspec.field(default="", name="nodeID")
    e2_interface_version: Annotated[E2Version, Meta(description="Version of the E2 interface.")] | None = None
    supported_ran_functions: Annotated[
        tuple[RanFunction, ...],
        Meta(max_length=256, description="RAN functions of every node; without any, the KPM, RC and NI functions."),
    ] = msgspec.field(default=(), name="supportedRANFunctions")


class NodeTemplate(Part, frozen=True):
    """How a node is made."""

    metadata: TemplateMetadata = TemplateMetadata()
    spec: NodeSpec = NodeSpec()


class SimulationConfig(Part, frozen=True):
    """What every node simulates."""

    ue_count: Annotated[int, Meta(ge=1, le=10000, description="Simulated user equipment per node.")] = 100
    traffic_generation: Annotated[bool, Meta(description="Whether traffic is simulated.")] = False
    metrics_interval: Annotated[Duration, Meta(description="Time between two reports of metrics.")] = "30s"
    traffic_profile: Annotated[TrafficProfile, Meta(description="How heavy the simulated traffic is.")] = "low"


class RetryConfig(Part, frozen=True):
    """How a refused or lost connection to the RIC is tried again."""

    max_attempts: Annotated[int, Meta(ge=1, le=10, description="Attempts before the node is in error.")] = 3
    backoff_interval: Annotated[Duration, Meta(description="First wait between two attempts.")] = "5s"


class RicConfiguration(Part, frozen=True):
    """The near-real-time RIC and how to talk to it."""

    ric_endpoint: (
        Annotated[Endpoint, Meta(description="Base URL of the RIC, which the operator's configuration must allow.")]
        | None
    ) = None
    connection_timeout: Annotated[Duration, Meta(description="How long one request to the RIC may take.")] = "30s"
    heartbeat_interval: Annotated[Duration, Meta(description="Time between two looks at the nodes' liveness.")] = "10s"
    retry_config: RetryConfig = RetryConfig()


class E2NodeSetSpec(Spec, frozen=True):
    """How many nodes, of which kind, at which RIC."""

    replicas: Annotated[int, Meta(ge=0, le=1000, description="Number of nodes.")] = 1
    template: NodeTemplate = NodeTemplate()
    simulation_config: SimulationConfig = SimulationConfig()
    ric_configuration: RicConfiguration = RicConfiguration()
    ric_endpoint: Annotated[Endpoint, Meta(description="Deprecated: use ricConfiguration.ricEndpoint.")] | None = None
    # Fields of an earlier schema that no operator acted upon, kept as their users wrote them.
    e2_interface_version: Annotated[str, Meta(description="Deprecated: use template.spec.e2InterfaceVersion.")] = ""
    heartbeat_interval: Annotated[str, Meta(description="Deprecated: use ricConfiguration.heartbeatInterval.")] = ""
    ric_endpoint_alt: Annotated[str, Meta(description="Deprecated: it changes nothing.")] = ""
    ran_functions: Annotated[Any, Meta(description="Deprecated: use template.spec.supportedRANFunctions.")] = None


class NodeStatus(Part, frozen=True):
    """One node, as the RIC and the cluster see it."""

    node_id: str = msgspec.field(name="nodeID")
    state: NodeState
    last_heartbeat: Annotated[str, Meta(extra_json_schema={"format": "date-time"})] | None = None
    connected_since: Annotated[str, Meta(extra_json_schema={"format": "date-time"})] | None = None
    active_subscriptions: int = 0
    error_message: str = ""


class E2NodeSetStatus(Status, frozen=True, omit_defaults=False):
    """How many nodes there are and how they fare.

    Zeros are written too: they are what people look for.
    """

    phase: Annotated[NodeSetPhase, Meta(description="Where the set stands; its conditions say why.")] = (
        NodeSetPhase.PENDING
    )
    replicas: Annotated[int, Meta(description="Nodes that exist.")] = 0
    selector: Annotated[str, Meta(description="Label selector of the nodes, for the scale subresource.")] = ""
    ready_replicas: Annotated[int, Meta(description="Nodes that are connected.")] = 0
    current_replicas: Annotated[int, Meta(description="Nodes that exist.")] = 0
    updated_replicas: Annotated[int, Meta(description="Nodes with the desired configuration.")] = 0
    available_replicas: Annotated[int, Meta(description="Nodes that are connected or about to be.")] = 0
    states: Annotated[dict[str, int], Meta(description="Number of nodes by state.")] = msgspec.field(
        default_factory=dict
    )
    e2_node_statuses: Annotated[
        tuple[NodeStatus, ...], Meta(description="At most 50 nodes, those that need attention first.")
    ] = ()


@resource(
    API_VERSION,
    short_names=["e2ns"],
    categories=["nephoran"],
    columns={
        "Desired": ".spec.replicas",
        "Current": ".status.currentReplicas",
        "Ready": ".status.readyReplicas",
        "Available": ".status.availableReplicas",
        "Phase": ".status.phase",
        "Reason": Column('.status.conditions[?(@.type=="Ready")].reason', priority=1),
        "E2Version": Column(".spec.template.spec.e2InterfaceVersion", priority=1),
    },
    scale=Scale(),
    initial={"phase": NodeSetPhase.PENDING, "replicas": 0},
)
class E2NodeSet(Object[E2NodeSetSpec, E2NodeSetStatus]):
    """A set of simulated E2 nodes that register with a near-real-time RIC."""

    __slots__ = ()
