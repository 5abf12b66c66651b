"""msgspec types as structural OpenAPI v3 schemas, the subset of JSON Schema that CRDs speak.

| type | schema |
|---|---|
| `bool`, `int`, `float`, `str`, `bytes`, `datetime` | the scalar, with its format |
| `Literal`, `Enum` | an enum of strings or of integers |
| `tuple[X, ...]`, `list[X]`, `set[X]` | an array; of conditions: a list-map keyed by `type` |
| `dict[str, X]` | additionalProperties |
| a `Struct` | properties; described by its docstring; fields without a default are required |
| `int` or `str` in a union | x-kubernetes-int-or-string |
| `Any`, `msgspec.Raw`, `dict[str, Any]` | x-kubernetes-preserve-unknown-fields |

`Annotated[X, Meta(...)]` adds limits and descriptions; its `extra_json_schema` goes in as it is (`x-kubernetes-*`,
`format`).
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import Any

import msgspec
from msgspec import inspect as types

from steady.errors import ConfigurationError
from steady.objects.conditions import Condition, message_limit

Schema = dict[str, Any]

PRESERVE = "x-kubernetes-preserve-unknown-fields"
INT_OR_STRING = "x-kubernetes-int-or-string"
_INT32 = 2**31 - 1

# The limits of `metav1.Condition`, which is a foreign type here and carries none.
_CONDITION_LIMITS: dict[str, Schema] = {
    "type": {"maxLength": 316},
    "reason": {"maxLength": 1024, "pattern": "^[A-Za-z]([A-Za-z0-9_,:]*[A-Za-z0-9_])?$"},
    "message": {"maxLength": message_limit},
    "lastTransitionTime": {"format": "date-time"},
    "observedGeneration": {"minimum": 0},
}


class SchemaError(ConfigurationError):
    """A type cannot be expressed in a CRD; the message names the field, the reason and what to write instead."""


def schema(type_: Any, *, path: str = "", defaults: bool = True) -> Schema:
    """The structural schema of `type_`; `path` is how errors name it, `defaults` whether defaults are written.

    Default factories are never called, and empty defaults (`""`, `0`, `False`, `()`) need no mention: an absent field
    means the same. Raises SchemaError.
    """
    where = path or getattr(type_, "__name__", str(type_))
    try:
        info = types.type_info(type_)
    except TypeError as error:
        raise SchemaError(f"{where}: {error}") from error
    return _Writer(defaults).write(info, where, ())


def plain(value: object) -> Any:
    """`value` as JSON reads it back: dicts, lists and scalars only."""
    return msgspec.json.decode(msgspec.json.encode(value))


class _Writer:
    """Writes one schema; `seen` is the chain of structs above the present one, so that recursion is found."""

    def __init__(self, defaults: bool) -> None:
        self._defaults = defaults
        self._writers: dict[type[types.Type], Callable[[Any, str, tuple[type, ...]], Schema]] = {
            types.Metadata: self._metadata,
            types.UnionType: self._union,
            types.StructType: self._struct,
            types.DictType: self._dict,
            types.ListType: self._list,
            types.VarTupleType: self._list,
            types.TupleType: self._tuple,
            types.SetType: self._set,
            types.FrozenSetType: self._set,
        }

    def write(self, info: types.Type, path: str, seen: tuple[type, ...]) -> Schema:
        if writer := self._writers.get(type(info)):
            return writer(info, path, seen)
        if scalar := _SCALARS.get(type(info)):
            return scalar(info, path)
        raise SchemaError(f"{path}: {_name(info)} has no form in a CRD; use a Struct, a scalar, a list or dict[str, X]")

    def _metadata(self, info: types.Metadata, path: str, seen: tuple[type, ...]) -> Schema:
        extra = dict(info.extra_json_schema or {})
        if examples := extra.pop("examples", None):
            extra["example"] = examples[0]
        return {**self.write(info.type, path, seen), **extra}

    def _union(self, info: types.UnionType, path: str, seen: tuple[type, ...]) -> Schema:
        members = [member for member in info.types if not isinstance(member, types.NoneType)]
        if len(members) == 1:
            return self.write(members[0], path, seen)
        if sorted(type(member).__name__ for member in members) == ["IntType", "StrType"]:
            return _int_or_string(members)
        raise SchemaError(f"{path}: a union of {len(members)} types; only X | None and int | str have a form in a CRD")

    def _struct(self, info: types.StructType, path: str, seen: tuple[type, ...]) -> Schema:
        _guard_struct(info, path, seen)
        written: Schema = {"type": "object"}
        if description := _description(info.cls):
            written["description"] = description
        if info.fields:
            chain = (*seen, info.cls)
            written["properties"] = {field.encode_name: self._field(field, path, chain) for field in info.fields}
        if required := sorted(field.encode_name for field in info.fields if field.required):
            written["required"] = required
        return _limited(written) if info.cls is Condition else written

    def _field(self, field: types.Field, path: str, seen: tuple[type, ...]) -> Schema:
        where = f"{path}.{field.encode_name}"
        if field.required and _optional(field.type):
            raise SchemaError(f"{where}: it may be None, so the server may leave it out: give it the default None")
        written = self.write(field.type, where, seen)
        if self._defaults and _worth_writing(field.default):
            written.setdefault("default", plain(field.default))
        return written

    def _dict(self, info: types.DictType, path: str, seen: tuple[type, ...]) -> Schema:
        if info.key_type != types.StrType():
            raise SchemaError(f"{path}: keys of {_name(info.key_type)}; JSON objects in a CRD have plain str keys")
        limits = _limits(minProperties=info.min_length, maxProperties=info.max_length)
        if isinstance(info.value_type, types.AnyType | types.RawType):
            return {"type": "object", PRESERVE: True, **limits}
        return {"type": "object", "additionalProperties": self.write(info.value_type, f"{path}.*", seen), **limits}

    def _list(self, info: types.ListType | types.VarTupleType, path: str, seen: tuple[type, ...]) -> Schema:
        limits = _limits(minItems=info.min_length, maxItems=info.max_length)
        written = {"type": "array", "items": self.write(info.item_type, f"{path}[]", seen), **limits}
        if isinstance(info.item_type, types.StructType) and info.item_type.cls is Condition:
            written |= {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": ["type"]}
        return written

    def _set(self, info: types.SetType | types.FrozenSetType, path: str, seen: tuple[type, ...]) -> Schema:
        limits = _limits(minItems=info.min_length, maxItems=info.max_length)
        items = self.write(info.item_type, f"{path}[]", seen)
        return {"type": "array", "items": items, "x-kubernetes-list-type": "set", **limits}

    def _tuple(self, info: types.TupleType, path: str, seen: tuple[type, ...]) -> Schema:
        first = info.item_types[0] if info.item_types else types.NoneType()
        if any(item != first for item in info.item_types):
            raise SchemaError(f"{path}: a tuple of different types; a CRD's array has one type of item")
        count = len(info.item_types)
        return {"type": "array", "items": self.write(first, f"{path}[]", seen), "minItems": count, "maxItems": count}


def _guard_struct(info: types.StructType, path: str, seen: tuple[type, ...]) -> None:
    if info.cls in seen:
        raise SchemaError(
            f"{path}: {info.cls.__name__} contains itself; a CRD's schema is finite, so use dict[str, Any]"
        )
    if info.tag_field or info.array_like:
        raise SchemaError(f"{path}: {info.cls.__name__} is tagged or an array; a CRD knows plain objects only")


def _limited(condition: Schema) -> Schema:
    properties = {name: {**found, **_CONDITION_LIMITS.get(name, {})} for name, found in condition["properties"].items()}
    return {**condition, "properties": properties}


def _optional(info: types.Type) -> bool:
    while isinstance(info, types.Metadata):
        info = info.type
    return isinstance(info, types.UnionType) and info.includes_none


def _worth_writing(default: Any) -> bool:
    if default is msgspec.NODEFAULT or default is msgspec.UNSET or isinstance(default, msgspec.Struct):
        return False
    return bool(default)


def _description(cls: type) -> str:
    """The first paragraph: the rest of a docstring speaks to programmers."""
    return inspect.cleandoc(cls.__doc__ or "").split("\n\n", 1)[0]


def _name(info: types.Type) -> str:
    cls = getattr(info, "cls", None)
    return cls.__name__ if cls is not None else type(info).__name__.removesuffix("Type").lower()


def _limits(**limits: Any) -> Schema:
    return {name: limit for name, limit in limits.items() if limit is not None}


def _int_or_string(members: Sequence[types.Type]) -> Schema:
    text = next(member for member in members if isinstance(member, types.StrType))
    written: Schema = {INT_OR_STRING: True, "anyOf": [{"type": "integer"}, {"type": "string"}]}
    return written | _limits(pattern=text.pattern, maxLength=text.max_length)


def _number(info: types.IntType | types.FloatType) -> Schema:
    written = _limits(multipleOf=info.multiple_of)
    if (low := info.ge if info.ge is not None else info.gt) is not None:
        written |= {"minimum": low} | ({"exclusiveMinimum": True} if info.ge is None else {})
    if (high := info.le if info.le is not None else info.lt) is not None:
        written |= {"maximum": high} | ({"exclusiveMaximum": True} if info.le is None else {})
    return written


def _integer(info: types.IntType, _path: str) -> Schema:
    limits = _number(info)
    small = "minimum" in limits and "maximum" in limits and -_INT32 <= limits["minimum"] <= limits["maximum"] <= _INT32
    return {"type": "integer", "format": "int32" if small else "int64", **limits}


def _text(info: types.StrType, _path: str) -> Schema:
    limits = _limits(minLength=info.min_length, maxLength=info.max_length, pattern=info.pattern)
    return {"type": "string", **limits}


def _choice(values: Sequence[Any], path: str) -> Schema:
    for type_, name in ((str, "string"), (int, "integer")):
        if all(type(value) is type_ for value in values):
            return {"type": name, "enum": list(values)}
    raise SchemaError(f"{path}: the choices {list(values)} are not all strings or all integers")


_SCALARS: dict[type[types.Type], Callable[[Any, str], Schema]] = {
    types.AnyType: lambda _info, _path: {PRESERVE: True},
    types.RawType: lambda _info, _path: {PRESERVE: True},
    types.BoolType: lambda _info, _path: {"type": "boolean"},
    types.IntType: _integer,
    types.FloatType: lambda info, _path: {"type": "number", **_number(info)},
    types.StrType: _text,
    types.BytesType: lambda _info, _path: {"type": "string", "format": "byte"},
    types.DateTimeType: lambda _info, _path: {"type": "string", "format": "date-time"},
    types.LiteralType: lambda info, path: _choice(info.values, path),
    types.EnumType: lambda info, path: _choice([member.value for member in info.cls], path),
}
