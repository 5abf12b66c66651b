"""What the cluster holds from before: objects of the Go operator, and what no type of ours can read."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from copy import deepcopy
from typing import Any

import pytest

from nephoran.api import E2NodeSet, NetworkIntent
from nephoran.api.names import INTENT_FINALIZER, NODE_SET_FINALIZER
from nephoran.controllers import Settings, intent_controller, node_set_controller
from nephoran.e2.fleet import Fleet
from nephoran.e2.simulator import MemoryRic, NodeTable
from nephoran.intent.interpret import RuleInterpreter
from nephoran.repository.memory import MemoryRemote, MemoryRepository
from steady.apiserver import Server
from steady.clock import ManualClock
from steady.objects import Object
from steady.schema import crd
from tests.behaviour.house import CRDS, Json, User, condition, pass_time, requests, running
from tests.behaviour.lives import IMAGES

pytestmark = pytest.mark.looptime

Kind = type[Object[Any, Any]]
OBJECTS = "/apis/nephoran.com/v1/namespaces/default"
CONFIG_MAPS = "/api/v1/namespaces/default/configmaps"
FINALIZERS: dict[Kind, str] = {NetworkIntent: INTENT_FINALIZER, E2NodeSet: NODE_SET_FINALIZER}
INTENT_STATUS, INTENT = ("patch", "networkintents", "status"), ("patch", "networkintents", "")
SET_STATUS, SET = ("patch", "e2nodesets", "status"), ("patch", "e2nodesets", "")


class House:
    """A server that took anything once, and an operator that comes to what it holds."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.user = User(server)
        self.remote = MemoryRemote()
        self.table = NodeTable()

    async def admit(self, *, anything: bool) -> None:
        """Serve the kinds by their schemas, or as an older schema did that says nothing of their content."""
        for kind in FINALIZERS:
            definition = crd(kind)
            if anything:
                definition = _loosened(definition)
            name = definition["metadata"]["name"]
            known = any(found["metadata"]["name"] == name for found in self.server.objects(CRDS.rpartition("/")[2]))
            if known:
                await self.user.merge(f"{CRDS}/{name}", {"spec": definition["spec"]})
            else:
                await self.user.send("POST", CRDS, definition)

    async def store(self, kind: Kind, name: str, spec: Json, status: Json | None = None) -> Json:
        """An object from before, which the operator of that time has given its finalizer."""
        metadata = {"name": name, "finalizers": [FINALIZERS[kind]]}
        head = {"apiVersion": "nephoran.com/v1", "kind": kind.__name__, "metadata": metadata}
        made = await self.user.send("POST", _path(kind), {**head, "spec": spec})
        if status is not None:
            made = await self.user.merge(f"{_path(kind, name)}/status", {"status": status})
        return made

    async def get(self, kind: Kind, name: str) -> Json:
        """An object as it is."""
        return await self.user.send("GET", _path(kind, name))

    async def spoil(self, kind: Kind, name: str, part: str, content: Json) -> None:
        """Put into a part of an object what our schema would not let in."""
        await self.admit(anything=True)
        path = _path(kind, name) + ("/status" if part == "status" else "")
        await self.user.merge(path, {part: content})
        await self.admit(anything=False)

    @asynccontextmanager
    async def operator(self) -> AsyncIterator[None]:
        """The operator at work, its requests counted from its start."""
        repository = MemoryRepository(self.remote, clock=ManualClock())
        fleet = Fleet(lambda _: MemoryRic(self.table), ManualClock())
        controllers = (
            intent_controller(RuleInterpreter(), repository, Settings(images=IMAGES)),
            node_set_controller(fleet),
        )
        self.server.log.clear()
        async with running(self.server, *controllers, services=[repository, fleet]):
            yield


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with Server(clock=ManualClock()) as server:
        house = House(server)
        await house.admit(anything=True)
        yield house


def _path(kind: Kind, name: str = "") -> str:
    return f"{OBJECTS}/{kind.declaration.resource.plural}" + (f"/{name}" if name else "")


def _loosened(definition: Json) -> Json:
    definition = deepcopy(definition)
    version = definition["spec"]["versions"][0]
    version["subresources"].pop("scale", None)  # which would let nothing but numbers in
    properties = version["schema"]["openAPIV3Schema"]["properties"]
    for part in ("spec", "status"):
        properties[part] = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    return definition


def _conditions(reasons: Iterable[tuple[str, str]]) -> list[Json]:
    since = "2026-02-16T10:00:00Z"
    return [
        {"type": type_, "status": "True", "reason": reason, "message": "done", "lastTransitionTime": since}
        for type_, reason in reasons
    ]


GO_COMPLETED: Json = {
    "phase": "Completed",
    "observedGeneration": 1,
    "lastMessage": "Intent processed and deployed successfully",
    "lastUpdateTime": "2026-02-16T10:00:07Z",
    "lastUpdated": "2026-02-16T10:00:07Z",
    "processingPhase": "Completed",
    "extensions": {"resourcePlan": {"network_functions": []}, "gitCommitHash": "0a1b2c3d"},
    "gitCommitHash": "0a1b2c3d",
    "conditions": _conditions(
        [
            ("Processed", "LLMProcessingSucceeded"),
            ("ResourcesPlanned", "ResourcePlanningSucceeded"),
            ("ManifestsGenerated", "ManifestGenerationSucceeded"),
            ("GitOpsCommitted", "GitCommitSucceeded"),
            ("DeploymentVerified", "DeploymentVerificationSucceeded"),
            ("Ready", "AllPhasesCompleted"),
        ]
    ),
}


async def test_what_the_go_operator_completed_is_left_as_it_is(house: House) -> None:
    """No write and no commit at the start and for an hour, however many there are; an edit or a deletion is done."""
    for number in range(20):
        await house.store(NetworkIntent, f"i{number}", {"intent": "Deploy AMF"}, GO_COMPLETED)
    unnumbered = {name: value for name, value in GO_COMPLETED.items() if name != "observedGeneration"}
    await house.store(NetworkIntent, "unnumbered", {"intent": "Deploy AMF"}, unnumbered)
    await house.admit(anything=False)
    before = house.server.objects("networkintents")
    async with house.operator():
        await pass_time(3600.0)
        assert requests(house.server) == {}
        assert house.remote.commits == []
        assert house.server.objects("networkintents") == before
        await house.user.merge(_path(NetworkIntent, "i7"), {"spec": {"intent": "Deploy AMF with 3 replicas"}})
        await pass_time(5.0)
        assert requests(house.server) == {INTENT_STATUS: 1}
        assert list(house.remote.tree) == [("default", "i7")]
        assert (await house.get(NetworkIntent, "i7"))["status"]["interpretation"]["replicas"] == {"amf": 3}
        house.server.log.clear()
        await house.user.send("DELETE", _path(NetworkIntent, "i8"))
        await pass_time(5.0)
        assert requests(house.server) == {INTENT: 1}


async def test_what_the_go_operator_completed_can_be_suspended_and_resumed(house: House) -> None:
    """One patch each, and its own words are untouched by both, but for those that the server prunes at any write."""
    await house.store(NetworkIntent, "amf", {"intent": "Deploy AMF"}, GO_COMPLETED)
    await house.admit(anything=False)
    before = (await house.get(NetworkIntent, "amf"))["status"]
    async with house.operator():
        for value, patches in (("true", 1), (None, 2)):
            annotations = {"annotations": {"nephoran.com/suspend": value}}
            await house.user.merge(_path(NetworkIntent, "amf"), {"metadata": annotations})
            await pass_time(5.0)
            assert requests(house.server) == {INTENT_STATUS: patches}
            status = (await house.get(NetworkIntent, "amf"))["status"]
            told = [condition for condition in status["conditions"] if condition["type"] == "Suspended"]
            assert len(told) == (value == "true")
            rest = [condition for condition in status["conditions"] if condition["type"] != "Suspended"]
            pruned = {"lastUpdateTime", "lastUpdated", "processingPhase"}
            assert {**status, "conditions": rest} == {name: before[name] for name in before.keys() - pruned}
    assert house.remote.commits == []


async def test_what_the_go_operator_completed_is_taken_over_when_somebody_asks(house: House) -> None:
    """The reconcile annotation: one commit and one status, of this operator from then on."""
    await house.store(NetworkIntent, "amf", {"intent": "Deploy AMF"}, GO_COMPLETED)
    await house.admit(anything=False)
    async with house.operator():
        annotations = {"annotations": {"nephoran.com/reconcile": "take over"}}
        await house.user.merge(_path(NetworkIntent, "amf"), {"metadata": annotations})
        await pass_time(5.0)
        assert requests(house.server) == {INTENT_STATUS: 1}
        assert list(house.remote.tree) == [("default", "amf")]
        assert (await house.get(NetworkIntent, "amf"))["status"]["lastHandledReconcile"] == "take over"


@pytest.mark.parametrize(
    "change",
    [
        {"phase": "Error"},
        {"phase": "Processed", "conditions": _conditions([("Processed", "LLMBypassed")])},
        {"phase": "DeploymentVerification", "conditions": GO_COMPLETED["conditions"][:4]},
        {"observedGeneration": 3},
    ],
    ids=["failed", "bypassed", "interrupted", "edited-since"],
)
async def test_what_the_go_operator_did_not_finish_is_done(house: House, change: Json) -> None:
    """One status, one commit."""
    await house.store(NetworkIntent, "amf", {"intent": "Deploy AMF"}, {**GO_COMPLETED, **change})
    await house.admit(anything=False)
    async with house.operator():
        await pass_time(5.0)
        assert requests(house.server) == {INTENT_STATUS: 1}
    amf = await house.get(NetworkIntent, "amf")
    assert amf["status"]["phase"] == "Completed"
    assert amf["status"]["gitCommitHash"] == house.remote.commits[-1].id
    assert len(house.remote.commits) == 1


async def test_nodes_of_the_go_operator_stay_and_get_our_mark(house: House) -> None:
    """Nothing of a ConfigMap that is watched tells its content, so each is written once; none is made anew."""
    status = {"readyReplicas": 3, "currentReplicas": 3, "conditions": _conditions([("Ready", "E2NodesReady")])}
    made = await house.store(E2NodeSet, "ran", {"replicas": 3}, status)
    owner = {"apiVersion": "nephoran.com/v1", "kind": "E2NodeSet", "name": "ran", "uid": made["metadata"]["uid"]}
    for index in range(3):
        labels = {
            "app": "e2-node-simulator",
            "nephoran.com/e2-nodeset": "ran",
            "nephoran.com/node-id": f"default-ran-node-{index}",
            "nephoran.com/node-index": str(index),
        }
        annotations = {
            "nephoran.com/e2-interface-version": "v3.0",
            "nephoran.com/ric-endpoint": "http://near-rt-ric:38080",
            "nephoran.com/created-at": "2026-02-16T10:00:00Z",
        }
        metadata = {
            "name": f"ran-e2node-{index}",
            "labels": labels,
            "annotations": annotations,
            "ownerReferences": [{**owner, "controller": True, "blockOwnerDeletion": True}],
        }
        body = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"e2node-config.json": "{}"}}
        await house.user.send("POST", CONFIG_MAPS, body)
    await house.admit(anything=False)
    uids = [each["metadata"]["uid"] for each in house.server.objects("configmaps")]
    async with house.operator():
        await pass_time(3600.0)
        assert requests(house.server) == {("patch", "configmaps", ""): 3, SET_STATUS: 1}
    assert [each["metadata"]["uid"] for each in house.server.objects("configmaps")] == uids
    assert [
        each["metadata"]["annotations"]["nephoran.com/created-at"] for each in house.server.objects("configmaps")
    ] == ["2026-02-16T10:00:00Z"] * 3
    assert (await house.get(E2NodeSet, "ran"))["status"]["phase"] == "Ready"
    assert house.table.calls["register"] == 3


@pytest.mark.parametrize(
    ("kind", "spec", "field", "cure"),
    [
        (NetworkIntent, {"intent": 7}, "intent", {"intent": "Deploy UPF"}),
        (NetworkIntent, {"intent": "Deploy UPF", "priority": "soon"}, "priority", {"priority": "high"}),
        (E2NodeSet, {"template": {"spec": {"nodeID": 7}}}, "template.spec.nodeID", {"template": None}),
        (
            E2NodeSet,
            {"ricConfiguration": {"heartbeatInterval": "often"}},
            "ricConfiguration.heartbeatInterval",
            {"ricConfiguration": {"heartbeatInterval": "5s"}},
        ),
    ],
    ids=["intent", "priority", "nodeID", "heartbeatInterval"],
)
async def test_a_spec_that_cannot_be_read_is_a_condition_on_that_object_alone(
    house: House, kind: Kind, spec: Json, field: str, cure: Json
) -> None:
    """One status that names the field; the others go on; nothing more until the spec changes."""
    await house.store(kind, "odd", spec)
    await house.store(NetworkIntent, "amf", {"intent": "Deploy AMF"})
    await house.store(E2NodeSet, "ran", {"replicas": 2})
    await house.admit(anything=False)
    async with house.operator():
        await pass_time(3600.0)
        odd = await house.get(kind, "odd")
        assert condition(odd, "Ready") == ("False", "DecodeError")
        assert condition(odd, "Stalled") == ("True", "DecodeError")
        assert f"at `$.{field}`" in str(odd["status"]["conditions"])
        assert (await house.get(NetworkIntent, "amf"))["status"]["phase"] == "Completed"
        assert (await house.get(E2NodeSet, "ran"))["status"]["phase"] == "Ready"
        assert requests(house.server)[INTENT_STATUS] + requests(house.server)[SET_STATUS] == 3
        await house.user.merge(_path(kind, "odd"), {"spec": cure})
        await pass_time(30.0)
        cured = await house.get(kind, "odd")
        assert condition(cured, "Stalled") is None
        assert cured["status"]["phase"] in {"Completed", "Ready"}


@pytest.mark.parametrize("status", [{"phase": "Odd"}, {"conditions": [{"type": "Ready"}]}, {"observedGeneration": "1"}])
async def test_a_status_that_cannot_be_read_is_written_anew(house: House, status: Json) -> None:
    """One write each; what was committed and registered is found again where it is."""
    await house.store(NetworkIntent, "amf", {"intent": "Deploy AMF"})
    await house.store(E2NodeSet, "ran", {"replicas": 2})
    async with house.operator():
        await pass_time(30.0)
    whole = [await house.get(NetworkIntent, "amf"), await house.get(E2NodeSet, "ran")]
    await house.spoil(NetworkIntent, "amf", "status", status)
    await house.spoil(E2NodeSet, "ran", "status", status)
    async with house.operator():
        await pass_time(30.0)
        assert requests(house.server) == {INTENT_STATUS: 1, SET_STATUS: 1}
    again = [await house.get(NetworkIntent, "amf"), await house.get(E2NodeSet, "ran")]
    assert [each["status"] for each in again] == [each["status"] for each in whole]
    assert len(house.remote.commits) == 1
    assert house.table.calls["register"] == 2


async def test_a_set_that_cannot_be_read_can_be_deleted(house: House) -> None:
    """Each node says itself where it is registered. Replicas that are no number would forbid even this write."""
    await house.store(E2NodeSet, "ran", {"replicas": 3, "ricConfiguration": {"ricEndpoint": "http://ric:1"}})
    async with house.operator():
        await pass_time(30.0)
        await house.spoil(E2NodeSet, "ran", "spec", {"template": {"spec": {"nodeID": 7}}})
        await house.user.send("DELETE", _path(E2NodeSet, "ran"))
        await pass_time(30.0)
    assert house.server.objects("e2nodesets") == []
    assert house.server.objects("configmaps") == []
    assert not house.table.nodes
