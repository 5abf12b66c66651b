"""Structural schemas of custom resources: pruning, defaulting and validating plain data."""

from __future__ import annotations

from typing import Any

from steady.apiserver.exchange import Json
from steady.apiserver.failures import Cause
from steady.apiserver.fields import schema_of
from steady.apiserver.validation import Validator, leading

_TOP = ("apiVersion", "kind", "metadata")


class Structural:
    """The schema of one version of a custom resource. Raises `cel.BadRule` for a rule that cannot be compiled."""

    def __init__(self, schema: Json) -> None:
        self.schema = schema
        self.fields = schema_of(schema)
        self._validator = Validator(schema)
        self._defaults = leading(schema, lambda part: "default" in part) or {"properties": {}}

    def causes(self, data: Json, old: Json | None, known: list[Cause]) -> list[Cause]:
        """What the schema forbids in `data`, given what it was before, together with what is `known` to be wrong."""
        return self._validator.causes(data, old, known)

    def pruned(self, data: Json) -> tuple[Json, list[str]]:
        """`data` without the fields that the schema does not know, and the paths of those.

        A null where none may stand goes too, unless a default is to take its place.
        """
        unknown: list[str] = []
        kept = _pruned({key: value for key, value in data.items() if key not in _TOP}, self.schema, "", unknown)
        return {key: data[key] for key in _TOP if key in data} | kept, unknown

    def defaulted(self, data: Json) -> Json:
        """`data` with the schema's defaults where it says nothing."""
        filled: Json = _defaulted(data, self._defaults)
        return filled

    def read(self, data: Json) -> Json:
        """`data` of another schema as this one shows it."""
        known, _ = self.pruned(data)
        return self.defaulted(known)


def _pruned(value: Any, schema: Json, path: str, unknown: list[str]) -> Any:
    if isinstance(value, dict):
        return _pruned_map(value, schema, path, unknown)
    if isinstance(value, list):
        items = schema.get("items")
        if items is None:
            return value
        return [_pruned(entry, items, f"{path}[{index}]", unknown) for index, entry in enumerate(value)]
    return value


def _pruned_map(value: Json, schema: Json, path: str, unknown: list[str]) -> Json:
    if schema.get("x-kubernetes-embedded-resource"):
        top = {key: value[key] for key in _TOP if key in value}
        inner = _pruned_fields({k: v for k, v in value.items() if k not in _TOP}, schema, path, unknown)
        return {**top, **inner}
    return _pruned_fields(value, schema, path, unknown)


def _pruned_fields(value: Json, schema: Json, path: str, unknown: list[str]) -> Json:
    properties = schema.get("properties") or {}
    extra = schema.get("additionalProperties")
    everything = schema.get("x-kubernetes-preserve-unknown-fields") or extra is True
    kept: Json = {}
    for key, inner in value.items():
        where = f"{path}.{key}" if path else key
        known = properties.get(key, extra if isinstance(extra, dict) else None)
        if known is not None:
            if inner is not None or known.get("nullable") or "default" in known:
                kept[key] = _pruned(inner, known, where, unknown)
        elif everything:
            kept[key] = inner
        else:
            unknown.append(where)
    return kept


def _defaulted(value: Any, schema: Json) -> Any:
    if isinstance(value, dict):
        return _defaulted_map(value, schema)
    if isinstance(value, list) and (items := schema.get("items")):
        return [_defaulted(entry, items) for entry in value]
    return value


def _defaulted_map(value: Json, schema: Json) -> Json:
    properties, extra = schema["properties"], schema.get("additionalProperties")
    filled = dict(value)
    for key, inner in properties.items():
        if "default" in inner and (key not in filled or (filled[key] is None and not inner.get("nullable"))):
            filled[key] = inner["default"]
        if key in filled:
            filled[key] = _defaulted(filled[key], inner)
    if extra is not None:
        filled |= {key: _defaulted(inner, extra) for key, inner in filled.items() if key not in properties}
    return filled
