"""Structural validation: JSON schema and list rules, told in Kubernetes' causes and messages."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import jsonschema_rs
import msgspec

from steady.apiserver import cel
from steady.apiserver.exchange import Json
from steady.apiserver.failures import Cause, quoted

_KEPT = frozenset(
    [
        "type",
        "required",
        "enum",
        "pattern",
        "minLength",
        "maxLength",
        "minimum",
        "maximum",
        "exclusiveMinimum",
        "exclusiveMaximum",
        "multipleOf",
        "minItems",
        "maxItems",
        "uniqueItems",
        "minProperties",
        "maxProperties",
    ]
)
_BELOW = ("items", "additionalProperties")
_KEYED = ("map", "set")
_FORMATS = frozenset(["date-time", "date", "email", "ipv4", "ipv6", "uri", "uuid"])
_COMPLAINTS: Mapping[str, str] = {
    "minLength": "should be at least {limit} chars long",
    "minItems": "should have at least {limit} items",
    "minProperties": "should have at least {limit} properties",
    "multipleOf": "should be a multiple of {multiple_of}",
    "pattern": "should match '{pattern}'",
    "uniqueItems": "shouldn't contain duplicates",
    "anyOf": "must validate at least one schema (anyOf)",
    "oneOf": "must validate one and only one schema (oneOf). Found none valid",
    "not": "must not validate the schema (not)",
}
_BLOCKING = frozenset(f"FieldValue{word}" for word in ("Required", "NotSupported", "TypeInvalid", "TooLong", "TooMany"))
_UNCHECKED = Cause(
    "FieldValueInvalid",
    "Invalid value: null: some validation rules were not checked because the object was invalid; "
    "correct the existing errors to complete validation",
    "<nil>",
)


class _Located(NamedTuple):
    """A cause, with the path of the value that it is about."""

    cause: Cause
    path: tuple[str | int, ...]


class Validator:
    """The rules of one structural schema. Raises `cel.BadRule` at construction for a rule that cannot be compiled."""

    def __init__(self, schema: Json) -> None:
        self._json = jsonschema_rs.Draft4Validator(
            translated(schema), validate_formats=True, pattern_options=jsonschema_rs.RegexOptions()
        )
        self._lists = leading(schema, lambda part: part.get("x-kubernetes-list-type") in _KEYED)
        self._rules = _Rules(schema)

    def causes(self, data: Json, old: Json | None, known: list[Cause]) -> list[Cause]:
        """What is wrong with `data`, with what is `known` already; faults of `old` that have not changed are let pass.

        Rules run unless something is wrong that could make them fail for no reason of their own.
        """
        found = [*self._structural(data), *(_lists(data, self._lists, ()) if self._lists else ())]
        if old is not None:
            found = [each for each in found if _at(old, each.path) != _at(data, each.path)]
        causes = [*sorted((each.cause for each in found), key=lambda cause: cause.field), *known]
        if not self._rules:
            return causes
        if any(cause.reason in _BLOCKING for cause in causes):
            return [*causes, _UNCHECKED]
        return [*causes, *self._rules.broken(data, old, "")]

    def _structural(self, data: Json) -> list[_Located]:
        if self._json.is_valid(data):
            return []
        return [_located(error) for error in self._json.iter_errors(data)]


class _Rules:
    """The CEL rules of a schema and of what is below it; parts without rules are left out."""

    def __init__(self, schema: Json) -> None:
        self._own = [cel.compiled(rule) for rule in schema.get("x-kubernetes-validations") or ()]
        self._fields = _with_rules(schema.get("properties") or {})
        extra, items = schema.get("additionalProperties"), schema.get("items")
        self._extra = _Rules(extra) if isinstance(extra, dict) else None
        self._items = _Rules(items) if isinstance(items, dict) else None
        self._map_keys = schema.get("x-kubernetes-list-map-keys") or ()

    def __bool__(self) -> bool:
        return bool(self._own or self._fields or self._extra or self._items)

    def broken(self, value: Any, old: Any, path: str) -> Iterator[Cause]:
        """The causes of every rule that does not hold."""
        if value is None:
            return
        for rule in self._own:
            if cause := rule.broken(value, old, path):
                yield cause
        if isinstance(value, dict):
            yield from self._in_map(value, old if isinstance(old, dict) else {}, path)
        elif isinstance(value, list) and self._items:
            before = {self._identity(entry): entry for entry in old or ()} if self._map_keys else {}
            for index, entry in enumerate(value):
                yield from self._items.broken(entry, before.get(self._identity(entry)), f"{path}[{index}]")

    def _in_map(self, value: Json, old: Json, path: str) -> Iterator[Cause]:
        for name, inner in value.items():
            rules = self._fields.get(name, self._extra)
            if rules:
                yield from rules.broken(inner, old.get(name), joined(path, name))

    def _identity(self, entry: Any) -> tuple[Any, ...]:
        return tuple(entry.get(key) for key in self._map_keys) if isinstance(entry, dict) else ()


def _with_rules(properties: Json) -> dict[str, _Rules]:
    made = {name: _Rules(inner) for name, inner in properties.items()}
    return {name: rules for name, rules in made.items() if rules}


def translated(schema: Json) -> Json:
    """The JSON schema (draft 4) of an OpenAPI v3 schema: `nullable` and `int-or-string` become types."""
    made = {key: value for key, value in schema.items() if key in _KEPT}
    if schema.get("x-kubernetes-int-or-string"):
        made["type"] = ["integer", "string"]
    if schema.get("nullable"):
        made |= _nullable(made)
    if schema.get("format") in _FORMATS:
        made["format"] = schema["format"]
    if properties := schema.get("properties"):
        made["properties"] = {name: translated(inner) for name, inner in properties.items()}
    for key in ("items", "not", "additionalProperties"):
        if isinstance(inner := schema.get(key), dict):
            made[key] = translated(inner)
    for key in ("allOf", "anyOf", "oneOf"):
        if key in schema and not (schema.get("x-kubernetes-int-or-string") and key == "anyOf"):
            made[key] = [translated(inner) for inner in schema[key]]
    return made


def _nullable(made: Json) -> Json:
    types = made.get("type")
    listed = [] if types is None else [*(types if isinstance(types, list) else [types]), "null"]
    extra: Json = {"type": listed} if listed else {}
    return extra | ({"enum": [*made["enum"], None]} if "enum" in made else {})


def _located(error: Any) -> _Located:
    path, kind = tuple(error.instance_path), error.kind
    if kind.name == "required":
        path = (*path, kind.property)
        return _Located(Cause("FieldValueRequired", "Required value", dotted(path)), path[:-1])
    return _Located(_cause(kind, error.instance, dotted(path)), path)


def _cause(kind: Any, value: Any, field: str) -> Cause:
    if kind.name == "type":
        return _type_cause(kind.types, value, field)
    if kind.name == "enum":
        options = ", ".join(quoted(str(option)) for option in kind.options if option is not None)
        return Cause("FieldValueNotSupported", f"Unsupported value: {shown(value)}: supported values: {options}", field)
    if kind.name == "maxLength":
        return Cause("FieldValueTooLong", f"Too long: may not be more than {kind.limit} bytes", field)
    if kind.name in {"maxItems", "maxProperties"}:
        return Cause("FieldValueTooMany", f"Too many: {len(value)}: must have at most {kind.limit} items", field)
    return Cause("FieldValueInvalid", f"Invalid value: {shown(value)}: {_complaint(kind, value, field)}", field)


def _type_cause(types: list[str], value: Any, field: str) -> Cause:
    wanted = ",".join(name for name in types if name != "null") or "null"
    found = quoted(cel.type_name(value))
    message = f"Invalid value: {found}: {field} in body must be of type {wanted}: {found}"
    return Cause("FieldValueTypeInvalid", message, field)


def _complaint(kind: Any, value: Any, field: str) -> str:
    name = "oneOf" if kind.name.startswith("oneOf") else kind.name
    if name == "format":
        return f"{field} in body must be of type {kind.format}: {shown(value)}"
    if name in {"minimum", "exclusiveMinimum"}:
        return f"{field} in body should be greater than {'or equal to ' if name == 'minimum' else ''}{kind.limit}"
    if name in {"maximum", "exclusiveMaximum"}:
        return f"{field} in body should be less than {'or equal to ' if name == 'maximum' else ''}{kind.limit}"
    told = _COMPLAINTS.get(name, "is not valid")
    values = {word: getattr(kind, word, "") for word in ("limit", "pattern", "multiple_of")}
    infix = " in body " if name not in {"anyOf", "oneOf", "not"} else " "
    return (f"{field}{infix}" if field else '""' + infix) + told.format(**values)


def leading(schema: Json, there: Callable[[Json], bool]) -> Json | None:
    """The part of a schema that leads to where `there` says yes, None where nothing does."""
    below = {name: leading(inner, there) for name, inner in (schema.get("properties") or {}).items()}
    properties = {name: part for name, part in below.items() if part is not None}
    more = {key: leading(schema[key], there) for key in _BELOW if isinstance(schema.get(key), dict)}
    found = {key: part for key, part in more.items() if part is not None}
    if not (properties or found or there(schema)):
        return None
    own = {key: value for key, value in schema.items() if key not in _BELOW}
    return {**own, **found, "properties": properties}


def _lists(value: Any, schema: Json, path: tuple[str | int, ...]) -> Iterator[_Located]:
    """Duplicates in lists that are maps or sets."""
    if isinstance(value, dict):
        for name, inner in schema["properties"].items():
            if name in value:
                yield from _lists(value[name], inner, (*path, name))
        if (extra := schema.get("additionalProperties")) is not None:
            for name in value.keys() - schema["properties"].keys():
                yield from _lists(value[name], extra, (*path, name))
    elif isinstance(value, list):
        yield from _duplicates(value, schema, path)
        if (items := schema.get("items")) is not None:
            for index, entry in enumerate(value):
                yield from _lists(entry, items, (*path, index))


def _duplicates(value: list[Any], schema: Json, path: tuple[str | int, ...]) -> Iterator[_Located]:
    keys, kind = schema.get("x-kubernetes-list-map-keys") or (), schema.get("x-kubernetes-list-type")
    if kind not in _KEYED:
        return
    seen: set[str] = set()
    for index, entry in enumerate(value):
        identity = {key: entry[key] for key in keys if key in entry} if kind == "map" else entry
        told = shown(identity)
        if told in seen:
            cause = Cause("FieldValueDuplicate", f"Duplicate value: {told}", dotted((*path, index)))
            yield _Located(cause, path)
        seen.add(told)


def shown(value: Any) -> str:
    """A value as error messages show it: JSON."""
    return msgspec.json.encode(value, order="sorted").decode()


def joined(path: str, name: str) -> str:
    """The path of a field below `path`."""
    return f"{path}.{name}" if path else name


def dotted(path: tuple[str | int, ...]) -> str:
    """A path as error messages show it: `spec.items[0].name`."""
    text = ""
    for part in path:
        text = f"{text}[{part}]" if isinstance(part, int) else joined(text, part)
    return text or "<nil>"


def _at(data: Any, path: tuple[str | int, ...]) -> Any:
    for part in path:
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            return None
    return data
