"""Deployments are verified when they carry this digest and all their replicas are up to date and available."""

from typing import Any

import msgspec
import pytest

from nephoran.intent.verify import Verdict, verify
from steady.objects import RawObject
from steady.objects.raw import decode_object

HEALTHY = {"observedGeneration": 4, "replicas": 3, "updatedReplicas": 3, "availableReplicas": 3}


def deployment(digest: str = "d1", status: dict[str, Any] | None = None, **metadata: Any) -> RawObject:
    annotations = {"nephoran.com/digest": digest}
    content = {
        "metadata": {"name": "core-amf", "generation": 4, "annotations": annotations, **metadata},
        "spec": {"replicas": 3},
        "status": HEALTHY | (status or {}),
    }
    return decode_object(msgspec.json.encode(content))


def judged(found: RawObject) -> Verdict:
    return verify(["core-amf"], "d1", {"core-amf": found})


def test_a_finished_rollout_of_this_digest_is_available() -> None:
    """Seen, updated and available to the last replica."""
    verdict = judged(deployment())
    assert verdict == Verdict(True, "DeploymentsAvailable", "1 of 1 Deployments are available")


@pytest.mark.parametrize(
    ("found", "reason", "words"),
    [
        (deployment(digest="d0"), "DeploymentOutdated", "does not carry digest d1"),
        (deployment(deletionTimestamp="2026-01-01T00:00:00Z"), "DeploymentMissing", "is being deleted"),
        (deployment(status={"observedGeneration": 3}), "DeploymentProgressing", "has not seen"),
        (deployment(status={"updatedReplicas": 1}), "DeploymentProgressing", "1 of 3 replicas updated"),
        (deployment(status={"replicas": 4}), "DeploymentProgressing", "1 old replicas still there"),
        (deployment(status={"availableReplicas": 2}), "DeploymentProgressing", "2 of 3 replicas available"),
        (
            deployment(status={"conditions": [{"type": "Progressing", "status": "False", "reason": "Deadline"}]}),
            "DeploymentStalled",
            "Deadline",
        ),
        (deployment(status={"availableReplicas": "many"}), "DeploymentUnreadable", "availableReplicas"),
    ],
)
def test_what_is_missing_is_named(found: RawObject, reason: str, words: str) -> None:
    """The verdict says which Deployment waits and why."""
    verdict = judged(found)
    assert (verdict.available, verdict.reason, verdict.waiting) == (False, reason, ("core-amf",))
    assert words in verdict.message


def test_a_deployment_that_is_not_there_is_missing() -> None:
    """Absent is not available."""
    verdict = verify(["core-amf"], "d1", {})
    assert (verdict.available, verdict.reason, verdict.message) == (
        False,
        "DeploymentMissing",
        "core-amf: is not there",
    )


def test_nothing_has_been_reported_yet_is_not_available() -> None:
    """A Deployment without a status has just been created."""
    fresh = decode_object(
        b'{"metadata":{"name":"core-amf","generation":1,"annotations":{"nephoran.com/digest":"d1"}},"spec":{}}'
    )
    assert judged(fresh).reason == "DeploymentProgressing"


def test_one_that_waits_is_enough_and_only_it_is_named() -> None:
    """All must be available; what needs a person gives the reason."""
    found = {"a": deployment(), "b": deployment(status={"updatedReplicas": 0}), "c": deployment(digest="d0")}
    verdict = verify(["a", "b", "c"], "d1", found)
    assert (verdict.available, verdict.reason, verdict.waiting) == (False, "DeploymentOutdated", ("b", "c"))


def test_nothing_expected_is_nothing_to_wait_for() -> None:
    """An intent of slices only has no Deployment."""
    assert verify([], "d1", {}).reason == "NothingToObserve"
