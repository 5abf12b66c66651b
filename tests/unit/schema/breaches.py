"""Schemas that break a rule, and the words by which the rule is known: judged by our checker and by a real server."""

from __future__ import annotations

from typing import Any

Schema = dict[str, Any]
TEXT: Schema = {"type": "string"}

REFUSED: list[tuple[Schema, str]] = [
    ({}, ".: a type is missing"),
    ({"type": "text"}, "type 'text' is unknown"),
    ({"type": "object", "properties": {"a": {}}}, ".a: a type is missing"),
    ({"type": "object", "additionalProperties": {}}, ".*: a type is missing"),
    ({"type": "array", "items": {}}, "[]: a type is missing"),
    ({"type": "array"}, "items is missing"),
    ({"type": "string", "$ref": "#/x"}, "$ref is forbidden"),
    ({"type": "array", "items": TEXT, "uniqueItems": True}, "uniqueItems is forbidden"),
    (
        {"type": "object", "properties": {"a": TEXT}, "additionalProperties": TEXT},
        "properties and additionalProperties exclude each other",
    ),
    ({"type": "string", "x-kubernetes-map-type": "atomic"}, "x-kubernetes-map-type needs type object"),
    ({"type": "string", "x-kubernetes-list-type": "set"}, "x-kubernetes-list-type needs type array"),
    ({"x-kubernetes-int-or-string": True, "x-kubernetes-preserve-unknown-fields": True}, "stands alone"),
    ({"type": "array", "x-kubernetes-list-type": "map", "items": {"type": "object"}}, "needs x-kubernetes-list-map"),
    (
        {"type": "array", "x-kubernetes-list-type": "set", "items": {"type": "object"}},
        "the items of a set are scalars or atomic",
    ),
    ({"type": "object", "anyOf": [{"description": "x"}]}, "description belongs outside"),
    ({"type": "string", "pattern": "(?=a)b"}, "no RE2"),
    ({"type": "string", "pattern": "(a)\\1"}, "no RE2"),
    ({"type": "object", "x-kubernetes-validations": [{"message": "m"}]}, "has no rule"),
]
"""What a server refuses."""

LET_THROUGH: list[tuple[Schema, str]] = [
    (
        {"type": "object", "anyOf": [{"properties": {"a": {"minLength": 1}}}]},
        "a branch names ['a'], which the schema itself does not",
    ),
    (
        {"type": "object", "not": {"properties": {"a": {"minLength": 1}}}},
        "a branch names ['a'], which the schema itself does not",
    ),
    ({"x-kubernetes-int-or-string": True, "type": "string"}, "stands alone"),
    ({"type": "object", "additionalProperties": False}, "additionalProperties must not be false"),
    ({"type": "string", "additionalProperties": TEXT}, "additionalProperties needs type object"),
    ({"type": "object", "required": ["a"]}, "required names ['a']"),
    ({"type": "string", "enum": []}, "enum needs at least one value"),
    ({"type": "string", "enum": ["a", "a"]}, "enum needs at least one value, each once"),
    ({"type": "integer", "minimum": 2, "maximum": 1}, "minimum is above maximum"),
]
"""What a server (1.36) lets through although it cannot be meant."""


def list_map(key: Schema) -> Schema:
    """A list-map keyed by `a`, whose items have the properties `key`."""
    items = {"type": "object", "properties": key}
    return {"type": "array", "x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["a"], "items": items}


KEYS: list[tuple[Schema, str]] = [
    (list_map({"a": TEXT}), "must be required or have a default"),
    (list_map({"a": {"type": "object"}}), "is no scalar property"),
    (list_map({}), "is no scalar property"),
]
"""What a server refuses as the key of a list-map."""

ACCEPTED: list[Schema] = [
    {"x-kubernetes-preserve-unknown-fields": True},
    {"x-kubernetes-int-or-string": True, "anyOf": [{"type": "integer"}, {"type": "string"}]},
    {"type": "object", "properties": {"a": TEXT}, "anyOf": [{"required": ["a"]}, {"properties": {"a": {}}}]},
    {"type": "string", "pattern": "^[a-z]+(\\.[a-z]+)*$"},
    {"type": "string", "pattern": "(?:a|b)+?c"},
]
"""What a server accepts."""
