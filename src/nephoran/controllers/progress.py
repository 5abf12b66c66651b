"""One intent on its way to a commit, and what its status says at each step."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from nephoran.api import NetworkIntent, NetworkIntentStatus
from nephoran.api.networkintent import Adjustment as Applied
from nephoran.api.networkintent import DeployedComponent, IntentPhase, Interpretation
from nephoran.intent.meaning import Meaning
from nephoran.intent.plan import Adjustment, Plan
from nephoran.intent.render import Rendering
from steady.backoff import ErrorType
from steady.errors import DecodeError, SteadyError
from steady.objects import Condition
from steady.objects.conditions import false, true


class Refusal(SteadyError):
    """The intent cannot be done as it is written; `reason` is the condition's."""

    error_type = ErrorType.VALIDATION

    def __init__(self, condition: str, reason: str, message: str) -> None:
        super().__init__(message)
        self.condition = condition
        self.reason = reason


class Work(NamedTuple):
    """One intent on its way to a commit."""

    intent: NetworkIntent
    meaning: Meaning
    adjustments: tuple[Adjustment, ...]
    plan: Plan
    rendering: Rendering


def shown(intent: NetworkIntent) -> NetworkIntentStatus:
    """What the cluster shows of the intent; nothing where that cannot be read, for it is written anew as a whole."""
    try:
        return intent.status
    except DecodeError:
        return NetworkIntentStatus()


def interpretation_of(meaning: Meaning) -> Interpretation:
    """The meaning as a status tells it."""
    return Interpretation(
        action=meaning.action,
        components=meaning.components,
        replicas=dict(meaning.replicas),
        namespace=meaning.namespace or "",
        slice=meaning.slice,
    )


def names(meaning: Meaning) -> str:
    """The components that it names."""
    return ", ".join(meaning.components) or "anything"


def processed(meaning: Meaning) -> Condition:
    """The condition that says how the sentence was understood."""
    return true("Processed", "LLMProcessingSucceeded", f"understood as: {meaning.action} {names(meaning)}")


def _planned(work: Work) -> tuple[Condition, ...]:
    count = len(work.plan.functions)
    return (
        processed(work.meaning),
        true("ResourcesPlanned", "ResourcePlanningSucceeded", f"{count} network functions planned"),
        true("ManifestsGenerated", "ManifestGenerationSucceeded", f"{len(work.rendering.files)} files rendered"),
    )


def committing(work: Work) -> NetworkIntentStatus:
    """All is rendered; the commit is on its way."""
    return NetworkIntentStatus(
        phase=IntentPhase.GITOPS_COMMIT,
        interpretation=interpretation_of(work.meaning),
        conditions=_planned(work),
    )


def committed(work: Work, commit: str) -> NetworkIntentStatus:
    """The manifests are in `commit`; whether that completes the intent, the next steps tell."""
    namespace = work.meaning.namespace or ""
    status = committing(work)
    return msgspec.structs.replace(
        status,
        git_commit_hash=commit,
        digest=work.rendering.digest,
        adjustments=tuple(Applied(name=it.name, uid=it.uid, generation=it.generation) for it in work.adjustments),
        deployed_components=tuple(
            DeployedComponent(name=it.component, type=it.component, namespace=namespace) for it in work.plan.functions
        ),
        conditions=(*status.conditions, true("GitOpsCommitted", "GitCommitSucceeded", f"committed as {commit[:12]}")),
    )


def completed(status: NetworkIntentStatus, verified: Condition) -> NetworkIntentStatus:
    """The goal is reached; `verified` says what that rests on."""
    ready = true("Ready", "AllPhasesCompleted", "the manifests are committed")
    return msgspec.structs.replace(
        status,
        phase=IntentPhase.COMPLETED,
        last_message=f"completed with commit {status.git_commit_hash[:12]}",
        conditions=(*status.conditions, verified, ready),
    )


def without_image(status: NetworkIntentStatus, refusal: Refusal) -> NetworkIntentStatus:
    """`status` of an intent of which something cannot run."""
    message = str(refusal)
    return msgspec.structs.replace(
        status,
        phase=IntentPhase.DEPLOYMENT_VERIFICATION,
        last_message=message,
        conditions=(*status.conditions, true("ImageUnknown", "ImageUnknown", message)),
    )


def taken_over(status: NetworkIntentStatus, provider: NetworkIntentStatus, message: str) -> NetworkIntentStatus:
    """`status` of an intent that is complete with `provider`, whose manifests it changes."""
    commit = provider.git_commit_hash
    return msgspec.structs.replace(
        status,
        phase=IntentPhase.COMPLETED,
        last_message=message,
        git_commit_hash=commit,
        conditions=(
            *status.conditions,
            true("GitOpsCommitted", "GitCommitSucceeded", f"committed as {commit[:12]}"),
            true("Ready", "AllPhasesCompleted", message),
        ),
    )


def refused(intent: NetworkIntent, refusal: Refusal) -> NetworkIntentStatus:
    """Why nothing is done; what was committed before stays and is told of."""
    last, message = shown(intent), str(refusal)
    kept = NetworkIntentStatus(git_commit_hash=last.git_commit_hash, digest=last.digest)
    return msgspec.structs.replace(
        kept,
        phase=IntentPhase.ERROR,
        last_message=message[:1000],
        conditions=(false(refusal.condition, refusal.reason, message),),
    )
