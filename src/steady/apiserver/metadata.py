"""Rules of metadata that hold for every kind: types, names, labels, owners, finalizers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec

from steady.apiserver.exchange import Json
from steady.apiserver.failures import Cause, quoted

_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_PART = re.compile(r"([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]")
_NAME_RULE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    r"'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')"
)
_PART_RULE = (
    "must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
    "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
_KEY_RULE = f"a valid label key {_PART_RULE} with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
_VALUE_RULE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
_LONGEST_NAME = 253
_LONGEST_PART = 63
_LARGEST_ANNOTATIONS = 256 * 1024  # bytes of all keys and values
_EMPTY: tuple[object, ...] = ("", None, [], {})


class _Owner(msgspec.Struct, rename="camel"):
    api_version: str | None = None
    kind: str | None = None
    name: str | None = None
    uid: str | None = None
    controller: bool | None = None
    block_owner_deletion: bool | None = None


class _Manager(msgspec.Struct, rename="camel"):
    manager: str = ""
    operation: str = ""
    api_version: str = ""
    time: datetime | None = None
    fields_type: str = ""
    fields_v1: dict[str, dict[str, Any]] = msgspec.field(default_factory=dict, name="fieldsV1")
    subresource: str = ""


class _Metadata(msgspec.Struct, rename="camel"):
    """`metav1.ObjectMeta`: what every object may say of itself."""

    name: str | None = None
    generate_name: str | None = None
    namespace: str | None = None
    self_link: str | None = None
    uid: str | None = None
    resource_version: str | None = None
    generation: int | None = None
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None
    deletion_grace_period_seconds: int | None = None
    labels: dict[str, str | None] | None = None
    annotations: dict[str, str | None] | None = None
    owner_references: list[_Owner] | None = None
    finalizers: list[str | None] | None = None
    managed_fields: list[_Manager] | None = None


_KNOWN = frozenset(_Metadata.__struct_encode_fields__)


def typed(metadata: Any) -> tuple[Json, list[str]]:
    """Metadata without fields that no metadata has, and the paths of those. Raises ValueError for a wrong type."""
    msgspec.convert(metadata, _Metadata)
    known = {name: value for name, value in metadata.items() if name in _KNOWN}
    return known, [f"metadata.{name}" for name in metadata if name not in _KNOWN]


def faults(new: Json, old: Json | None) -> list[Cause]:
    """What is wrong with the metadata of `new`, given what the object was before."""
    metadata = new["metadata"]
    found = [
        *_labels(metadata.get("labels") or {}),
        *_annotations(metadata.get("annotations") or {}),
        *_owners(metadata.get("ownerReferences") or []),
    ]
    if old is None:
        return [*_named(metadata), *found, *_finalizers(metadata, {})]
    before = old["metadata"]
    return [*_same(metadata, before), *_late_finalizers(metadata, before), *found, *_finalizers(metadata, before)]


def tidy(metadata: Json) -> Json:
    """Metadata as the server keeps it: without what is empty, and with empty texts for nulls."""
    kept = {field: value for field, value in metadata.items() if value not in _EMPTY}
    for field in ("labels", "annotations"):
        if None in (values := kept.get(field, {})).values():
            kept[field] = {key: value or "" for key, value in values.items()}
    if None in kept.get("finalizers", ()):
        kept["finalizers"] = [name or "" for name in kept["finalizers"]]
    return kept


def _named(metadata: Json) -> Iterator[Cause]:
    if (prefix := metadata.get("generateName")) and not _NAME.fullmatch(prefix.rstrip("-") or "-"):
        yield _wrong("metadata.generateName", prefix, _NAME_RULE)
    name = metadata["name"]
    if len(name) > _LONGEST_NAME:
        yield _wrong("metadata.name", name, f"must be no more than {_LONGEST_NAME} characters")
    if not _NAME.fullmatch(name):
        yield _wrong("metadata.name", name, _NAME_RULE)


def _labels(labels: dict[str, str]) -> Iterator[Cause]:
    for key, value in labels.items():
        yield from _key("metadata.labels", key)
        if len(value) > _LONGEST_PART:
            yield _wrong("metadata.labels", value, f"must be no more than {_LONGEST_PART} bytes")
        elif value and not _PART.fullmatch(value):
            yield _wrong("metadata.labels", value, _VALUE_RULE)


def _annotations(annotations: dict[str, str]) -> Iterator[Cause]:
    for key in annotations:
        yield from _key("metadata.annotations", key.lower())
    if sum(len(key.encode()) + len(value.encode()) for key, value in annotations.items()) > _LARGEST_ANNOTATIONS:
        message = f"Too long: may not be more than {_LARGEST_ANNOTATIONS} bytes"
        yield Cause("FieldValueTooLong", message, "metadata.annotations")


def _finalizers(metadata: Json, before: Json) -> Iterator[Cause]:
    if metadata.get("finalizers") == before.get("finalizers"):
        return
    for name in metadata.get("finalizers") or ():
        yield from _key("metadata.finalizers", name)


def _key(field: str, key: str) -> Iterator[Cause]:
    """What is wrong with a name that may have the name of a domain in front."""
    *prefix, name = key.split("/")
    if len(prefix) > 1:
        yield _wrong(field, key, _KEY_RULE)
        return
    if prefix and not _NAME.fullmatch(prefix[0]):
        yield _wrong(field, key, f"prefix part {_NAME_RULE}" if prefix[0] else "prefix part must be non-empty")
    if not name:
        yield _wrong(field, key, "name part must be non-empty")
    elif len(name) > _LONGEST_PART:
        yield _wrong(field, key, f"name part must be no more than {_LONGEST_PART} bytes")
    if not _PART.fullmatch(name):
        yield _wrong(field, key, f"name part {_PART_RULE}")


def _owners(owners: list[Json]) -> Iterator[Cause]:
    for owner in owners:
        for field, what in (("apiVersion", "version "), ("kind", ""), ("name", ""), ("uid", "")):
            if not owner.get(field):
                message = f'Invalid value: "": {what}must not be empty'
                yield Cause("FieldValueInvalid", message, f"metadata.ownerReferences.{field}")
    controllers = [f"{owner.get('kind')}/{owner.get('name')}" for owner in owners if owner.get("controller")]
    if len(controllers) > 1:
        both = " and ".join(controllers[:2])
        why = f'Only one reference can have Controller set to true. Found "true" in references for {both}'
        yield Cause(
            "FieldValueInvalid",
            f"Invalid value: {msgspec.json.encode(owners).decode()}: {why}",
            "metadata.ownerReferences",
        )


def _same(metadata: Json, before: Json) -> list[Cause]:
    if metadata["uid"] == before["uid"]:
        return []
    return [_wrong("metadata.uid", metadata["uid"], "field is immutable")] * 2


def _late_finalizers(metadata: Json, before: Json) -> list[Cause]:
    """While an object is being deleted its finalizers can only become fewer."""
    if not before.get("deletionTimestamp"):
        return []
    added = [name for name in metadata.get("finalizers") or () if name not in (before.get("finalizers") or ())]
    if not added:
        return []
    why = "no new finalizers can be added if the object is being deleted, found new finalizers"
    cause = Cause("FieldValueForbidden", f"Forbidden: {why} {json.dumps(added)}", "metadata.finalizers")
    return [cause, cause]


def _wrong(field: str, value: str, why: str) -> Cause:
    return Cause("FieldValueInvalid", f"Invalid value: {quoted(value)}: {why}", field)
