"""The shapes in which an object is shown: whole, metadata only, or as a table for people."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import msgspec

from steady.apiserver import tables
from steady.apiserver.call import Call
from steady.apiserver.exchange import Json
from steady.apiserver.kinds import Kind
from steady.apiserver.store import Item


class Shape(NamedTuple):
    """A named way to show an object; the name is the cache key of the encoded bytes."""

    name: str
    shaped: Callable[[Json], Json]

    def encoded(self, item: Item) -> bytes:
        """`item` in this shape, as JSON."""
        return item.encoded(self.name, self.shaped)


def shape_of(call: Call) -> Shape:
    """The shape that the Accept header asks for."""
    if call.wants_table:
        return table(call.kind, call.query.get("includeObject") or "Metadata")
    return partial(call.kind) if call.wants_metadata else whole(call.kind)


def whole(kind: Kind) -> Shape:
    """The object as its version of the API shows it."""
    version = kind.resource.api_version
    return Shape(version, lambda data: shown(kind, data))


def bare(kind: Kind) -> Shape:
    """The object as an item of a list: built-in kinds leave out apiVersion and kind there."""
    if kind.custom:
        return whole(kind)
    return Shape(f"{kind.resource.api_version} bare", lambda data: _bare(kind.outward(data)))


def partial(_kind: Kind) -> Shape:
    """Metadata only."""
    return Shape("partial", _partial)


def table(kind: Kind, include: str) -> Shape:
    """A table with one row; `include` is Metadata, Object or None."""
    rows = partial(kind).shaped if include == "Metadata" else whole(kind).shaped
    inner = None if include == "None" else rows
    return Shape(f"table {kind.resource.api_version} {include}", lambda data: tables.table(kind, [data], inner))


def collection(kind: Kind, metadata: Json, items: Iterable[Item]) -> bytes:
    """The list of `items`."""
    head = {"kind": kind.list_kind, "apiVersion": kind.resource.api_version, "metadata": metadata}
    return _listed(head, bare(kind), items)


def metadata_collection(kind: Kind, metadata: Json, items: Iterable[Item]) -> bytes:
    """The list of the metadata of `items`."""
    head = {"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": metadata}
    return _listed(head, partial(kind), items)


def shown(kind: Kind, data: Json) -> Json:
    """The object with the names of the version asked for."""
    out = kind.outward(data)
    return {"apiVersion": kind.resource.api_version, "kind": kind.resource.kind} | {
        field: value for field, value in out.items() if field not in {"apiVersion", "kind"}
    }


def _listed(head: Json, shape: Shape, items: Iterable[Item]) -> bytes:
    encoded = b",".join(shape.encoded(item) for item in items)
    return msgspec.json.encode(head)[:-1] + b',"items":[' + encoded + b"]}\n"


def _bare(data: Json) -> Json:
    return {field: value for field, value in data.items() if field not in {"apiVersion", "kind"}}


def _partial(data: Json) -> Json:
    return {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": data["metadata"]}
