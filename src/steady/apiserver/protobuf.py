"""Kubernetes' protobuf, as far as kubectl sends it of itself: the small kinds of `kubectl create`. All else is JSON.

Field numbers are those of the `generated.proto` files of k8s.io/api and k8s.io/apimachinery.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from steady.apiserver.exchange import Json

MEDIA = "application/vnd.kubernetes.protobuf"
_MAGIC = b"k8s\x00"

Reader = Callable[[Any], Any]
Form = Mapping[int, tuple[str, Reader]]
"""The fields of a message: their names in JSON, and how a value is read (of a list or a map: each entry)."""


class Unreadable(ValueError):
    """Bytes that are no message, or of a kind that is not read here."""


def decoded(body: bytes) -> Json:
    """The object that `body` holds. Raises Unreadable."""
    if not body.startswith(_MAGIC):
        raise Unreadable("it is not Kubernetes' protobuf")
    envelope = message(_ENVELOPE)(body.removeprefix(_MAGIC))
    type_: Json = envelope.get("type", {})
    form = _FORMS.get(type_.get("kind", ""))
    if form is None:
        raise Unreadable(f"a {type_.get('kind')} is read in JSON only")
    return type_ | message(form)(envelope.get("raw", b""))


def message(form: Form) -> Callable[[bytes], Json]:
    """The reader of a message; fields that `form` does not name are left out, as are empty ones."""

    def read(data: bytes) -> Json:
        found: Json = {}
        for number, value in _fields(data):
            if number in form:
                name, inner = form[number]
                _put(found, name, inner(value))
        return {name: value for name, value in found.items() if value not in ("", b"", {}, [])}

    return read


def _put(found: Json, name: str, value: Any) -> None:
    """A field that comes again is a list's next entry, or a map's."""
    if isinstance(value, _Entry):
        found.setdefault(name, {})[value.key] = value.value
    elif isinstance(value, _Item):
        found.setdefault(name, []).append(value.value)
    else:
        found[name] = value


class _Entry:
    def __init__(self, key: str, value: Any) -> None:
        self.key = key
        self.value = value


class _Item:
    def __init__(self, value: Any) -> None:
        self.value = value


def _text(data: bytes) -> str:
    return data.decode()


def _binary(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _each(inner: Reader) -> Reader:
    return lambda data: _Item(inner(data))


def _pairs(inner: Reader) -> Reader:
    entry = message({1: ("key", _text), 2: ("value", inner)})
    return lambda data: _Entry((read := entry(data)).get("key", ""), read.get("value", ""))


def _fields(data: bytes) -> Iterator[tuple[int, Any]]:
    """Number and value of each field: an integer, or bytes."""
    at = 0
    while at < len(data):
        tag, at = _varint(data, at)
        if tag & 7 == 0:
            value, at = _varint(data, at)
            yield tag >> 3, value
        elif tag & 7 == 2:
            length, at = _varint(data, at)
            yield tag >> 3, data[at : at + length]
            at += length
        else:
            raise Unreadable("a field of a fixed length")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    for byte in data[at:]:
        at += 1
        value |= (byte & 127) << shift
        shift += 7
        if byte < 128:
            return value, at
    raise Unreadable("a number without an end")


_ENVELOPE: Form = {1: ("type", message({1: ("apiVersion", _text), 2: ("kind", _text)})), 2: ("raw", bytes)}
_METADATA: Form = {
    1: ("name", _text),
    2: ("generateName", _text),
    3: ("namespace", _text),
    11: ("labels", _pairs(_text)),
    12: ("annotations", _pairs(_text)),
}
_OBJECT: Form = {1: ("metadata", message(_METADATA))}
_RULE: Form = {
    number: (name, _each(_text))
    for number, name in enumerate(("verbs", "apiGroups", "resources", "resourceNames", "nonResourceURLs"), start=1)
}
_SUBJECT: Form = {1: ("kind", _text), 2: ("apiGroup", _text), 3: ("name", _text), 4: ("namespace", _text)}
_REFERENCE: Form = {1: ("apiGroup", _text), 2: ("kind", _text), 3: ("name", _text)}
_ROLE: Form = {**_OBJECT, 2: ("rules", _each(message(_RULE)))}
_BINDING: Form = {**_OBJECT, 2: ("subjects", _each(message(_SUBJECT))), 3: ("roleRef", message(_REFERENCE))}
_FORMS: Mapping[str, Form] = {
    "Namespace": _OBJECT,
    "ServiceAccount": _OBJECT,
    "ConfigMap": {**_OBJECT, 2: ("data", _pairs(_text)), 3: ("binaryData", _pairs(_binary)), 4: ("immutable", bool)},
    "Secret": {**_OBJECT, 2: ("data", _pairs(_binary)), 3: ("type", _text), 5: ("immutable", bool)},
    "Role": _ROLE,
    "ClusterRole": _ROLE,
    "RoleBinding": _BINDING,
    "ClusterRoleBinding": _BINDING,
}
