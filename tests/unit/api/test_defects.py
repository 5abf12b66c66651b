"""The ten defects of the Go operator's definitions, by number, each absent from ours.

What a server does with the definitions is asked of one in tests/behaviour/test_crds.py; here it is what they say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, get_args

import pytest

from nephoran.api import E2NodeSet, NetworkIntent
from nephoran.api.e2nodeset import E2Version, NodeSetPhase, NodeState
from nephoran.api.install import crds, manifests
from nephoran.api.networkintent import Priority
from steady.objects import Object
from steady.schema import crd

KINDS: list[type[Object[Any, Any]]] = [NetworkIntent, E2NodeSet]
Schema = dict[str, Any]


def version(kind: type[Object[Any, Any]]) -> Schema:
    (found,) = crd(kind)["spec"]["versions"]
    return dict(found)


def schema(kind: type[Object[Any, Any]], *path: str) -> Schema:
    """The schema of the field at `path`; a list is passed through to its items."""
    found: Schema = version(kind)["schema"]["openAPIV3Schema"]
    for name in path:
        found = found.get("items", found)["properties"][name]
    return found


def parts(whole: Schema) -> Iterator[Schema]:
    """`whole` and every schema inside it."""
    yield whole
    for inner in whole.get("properties", {}).values():
        yield from parts(inner)
    for key in ("items", "additionalProperties"):
        if isinstance(inner := whole.get(key), dict):
            yield from parts(inner)


@pytest.mark.parametrize("kind", KINDS)
def test_1_no_field_is_int_or_string_and_anything_at_once(kind: type[Object[Any, Any]]) -> None:
    """Such a definition cannot be installed."""
    for part in parts(schema(kind)):
        if part.get("x-kubernetes-int-or-string"):
            assert "type" not in part
            assert "x-kubernetes-preserve-unknown-fields" not in part


@pytest.mark.parametrize("kind", KINDS)
def test_2_the_status_subresource_is_empty(kind: type[Object[Any, Any]]) -> None:
    """Anything in it is refused by kubectl's strict validation."""
    assert version(kind)["subresources"]["status"] == {}


def test_3_extensions_of_the_status_may_have_any_shape() -> None:
    """Texts where objects were declared ended every intent of the Go operator in its first phase."""
    extensions = schema(NetworkIntent, "status", "extensions")
    assert extensions["x-kubernetes-preserve-unknown-fields"] is True
    assert "additionalProperties" not in extensions


@pytest.mark.parametrize("path", ["status.gitCommitHash", "spec.description", "spec.parameters"])
def test_4_what_is_written_is_declared_and_not_pruned(path: str) -> None:
    """These three were not in the definition, so that the server dropped them without a word."""
    assert schema(NetworkIntent, *path.split("."))


def test_4_values_that_either_published_schema_allowed_are_allowed() -> None:
    """Priorities in both spellings; constraints and parameters, whose two shapes differ, in any."""
    assert set(schema(NetworkIntent, "spec", "priority")["enum"]) == set(get_args(Priority))
    assert {"Low", "Normal", "High", "Critical", "low", "medium", "high", "critical"} <= set(get_args(Priority))
    for name in ("resourceConstraints", "processedParameters", "parameters"):
        assert schema(NetworkIntent, "spec", name)["x-kubernetes-preserve-unknown-fields"] is True


def test_5_the_scale_subresource_points_at_fields_that_exist() -> None:
    """Count and selector are declared, so that `kubectl scale` and autoscalers see them."""
    scale = version(E2NodeSet)["subresources"]["scale"]
    for path in scale.values():
        assert schema(E2NodeSet, *path.strip(".").split("."))
    assert scale["labelSelectorPath"] == ".status.selector"


def test_6_every_e2_version_of_either_schema_is_allowed() -> None:
    """The types and the shipped definition disagreed on all but two."""
    versions = {"v10", "v11", "v20", "v2.1", "v3.0", "v1.0", "v1.1", "v2.0"}
    assert versions == set(get_args(E2Version))
    assert set(schema(E2NodeSet, "spec", "template", "spec", "e2InterfaceVersion")["enum"]) == versions


@pytest.mark.parametrize(
    "url", ["http://ric.example.com:38080", "https://ric/e2/v1", "http://[2001:db8::1]:38080", "http://10.0.0.1:38080"]
)
def test_6_a_ric_may_have_a_domain_a_path_or_any_address(url: str) -> None:
    """One pattern had no dot, the other no path and no IPv6."""
    for path in (("spec", "ricEndpoint"), ("spec", "ricConfiguration", "ricEndpoint")):
        assert re.search(schema(E2NodeSet, *path)["pattern"], url)


@pytest.mark.parametrize("name", ["ranFunctions", "e2InterfaceVersion", "heartbeatInterval", "ricEndpointAlt"])
def test_7_fields_that_the_go_types_lacked_are_kept(name: str) -> None:
    """They are declared."""
    assert schema(E2NodeSet, "spec", name)


def test_7_the_operator_cannot_write_a_spec_as_a_whole() -> None:
    """It has no right to update either kind, so no first write of its erases what a user wrote."""
    (role,) = [it for it in manifests() if it["kind"] == "ClusterRole"]
    granted = [rule for rule in role["rules"] if rule["apiGroups"] == ["nephoran.com"]]
    assert all("update" not in rule["verbs"] for rule in granted)


def test_8_a_set_needs_no_template_no_id_and_no_function() -> None:
    """Every node gets a generated id, and the built-in functions are those of a set that names none."""
    assert "required" not in schema(E2NodeSet, "spec")
    assert "required" not in schema(E2NodeSet, "spec", "template")
    assert "required" not in schema(E2NodeSet, "spec", "template", "spec")
    assert "minItems" not in schema(E2NodeSet, "spec", "template", "spec", "supportedRANFunctions")


@pytest.mark.parametrize("kind", KINDS)
def test_9_conditions_are_keyed_by_type_and_their_status_is_one_of_three(kind: type[Object[Any, Any]]) -> None:
    """Both were missing for sets."""
    conditions = schema(kind, "status", "conditions")
    assert conditions["x-kubernetes-list-type"] == "map"
    assert conditions["x-kubernetes-list-map-keys"] == ["type"]
    assert set(schema(kind, "status", "conditions", "status")["enum"]) == {"True", "False", "Unknown"}


def test_9_phases_and_states_of_a_set_are_those_that_are_written() -> None:
    """None is free text."""
    assert set(schema(E2NodeSet, "status", "phase")["enum"]) == set(NodeSetPhase)
    assert set(schema(E2NodeSet, "status", "e2NodeStatuses", "state")["enum"]) == set(NodeState)


def test_10_rights_and_policies_name_the_group_of_the_kinds() -> None:
    """No other group of ours is left anywhere."""
    (group,) = {it["spec"]["group"] for it in crds()}
    named = {
        name
        for it in manifests(admission_policy="on")
        for rule in [*it.get("rules", []), *it.get("spec", {}).get("matchConstraints", {}).get("resourceRules", [])]
        for name in rule["apiGroups"]
        if "nephoran" in name or "nephio" in name
    }
    assert named == {group} == {"nephoran.com"}
