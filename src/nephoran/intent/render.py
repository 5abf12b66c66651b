"""From a plan to the files of one directory: the same plan gives the same bytes. Pure.

Nothing that cannot be pulled is rendered to run: a function without an image of the operator's gets its Service,
ConfigMap and NetworkPolicy, but neither Deployment nor autoscaler, and is named in `missing_images`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping

import msgspec

from nephoran.api.names import DIGEST_ANNOTATION
from nephoran.intent.document import document
from nephoran.intent.manifests import (
    IntentIdentity,
    Manifest,
    Place,
    autoscaler,
    configuration,
    deployment,
    e2_node_set,
    kustomization,
    network_policy,
    policy_configuration,
    service,
    slice_configuration,
)
from nephoran.intent.plan import Function, Plan

__all__ = ["IntentIdentity", "Rendering", "render"]

ric = "near-rt-ric"


class Rendering(msgspec.Struct, frozen=True):
    """The directory of one intent.

    `files` by name; `digest` of all manifests (SHA-256, hexadecimal), which every object carries as an annotation;
    `missing_images` are components for which the operator knows no image; `deployments` the names of all Deployments.
    """

    files: dict[str, bytes]
    digest: str
    missing_images: tuple[str, ...] = ()
    deployments: tuple[str, ...] = ()


def render(intent: IntentIdentity, plan: Plan, *, target_namespace: str, images: Mapping[str, str]) -> Rendering:
    """The files that `plan` means in `target_namespace`; `images` by component, as the operator was configured."""
    place = Place(intent, target_namespace)
    manifests = dict(_manifests(place, plan, images))
    digest = _digest(manifests)
    for manifest in manifests.values():
        manifest["metadata"]["annotations"] = {DIGEST_ANNOTATION: digest}
    files = {name: document(manifest) for name, manifest in manifests.items()}
    files["kustomization.yaml"] = document(kustomization(manifests))
    deployed = [it["metadata"]["name"] for it in manifests.values() if it["kind"] == "Deployment"]
    missing = [function.component for function in plan.functions if function.component not in images]
    return Rendering(dict(sorted(files.items())), digest, tuple(sorted(missing)), tuple(sorted(deployed)))


def _manifests(place: Place, plan: Plan, images: Mapping[str, str]) -> Iterator[tuple[str, Manifest]]:
    together = [function.component for function in plan.functions]
    for function in plan.functions:
        told = configuration(place, function, plan.text, together)
        yield f"configmap-{function.component}.yaml", told
        yield f"service-{function.component}.yaml", service(place, function)
        yield f"networkpolicy-{function.component}.yaml", network_policy(place, function)
        if image := images.get(function.component):
            yield from _running(place, function, image, told)
    if plan.slice:
        yield "slice-configuration.yaml", slice_configuration(place, plan.slice, plan.text)
    if plan.policy:
        yield "policy-configuration.yaml", policy_configuration(place, plan.policy, plan.text)
    if plan.e2_nodes is not None:
        runs_ric = ric in together and ric in images
        yield "e2nodeset.yaml", e2_node_set(place, plan.e2_nodes, ric if runs_ric else None)


def _running(place: Place, function: Function, image: str, told: Manifest) -> Iterator[tuple[str, Manifest]]:
    yield f"deployment-{function.component}.yaml", deployment(place, function, image, told)
    if scaler := autoscaler(place, function):
        yield f"hpa-{function.component}.yaml", scaler


def _digest(manifests: Mapping[str, Manifest]) -> str:
    return hashlib.sha256(msgspec.json.encode(manifests, order="deterministic")).hexdigest()
