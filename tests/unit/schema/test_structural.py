"""Every structural rule of Kubernetes finds its breach and names the place."""

from __future__ import annotations

from typing import Any

import pytest

from steady.schema import problems

TEXT = {"type": "string"}


@pytest.mark.parametrize(
    ("schema", "problem"),
    [
        ({}, ".: a type is missing"),
        ({"type": "text"}, "type 'text' is unknown"),
        ({"type": "object", "properties": {"a": {}}}, ".a: a type is missing"),
        ({"type": "object", "additionalProperties": {}}, ".*: a type is missing"),
        ({"type": "array", "items": {}}, "[]: a type is missing"),
        ({"type": "array"}, "items is missing"),
        ({"type": "string", "$ref": "#/x"}, "$ref is forbidden"),
        ({"type": "array", "items": TEXT, "uniqueItems": True}, "uniqueItems is forbidden"),
        ({"type": "object", "properties": {}, "additionalProperties": TEXT}, "exclude each other"),
        ({"type": "object", "additionalProperties": False}, "additionalProperties must not be false"),
        ({"type": "string", "additionalProperties": TEXT}, "additionalProperties needs type object"),
        ({"type": "object", "required": ["a"]}, "required names ['a']"),
        ({"type": "string", "x-kubernetes-map-type": "atomic"}, "x-kubernetes-map-type needs type object"),
        ({"type": "string", "x-kubernetes-list-type": "set"}, "x-kubernetes-list-type needs type array"),
        ({"x-kubernetes-int-or-string": True, "type": "string"}, "stands alone"),
        (
            {"x-kubernetes-int-or-string": True, "x-kubernetes-preserve-unknown-fields": True},
            "stands alone",
        ),
        (
            {"type": "array", "x-kubernetes-list-type": "map", "items": {"type": "object"}},
            "needs x-kubernetes-list-map",
        ),
        (
            {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "object"}},
            "the items of a set are scalars or atomic",
        ),
        ({"type": "object", "anyOf": [{"description": "x"}]}, "description belongs outside"),
        ({"type": "object", "not": {"properties": {"a": {}}}}, "a branch names ['a']"),
        ({"type": "string", "enum": []}, "enum needs at least one value"),
        ({"type": "string", "enum": ["a", "a"]}, "enum needs at least one value, each once"),
        ({"type": "string", "pattern": "(?=a)b"}, "no RE2"),
        ({"type": "string", "pattern": "(a)\\1"}, "no RE2"),
        ({"type": "integer", "minimum": 2, "maximum": 1}, "minimum is above maximum"),
        ({"type": "object", "x-kubernetes-validations": [{"message": "m"}]}, "has no rule"),
    ],
    ids=str,
)
def test_each_breach_is_named(schema: dict[str, Any], problem: str) -> None:
    """One breach, one problem, with its place."""
    found = problems(schema)
    assert len(found) == 1
    assert problem in found[0]


@pytest.mark.parametrize(
    ("key", "problem"),
    [
        ({"a": TEXT}, "must be required or have a default"),
        ({"a": {"type": "object"}}, "is no scalar property"),
        ({}, "is no scalar property"),
    ],
    ids=str,
)
def test_a_list_map_key_is_a_scalar_that_is_always_there(key: dict[str, Any], problem: str) -> None:
    """A key that may be absent, or that is an object, cannot identify an item."""
    items = {"type": "object", "properties": key}
    found = problems(
        {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["a"], "items": items}
    )
    assert [problem in each for each in found] == [True]


@pytest.mark.parametrize(
    "schema",
    [
        {"x-kubernetes-preserve-unknown-fields": True},
        {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]},
        {"type": "object", "properties": {"a": TEXT}, "anyOf": [{"required": ["a"]}, {"properties": {"a": {}}}]},
        {"type": "string", "pattern": "^[a-z]+(\\.[a-z]+)*$"},
        {"type": "string", "pattern": "(?:a|b)+?c"},
    ],
    ids=str,
)
def test_what_the_server_accepts_is_no_problem(schema: dict[str, Any]) -> None:
    """The allowed exceptions stay allowed."""
    assert problems(schema) == []
