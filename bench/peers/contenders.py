"""Who takes part: with which CRD, and how each is started."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Literal, NamedTuple

from bench.peers import binaries
from nephoran.api.install import Manifest, manifests
from nephoran.api.names import SYSTEM_NAMESPACE
from nephoran.knowledge import knowledge
from steady.testing.controlplane import OPERATOR

Kinds = Literal["ordinary", "ours"]


class Site(NamedTuple):
    """What a contender is told: files and addresses. `git` is a remote's path, empty in the variant without git.

    With `local` it is ours, and commits to a repository in `work` as it does without a remote.
    """

    kubeconfig: Path
    namespace: str
    ric: str
    work: Path
    manifests: Path
    git: str = ""
    local: bool = False
    slow: float = 0.0


class Contender(NamedTuple):
    """One contender. `patience` is how many seconds one object may take at most, all being worked on one by one.

    `completes` is false where no intent ever gets to its goal; `sets` tells whether it knows node sets.
    """

    name: str
    title: str
    kinds: Kinds
    command: Callable[[Site], list[str]]
    policy: bool = False
    patience: float = 0.05
    completes: bool = True
    sets: bool = False
    environment: Callable[[Site], Mapping[str, str]] = lambda _: {}

    def installed(self) -> list[Manifest]:
        """What is applied to the control plane before it starts (the admission policy comes on top)."""
        shipped = manifests(admission_policy="off")
        if self.name.startswith("ours"):
            rights: list[Manifest] = []
        else:
            rights = _rights()
        return [_ordinary(each) if self.kinds == "ordinary" else each for each in shipped] + rights

    def started(self, site: Site) -> tuple[list[str], dict[str, str]]:
        """Its command line and its environment."""
        return self.command(site), {**os.environ, **self.environment(site)}


def _go(mode: str, *options: str) -> Callable[[Site], list[str]]:
    def command(site: Site) -> list[str]:
        told = [
            str(binaries.cached()),
            f"-mode={mode}",
            f"-kubeconfig={site.kubeconfig}",
            f"-namespace={site.namespace}",
            f"-ric={site.ric}",
            *options,
        ]
        if site.slow:
            told.append(f"-sleep={site.slow}s")
        if site.git:
            told += [f"-git={site.git}", f"-work={site.work}", f"-manifests={site.manifests}"]
        return told

    return command


def _ours(site: Site) -> list[str]:
    told = [
        f"--kubeconfig={site.kubeconfig}",
        f"--namespace={site.namespace}",
        f"--lease-namespace={SYSTEM_NAMESPACE}",
        f"--allow-address={site.ric.removeprefix('http://')}",
    ]
    if not (site.git or site.local):
        return [sys.executable, "-m", "bench.peers.ours", *told, f"--slow={site.slow}"]
    images = [f"--image={component}=registry.example/{component}:1" for component in knowledge().components]
    remote = [f"--git-url={site.git}"] if site.git else []
    installed = [sys.executable, "-c", "from nephoran.cli import main; main()", "run", "--probes=127.0.0.1:0"]
    return [*installed, *told, *images, *remote, f"--work={site.work / 'repository.git'}"]


def _kopf(site: Site) -> list[str]:
    return [sys.executable, "-m", "kopf", "run", "--standalone", f"--namespace={site.namespace}"]


def _kopf_default(site: Site) -> list[str]:
    return [*_kopf(site), "--module=bench.peers.kopf_peer"]


def _kopf_frugal(site: Site) -> list[str]:
    return [*_kopf(site), "--quiet", "--module=bench.peers.kopf_frugal"]


def _for_kopf(site: Site) -> dict[str, str]:
    told = {"KUBECONFIG": str(site.kubeconfig), "PEER_SLOW": str(site.slow)}
    if site.git:
        told |= {"PEER_GIT": site.git, "PEER_WORK": str(site.work), "PEER_MANIFESTS": str(site.manifests)}
    return told


CONTENDERS = {
    each.name: each
    for each in (
        Contender("ours", "ours", "ours", _ours, policy=True, sets=True),
        Contender("ours-ordinary", "ours, ordinary CRD", "ordinary", _ours, sets=True),
        Contender("right", "controller-runtime, done right", "ordinary", _go("right"), sets=True),
        Contender(
            "right-ours", "controller-runtime, done right, our CRD and policy", "ours", _go("right"), True, sets=True
        ),
        Contender("ordinary", "controller-runtime, ordinary", "ordinary", _go("ordinary"), patience=0.2),
        Contender("kopf-frugal", "kopf, frugal", "ordinary", _kopf_frugal, environment=_for_kopf),
        Contender("kopf", "kopf, default", "ordinary", _kopf_default, environment=_for_kopf),
        Contender(
            "original", "original pattern, without its sleep", "ordinary", _go("original"), False, 0.5, sets=True
        ),
        Contender(
            "original-sleep", "original pattern, as intended", "ordinary", _go("original", "-sleep=2s"), False, 2.6
        ),
        Contender(
            "optimized", "optimized package, as written", "ordinary", _go("optimized"), patience=0.0, completes=False
        ),
    )
}
"""All contenders by name, in the order of the tables."""


def _ordinary(manifest: Manifest) -> Manifest:
    """A CRD as others write it: no default and no atomic status; `kopf` and `lastUpdateTime` have a place in it."""
    if manifest["kind"] != "CustomResourceDefinition":
        return manifest
    version = manifest["spec"]["versions"][0]
    schema = version["schema"]["openAPIV3Schema"]
    status = {
        name: value
        for name, value in schema["properties"]["status"].items()
        if name not in {"default", "x-kubernetes-map-type"}
    }
    status["properties"] = {
        **status["properties"],
        "kopf": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        "lastUpdateTime": {"type": "string", "format": "date-time"},
    }
    properties = {**schema["properties"], "status": status}
    version = {**version, "schema": {"openAPIV3Schema": {**schema, "properties": properties}}}
    return {**manifest, "spec": {**manifest["spec"], "versions": [version]}}


def _rights() -> list[Manifest]:
    """What peers need beyond our own rights, for the same account, so that the server treats all alike."""
    writes = ["get", "list", "watch", "create", "update", "patch", "delete"]
    rules = [
        ("nephoran.com", ["networkintents", "e2nodesets"], writes),
        (
            "nephoran.com",
            [f"{kind}/{part}" for kind in ("networkintents", "e2nodesets") for part in ("status", "finalizers")],
            writes,
        ),
        ("", ["configmaps", "events"], writes),
        ("events.k8s.io", ["events"], writes),
        ("coordination.k8s.io", ["leases"], writes),
        ("", ["namespaces"], ["get", "list", "watch"]),
        ("apiextensions.k8s.io", ["customresourcedefinitions"], ["get", "list", "watch"]),
    ]
    name = {"name": "bench-peer"}
    role = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": name,
        "rules": [{"apiGroups": [group], "resources": kinds, "verbs": verbs} for group, kinds, verbs in rules],
    }
    binding = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        "metadata": name,
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", **name},
        "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User", "name": OPERATOR.username}],
    }
    return [role, binding]
