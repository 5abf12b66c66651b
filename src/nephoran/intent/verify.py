"""Whether what was committed runs: the Deployments of one intent, as the cluster shows them. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from nephoran.api.names import DIGEST_ANNOTATION
from steady.objects import RawObject

Reason = Literal[
    "DeploymentsAvailable",
    "NothingToObserve",
    "DeploymentMissing",
    "DeploymentOutdated",
    "DeploymentStalled",
    "DeploymentProgressing",
    "DeploymentUnreadable",
]


class Verdict(msgspec.Struct, frozen=True):
    """Whether all that is expected is `available`; if not, `waiting` names what is not, and `message` says why."""

    available: bool
    reason: Reason
    message: str
    waiting: tuple[str, ...] = ()


class _Spec(msgspec.Struct, frozen=True):
    replicas: int = 1  # what the server takes an absent number for


class _Condition(msgspec.Struct, frozen=True):
    type: str
    status: str
    reason: str = ""
    message: str = ""


class _Status(msgspec.Struct, frozen=True, rename="camel"):
    observed_generation: int = 0
    replicas: int = 0
    updated_replicas: int = 0
    available_replicas: int = 0
    conditions: tuple[_Condition, ...] = ()


_spec = msgspec.json.Decoder(_Spec)
_status = msgspec.json.Decoder(_Status)
_Fault = tuple[Reason, str]


def verify(expected: Sequence[str], digest: str, deployments: Mapping[str, RawObject]) -> Verdict:
    """Judge the Deployments named `expected`, which must carry `digest`, by what the cluster holds of them by name.

    With nothing expected there is nothing to wait for: available, as `NothingToObserve`.
    """
    if not expected:
        return Verdict(True, "NothingToObserve", "no Deployment belongs to this intent")
    faults = {name: fault for name in expected if (fault := _fault(digest, deployments.get(name)))}
    if not faults:
        return Verdict(True, "DeploymentsAvailable", f"{len(expected)} of {len(expected)} Deployments are available")
    message = "; ".join(f"{name}: {message}" for name, (_, message) in faults.items())
    return Verdict(False, _worst(faults), message, tuple(faults))


def _worst(faults: Mapping[str, _Fault]) -> Reason:
    """What needs a person comes before what only needs time."""
    reasons = {reason for reason, _ in faults.values()}
    order: tuple[Reason, ...] = ("DeploymentUnreadable", "DeploymentStalled", "DeploymentMissing", "DeploymentOutdated")
    return next((reason for reason in order if reason in reasons), "DeploymentProgressing")


def _fault(digest: str, deployment: RawObject | None) -> _Fault | None:
    if deployment is None or deployment.metadata.deleting:
        return "DeploymentMissing", "is being deleted" if deployment else "is not there"
    if (deployment.metadata.annotations or {}).get(DIGEST_ANNOTATION) != digest:
        return "DeploymentOutdated", f"does not carry digest {digest[:12]} yet"
    try:
        spec = _spec.decode(bytes(deployment.spec) or b"{}")
        status = _status.decode(bytes(deployment.status) or b"{}")
    except msgspec.DecodeError as error:
        return "DeploymentUnreadable", str(error)
    return _rollout_fault(deployment.metadata.generation, spec.replicas, status)


def _rollout_fault(generation: int, wanted: int, status: _Status) -> _Fault | None:
    if status.observed_generation < generation:
        return "DeploymentProgressing", "its controller has not seen this generation yet"
    if stalled := next((it for it in status.conditions if it.type == "Progressing" and it.status == "False"), None):
        return "DeploymentStalled", f"{stalled.reason}: {stalled.message}"
    if status.updated_replicas < wanted:
        return "DeploymentProgressing", f"{status.updated_replicas} of {wanted} replicas updated"
    if status.replicas > status.updated_replicas:
        return "DeploymentProgressing", f"{status.replicas - status.updated_replicas} old replicas still there"
    if status.available_replicas < wanted:
        return "DeploymentProgressing", f"{status.available_replicas} of {wanted} replicas available"
    return None
