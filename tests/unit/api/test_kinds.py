"""The two kinds: what they accept, what they read back, and the defects that they do not have."""

from __future__ import annotations

import json
from typing import Any, get_args

import msgspec
import pytest

from nephoran.api import E2NodeSet, E2NodeSetStatus, NetworkIntent
from nephoran.api.networkintent import Action, IntentPhase, Priority
from steady.errors import DecodeError
from steady.objects import Object
from steady.objects.raw import decode_object
from steady.schema import crd

KINDS: list[type[Object[Any, Any]]] = [NetworkIntent, E2NodeSet]


def stored(kind: str, **parts: Any) -> bytes:
    metadata = {"name": "a", "namespace": "default", "uid": "u", "resourceVersion": "7", "generation": 1}
    return json.dumps({"apiVersion": "nephoran.com/v1", "kind": kind, "metadata": metadata, **parts}).encode()


def intent(**parts: Any) -> NetworkIntent:
    return NetworkIntent(decode_object(stored("NetworkIntent", **parts)))


def nodes(**parts: Any) -> E2NodeSet:
    return E2NodeSet(decode_object(stored("E2NodeSet", **parts)))


def version(kind: type[Object[Any, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = crd(kind)["spec"]["versions"][0]
    return found


def properties(kind: type[Object[Any, Any]], part: str) -> dict[str, Any]:
    found: dict[str, Any] = version(kind)["schema"]["openAPIV3Schema"]["properties"][part]["properties"]
    return found


@pytest.mark.parametrize(
    "sentence",
    [
        "Deploy UPF.",
        'Scale "amf" to 5 & keep latency < 10 ms at 99.999% — now!',
        "Increase UPF resources to 4 CPU cores / 8GB + storage > 50Gi; don't restart $(things) `here`",
        "在命名空間 5g-core 部署三個 AMF",
        "Déployer un réseau cœur 5G à Zürich 🚀",
        "first line\nsecond line\ttabbed",
        "x" * 2000,
        "部" * 2000,
    ],
    ids=lambda sentence: sentence[:12],
)
def test_a_sentence_may_hold_any_character_of_any_language(sentence: str) -> None:
    """Nothing between one character and 2,000 is refused for how it is written."""
    assert intent(spec={"intent": sentence}).spec.intent == sentence


@pytest.mark.parametrize("sentence", ["", "  \n\t", "x" * 2001], ids=["empty", "blank", "endless"])
def test_a_blank_or_endless_sentence_is_refused_by_the_name_of_its_field(sentence: str) -> None:
    """The message names the field."""
    with pytest.raises(DecodeError, match=r"spec: .*\$\.intent"):
        _ = intent(spec={"intent": sentence}).spec


def test_every_field_of_a_stored_intent_is_readable() -> None:
    """Both published shapes of the conflicting fields, priorities in both spellings, and unknown fields are read."""
    go = {
        "intent": "Deploy AMF",
        "description": "d",
        "intentType": "deployment",
        "priority": "High",
        "targetComponents": ["amf", "near-rt-ric"],
        "targetNamespace": "core",
        "targetCluster": "edge",
        "networkSlice": "s",
        "region": "r",
        "resourceConstraints": {"cpu": {"min": "1", "max": "2"}, "customResources": {"a": "b"}},
        "processedParameters": {"scaling": {"minReplicas": 1}, "qosParameters": {"priority": "high"}},
        "parameters": {"deep": [{"er": 1.5}]},
        "neverHeardOf": True,
    }
    shipped = {"intent": "Deploy AMF", "priority": "critical", "resourceConstraints": {"cpu": "500m", "maxCpu": 2}}
    read = intent(spec=go).spec
    assert (read.priority, read.target_components, read.target_namespace) == ("High", ("amf", "near-rt-ric"), "core")
    assert read.resource_constraints == go["resourceConstraints"]
    assert read.processed_parameters == go["processedParameters"]
    assert read.parameters == go["parameters"]
    assert intent(spec=shipped).spec.resource_constraints == shipped["resourceConstraints"]


def test_a_stored_status_of_the_go_operator_is_readable() -> None:
    """Extensions that hold texts, extra fields, both shapes of components, and phases that we never write."""
    condition = {
        "type": "Processed",
        "status": "True",
        "reason": "LLMProcessingSucceeded",
        "message": "done",
        "lastTransitionTime": "2026-02-16T10:00:00Z",
    }
    status = {
        "phase": "Processed",
        "lastMessage": "done",
        "lastUpdateTime": "2026-02-16T10:00:00Z",
        "processingResults": {"networkFunctionType": "amf", "confidenceScore": "0.9"},
        "extensions": {"processingCompletionTime": "2026-02-16T10:00:00Z", "resourcePlan": {"replicas": 3}},
        "deployedComponents": [{"name": "amf", "type": "core", "labelSelector": {"app": "amf"}}],
        "processingDuration": "1.5s",
        "conditions": [condition],
    }
    read = intent(spec={"intent": "x"}, status=status).status
    assert read.phase is IntentPhase.PROCESSED
    assert read.extensions == status["extensions"]
    assert [each.name for each in read.deployed_components] == ["amf"]
    assert [each.reason for each in read.conditions] == ["LLMProcessingSucceeded"]


def test_a_set_needs_nothing_but_its_name() -> None:
    """The published samples, which have no template, and even a set without any spec, are complete."""
    spec = nodes().spec
    assert spec.replicas == 1
    assert spec.template.spec.supported_ran_functions == ()
    assert spec.ric_configuration.heartbeat_interval == "10s"
    assert nodes(spec={"replicas": 5, "ricEndpoint": "https://custom-ric.example.com:9443"}).spec.replicas == 5


def test_every_field_of_a_stored_set_is_readable() -> None:
    """Fields of both published schemas, versions in every published spelling, and a status without `replicas`."""
    function = {"functionID": 1, "revision": 1, "description": "KPM", "oid": "1.3.6.1.4.1.53148.1.1.2.2"}
    spec = {
        "replicas": 3,
        "template": {
            "metadata": {"labels": {"a": "b"}, "finalizers": ["x"]},
            "spec": {"nodeID": "gnb-1", "e2InterfaceVersion": "v20", "supportedRANFunctions": [function]},
        },
        "simulationConfig": {"ueCount": 50, "trafficProfile": "burst", "metricsInterval": "1m0s"},
        "ricConfiguration": {"ricEndpoint": "http://near-rt-ric:38080", "retryConfig": {"maxAttempts": 5}},
        "ricEndpoint": "http://old:1",
        "e2InterfaceVersion": "anything",
        "heartbeatInterval": "often",
        "ricEndpointAlt": "x",
        "ranFunctions": [{"any": ["shape"]}],
    }
    node = {"nodeID": "default-a-node-0", "state": "Connected", "lastHeartbeat": "2026-02-16T10:00:00Z"}
    read = nodes(spec=spec, status={"readyReplicas": 3, "e2NodeStatuses": [node], "totalSubscriptions": 0})
    assert read.spec.template.spec.supported_ran_functions[0].function_id == 1
    assert read.spec.ric_configuration.retry_config.backoff_interval == "5s"
    assert read.spec.ran_functions == spec["ranFunctions"]
    assert (read.status.replicas, read.status.ready_replicas) == (0, 3)
    assert read.status.e2_node_statuses[0].node_id == "default-a-node-0"


@pytest.mark.parametrize(
    ("spec", "field"),
    [
        ({"replicas": 1001}, "replicas"),
        ({"replicas": -1}, "replicas"),
        ({"template": {"spec": {"e2InterfaceVersion": "v4"}}}, "e2InterfaceVersion"),
        ({"ricConfiguration": {"heartbeatInterval": "often"}}, "heartbeatInterval"),
        ({"ricConfiguration": {"ricEndpoint": "ric"}}, "ricEndpoint"),
        ({"simulationConfig": {"ueCount": 0}}, "ueCount"),
    ],
    ids=str,
)
def test_a_set_out_of_its_limits_is_refused_by_the_name_of_the_field(spec: dict[str, Any], field: str) -> None:
    """The message names the field."""
    with pytest.raises(DecodeError, match=rf"spec: .*{field}"):
        _ = nodes(spec=spec).spec


def test_zeros_of_a_set_are_written() -> None:
    """No ready node is a fact that `kubectl get` shows, not a blank."""
    written = json.loads(msgspec.json.encode(E2NodeSetStatus()))
    assert (written["replicas"], written["readyReplicas"], written["selector"]) == (0, 0, "")


def test_intents_print_sentence_phase_and_readiness() -> None:
    """What `kubectl get ni` shows, and with `-o wide` the rest."""
    columns = version(NetworkIntent)["additionalPrinterColumns"]
    assert [(each["name"], each["type"], each.get("priority", 0)) for each in columns] == [
        ("Intent", "string", 0),
        ("Phase", "string", 0),
        ("Ready", "string", 0),
        ("Reason", "string", 1),
        ("Target", "string", 1),
        ("Commit", "string", 1),
        ("Age", "date", 0),
    ]


def test_sets_print_their_counts() -> None:
    """What `kubectl get e2ns` shows: the columns of the Go operator and the phase."""
    columns = version(E2NodeSet)["additionalPrinterColumns"]
    assert [(each["name"], each["type"], each.get("priority", 0)) for each in columns] == [
        ("Desired", "integer", 0),
        ("Current", "integer", 0),
        ("Ready", "integer", 0),
        ("Available", "integer", 0),
        ("Phase", "string", 0),
        ("Reason", "string", 1),
        ("E2Version", "string", 1),
        ("Age", "date", 0),
    ]


def test_the_scale_subresource_points_at_fields_that_exist() -> None:
    """Replicas and selector are in the status, so that `kubectl scale` and autoscalers see them."""
    assert version(E2NodeSet)["subresources"] == {
        "status": {},
        "scale": {
            "specReplicasPath": ".spec.replicas",
            "statusReplicasPath": ".status.replicas",
            "labelSelectorPath": ".status.selector",
        },
    }
    assert {"replicas", "selector"} <= set(properties(E2NodeSet, "status"))


@pytest.mark.parametrize("kind", KINDS)
def test_conditions_are_keyed_by_type(kind: type[Object[Any, Any]]) -> None:
    """A second condition of one type is refused, for both kinds."""
    assert properties(kind, "status")["conditions"]["x-kubernetes-list-map-keys"] == ["type"]


def test_a_new_object_is_pending() -> None:
    """What the server writes at CREATE can be read as a status."""
    status = version(NetworkIntent)["schema"]["openAPIV3Schema"]["properties"]["status"]["default"]
    read = intent(spec={"intent": "x"}, status=status).status
    assert read.phase is IntentPhase.PENDING
    assert [(each.type, each.status, each.reason) for each in read.conditions] == [("Ready", "Unknown", "Pending")]


def test_choices_of_the_types_are_those_of_the_schema() -> None:
    """Every choice that the type allows is in the enum of the CRD."""
    assert set(properties(NetworkIntent, "spec")["priority"]["enum"]) == set(get_args(Priority))
    actions = properties(NetworkIntent, "status")["interpretation"]["properties"]["action"]["enum"]
    assert set(actions) == set(get_args(Action))
