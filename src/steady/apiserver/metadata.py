"""Rules of metadata that hold for every kind: names, labels, owners, finalizers."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
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
_KEY_RULE = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric "
    "character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    "'([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"
)
_VALUE_RULE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and "
    "end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is "
    "'(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
)
_LONGEST_NAME = 253
_LONGEST_LABEL = 63
_LISTS = ("finalizers", "ownerReferences")


class Malformed(ValueError):
    """Metadata whose fields have the wrong types; the message names the field."""


def typed(metadata: Json) -> None:
    """Raises Malformed where a field of `metadata` has another type than every object's metadata has."""
    for field in ("labels", "annotations"):
        values = metadata.get(field) or {}
        if not isinstance(values, dict) or not all(isinstance(value, str) for value in values.values()):
            raise Malformed(f"json: cannot unmarshal into Go struct field ObjectMeta.metadata.{field} of type string")
    for field in _LISTS:
        if not isinstance(metadata.get(field) or [], list):
            raise Malformed(f"json: cannot unmarshal into Go struct field ObjectMeta.metadata.{field} of type []")


def faults(new: Json, old: Json | None) -> list[Cause]:
    """What is wrong with the metadata of `new`, given what the object was before."""
    metadata = new["metadata"]
    found = [*_labels(metadata.get("labels") or {}), *_owners(metadata.get("ownerReferences") or [])]
    if old is None:
        return [*_named(metadata["name"]), *found]
    return [*_late_finalizers(metadata, old["metadata"]), *found]


def tidy(metadata: Json) -> Json:
    """Metadata without what is empty, as the server's own types leave it out."""
    emptied = {"labels", "annotations", *_LISTS}
    return {field: value for field, value in metadata.items() if value or field not in emptied}


def _named(name: str) -> Iterator[Cause]:
    if len(name) > _LONGEST_NAME:
        yield _wrong("metadata.name", name, f"must be no more than {_LONGEST_NAME} bytes")
    if not _NAME.fullmatch(name):
        yield _wrong("metadata.name", name, _NAME_RULE)


def _labels(labels: dict[str, str]) -> Iterator[Cause]:
    for key, value in labels.items():
        part = key.rpartition("/")[2]
        if not _PART.fullmatch(part):
            yield _wrong("metadata.labels", key, _KEY_RULE)
        if len(value) > _LONGEST_LABEL:
            yield _wrong("metadata.labels", value, f"must be no more than {_LONGEST_LABEL} bytes")
        elif value and not _PART.fullmatch(value):
            yield _wrong("metadata.labels", value, _VALUE_RULE)


def _owners(owners: list[Any]) -> Iterator[Cause]:
    for index, owner in enumerate(owners):
        for field in ("apiVersion", "kind", "name", "uid"):
            if not owner.get(field):
                message = f'Invalid value: "": {field} must not be empty'
                yield Cause("FieldValueInvalid", message, f"metadata.ownerReferences[{index}].{field}")
    controllers = [f"{owner.get('kind')}/{owner.get('name')}" for owner in owners if owner.get("controller")]
    if len(controllers) > 1:
        both = " and ".join(controllers[:2])
        why = f'Only one reference can have Controller set to true. Found "true" in references for {both}'
        yield Cause(
            "FieldValueInvalid",
            f"Invalid value: {msgspec.json.encode(owners).decode()}: {why}",
            "metadata.ownerReferences",
        )


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
