"""A declared kind becomes a CRD."""

from __future__ import annotations

from typing import Annotated, Any

import pytest
from msgspec import Meta

from steady.objects import Column, Object, Scale, Spec, Status, resource
from steady.schema import SchemaError, crd


class EchoSpec(Spec, frozen=True):
    text: Annotated[str, Meta(max_length=200, description="What to say.")]
    times: int = 1


class EchoStatus(Status, frozen=True):
    said: str = ""
    replicas: int = 0
    selector: str = ""
    mood: str = "calm"
    since: Annotated[str, Meta(extra_json_schema={"format": "date-time"})] = ""


class Echo(Object[EchoSpec, EchoStatus]):
    """Says what it is told."""

    __slots__ = ()


def echo(**options: Any) -> type[Echo]:
    """Declare the kind afresh with `options`."""
    return resource("example.com/v1", **options)(type("Echo", (Echo,), {"__doc__": Echo.__doc__}))


def version(kind: type[Object[Any, Any]]) -> dict[str, Any]:
    only: list[dict[str, Any]] = crd(kind)["spec"]["versions"]
    assert len(only) == 1
    return only[0]


def root(kind: type[Object[Any, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = version(kind)["schema"]["openAPIV3Schema"]
    return found


def test_names_come_from_the_declaration() -> None:
    """Group, plural, singular, list kind, short names, categories and scope are those of `@resource`."""
    made = crd(echo(short_names=["eo"], categories=["all"], namespaced=False))
    assert made["metadata"] == {"name": "echos.example.com"}
    assert made["spec"]["names"] == {
        "kind": "Echo",
        "listKind": "EchoList",
        "plural": "echos",
        "singular": "echo",
        "shortNames": ["eo"],
        "categories": ["all"],
    }
    assert made["spec"]["scope"] == "Cluster"


def test_the_docstring_of_the_kind_is_its_description() -> None:
    """`kubectl explain` shows what the class says of itself."""
    assert root(echo())["description"] == "Says what it is told."


def test_a_spec_with_required_fields_is_required() -> None:
    """An object without any spec cannot hold what the spec must hold."""
    assert root(echo())["required"] == ["spec"]


def test_a_spec_without_required_fields_defaults_to_the_defaults_inside() -> None:
    """An object without any spec still gets the defaults of its fields."""

    class AllOptional(Spec, frozen=True):
        times: int = 1

    class Optional(Object[AllOptional, EchoStatus]):
        """All optional."""

    found = root(resource("example.com/v1")(Optional))
    assert "required" not in found
    assert found["properties"]["spec"]["default"] == {}
    assert found["properties"]["spec"]["properties"]["times"]["default"] == 1


def test_status_is_atomic_and_new_objects_are_not_ready() -> None:
    """One writer owns the status as one leaf, and nothing takes a new object for a ready one."""
    status = root(echo(initial={"said": "nothing"}))["properties"]["status"]
    assert status["x-kubernetes-map-type"] == "atomic"
    assert status["default"] == {
        "conditions": [
            {
                "type": "Ready",
                "status": "Unknown",
                "reason": "Pending",
                "message": "Waiting for the controller.",
                "lastTransitionTime": "1970-01-01T00:00:00Z",
            }
        ],
        "said": "nothing",
    }


def test_status_has_no_defaults_inside() -> None:
    """What a controller leaves out of a status stays out, so that the server's echo equals what was sent."""
    properties = root(echo())["properties"]["status"]["properties"]
    assert not [name for name, found in properties.items() if "default" in found]


def test_subresources_are_plain() -> None:
    """`status` is an empty object, and `scale` names three paths that exist in the schema."""
    assert version(echo())["subresources"] == {"status": {}}
    scale = Scale(spec_replicas=".spec.times")
    assert version(echo(scale=scale))["subresources"] == {
        "status": {},
        "scale": {
            "specReplicasPath": ".spec.times",
            "statusReplicasPath": ".status.replicas",
            "labelSelectorPath": ".status.selector",
        },
    }


def test_columns_take_their_types_from_the_schema_and_age_comes_last() -> None:
    """A path is enough; a `Column` adds a priority; Age needs no mention."""
    columns = {
        "Text": ".spec.text",
        "Times": ".spec.times",
        "Since": ".status.since",
        "Ready": '.status.conditions[?(@.type=="Ready")].status',
        "Owner": ".metadata.labels.owner",
        "Said": Column(".status.said", priority=1, description="The last word."),
    }
    written = version(echo(columns=columns))["additionalPrinterColumns"]
    assert [(column["name"], column["type"], column.get("priority", 0)) for column in written] == [
        ("Text", "string", 0),
        ("Times", "integer", 0),
        ("Since", "date", 0),
        ("Ready", "string", 0),
        ("Owner", "string", 0),
        ("Said", "string", 1),
        ("Age", "date", 0),
    ]
    assert written[5]["description"] == "The last word."
    assert written[0]["description"] == "What to say."


def test_rules_are_checked_over_the_spec() -> None:
    """A CEL rule of the declaration stands at the spec with its message."""
    found = root(echo(rules={"self.times < 10": "say it fewer than ten times"}))["properties"]["spec"]
    assert found["x-kubernetes-validations"] == [{"rule": "self.times < 10", "message": "say it fewer than ten times"}]


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({"columns": {"Oops": ".status.oops"}}, "column 'Oops': .status.oops is not in the schema"),
        ({"columns": {"Oops": "status.said"}}, "does not start with a dot"),
        ({"scale": Scale()}, "Echo: specReplicasPath: .spec.replicas is not in the schema"),
        ({"rules": {" ": "m"}}, "Echo.spec: an entry of x-kubernetes-validations has no rule"),
    ],
    ids=str,
)
def test_what_the_server_would_refuse_is_refused_here(options: dict[str, Any], complaint: str) -> None:
    """A wrong path or rule is found when the CRD is made, by name."""
    with pytest.raises(SchemaError) as refusal:
        crd(echo(**options))
    assert complaint in str(refusal.value)


def test_a_field_that_breaks_a_structural_rule_is_named() -> None:
    """What `extra_json_schema` adds is held to the same rules."""

    class Patterned(Spec, frozen=True):
        text: Annotated[str, Meta(extra_json_schema={"pattern": "(?!x)"})] = ""

    class Odd(Object[Patterned, EchoStatus]):
        """Odd."""

    with pytest.raises(SchemaError, match=r"Odd\.spec\.text: the pattern"):
        crd(resource("example.com/v1")(Odd))
