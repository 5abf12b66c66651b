"""Which fields a value has and which differ between two, as trees in the form of `FieldsV1`.

A tree maps elements (`f:name`, `k:{"name":"a"}` for an entry with a key, `v:"x"` for a member of a set) to what lies
below. `{}` is one field; a field with others below it is marked by the element `.` among them. None is no field at all.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from steady.apiserver.exchange import Json
from steady.apiserver.patch import MERGE_KEYS

_SELF: Json = {".": {}}
_SETS = frozenset({"finalizers"})
_WHOLE_MAPS = frozenset({"selector", "nodeSelector"})
_KEY_DEFAULTS: Mapping[str, Json] = {"ports": {"protocol": "TCP"}}
_NAMED = {*MERGE_KEYS, *_SETS, *_WHOLE_MAPS}


class Schema:
    """What is known of a field: what a definition declares of it, or for a built-in kind (None) what its name means.

    One schema serves a kind for ever; what is below it is made when first asked for.
    """

    __slots__ = ("_below", "_declared", "_name", "_others", "whole")

    def __init__(self, declared: Json | None, name: str = "") -> None:
        self._declared = declared
        self._name = name
        self._below: dict[str, Schema] = {}
        self._others: Schema | None = None
        self.whole = name in _WHOLE_MAPS if declared is None else declared.get("x-kubernetes-map-type") == "atomic"
        """Whether a map has one owner, whatever is in it."""

    def below(self, name: str) -> Schema:
        """The schema of a field of this map."""
        return self._below.get(name) or self._named(name) or self._any()

    def entry(self) -> Schema:
        """The schema of an entry of this list."""
        declared = None if self._declared is None else self._declared.get("items") or {}
        return self._below.get(".") or self._below.setdefault(".", Schema(declared))

    def keys(self, value: list[Any]) -> tuple[str, ...]:
        """The fields by which the entries of a list are told apart; none where the list is one whole."""
        if self._declared is not None:
            is_map = self._declared.get("x-kubernetes-list-type") == "map"
            return tuple(self._declared.get("x-kubernetes-list-map-keys") or ()) if is_map else ()
        known = [key for key in MERGE_KEYS.get(self._name, ()) if all(isinstance(e, dict) and key in e for e in value)]
        return (*known[:1], *self.key_defaults) if known else ()

    @property
    def key_defaults(self) -> Json:
        """The values of keys that an entry may leave out."""
        return _KEY_DEFAULTS.get(self._name, {}) if self._declared is None else {}

    def is_set(self) -> bool:
        """Whether the list holds each value once, whoever put it there."""
        if self._declared is None:
            return self._name in _SETS
        return bool(self._declared.get("x-kubernetes-list-type") == "set")

    def replace(self, name: str, schema: Schema) -> None:
        """Let a field of this map have another schema than is declared."""
        self._below[name] = schema

    def _named(self, name: str) -> Schema | None:
        """The schema of a field that is like no other."""
        if self._declared is None:
            declared, known = None, name in _NAMED
        else:
            declared = (self._declared.get("properties") or {}).get(name)
            known = declared is not None
        return self._below.setdefault(name, Schema(declared, name)) if known else None

    def _any(self) -> Schema:
        """The schema of a field that is like all others."""
        if self._others is None:
            extra = None if self._declared is None else self._declared.get("additionalProperties")
            self._others = Schema((extra if isinstance(extra, dict) else {}) if self._declared is not None else None)
        return self._others


BUILT_IN = Schema(None)
"""The schema of every built-in kind."""


def schema_of(declared: Json) -> Schema:
    """The schema of a custom kind. Its metadata is that of every kind: definitions do not repeat it."""
    whole = Schema(declared)
    whole.replace("metadata", BUILT_IN)
    return whole


def parts(value: Any, schema: Schema) -> dict[str, tuple[Any, Schema]] | None:
    """The elements of a value with what they hold, None where it has none but itself."""
    if isinstance(value, dict):
        if schema.whole:
            return None
        return {f"f:{name}": (inner, schema.below(name)) for name, inner in value.items()}
    if not isinstance(value, list):
        return None
    if schema.is_set():
        return {f"v:{_json(entry)}": (entry, schema.entry()) for entry in value}
    keys, defaults = schema.keys(value), schema.key_defaults
    if not keys:
        return None
    identities = ({key: entry.get(key, defaults.get(key)) for key in keys} for entry in value)
    return {f"k:{_json(key)}": (entry, schema.entry()) for key, entry in zip(identities, value, strict=True)}


def tree(value: Any, schema: Schema, *, containers: bool) -> Json:
    """Every field of a value; with `containers` also those that only hold others, as whoever made them owns them."""
    found = parts(value, schema) or {}
    return {at: _subtree(at, inner, below, containers) for at, (inner, below) in found.items()}


def _subtree(element: str, value: Any, schema: Schema, containers: bool) -> Json:
    made = tree(value, schema, containers=containers)
    return _SELF | made if made and (containers or element.startswith("k:")) else made


def changes(old: Any, new: Any, schema: Schema) -> tuple[Json | None, Json | None]:
    """The fields that `new` has beyond `old` or differently, and the fields of `old` that are gone."""
    if old is new or old == new:
        return None, None
    before, after = parts(old, schema), parts(new, schema)
    if before is None or after is None:
        made = tree(new, schema, containers=True)
        return made, None if before is None else minus(tree(old, schema, containers=True), made)
    made = {at: _subtree(at, inner, below, True) for at, (inner, below) in after.items() if at not in before}
    gone = {at: _subtree(at, inner, below, True) for at, (inner, below) in before.items() if at not in after}
    for at in before.keys() & after.keys():
        different, lost = changes(before[at][0], *after[at])
        made |= {} if different is None else {at: different}
        gone |= {} if lost is None else {at: lost}
    return made or None, gone or None


def merged(live: Any, wanted: Any, schema: Schema) -> Any:
    """`live` with everything that `wanted` says: maps and lists with keys merge, what is one whole is replaced."""
    present, given = parts(live, schema), parts(wanted, schema)
    if present is None or given is None:
        return wanted
    whole = {at: inner for at, (inner, _) in present.items()}
    whole |= {at: merged(whole[at], *given[at]) if at in whole else given[at][0] for at in given}
    return {at[2:]: inner for at, inner in whole.items()} if isinstance(wanted, dict) else list(whole.values())


def without(value: Any, dropped: Json, schema: Schema) -> Any:
    """`value` without the fields of a tree; what holds others stays as long as it holds any."""
    left = {}
    for at, (inner, below) in (parts(value, schema) or {}).items():
        if at not in dropped:
            left[at] = inner
        elif parts(inner, below) and (kept := without(inner, dropped[at], below)):
            left[at] = kept
    return {at[2:]: inner for at, inner in left.items()} if isinstance(value, dict) else list(left.values())


def union(one: Json | None, other: Json | None) -> Json | None:
    """The fields of either tree."""
    if one is None or other is None:
        return other if one is None else one
    one, other = one or _SELF, other or _SELF
    joined = {**one, **other, **{at: union(one[at], other[at]) for at in one.keys() & other.keys() if at != "."}}
    return _plain(joined)


def minus(one: Json | None, other: Json | None) -> Json | None:
    """The fields of the first tree that the second has not."""
    if one is None or other is None:
        return one
    one, other = one or _SELF, other or _SELF
    shared = one.keys() & other.keys()
    left = {at: None if at == "." else minus(one[at], other[at]) for at in shared}
    left |= {at: one[at] for at in one.keys() - shared}
    return _plain({at: inner for at, inner in left.items() if inner is not None})


def both(one: Json | None, other: Json | None) -> Json | None:
    """The fields that are in both trees."""
    if one is None or other is None:
        return None
    one, other = one or _SELF, other or _SELF
    shared = {at: {} if at == "." else both(one[at], other[at]) for at in one.keys() & other.keys()}
    return _plain({at: inner for at, inner in shared.items() if inner is not None})


def paths(found: Json, at: str = "") -> Iterator[str]:
    """The fields of a tree as people write them (`.spec.list[name="a"]`), those of one level before what is below."""
    named = {f"{at}{_spoken(element)}": inner for element, inner in sorted(found.items()) if element != "."}
    yield from (path for path, inner in named.items() if not inner or "." in inner)
    for path, inner in named.items():
        yield from paths(inner, path)


def _plain(found: Json) -> Json | None:
    """A tree in its one form: a field alone is `{}`, and nothing is None."""
    return None if not found else {} if found == _SELF else found


def _spoken(element: str) -> str:
    kind, _, name = element.partition(":")
    if kind == "f":
        return f".{name}"
    if kind == "v":
        return f"[={name}]"
    return f"[{','.join(f'{key}={_json(value)}' for key, value in msgspec.json.decode(name).items())}]"


def _json(value: Any) -> str:
    return msgspec.json.encode(value, order="sorted").decode()
