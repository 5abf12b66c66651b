"""Types become structural schemas, or an error that names the field."""

from __future__ import annotations

from datetime import datetime
from enum import Enum, IntEnum, StrEnum
from typing import Annotated, Any, Literal

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import Meta

from steady.objects import Condition
from steady.schema import SchemaError, problems, schema


class Colour(StrEnum):
    RED = "red"
    BLUE = "blue"


class Level(IntEnum):
    LOW = 1
    HIGH = 2


class Mixed(Enum):
    WORD = "word"
    NUMBER = 1


class Leaf(msgspec.Struct, frozen=True):
    """A leaf.

    Programmers read this, users do not.
    """

    name: str
    weight: int = 3


class Tree(msgspec.Struct, frozen=True):
    children: tuple[Tree, ...] = ()


class Tagged(msgspec.Struct, frozen=True, tag="a"):
    pass


class Renamed(msgspec.Struct, frozen=True, rename="camel"):
    two_words: str = ""
    node_id: str = msgspec.field(default="", name="nodeID")


class Defaults(msgspec.Struct, frozen=True):
    text: str = "x"
    nothing: str = ""
    off: bool = False
    on: bool = True
    colour: Colour = Colour.RED
    words: tuple[str, ...] = ("a",)
    leaf: Leaf = Leaf("a")
    made: list[str] = msgspec.field(default_factory=lambda: ["never called"])


class Undefaulted(msgspec.Struct, frozen=True):
    maybe: str | None


class Described(msgspec.Struct, frozen=True):
    leaf: Annotated[Leaf, Meta(description="The one leaf.")]


@pytest.mark.parametrize(
    ("type_", "expected"),
    [
        (bool, {"type": "boolean"}),
        (int, {"type": "integer", "format": "int64"}),
        (float, {"type": "number"}),
        (str, {"type": "string"}),
        (bytes, {"type": "string", "format": "byte"}),
        (datetime, {"type": "string", "format": "date-time"}),
        (Any, {"x-kubernetes-preserve-unknown-fields": True}),
        (msgspec.Raw, {"x-kubernetes-preserve-unknown-fields": True}),
        (dict[str, Any], {"type": "object", "x-kubernetes-preserve-unknown-fields": True}),
        (dict[str, bool], {"type": "object", "additionalProperties": {"type": "boolean"}}),
        (list[bool], {"type": "array", "items": {"type": "boolean"}}),
        (tuple[bool, ...], {"type": "array", "items": {"type": "boolean"}}),
        (tuple[bool, bool], {"type": "array", "items": {"type": "boolean"}, "minItems": 2, "maxItems": 2}),
        (frozenset[str], {"type": "array", "items": {"type": "string"}, "x-kubernetes-list-type": "set"}),
        (str | None, {"type": "string"}),
        (Literal["b", "a"], {"type": "string", "enum": ["a", "b"]}),
        (Colour, {"type": "string", "enum": ["red", "blue"]}),
        (Level, {"type": "integer", "enum": [1, 2]}),
        (int | str, {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]}),
    ],
    ids=str,
)
def test_every_supported_type_has_one_form(type_: Any, expected: dict[str, Any]) -> None:
    """Each type of the table in the module's docstring is written as that table says, and is structural."""
    written = schema(type_)
    assert written == expected
    assert problems(written) == []


@pytest.mark.parametrize(
    ("meta", "type_", "expected"),
    [
        (Meta(ge=0, le=9), int, {"type": "integer", "format": "int32", "minimum": 0, "maximum": 9}),
        (Meta(ge=0, le=2**40), int, {"type": "integer", "format": "int64", "minimum": 0, "maximum": 2**40}),
        (Meta(gt=0), int, {"type": "integer", "format": "int64", "minimum": 0, "exclusiveMinimum": True}),
        (Meta(lt=1.5), float, {"type": "number", "maximum": 1.5, "exclusiveMaximum": True}),
        (Meta(multiple_of=5), int, {"type": "integer", "format": "int64", "multipleOf": 5}),
        (Meta(min_length=1, max_length=3), str, {"type": "string", "minLength": 1, "maxLength": 3}),
        (Meta(pattern="^a$"), str, {"type": "string", "pattern": "^a$"}),
        (Meta(max_length=2), list[str], {"type": "array", "items": {"type": "string"}, "maxItems": 2}),
        (
            Meta(min_length=1),
            dict[str, str],
            {"type": "object", "additionalProperties": {"type": "string"}, "minProperties": 1},
        ),
        (Meta(description="d", examples=["e"]), str, {"type": "string", "description": "d", "example": "e"}),
        (Meta(extra_json_schema={"format": "date-time"}), str, {"type": "string", "format": "date-time"}),
    ],
    ids=str,
)
def test_annotations_become_limits(meta: Meta, type_: Any, expected: dict[str, Any]) -> None:
    """Every constraint that msgspec checks is also the server's."""
    assert schema(Annotated[type_, meta]) == expected


def test_a_struct_is_an_object_whose_fields_without_default_are_required() -> None:
    """Properties, required fields, the first paragraph of the docstring, and non-empty defaults are written."""
    assert schema(Leaf) == {
        "type": "object",
        "description": "A leaf.",
        "properties": {"name": {"type": "string"}, "weight": {"type": "integer", "format": "int64", "default": 3}},
        "required": ["name"],
    }


def test_fields_carry_their_encoded_names() -> None:
    """What is on the wire names the property, not what Python calls it."""
    assert list(schema(Renamed)["properties"]) == ["twoWords", "nodeID"]


def test_only_defaults_that_say_something_are_written() -> None:
    """Empty defaults, structs and factories stay out: an absent field means the same."""
    properties = schema(Defaults)["properties"]
    assert {name: found["default"] for name, found in properties.items() if "default" in found} == {
        "text": "x",
        "on": True,
        "colour": "red",
        "words": ["a"],
    }


def test_defaults_can_be_left_out() -> None:
    """A status has no defaults inside, however deep."""
    assert "default" not in str(schema(Defaults, defaults=False))


def test_a_description_beside_the_field_wins() -> None:
    """The field's own description replaces the docstring of its struct."""
    assert schema(Described)["properties"]["leaf"]["description"] == "The one leaf."


def test_conditions_are_a_list_map_with_the_limits_of_kubernetes() -> None:
    """Two conditions of one type are refused by the server, and so is a reason that is no word."""
    written = schema(tuple[Condition, ...])
    assert written["x-kubernetes-list-map-keys"] == ["type"]
    assert written["items"]["required"] == ["reason", "status", "type"]
    assert written["items"]["properties"]["lastTransitionTime"]["format"] == "date-time"
    assert written["items"]["properties"]["reason"]["pattern"].startswith("^[A-Za-z]")
    assert problems(written) == []


@pytest.mark.parametrize(
    ("type_", "complaint"),
    [
        (Tree, "Tree.children[]: Tree contains itself"),
        (Tagged, "Tagged: Tagged is tagged"),
        (Undefaulted, "Undefaulted.maybe: it may be None"),
        (int | bool, "a union of 2 types"),
        (dict[int, str], "keys of int"),
        (dict[str, complex], "dict.*: complex has no form"),
        (tuple[int, str], "a tuple of different types"),
        (Mixed, "Mixed: Enums must contain either all str or all int values"),
        (Literal["word", 1], "are not all strings or all integers"),
    ],
    ids=str,
)
def test_what_a_crd_cannot_say_is_an_error_that_names_the_place(type_: Any, complaint: str) -> None:
    """Each refusal says where and why."""
    with pytest.raises(SchemaError) as refusal:
        schema(type_)
    assert complaint in str(refusal.value)


_types = st.recursive(
    st.sampled_from([bool, int, float, str, bytes, datetime, Any, int | str, Colour, Level, Leaf, Condition]),
    lambda inner: st.one_of(
        inner.map(lambda type_: tuple.__class_getitem__((type_, ...))),
        inner.map(lambda type_: dict.__class_getitem__((str, type_))),
        inner.map(lambda type_: msgspec.defstruct("Made", [("field", type_), ("other", type_ | None, None)])),
    ),
    max_leaves=6,
)


@given(_types)
def test_whatever_is_expressed_is_structural(type_: Any) -> None:
    """No combination of supported types breaks a structural rule."""
    assert problems(schema(type_)) == []
