"""Which nodes a set should have, and what their ConfigMaps say."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nephoran.api import names
from nephoran.api.e2nodeset import E2NodeSetSpec
from nephoran.e2.nodes import (
    DEFAULT_FUNCTIONS,
    ExistingNode,
    Node,
    NodePlan,
    NodeTemplate,
    RicSettings,
    Simulation,
    config_map,
    desired_nodes,
    endpoint_of,
    existing_node,
    node_id,
    node_name,
    set_labels,
)
from steady.objects import ObjectMeta

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
TEMPLATE = NodeTemplate()


def plan(replicas: int, *existing: ExistingNode, template: NodeTemplate = TEMPLATE) -> NodePlan:
    return desired_nodes("radio", "edge", replicas, template, existing)


def stored(index: int, template: NodeTemplate = TEMPLATE, set_name: str = "edge") -> ExistingNode:
    """The node `index` as it is read back from its ConfigMap."""
    node = desired_nodes("radio", set_name, index + 1, template, ()).create[index]
    metadata = config_map("radio", set_name, node, NOW)["metadata"]
    return existing_node(set_name, msgspec.convert(metadata, ObjectMeta))


def indices(nodes: tuple[Node, ...] | tuple[ExistingNode, ...]) -> list[int | None]:
    return [node.index for node in nodes]


def test_a_new_set_gets_all_its_nodes_in_order() -> None:
    """Names and ids count from zero."""
    created = plan(3).create
    assert [node.name for node in created] == ["edge-e2node-0", "edge-e2node-1", "edge-e2node-2"]
    assert [node.node_id for node in created] == ["radio-edge-node-0", "radio-edge-node-1", "radio-edge-node-2"]


def test_what_is_as_desired_is_kept() -> None:
    """Reading back what was written leads to nothing to do."""
    steps = plan(2, stored(0), stored(1))
    assert (steps.create, steps.update, steps.remove) == ((), (), ())
    assert indices(steps.keep) == [0, 1]


def test_gaps_are_filled() -> None:
    """A node that is missing in the middle is created again under its own index."""
    assert indices(plan(4, stored(0), stored(2)).create) == [1, 3]


def test_the_highest_index_goes_first() -> None:
    """From five to two: 4, 3, 2."""
    assert indices(plan(2, *(stored(index) for index in (3, 0, 4, 2, 1))).remove) == [4, 3, 2]


def test_what_bears_no_node_name_is_removed() -> None:
    """Indices come from the name in its one spelling, whatever the labels say."""
    strays = [existing_node("edge", ObjectMeta(name=name)) for name in ("edge-e2node-01", "edge-e2node-x", "other")]
    assert [node.name for node in plan(2, stored(0), *strays).remove] == ["edge-e2node-01", "edge-e2node-x", "other"]


@pytest.mark.parametrize(
    "template",
    [
        NodeTemplate(endpoint="http://other:1"),
        NodeTemplate(interface_version="v2.0"),
        NodeTemplate(functions=DEFAULT_FUNCTIONS[:1]),
        NodeTemplate(
            functions=(msgspec.structs.replace(DEFAULT_FUNCTIONS[0], description="x"), *DEFAULT_FUNCTIONS[1:])
        ),
        NodeTemplate(functions=(msgspec.structs.replace(DEFAULT_FUNCTIONS[0], oid="1.2"), *DEFAULT_FUNCTIONS[1:])),
        NodeTemplate(simulation=Simulation(metrics_interval="1m")),
        NodeTemplate(labels={"team": "blue"}),
        NodeTemplate(annotations={"note": "x"}),
    ],
)
def test_every_part_of_the_template_is_rolled(template: NodeTemplate) -> None:
    """Whatever differs, the node is updated, and nothing else happens to it."""
    steps = plan(1, stored(0), template=template)
    assert [(node.index, old.name) for node, old in steps.update] == [(0, "edge-e2node-0")]
    assert (steps.create, steps.keep, steps.remove) == ((), (), ())


def test_a_node_of_the_go_operator_is_updated_in_place() -> None:
    """Without our hash its content is not known, so it is written once more; when it was created is kept."""
    old = existing_node(
        "edge", ObjectMeta(name="edge-e2node-0", annotations={names.CREATED_AT_ANNOTATION: "2025-01-01T00:00:00Z"})
    )
    [(node, found)] = plan(1, old).update
    written = config_map("radio", "edge", node, NOW, found.created_at)
    assert json.loads(written["data"]["e2node-config.json"])["createdAt"] == "2025-01-01T00:00:00Z"
    assert json.loads(written["data"]["e2node-config.json"])["updatedAt"] == "2026-03-01T12:00:00Z"


@given(st.integers(0, 30), st.sets(st.integers(0, 40)))
def test_any_set_reaches_exactly_its_replicas(replicas: int, present: set[int]) -> None:
    """After the plan, indices 0..replicas-1 exist, once each."""
    existing = [ExistingNode(node_name("edge", index), index) for index in present]
    steps = desired_nodes("radio", "edge", replicas, TEMPLATE, existing)
    left = present - {index for index in indices(steps.remove) if index is not None}
    assert left | set(indices(steps.create)) == set(range(replicas))
    assert not left & set(indices(steps.create))
    assert indices(steps.desired) == list(range(replicas))


def test_a_config_map_says_what_the_go_operator_says() -> None:
    """Names, labels, annotations, keys and JSON are its contract; the hash is the one thing added."""
    node = plan(1).create[0]
    written = config_map("radio", "edge", node, NOW)
    assert written["metadata"] == {
        "name": "edge-e2node-0",
        "namespace": "radio",
        "labels": {
            "nephoran.com/e2-nodeset": "edge",
            "app": "e2-node-simulator",
            "nephoran.com/node-id": "radio-edge-node-0",
            "nephoran.com/node-index": "0",
        },
        "annotations": {
            "nephoran.com/e2-interface-version": "v3.0",
            "nephoran.com/ric-endpoint": "http://near-rt-ric:38080",
            "nephoran.com/created-at": "2026-03-01T12:00:00Z",
            "nephoran.com/config-hash": node.digest,
        },
    }
    assert json.loads(written["data"]["e2node-config.json"]) == {
        "nodeId": "radio-edge-node-0",
        "e2InterfaceVersion": "v3.0",
        "ricEndpoint": "http://near-rt-ric:38080",
        "ranFunctions": [
            {
                "functionId": function.function_id,
                "revision": 1,
                "description": function.description,
                "oid": f"1.3.6.1.4.1.53148.1.1.2.{function.function_id + 1}",
            }
            for function in DEFAULT_FUNCTIONS
        ],
        "simulationConfig": {
            "ueCount": 100,
            "trafficGeneration": False,
            "metricsInterval": "30s",
            "trafficProfile": "low",
        },
        "createdAt": "2026-03-01T12:00:00Z",
        "updatedAt": "2026-03-01T12:00:00Z",
    }
    assert json.loads(written["data"]["e2node-status.json"]) == {
        "nodeId": "radio-edge-node-0",
        "state": "Pending",
        "activeSubscriptions": 0,
        "heartbeatCount": 0,
        "statusUpdatedAt": "2026-03-01T12:00:00Z",
    }


def test_template_metadata_never_replaces_a_nodes_own() -> None:
    """A template cannot move a node to another set."""
    template = NodeTemplate(labels={names.NODE_SET_LABEL: "other", "team": "blue"}, annotations={"note": "x"})
    metadata = config_map("radio", "edge", plan(1, template=template).create[0], NOW)["metadata"]
    assert metadata["labels"]["team"] == "blue"
    assert metadata["labels"][names.NODE_SET_LABEL] == "edge"
    assert metadata["annotations"]["note"] == "x"


def test_long_ids_are_cut_and_hashed() -> None:
    """Every id is a valid label; ids that differ only where they are cut stay different."""
    first, second = node_id("n" * 40, "s" * 40, 1), node_id("n" * 40, "s" * 40, 2)
    assert len(first) == len(second) == 63
    assert first != second
    assert first.startswith("n" * 40 + "-ssss")


def test_names_of_long_sets_fit_and_are_found_again() -> None:
    """A set with the longest name has ConfigMaps within 253 characters, labels within 63, and recognises them."""
    long = "a." * 126 + "b"
    assert len(long) == 253
    assert len(node_name(long, 999)) <= 253
    assert len(set_labels(long)[names.NODE_SET_LABEL]) <= 63
    assert stored(7, set_name=long).index == 7


@pytest.mark.parametrize(
    ("spec", "annotations", "endpoint"),
    [
        ({"ricConfiguration": {"ricEndpoint": "http://a:1/"}, "ricEndpoint": "http://b:1"}, {}, "http://a:1"),
        ({"ricEndpoint": "http://b:1"}, {names.NEAR_RT_RIC_ANNOTATION: "http://c:1"}, "http://b:1"),
        ({}, {names.NEAR_RT_RIC_ANNOTATION: "http://c:1"}, "http://c:1"),
        ({}, {}, "http://near-rt-ric:38080"),
    ],
)
def test_the_endpoint_has_an_order_of_precedence(
    spec: dict[str, object], annotations: dict[str, str], endpoint: str
) -> None:
    """Configuration, deprecated field, annotation, default."""
    assert endpoint_of(msgspec.convert(spec, E2NodeSetSpec), annotations) == endpoint


def test_a_spec_becomes_a_template_and_settings() -> None:
    """Durations become seconds; what is not stated has the Go operator's defaults."""
    spec = msgspec.convert(
        {
            "replicas": 2,
            "template": {
                "metadata": {"labels": {"team": "blue"}},
                "spec": {
                    "e2InterfaceVersion": "v2.0",
                    "supportedRANFunctions": [{"functionID": 7, "revision": 3, "description": "d", "oid": "1.2"}],
                },
            },
            "simulationConfig": {"ueCount": 5},
            "ricConfiguration": {"heartbeatInterval": "1ms", "connectionTimeout": "1m30s"},
        },
        E2NodeSetSpec,
    )
    template, ric = NodeTemplate.of(spec), RicSettings.of(spec)
    assert [(each.function_id, each.revision) for each in template.functions] == [(7, 3)]
    assert (template.interface_version, template.simulation.ue_count, template.labels) == ("v2.0", 5, {"team": "blue"})
    assert (ric.heartbeat_interval, ric.connection_timeout, ric.max_attempts) == (1.0, 90.0, 3)
    assert NodeTemplate.of(E2NodeSetSpec()) == NodeTemplate()
    assert RicSettings.of(E2NodeSetSpec()) == RicSettings()
