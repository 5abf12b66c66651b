"""The two kinds as an API server serves them: what it accepts, defaults, keeps, refuses and prints."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import msgspec
import pytest
import pytest_asyncio

from nephoran.api import E2NodeSet, E2NodeSetStatus, NetworkIntent, NetworkIntentStatus
from nephoran.api.e2nodeset import NodeSetPhase, NodeState, NodeStatus
from nephoran.api.install import admission_policies, as_yaml, crds, manifests
from nephoran.api.names import INTENT_FINALIZER, NODE_SET_FINALIZER
from nephoran.api.networkintent import Adjustment, DeployedComponent, IntentPhase, Interpretation
from steady.objects import Condition, Object
from steady.objects.keys import CRDS, NAMESPACES
from steady.objects.raw import decode_object
from steady.testing.controlplane import ControlPlane, Output
from steady.testing.target import Target
from tests.contract.api import JSON_PATCH, MERGE, TABLE, Answer, Api, Json, until

pytestmark = pytest.mark.asyncio(loop_scope="session")
_numbers = itertools.count()
SENTENCES = Path(__file__).parents[1] / "unit" / "intent"
CONDITION = Condition("Ready", "True", "Completed", "It is done.", "2026-01-01T00:00:00Z", 1)


class Place:
    """One namespace of one server that serves both kinds."""

    def __init__(self, api: Api, namespace: str) -> None:
        self.api = api
        self.namespace = namespace

    def path(self, kind: type[Object[Any, Any]], name: str = "", subresource: str = "") -> str:
        return kind.declaration.resource.path(self.namespace, name, subresource)

    async def create(self, kind: type[Object[Any, Any]], name: str, *, strict: bool = True, **parts: Any) -> Answer:
        resource = kind.declaration.resource
        body = {"apiVersion": resource.api_version, "kind": resource.kind, "metadata": {"name": name}, **parts}
        return await self.api.post(self.path(kind), body, fieldValidation="Strict" if strict else "Warn")

    async def write_status(self, kind: type[Object[Any, Any]], name: str, status: object) -> Answer:
        body = [{"op": "add", "path": "/status", "value": msgspec.to_builtins(status, str_keys=True)}]
        return await self.api.patch(self.path(kind, name, "status"), body, JSON_PATCH)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def api(server: Target) -> AsyncIterator[Api]:
    """The server, with both kinds installed and served."""
    async with aiohttp.ClientSession() as session:
        api = Api(server, session)
        for made in crds():
            answer = await api.post(CRDS.path(), made, fieldValidation="Strict")
            assert answer.status in {201, 409}, answer.text
            assert "Warning" not in answer.headers
        for kind in (NetworkIntent, E2NodeSet):
            await until(partial(_answers, api, kind.declaration.resource.path()))
        yield api


async def _answers(api: Api, path: str) -> bool:
    return (await api.get(path)).status == 200


@pytest_asyncio.fixture(loop_scope="session")
async def place(api: Api) -> Place:
    """A namespace that only this test uses."""
    name = f"kinds-{next(_numbers)}"
    created = await api.post(NAMESPACES.path(), {"metadata": {"name": name}})
    assert created.status == 201, created.text
    return Place(api, name)


@pytest.mark.parametrize("kind", [NetworkIntent, E2NodeSet])
async def test_the_server_takes_the_schema_as_structural(api: Api, kind: type[Object[Any, Any]]) -> None:
    """Names accepted, established, and no complaint about the schema."""
    definition = (await api.get(CRDS.path(name=kind.declaration.resource.qualified))).json
    conditions = {each["type"]: each["status"] for each in definition["status"]["conditions"]}
    assert conditions["Established"] == "True"
    assert conditions.get("NonStructuralSchema", "False") == "False"


async def test_a_new_intent_is_pending_at_create(place: Place) -> None:
    """Nothing that waits for readiness takes a fresh object for a ready one, and no request was needed for that."""
    answer = await place.create(NetworkIntent, "a", spec={"intent": "Deploy AMF"})
    assert answer.status == 201, answer.text
    status = NetworkIntent(decode_object(answer.text.encode())).status
    assert status.phase is IntentPhase.PENDING
    assert [(each.type, each.status, each.reason) for each in status.conditions] == [("Ready", "Unknown", "Pending")]


async def test_a_set_without_a_spec_has_one_node(place: Place) -> None:
    """Defaults reach objects that say nothing."""
    answer = await place.create(E2NodeSet, "a")
    assert answer.status == 201, answer.text
    assert answer.json["spec"] == {"replicas": 1}


async def test_defaults_of_a_part_are_written_where_the_part_is_given(place: Place) -> None:
    """A part that is left out stays out; a part that is begun is completed."""
    answer = await place.create(E2NodeSet, "a", spec={"ricConfiguration": {"retryConfig": {}}})
    assert answer.json["spec"] == {
        "replicas": 1,
        "ricConfiguration": {
            "connectionTimeout": "30s",
            "heartbeatInterval": "10s",
            "retryConfig": {"maxAttempts": 3, "backoffInterval": "5s"},
        },
    }


@pytest.mark.parametrize(
    "sentence",
    [
        "Deploy UPF.",
        'Scale "amf" to 5 & keep latency < 10 ms at 99.999% — now!',
        "在命名空間 5g-core 部署三個 AMF",
        "first line\nsecond line\ttabbed; $(things) `here` /etc/../x",
        "部" * 2000,
    ],
    ids=lambda sentence: sentence[:12],
)
async def test_any_sentence_is_accepted(place: Place, sentence: str) -> None:
    """Any character of any language, up to 2,000 of them."""
    answer = await place.create(NetworkIntent, "a", spec={"intent": sentence})
    assert answer.status == 201, answer.text
    assert answer.json["spec"] == {"intent": sentence}


async def test_every_sentence_at_hand_is_accepted(place: Place) -> None:
    """All that were collected, and all of our own that are written in another script or language."""
    lines = [
        line for name in ("intents", "corpus") for line in (SENTENCES / f"{name}.jsonl").read_text("utf-8").split("\n")
    ]
    texts = [msgspec.json.decode(line)["text"] for line in lines if line]
    collected = len((SENTENCES / "intents.jsonl").read_text("utf-8").splitlines())
    for number, text in enumerate([*texts[:collected], *(it for it in texts[collected:] if not it.isascii())]):
        answer = await place.create(NetworkIntent, f"i{number}", spec={"intent": text})
        assert answer.status == 201, answer.text
        assert answer.json["spec"] == {"intent": text}


_FUNCTION = {"functionID": 1, "revision": 1, "description": "KPM", "oid": "1.3.6.1.4.1.53148.1.1.2.2"}


@pytest.mark.parametrize(
    ("kind", "spec"),
    [
        (
            NetworkIntent,
            {
                "intent": "x",
                "description": "d",
                "intentType": "scaling",
                "priority": "High",
                "targetComponents": ["amf"],
                "targetNamespace": "core",
                "targetCluster": "c",
                "networkSlice": "s",
                "region": "r",
                "resourceConstraints": {"cpu": {"min": "1"}, "customResources": {"a": "b"}},
                "processedParameters": {"scaling": {"minReplicas": 1}},
                "parameters": {"deep": [{"er": 1.5}]},
            },
        ),
        (NetworkIntent, {"intent": "x", "priority": "critical", "resourceConstraints": {"cpu": "500m", "maxCpu": 2}}),
        (
            E2NodeSet,
            {
                "replicas": 0,
                "template": {
                    "metadata": {"labels": {"a": "b"}, "annotations": {"c": "d"}},
                    "spec": {"nodeID": "n-1", "e2InterfaceVersion": "v20", "supportedRANFunctions": [_FUNCTION]},
                },
                "simulationConfig": {
                    "ueCount": 5,
                    "trafficGeneration": True,
                    "metricsInterval": "1m0s",
                    "trafficProfile": "burst",
                },
                "ricEndpoint": "http://[2001:db8::1]:38080/e2",
                "e2InterfaceVersion": "v10",
                "heartbeatInterval": "10s",
                "ricEndpointAlt": "x",
                "ranFunctions": [{"any": ["shape"]}],
            },
        ),
        (E2NodeSet, {"replicas": 2, "template": {"spec": {}}, "ranFunctions": "KPM"}),
    ],
    ids=["intent-types", "intent-shipped", "set", "set-short"],
)
async def test_what_the_go_operator_stored_is_kept_as_it_is(
    place: Place, kind: type[Object[Any, Any]], spec: Json
) -> None:
    """No field of either published schema is refused, pruned, warned about or changed."""
    answer = await place.create(kind, "a", spec=spec)
    assert answer.status == 201, answer.text
    assert answer.json["spec"] == spec


async def test_a_status_of_the_go_operator_is_accepted(place: Place) -> None:
    """Texts under extensions, which its own schema refused, are kept."""
    await place.create(NetworkIntent, "a", spec={"intent": "x"})
    extensions = {"processingCompletionTime": "2026-02-16T10:00:00Z", "resourcePlan": {"replicas": [3]}}
    status = {"phase": "Processed", "gitCommitHash": "abc", "extensions": extensions}
    answer = await place.api.patch(place.path(NetworkIntent, "a", "status"), {"status": status}, MERGE)
    assert answer.status == 200, answer.text
    assert answer.json["status"]["extensions"] == extensions


@pytest.mark.parametrize(
    ("kind", "spec", "field"),
    [
        (NetworkIntent, {}, "spec.intent"),
        (NetworkIntent, {"intent": " \n"}, "spec.intent"),
        (NetworkIntent, {"intent": "x" * 2001}, "spec.intent"),
        (NetworkIntent, {"intent": "x", "priority": "soon"}, "spec.priority"),
        (E2NodeSet, {"replicas": 1001}, "spec.replicas"),
        (E2NodeSet, {"ricConfiguration": {"heartbeatInterval": "often"}}, "spec.ricConfiguration.heartbeatInterval"),
        (E2NodeSet, {"ricEndpoint": "http://user:secret@ric"}, "spec.ricEndpoint"),
    ],
    ids=["missing", "blank", "endless", "priority", "replicas", "duration", "endpoint"],
)
async def test_what_breaks_the_schema_is_refused_by_the_name_of_the_field(
    place: Place, kind: type[Object[Any, Any]], spec: Json, field: str
) -> None:
    """422, and the cause names the field."""
    answer = await place.create(kind, "a", spec=spec)
    assert answer.status == 422, answer.text
    assert {named for _, named in answer.causes} == {field}


STATUSES: list[tuple[type[Object[Any, Any]], object]] = [
    (
        NetworkIntent,
        NetworkIntentStatus(
            observed_generation=1,
            conditions=(CONDITION,),
            phase=IntentPhase.COMPLETED,
            last_message="m",
            interpretation=Interpretation("scale", ("amf",), {"amf": 5}, "core", "embb"),
            target="other",
            git_commit_hash="abc",
            digest="d",
            adjustments=(Adjustment("scale-up", "u", 2),),
            deployed_components=(DeployedComponent("amf", "core", "default", {"app": "amf"}),),
            extensions={"any": ["thing", 1]},
        ),
    ),
    (
        E2NodeSet,
        E2NodeSetStatus(
            observed_generation=1,
            conditions=(CONDITION,),
            phase=NodeSetPhase.READY,
            replicas=1,
            selector="nephoran.com/e2-nodeset=a",
            states={"Connected": 1},
            e2_node_statuses=(NodeStatus("default-a-node-0", NodeState.CONNECTED, "2026-01-01T00:00:00Z"),),
        ),
    ),
    (E2NodeSet, E2NodeSetStatus(observed_generation=1)),
]


@pytest.mark.parametrize(("kind", "status"), STATUSES, ids=["intent", "set", "empty-set"])
async def test_a_status_comes_back_exactly_as_it_was_written(
    place: Place, kind: type[Object[Any, Any]], status: object
) -> None:
    """Nothing is pruned, defaulted or reordered: the echo of a write equals the write."""
    await place.create(kind, "a", spec={"intent": "x"} if kind is NetworkIntent else {})
    answer = await place.write_status(kind, "a", status)
    assert answer.status == 200, answer.text
    assert answer.json["status"] == msgspec.json.decode(msgspec.json.encode(status))
    assert kind(decode_object(answer.text.encode())).status == status


async def test_two_conditions_of_one_type_are_refused(place: Place) -> None:
    """Conditions are keyed by type although the whole status is owned as one."""
    await place.create(NetworkIntent, "a", spec={"intent": "x"})
    answer = await place.write_status(NetworkIntent, "a", {"conditions": [CONDITION, CONDITION]})
    assert answer.status == 422
    assert answer.causes == [("FieldValueDuplicate", "status.conditions[1]")]


async def test_scaling_reads_and_writes_what_the_kind_says(place: Place) -> None:
    """The scale subresource shows both counts and the selector, and sets the spec."""
    await place.create(E2NodeSet, "a", spec={"replicas": 3})
    status = E2NodeSetStatus(replicas=2, selector="nephoran.com/e2-nodeset=a")
    await place.write_status(E2NodeSet, "a", status)
    scale = (await place.api.get(place.path(E2NodeSet, "a", "scale"))).json
    assert scale["spec"] == {"replicas": 3}
    assert scale["status"] == {"replicas": 2, "selector": "nephoran.com/e2-nodeset=a"}
    answer = await place.api.patch(place.path(E2NodeSet, "a", "scale"), {"spec": {"replicas": 5}}, MERGE)
    assert answer.status == 200, answer.text
    assert (await place.api.get(place.path(E2NodeSet, "a"))).json["spec"]["replicas"] == 5


async def test_a_table_shows_sentence_phase_and_readiness(place: Place) -> None:
    """What `kubectl get ni` prints, before and after the work."""
    await place.create(NetworkIntent, "a", spec={"intent": "Deploy AMF"})
    table = (await place.api.get(place.path(NetworkIntent), TABLE)).json
    shown = {column["name"]: column.get("priority", 0) for column in table["columnDefinitions"]}
    assert shown == {"Name": 0, "Intent": 0, "Phase": 0, "Ready": 0, "Reason": 1, "Target": 1, "Commit": 1, "Age": 0}
    assert table["rows"][0]["cells"][:5] == ["a", "Deploy AMF", "Pending", "Unknown", "Pending"]
    await place.write_status(NetworkIntent, "a", STATUSES[0][1])
    table = (await place.api.get(place.path(NetworkIntent), TABLE)).json
    assert table["rows"][0]["cells"][:7] == ["a", "Deploy AMF", "Completed", "True", "Completed", "other", "abc"]


async def test_a_table_shows_the_counts_of_a_set(place: Place) -> None:
    """No ready node is printed as 0, not left blank."""
    await place.create(E2NodeSet, "a", spec={"replicas": 3})
    await place.write_status(E2NodeSet, "a", E2NodeSetStatus(current_replicas=2))
    table = (await place.api.get(place.path(E2NodeSet), TABLE)).json
    assert table["rows"][0]["cells"][:6] == ["a", 3, 2, 0, 0, "Pending"]


@pytest.mark.real
async def test_everything_in_deploy_is_applied_without_a_warning(control_plane: ControlPlane) -> None:
    """Strict validation and the restricted pod security standard have nothing to say."""
    path = Path(__file__).parents[2] / "deploy" / "install.yaml"
    how = ("--server-side", "--force-conflicts", "--validate=strict")
    output = await control_plane.kubectl("apply", *how, "-f", str(path))
    assert (output.code, output.err) == (0, "")


@pytest.mark.real
async def test_the_operator_may_do_its_work_and_no_more(control_plane: ControlPlane) -> None:
    """The ServiceAccount has the shipped verbs; it can neither make intents nor read secrets nor write Deployments."""
    rights = [each for each in manifests() if each["metadata"]["name"] in {"nephoran", "nephoran-system"}]
    applied = await control_plane.kubectl("apply", "-f", "-", stdin=as_yaml(rights))
    assert applied.code == 0, applied.err
    operator = control_plane.kubectl_for("operator")

    async def may(verb: str, what: str, *where: str) -> bool:
        return (await operator("auth", "can-i", verb, what, *where)).out.strip() == "yes"

    allowed = [
        may("patch", "networkintents.nephoran.com", "--subresource=status"),
        may("patch", "networkintents.nephoran.com"),
        may("create", "configmaps", "--namespace=default"),
        may("create", "events.events.k8s.io", "--namespace=default"),
        may("update", "leases.coordination.k8s.io", "--namespace=nephoran-system"),
    ]
    denied = [
        may("create", "networkintents.nephoran.com"),
        may("update", "networkintents.nephoran.com"),
        may("get", "secrets"),
        may("patch", "deployments.apps"),
        may("update", "leases.coordination.k8s.io", "--namespace=default"),
        may("get", "customresourcedefinitions.apiextensions.k8s.io"),
    ]
    assert await asyncio.gather(*allowed) == [True] * len(allowed)
    assert await asyncio.gather(*denied) == [False] * len(denied)


@pytest_asyncio.fixture(loop_scope="session")
async def policies(control_plane: ControlPlane) -> AsyncIterator[None]:
    """The shipped admission policies, in force; gone afterwards, for other tests count requests without them."""
    crds_applied = await control_plane.kubectl("apply", "-f", "-", stdin=as_yaml(crds()))
    assert crds_applied.code == 0, crds_applied.err
    applied = await control_plane.kubectl("apply", "--validate=strict", "-f", "-", stdin=as_yaml(admission_policies()))
    assert (applied.code, applied.err) == (0, "")
    for kind, spec in (("NetworkIntent", "{intent: x}"), ("E2NodeSet", "{}")):
        await until(partial(_defaulted, control_plane, _body(kind, spec)))
    yield
    await control_plane.kubectl("delete", "-f", "-", stdin=as_yaml(admission_policies()))


def _body(kind: str, spec: str, finalizers: str = "") -> str:
    metadata = f"{{name: probe, namespace: default{finalizers}}}"
    return f"{{apiVersion: nephoran.com/v1, kind: {kind}, metadata: {metadata}, spec: {spec}}}"


async def _create(plane: ControlPlane, body: str) -> Output:
    return await plane.kubectl(
        "create", "--dry-run=server", "-o", "jsonpath={.metadata.finalizers[*]}", "-f", "-", stdin=body
    )


async def _created(plane: ControlPlane, body: str) -> list[str]:
    output = await _create(plane, body)
    assert output.code == 0, output.err
    return output.out.split()


async def _defaulted(plane: ControlPlane, body: str) -> bool:
    """Whether the policy is in force. A policy that has yet to learn of the kind answers with an error."""
    output = await _create(plane, body)
    return output.code == 0 and bool(output.out)


@pytest.mark.real
@pytest.mark.parametrize(
    ("kind", "spec", "finalizer"),
    [("NetworkIntent", "{intent: x}", INTENT_FINALIZER), ("E2NodeSet", "{}", NODE_SET_FINALIZER)],
    ids=["intent", "set"],
)
async def test_the_policy_adds_the_finalizer_exactly_once(
    control_plane: ControlPlane, policies: None, kind: str, spec: str, finalizer: str
) -> None:
    """With none, with another's, with ours already there: ours is there once, the other's is kept."""
    other = "example.com/other"
    assert await _created(control_plane, _body(kind, spec)) == [finalizer]
    assert await _created(control_plane, _body(kind, spec, f", finalizers: [{other}]")) == [other, finalizer]
    assert await _created(control_plane, _body(kind, spec, f", finalizers: [{finalizer}]")) == [finalizer]
