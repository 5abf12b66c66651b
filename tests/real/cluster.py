"""A real control plane as these tests use it: what is installed, what is wanted, and what the operator asked for."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, NamedTuple

import pygit2

from nephoran.api.install import Manifest, admission_policies, manifests
from nephoran.api.names import INTENT_FINALIZER, NODE_SET_FINALIZER, SYSTEM_NAMESPACE
from nephoran.cli.run import manager
from nephoran.configuration import Allow, Configuration, Lease
from nephoran.controllers.settings import Verification
from nephoran.knowledge import knowledge
from nephoran.repository import Repository
from steady import Manager
from steady.client import HttpTransport, connect
from steady.clock import SystemClock
from steady.tasks import Scope
from steady.testing.controlplane import OPERATOR, AuditEntry, ControlPlane
from tests.contract.api import DEADLINE_SECONDS, Api, until

Json = dict[str, Any]
Request = tuple[str, str, str]
Objects = dict[str, Json]

IMAGES = {component: f"images.example/{component}:1" for component in knowledge().components}
KINDS = ("networkintents", "e2nodesets")
STATUS, FINALIZER = ("patch", "networkintents", "status"), ("patch", "networkintents", "")
SET_STATUS, SET_FINALIZER = ("patch", "e2nodesets", "status"), ("patch", "e2nodesets", "")
POST, DELETE, PATCH = ("create", "configmaps", ""), ("delete", "configmaps", ""), ("patch", "configmaps", "")
START_SECONDS = 30.0
SETTLE_SECONDS = 3.0
"""A batch timeout and a little: what the operator would still write too much has been written by then."""
_API_GROUPS = {"configmaps": "/api/v1", "deployments": "/apis/apps/v1"}
_COLLECTIONS = {
    "CustomResourceDefinition": "/apis/apiextensions.k8s.io/v1/customresourcedefinitions",
    "Namespace": "/api/v1/namespaces",
    "ClusterRole": "/apis/rbac.authorization.k8s.io/v1/clusterroles",
    "ClusterRoleBinding": "/apis/rbac.authorization.k8s.io/v1/clusterrolebindings",
    "MutatingAdmissionPolicy": "/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicies",
    "MutatingAdmissionPolicyBinding": "/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicybindings",
}
_NAMESPACED = {
    "ServiceAccount": "/api/v1/namespaces/{}/serviceaccounts",
    "Role": "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/roles",
    "RoleBinding": "/apis/rbac.authorization.k8s.io/v1/namespaces/{}/rolebindings",
}


class Cluster:
    """One control plane and one namespace in it; counts the operator's requests from the audit log."""

    def __init__(self, plane: ControlPlane, api: Api, namespace: str) -> None:
        self.plane = plane
        self.api = api
        self.namespace = namespace
        self._mark = 0

    # What is installed.

    async def install(self, objects: Iterable[Manifest]) -> None:
        """Create what is not there yet."""
        for each in objects:
            made = await self.api.post(_collection(each), each)
            assert made.status in {201, 409}, made.text

    async def remove(self, objects: Iterable[Manifest]) -> None:
        """Delete what is there, and wait until it is gone."""
        for each in objects:
            path = f"{_collection(each)}/{each['metadata']['name']}"
            assert (await self.api.delete(path)).status in {200, 404}

            async def gone(path: str = path) -> bool:
                return (await self.api.get(path)).status == 404

            await until(gone)

    async def serving(self, plural: str) -> None:
        """Return when the server serves a kind."""

        async def served() -> bool:
            return (await self.api.get(self.path(plural))).status == 200

        await until(served)

    # What is wanted.

    def path(self, plural: str, name: str = "", subresource: str = "") -> str:
        """Where objects of this namespace are."""
        group = _API_GROUPS.get(plural, "/apis/nephoran.com/v1")
        parts = [part for part in (name, subresource) if part]
        return "/".join([f"{group}/namespaces/{self.namespace}/{plural}", *parts])

    async def intend(self, name: str, text: str) -> None:
        """Create an intent."""
        await self._create("NetworkIntent", "networkintents", name, {"intent": text})

    async def nodes(self, name: str, replicas: int, ric: str, **how: str) -> None:
        """Create a set of nodes at a RIC, which is talked to as `how` says (fields of ricConfiguration)."""
        spec = {"replicas": replicas, "ricConfiguration": {"ricEndpoint": ric, **how}}
        await self._create("E2NodeSet", "e2nodesets", name, spec)

    async def edit(self, plural: str, name: str, spec: Json) -> None:
        """Merge into an object's spec."""
        changed = await self.api.patch(self.path(plural, name), {"spec": spec})
        assert changed.status == 200, changed.text

    async def delete(self, plural: str, name: str) -> None:
        """Ask for an object's end."""
        deleted = await self.api.delete(self.path(plural, name))
        assert deleted.status == 200, deleted.text

    async def roll_out(self, deployment: Json) -> None:
        """Do as a GitOps agent and a kubelet would: create it, and have all of its replicas available."""
        created = await self.api.post(self.path("deployments"), deployment)
        assert created.status == 201, created.text
        counts = ("replicas", "updatedReplicas", "readyReplicas", "availableReplicas")
        status = {"observedGeneration": 1, **dict.fromkeys(counts, deployment["spec"]["replicas"])}
        path = self.path("deployments", deployment["metadata"]["name"], "status")
        changed = await self.api.patch(path, {"status": status})
        assert changed.status == 200, changed.text

    async def objects(self, plural: str) -> Objects:
        """All objects of a kind in this namespace, by name."""
        return {item["metadata"]["name"]: item for item in (await self.api.get(self.path(plural))).json["items"]}

    async def until(self, plural: str, wanted: Callable[[Objects], bool], seconds: float = DEADLINE_SECONDS) -> Objects:
        """Follow a kind in this namespace until its objects are as wanted; shows them where that takes longer."""
        found: Objects = {}
        listed = False
        deadline = asyncio.get_running_loop().time() + seconds
        query = {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan", "allowWatchBookmarks": "true"}
        async with self.api.watch(self.path(plural), **query) as watch:
            while not (listed and wanted(found)):
                try:
                    event = await watch.next(deadline - asyncio.get_running_loop().time())
                except TimeoutError as error:
                    shown = {name: obj.get("status") for name, obj in found.items()}
                    raise AssertionError(f"{plural} did not become as wanted: {json.dumps(shown)}") from error
                assert event is not None, "the watch ended"
                if event["type"] == "BOOKMARK":
                    listed = True
                elif event["type"] == "DELETED":
                    found.pop(event["object"]["metadata"]["name"], None)
                else:
                    found[event["object"]["metadata"]["name"]] = event["object"]
        return found

    async def completed(self, count: int, seconds: float = DEADLINE_SECONDS) -> Objects:
        """Return when there are `count` intents, all of them complete as they are now."""

        def done(found: Objects) -> bool:
            return len(found) == count and all(map(_complete, found.values()))

        return await self.until("networkintents", done, seconds)

    async def ready(self, name: str, replicas: int) -> Objects:
        """Return when a set has that many connected nodes and says so."""
        return await self.until("e2nodesets", lambda found: name in found and _ready(found[name], replicas))

    async def clean(self) -> None:
        """Leave nothing in this namespace, whatever finalizers say."""
        for plural in KINDS:
            if (await self.api.get(self.path(plural))).status != 200:
                continue
            for name, obj in (await self.objects(plural)).items():
                if obj["metadata"].get("finalizers"):
                    await self.api.patch(self.path(plural, name), {"metadata": {"finalizers": None}})
            await self.api.delete(self.path(plural))
        for plural in _API_GROUPS:
            await self.api.delete(self.path(plural))

    # What the operator asked for.

    async def mark(self) -> None:
        """Count from here."""
        self._mark = len(await self.plane.audit())

    async def asked(self) -> list[AuditEntry]:
        """The operator's requests since the mark, watches aside; one that was refused for want of a right fails."""
        entries = (await self.plane.audit())[self._mark :]
        own = [entry for entry in entries if entry.user == OPERATOR.username]
        refused = {(entry.verb, entry.resource, entry.subresource) for entry in own if entry.code == 403}
        assert not refused, f"the rights that are shipped do not allow: {refused}"
        return [entry for entry in own if entry.verb != "watch"]

    async def requests(self) -> Counter[Request]:
        """The same without leases, counted by verb, resource and subresource; all codes and retries included."""
        asked = [entry for entry in await self.asked() if entry.resource != "leases"]
        return Counter((entry.verb, entry.resource, entry.subresource) for entry in asked)

    async def renewals(self) -> int:
        """How many of them were for the lease."""
        return sum(entry.resource == "leases" for entry in await self.asked())

    async def _create(self, kind: str, plural: str, name: str, spec: Json) -> None:
        body = {"apiVersion": "nephoran.com/v1", "kind": kind, "metadata": {"name": name}, "spec": spec}
        made = await self.api.post(self.path(plural), body)
        assert made.status == 201, made.text


class Written(NamedTuple):
    """One commit of the remote."""

    id: str
    subject: str
    tree: str
    changes: tuple[str, ...]


class Remote:
    """A bare repository on this disk, read without our own code."""

    def __init__(self, path: Path) -> None:
        self.path = path
        pygit2.init_repository(str(path), bare=True, initial_head="main")

    def slow(self, seconds: float) -> None:
        """Let every push take that long, by a hook of the repository."""
        hook = self.path / "hooks" / "pre-receive"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\nexec sleep {seconds}\n", encoding="ascii")
        hook.chmod(0o700)

    def log(self) -> list[Written]:
        """Every commit, oldest first, with the changes that its body names."""
        repository = pygit2.Repository(str(self.path))
        if repository.head_is_unborn:
            return []
        order = pygit2.enums.SortMode.TOPOLOGICAL | pygit2.enums.SortMode.REVERSE
        return [_written(commit) for commit in repository.walk(repository.head.target, order)]

    def directories(self, namespace: str) -> set[str]:
        """The intents of a namespace that have a directory at the head."""
        return {path.split("/")[2] for path in self.files() if path.startswith(f"networkintents/{namespace}/")}

    def files(self) -> dict[str, bytes]:
        """All files at the head, by path."""
        repository = pygit2.Repository(str(self.path))
        if repository.head_is_unborn:
            return {}
        return dict(_blobs(repository.head.peel(pygit2.Tree), ""))

    def head(self) -> str:
        """The branch's commit."""
        return str(pygit2.Repository(str(self.path)).head.target)


@asynccontextmanager
async def operator(
    cluster: Cluster, remote: Remote, work: Path, verify: Verification = "commit"
) -> AsyncIterator[Manager]:
    """The operator in this process, as its ServiceAccount, in all namespaces."""
    connection = connect(cluster.plane.kubeconfig("operator"))
    repository = Repository(str(remote.path), work=work, clock=SystemClock())
    configuration = Configuration(
        images=IMAGES,
        verify=verify,
        allow=Allow(addresses=("127.0.0.0/8",)),
        lease=Lease(namespace=SYSTEM_NAMESPACE),
        probes="",
    )
    running = manager(configuration, repository, lambda: HttpTransport(connection))
    async with Scope("operator") as scope:
        serving = scope.start(running.serve(), "serve")
        started = scope.start(running.started.wait(), "started")
        async with asyncio.timeout(START_SECONDS):
            await asyncio.wait([serving, started], return_when=asyncio.FIRST_COMPLETED)
        assert not serving.done(), serving.exception()
        yield running
        running.stop()
        await scope.drained()


async def settled() -> None:
    """Let pass the time within which the operator would write what it should not."""
    await asyncio.sleep(SETTLE_SECONDS)


@asynccontextmanager
async def policy_in_force(cluster: Cluster) -> AsyncIterator[None]:
    """The admission policy, just installed (it takes effect within a second or so), and removed afterwards."""
    policies = admission_policies()
    await cluster.install(policies)
    try:
        yield
    finally:
        await cluster.remove(policies)
        await until(lambda: admitted(cluster, with_finalizer=False))


async def admitted(cluster: Cluster, *, with_finalizer: bool) -> bool:
    """Whether new objects of both kinds get, or do not get, their finalizer from the server."""
    tried = [
        ("networkintents", "NetworkIntent", {"intent": "Deploy AMF"}, INTENT_FINALIZER),
        ("e2nodesets", "E2NodeSet", {"replicas": 1}, NODE_SET_FINALIZER),
    ]
    for plural, kind, spec, finalizer in tried:
        body = {"apiVersion": "nephoran.com/v1", "kind": kind, "metadata": {"name": "probe"}, "spec": spec}
        answer = await cluster.api.post(cluster.path(plural), body, dryRun="All")
        if (finalizer in answer.json["metadata"].get("finalizers", ())) is not with_finalizer:
            return False
    return True


def installed() -> list[Manifest]:
    """What is shipped, without the policy and what needs a controller manager or a kubelet."""
    made = manifests(admission_policy="off")
    return [each for each in made if each["kind"] not in {"Deployment", "PersistentVolumeClaim"}]


def _collection(manifest: Manifest) -> str:
    kind = manifest["kind"]
    if kind in _NAMESPACED:
        return _NAMESPACED[kind].format(manifest["metadata"]["namespace"])
    return _COLLECTIONS[kind]


def _complete(intent: Json) -> bool:
    return _current(intent) and intent["status"]["phase"] == "Completed"


def _ready(node_set: Json, replicas: int) -> bool:
    status = node_set.get("status", {})
    return _current(node_set) and (status["phase"], status["readyReplicas"]) == ("Ready", replicas)


def _current(obj: Json) -> bool:
    return bool(obj["metadata"]["generation"] == obj.get("status", {}).get("observedGeneration"))


def _written(commit: pygit2.Commit) -> Written:
    subject, _, body = commit.message.partition("\n")
    changes = tuple(line.split(" digest=")[0] for line in body.splitlines() if line.startswith("- "))
    return Written(str(commit.id), subject, str(commit.tree_id), changes)


def _blobs(tree: pygit2.Tree, prefix: str) -> Iterable[tuple[str, bytes]]:
    for entry in tree:
        if isinstance(entry, pygit2.Tree):
            yield from _blobs(entry, f"{prefix}{entry.name}/")
        elif isinstance(entry, pygit2.Blob):
            yield f"{prefix}{entry.name}", entry.data
