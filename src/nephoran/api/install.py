"""Everything that a cluster needs before the operator can run in it, as manifests.

`deploy/` holds the result for the defaults; after a change of the types or of this file, write it anew:

    python -m nephoran.api.install --write deploy
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any, Literal

import yaml

from nephoran.api.e2nodeset import E2NodeSet
from nephoran.api.names import (
    GROUP,
    INTENT_FINALIZER,
    NODE_SET_FINALIZER,
    SERVICE_ACCOUNT,
    SYSTEM_NAMESPACE,
    VERSION,
)
from nephoran.api.networkintent import NetworkIntent
from steady.schema import crd

Manifest = dict[str, Any]
AdmissionPolicy = Literal["auto", "on", "off"]

PROBE_PORT = 8081
MEMORY_MIB = 256
VOLUME = "/var/lib/nephoran"
_USER = 65532  # the customary `nonroot` of minimal images
_TMP = "/tmp"  # noqa: S108  the container's own
_LABELS = {"app.kubernetes.io/name": "nephoran"}

_MADE = "# Made by `python -m nephoran.api.install --write deploy`; edit the types, not this file.\n"
_CRD_HEADING = _MADE
_INSTALL_HEADING = _MADE + (
    "# All that the operator needs but the admission policy. The committed manifests go to a repository on the\n"
    "# persistent volume `nephoran`; to send them to a remote, set --git-url and replace the volume by an emptyDir.\n"
)
_POLICY_HEADING = _MADE + (
    "# Optional, Kubernetes 1.36 or newer: the server adds the finalizers itself, one request less per object.\n"
)

_RESTRICTED = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn")}

_CLUSTER_RULES: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    # get: the one read that follows a write whose echo never came. patch: finalizers.
    (GROUP, ("networkintents", "e2nodesets"), ("get", "list", "watch", "patch")),
    (GROUP, ("networkintents/status", "e2nodesets/status"), ("patch",)),
    ("", ("configmaps",), ("get", "list", "watch", "create", "patch", "delete")),
    ("apps", ("deployments",), ("get", "list", "watch")),
    ("events.k8s.io", ("events",), ("create",)),
)
_NAMESPACE_RULES: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("coordination.k8s.io", ("leases",), ("get", "create", "update")),
)


def default_image() -> str:
    """The image of this version; where it is pulled from is for the cluster's owner to say."""
    return f"nephoran:{version('nephoran')}"


def manifests(
    *,
    admission_policy: AdmissionPolicy = "auto",
    image: str = "",
    namespace: str = SYSTEM_NAMESPACE,
    git_url: str = "",
) -> list[Manifest]:
    """All manifests, in the order in which they are applied.

    `admission_policy`: whether the API server itself shall add finalizers, which saves one request per object. It needs
    Kubernetes 1.36; an older server refuses the two manifests and takes the rest. `auto` includes them here: a caller
    that can ask the server (for `mutatingadmissionpolicies`) decides between `on` and `off`.
    `git_url`: the remote that receives the manifests; without one they go to a repository on a persistent volume.
    """
    policies = [] if admission_policy == "off" else admission_policies()
    return [
        _object("v1", "Namespace", namespace, labels=_RESTRICTED),
        *crds(),
        *_rights(namespace),
        *policies,
        *([] if git_url else [_claim(namespace)]),
        _deployment(namespace, image or default_image(), git_url),
    ]


def crds() -> list[Manifest]:
    """The two CRDs."""
    return [crd(NetworkIntent), crd(E2NodeSet)]


def admission_policies() -> list[Manifest]:
    """Policies by which the API server (1.36 or newer) adds our finalizers to new objects, and their bindings."""
    return [
        *_finalizer_policy("networkintents", INTENT_FINALIZER),
        *_finalizer_policy("e2nodesets", NODE_SET_FINALIZER),
    ]


def as_yaml(objects: Iterable[Mapping[str, Any]]) -> str:
    """The manifests as one YAML stream, every key in the order in which it was written."""
    return yaml.dump_all(objects, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=120, explicit_start=True)


def files() -> dict[str, str]:
    """What `deploy/` holds: the text of each file by its relative path, with a heading."""
    made = {
        **{f"crds/{each['metadata']['name']}.yaml": (_CRD_HEADING, [each]) for each in crds()},
        "install.yaml": (_INSTALL_HEADING, manifests(admission_policy="off")),
        "admission-policy.yaml": (_POLICY_HEADING, admission_policies()),
    }
    return {name: heading + as_yaml(objects) for name, (heading, objects) in made.items()}


def main(arguments: Sequence[str] | None = None) -> None:
    """Print all manifests, or with `--write FOLDER` write the files of `deploy/` there."""
    parser = argparse.ArgumentParser(prog="python -m nephoran.api.install", description=main.__doc__)
    parser.add_argument("--write", metavar="FOLDER", type=Path, help="write the files there instead of printing")
    folder: Path | None = parser.parse_args(arguments).write
    if folder is None:
        sys.stdout.write(as_yaml(manifests()))
        return
    for name, text in files().items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


class _Dumper(yaml.SafeDumper):
    """No anchors: readers of manifests do not expect them. A text of several lines is shown as such."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002  the base class names it
        return True

    def represent_str(self, data: str) -> yaml.ScalarNode:
        return self.represent_scalar("tag:yaml.org,2002:str", data, style="|" if "\n" in data else None)


_Dumper.add_representer(str, _Dumper.represent_str)


def _object(api_version: str, kind: str, name: str, *, namespace: str = "", **parts: Any) -> Manifest:
    metadata: dict[str, Any] = {"name": name}
    if namespace:
        metadata["namespace"] = namespace
    metadata["labels"] = {**_LABELS, **parts.pop("labels", {})}
    return {"apiVersion": api_version, "kind": kind, "metadata": metadata, **parts}


def _rights(namespace: str) -> list[Manifest]:
    """A ServiceAccount with the verbs that the operator uses and no other."""
    rbac = "rbac.authorization.k8s.io"
    account = {"kind": "ServiceAccount", "name": SERVICE_ACCOUNT, "namespace": namespace}
    found = [_object("v1", "ServiceAccount", SERVICE_ACCOUNT, namespace=namespace)]
    for prefix, place, rules in (("Cluster", "", _CLUSTER_RULES), ("", namespace, _NAMESPACE_RULES)):
        reference = {"apiGroup": rbac, "kind": f"{prefix}Role", "name": SERVICE_ACCOUNT}
        found += [
            _object(f"{rbac}/v1", f"{prefix}Role", SERVICE_ACCOUNT, namespace=place, rules=[_rule(*r) for r in rules]),
            _object(
                f"{rbac}/v1",
                f"{prefix}RoleBinding",
                SERVICE_ACCOUNT,
                namespace=place,
                roleRef=reference,
                subjects=[account],
            ),
        ]
    return found


def _rule(group: str, resources: Sequence[str], verbs: Sequence[str]) -> dict[str, list[str]]:
    return {"apiGroups": [group], "resources": list(resources), "verbs": list(verbs)}


def _finalizer_policy(plural: str, finalizer: str) -> list[Manifest]:
    """Idempotent: an object that comes with the finalizer must not get it twice, or it could never be deleted."""
    api, name = "admissionregistration.k8s.io/v1", f"finalizer.{plural}.{GROUP}"
    present = f'object.metadata.finalizers.exists(f, f == "{finalizer}")'
    append = f'[JSONPatch{{op: "add", path: "/metadata/finalizers/-", value: "{finalizer}"}}]'
    begin = f'[JSONPatch{{op: "add", path: "/metadata/finalizers", value: ["{finalizer}"]}}]'
    expression = f"has(object.metadata.finalizers) ? ({present} ? [] : {append}) : {begin}"
    rule = {"apiGroups": [GROUP], "apiVersions": [VERSION], "resources": [plural], "operations": ["CREATE"]}
    policy = {
        "failurePolicy": "Ignore",
        "reinvocationPolicy": "Never",
        "matchConstraints": {"resourceRules": [rule]},
        "mutations": [{"patchType": "JSONPatch", "jsonPatch": {"expression": expression}}],
    }
    return [
        _object(api, "MutatingAdmissionPolicy", name, spec=policy),
        _object(api, "MutatingAdmissionPolicyBinding", name, spec={"policyName": name}),
    ]


def _claim(namespace: str) -> Manifest:
    spec = {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": "1Gi"}}}
    return _object("v1", "PersistentVolumeClaim", SERVICE_ACCOUNT, namespace=namespace, spec=spec)


def _deployment(namespace: str, image: str, git_url: str) -> Manifest:
    pod = {
        "serviceAccountName": SERVICE_ACCOUNT,
        "enableServiceLinks": False,  # a Service named nephoran would set variables that read as our options
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": _USER,
            "runAsGroup": _USER,
            "fsGroup": _USER,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [_container(namespace, image, git_url)],
        "volumes": [
            {"name": "state"} | ({"emptyDir": {}} if git_url else _claimed()),
            {"name": "tmp", "emptyDir": {}},
        ],
    }
    spec = {
        "replicas": 1,
        # A volume that one pod may write must be let go before the next pod starts.
        "strategy": {"type": "RollingUpdate" if git_url else "Recreate"},
        "selector": {"matchLabels": _LABELS},
        "template": {"metadata": {"labels": _LABELS}, "spec": pod},
    }
    return _object("apps/v1", "Deployment", SERVICE_ACCOUNT, namespace=namespace, spec=spec)


def _claimed() -> dict[str, Any]:
    return {"persistentVolumeClaim": {"claimName": SERVICE_ACCOUNT}}


def _container(namespace: str, image: str, git_url: str) -> dict[str, Any]:
    return {
        "name": "operator",
        "image": image,
        "args": [
            "run",
            f"--work={VOLUME}/work",
            *([f"--git-url={git_url}"] if git_url else []),
            f"--lease-namespace={namespace}",
            f"--probes=0.0.0.0:{PROBE_PORT}",
        ],
        "env": [{"name": "HOME", "value": VOLUME}],
        "ports": [{"name": "probes", "containerPort": PROBE_PORT}],
        "livenessProbe": {"httpGet": {"path": "/livez", "port": "probes"}},
        "readinessProbe": {"httpGet": {"path": "/readyz", "port": "probes"}},
        "resources": {"requests": {"cpu": "50m", "memory": "96Mi"}, "limits": {"memory": f"{MEMORY_MIB}Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        },
        "volumeMounts": [{"name": "state", "mountPath": VOLUME}, {"name": "tmp", "mountPath": _TMP}],
    }


if __name__ == "__main__":
    main()
