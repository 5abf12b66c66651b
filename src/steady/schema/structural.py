"""What makes a schema structural: the rules by which Kubernetes accepts or refuses the schema of a CRD.

Rules: kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions, "Specifying a structural
schema".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

Schema = Mapping[str, Any]

_FORBIDDEN = (
    "$ref",
    "additionalItems",
    "definitions",
    "dependencies",
    "deprecated",
    "discriminator",
    "id",
    "patternProperties",
    "readOnly",
    "writeOnly",
    "xml",
)
_TYPES = {"object", "array", "string", "integer", "number", "boolean"}
_JUNCTORS = ("allOf", "anyOf", "oneOf")
_STRUCTURE_ONLY = ("type", "description", "default", "nullable", "additionalProperties", "x-kubernetes-validations")
_NOT_RE2 = re.compile(r"\(\?(?:[=!]|<[=!])|\\[1-9]|\(\?P=|\\Z|(?<!\\)[*+?}]\+")


def problems(schema: Schema, path: str = "") -> list[str]:
    """Every breach of the structural rules, each with its place; empty if there is none.

    Also named is what a server lets through although it cannot be meant: an empty enum, a minimum above the maximum,
    a required field that is no property.
    """
    return list(_walk(schema, path))


def _walk(schema: Schema, path: str) -> Iterator[str]:
    for rule in _RULES:
        yield from (f"{path or '.'}: {problem}" for problem in rule(schema))
    for name, child in schema.get("properties", {}).items():
        yield from _walk(child, f"{path}.{name}")
    if isinstance(schema.get("items"), Mapping):
        yield from _walk(schema["items"], f"{path}[]")
    if isinstance(schema.get("additionalProperties"), Mapping):
        yield from _walk(schema["additionalProperties"], f"{path}.*")


def _keywords(schema: Schema) -> Iterator[str]:
    yield from (f"{word} is forbidden" for word in _FORBIDDEN if word in schema)
    if schema.get("uniqueItems"):
        yield "uniqueItems is forbidden, use x-kubernetes-list-type: set"


def _type(schema: Schema) -> Iterator[str]:
    found = schema.get("type")
    if schema.get("x-kubernetes-int-or-string"):
        if found is not None or schema.get("x-kubernetes-preserve-unknown-fields"):
            yield "x-kubernetes-int-or-string stands alone: without type, without x-kubernetes-preserve-unknown-fields"
        return
    if found is None and not schema.get("x-kubernetes-preserve-unknown-fields"):
        yield "a type is missing"
    if found is not None and found not in _TYPES:
        yield f"type {found!r} is unknown"


def _objects(schema: Schema) -> Iterator[str]:
    extra = schema.get("additionalProperties")
    if "properties" in schema and extra is not None:
        yield "properties and additionalProperties exclude each other"
    if extra is False:
        yield "additionalProperties must not be false"
    if extra is not None and schema.get("type") != "object":
        yield "additionalProperties needs type object"
    missing = set(schema.get("required", ())) - set(schema.get("properties", {}))
    if missing and not schema.get("x-kubernetes-preserve-unknown-fields"):
        yield f"required names {sorted(missing)}, which are no properties"
    if "x-kubernetes-map-type" in schema and schema.get("type") != "object":
        yield "x-kubernetes-map-type needs type object"


def _arrays(schema: Schema) -> Iterator[str]:
    kind = schema.get("x-kubernetes-list-type")
    if schema.get("type") != "array":
        if kind:
            yield "x-kubernetes-list-type needs type array"
        return
    if not isinstance(schema.get("items"), Mapping):
        yield "items is missing"
    elif kind == "map":
        yield from _list_map(schema["items"], schema.get("x-kubernetes-list-map-keys", ()))
    elif kind == "set" and _granular(schema["items"]):
        yield "the items of a set are scalars or atomic"


def _list_map(items: Schema, keys: list[str]) -> Iterator[str]:
    if not keys:
        yield "a list-map needs x-kubernetes-list-map-keys"
    for key in keys:
        found = items.get("properties", {}).get(key, {})
        if found.get("type") in (None, "object", "array"):
            yield f"the list-map key {key!r} is no scalar property of the items"
        elif key not in items.get("required", ()) and "default" not in found:
            yield f"the list-map key {key!r} must be required or have a default"


def _granular(items: Schema) -> bool:
    return items.get("type") in ("object", "array") and not (
        items.get("x-kubernetes-map-type") == "atomic" or items.get("x-kubernetes-list-type", "atomic") != "atomic"
    )


def _junctors(schema: Schema) -> Iterator[str]:
    if schema.get("x-kubernetes-int-or-string"):
        return
    branches = [branch for word in _JUNCTORS for branch in schema.get(word, ())] + [schema.get("not", {})]
    for branch in branches:
        yield from (
            f"{word} belongs outside of allOf, anyOf, oneOf and not" for word in _STRUCTURE_ONLY if word in branch
        )
        if unknown := set(branch.get("properties", {})) - set(schema.get("properties", {})):
            yield f"a branch names {sorted(unknown)}, which the schema itself does not"


def _values(schema: Schema) -> Iterator[str]:
    if (choices := schema.get("enum")) is not None and (not choices or len(choices) != len({repr(c) for c in choices})):
        yield "enum needs at least one value, each once"
    if _NOT_RE2.search(schema.get("pattern", "")):
        yield f"the pattern {schema['pattern']!r} is no RE2, which has no lookaround, back reference, possessive repeat"
    for bound in (("minimum", "maximum"), ("minLength", "maxLength"), ("minItems", "maxItems")):
        if all(word in schema for word in bound) and schema[bound[0]] > schema[bound[1]]:
            yield f"{bound[0]} is above {bound[1]}"


def _rules(schema: Schema) -> Iterator[str]:
    for rule in schema.get("x-kubernetes-validations", ()):
        if not rule.get("rule", "").strip():
            yield "an entry of x-kubernetes-validations has no rule"


_RULES: tuple[Callable[[Schema], Iterator[str]], ...] = (
    _keywords,
    _type,
    _objects,
    _arrays,
    _junctors,
    _values,
    _rules,
)
