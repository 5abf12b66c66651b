"""NetworkIntent: a sentence that says what a network should be, and what became of it."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from nephoran.api.names import API_VERSION
from nephoran.api.values import Part
from steady.objects import Column, Object, Spec, Status, resource

Action = Literal["deploy", "scale", "slice", "configure", "optimize", "maintenance"]
SliceType = Literal["embb", "urllc", "mmtc"]
Priority = Literal["Low", "Normal", "Medium", "High", "Critical", "low", "normal", "medium", "high", "critical"]


class IntentPhase(StrEnum):
    """Where an intent stands: derived from its conditions, for people to read.

    The second group is only ever read, on objects that other operators wrote.
    """

    PENDING = "Pending"
    LLM_PROCESSING = "LLMProcessing"
    RESOURCE_PLANNING = "ResourcePlanning"
    MANIFEST_GENERATION = "ManifestGeneration"
    GITOPS_COMMIT = "GitOpsCommit"
    DEPLOYMENT_VERIFICATION = "DeploymentVerification"
    COMPLETED = "Completed"
    ERROR = "Error"

    PROCESSED = "Processed"
    PROCESSING = "Processing"
    DEPLOYING = "Deploying"
    DEPLOYED = "Deployed"
    ACTIVE = "Active"
    READY = "Ready"
    FAILED = "Failed"
    DELETING = "Deleting"


class NetworkIntentSpec(Spec, frozen=True):
    """What is wanted, in words. Everything but the sentence is a hint that may be left out."""

    intent: Annotated[
        str,
        Meta(
            min_length=1,
            max_length=2000,
            pattern="\\S",
            description="What the network should be, in one or a few sentences of any language.",
        ),
    ]
    description: Annotated[str, Meta(description="A note for people; it changes nothing.")] = ""
    intent_type: Annotated[
        str, Meta(description="Kind of intent, such as deployment, optimization, scaling or maintenance.")
    ] = ""
    priority: Annotated[Priority, Meta(description="How urgent the intent is.")] | None = None
    target_components: Annotated[
        tuple[str, ...], Meta(description="Network functions that the intent is about, such as amf, smf or upf.")
    ] = ()
    target_namespace: Annotated[str, Meta(description="Namespace that the intent is about.")] = ""
    target_cluster: Annotated[str, Meta(description="Cluster that the intent is about.")] = ""
    network_slice: Annotated[str, Meta(description="Network slice that the intent is about.")] = ""
    region: Annotated[str, Meta(description="Region that the intent is about.")] = ""
    # Two published schemas disagree about the shape of these three, so any shape is kept as it is.
    resource_constraints: (
        Annotated[dict[str, Any], Meta(description="Limits of CPU, memory, storage and bandwidth, in any shape.")]
        | None
    ) = None
    processed_parameters: (
        Annotated[dict[str, Any], Meta(description="Parameters found by an earlier interpretation, in any shape.")]
        | None
    ) = None
    parameters: Annotated[dict[str, Any], Meta(description="Further parameters, in any shape.")] | None = None


class Interpretation(Part, frozen=True):
    """What the sentence was understood to mean, in short."""

    action: Action
    components: tuple[str, ...] = ()
    replicas: dict[str, int] = msgspec.field(default_factory=dict)
    namespace: str = ""
    slice: SliceType | None = None


class Adjustment(Part, frozen=True):
    """Another intent that changed what this one deployed, at the generation that did."""

    name: str
    uid: str
    generation: int


class DeployedComponent(Part, frozen=True):
    """One network function that the committed manifests deploy."""

    name: str
    type: str
    namespace: str = ""
    labels: dict[str, str] = msgspec.field(default_factory=dict)


class NetworkIntentStatus(Status, frozen=True):
    """What became of the intent."""

    phase: Annotated[IntentPhase, Meta(description="Where the intent stands; its conditions say why.")] | None = None
    last_message: Annotated[str, Meta(description="What happened last, in one sentence.")] = ""
    interpretation: Annotated[Interpretation, Meta(description="What the sentence was understood to mean.")] | None = (
        None
    )
    target: Annotated[str, Meta(description="Intent of the same namespace whose manifests this one changes.")] = ""
    git_commit_hash: Annotated[str, Meta(description="Commit that holds the manifests.")] = ""
    digest: Annotated[str, Meta(description="Digest of the committed manifests.")] = ""
    adjustments: Annotated[
        tuple[Adjustment, ...], Meta(description="Intents whose changes the manifests of this one contain.")
    ] = ()
    deployed_components: Annotated[
        tuple[DeployedComponent, ...], Meta(description="Network functions that the manifests deploy.")
    ] = ()
    extensions: Annotated[dict[str, Any], Meta(description="What other operators noted, in any shape.")] | None = None


@resource(
    API_VERSION,
    short_names=["ni"],
    categories=["nephoran"],
    columns={
        "Intent": ".spec.intent",
        "Phase": ".status.phase",
        "Ready": '.status.conditions[?(@.type=="Ready")].status',
        "Reason": Column('.status.conditions[?(@.type=="Ready")].reason', priority=1),
        "Target": Column(".status.target", priority=1),
        "Commit": Column(".status.gitCommitHash", priority=1),
    },
    initial={"phase": IntentPhase.PENDING},
)
class NetworkIntent(Object[NetworkIntentSpec, NetworkIntentStatus]):
    """A sentence that says what a network should be: it becomes manifests in a git repository."""

    __slots__ = ()
