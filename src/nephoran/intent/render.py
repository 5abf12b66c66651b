"""From a plan to the files of one directory: the same plan gives the same bytes. Pure.

Nothing that cannot be pulled is rendered to run: a function without an image of the operator's gets its Service,
ConfigMap and NetworkPolicy, but neither Deployment nor autoscaler, and is named in `missing_images`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterator, Mapping

import msgspec

from nephoran.api.names import DIGEST_ANNOTATION
from nephoran.intent.document import Constant, document, encoded
from nephoran.intent.manifests import (
    IntentIdentity,
    Manifest,
    Place,
    Subject,
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
from nephoran.intent.memory import remembered
from nephoran.intent.plan import Plan

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
    digest = hashlib.sha256(encoded(manifests)).hexdigest()
    _annotate(manifests.values(), digest)
    files = {name: document(manifest) for name, manifest in manifests.items()}
    files["kustomization.yaml"] = _kustomization(tuple(manifests))
    deployed = [place.name(it.component) for it in plan.functions if it.component in images]
    missing = [function.component for function in plan.functions if function.component not in images]
    return Rendering(dict(sorted(files.items())), digest, tuple(sorted(missing)), tuple(sorted(deployed)))


def _manifests(place: Place, plan: Plan, images: Mapping[str, str]) -> Iterator[tuple[str, Manifest]]:
    together = [function.component for function in plan.functions]
    for function in plan.functions:
        yield from _running(Subject(place, function), plan.text, together, images.get(function.component))
    if plan.slice:
        yield "slice-configuration.yaml", slice_configuration(place, plan.slice, plan.text)
    if plan.policy:
        yield "policy-configuration.yaml", policy_configuration(place, plan.policy, plan.text)
    if plan.e2_nodes is not None:
        runs_ric = ric in together and ric in images
        yield "e2nodeset.yaml", e2_node_set(place, plan.e2_nodes, ric if runs_ric else None)


def _running(
    subject: Subject, text: str, together: Collection[str], image: str | None
) -> Iterator[tuple[str, Manifest]]:
    component = subject.function.component
    told = configuration(subject, text, together)
    yield f"configmap-{component}.yaml", told
    yield f"service-{component}.yaml", service(subject)
    yield f"networkpolicy-{component}.yaml", network_policy(subject)
    if not image:
        return
    yield f"deployment-{component}.yaml", deployment(subject, image, told)
    if scaler := autoscaler(subject):
        yield f"hpa-{component}.yaml", scaler


def _annotate(manifests: Collection[Manifest], digest: str) -> None:
    """Give every object the digest. What the objects of one function share of their metadata is laid out once."""
    shared = {id(it["metadata"]): it["metadata"] for it in manifests}
    annotations = {DIGEST_ANNOTATION: digest}
    constants = {key: Constant({**metadata, "annotations": annotations}) for key, metadata in shared.items()}
    for manifest in manifests:
        manifest["metadata"] = constants[id(manifest["metadata"])]


@remembered("kustomizations", 256)
def _kustomization(files: tuple[str, ...]) -> bytes:
    return document(kustomization(files))
