"""What a sender wrote: decoded, identified, and complained about."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import msgspec
import yaml

from steady.apiserver import forms, metadata, protobuf
from steady.apiserver.call import Call
from steady.apiserver.exchange import Json
from steady.apiserver.failures import Cause, Failure, bad_request, invalid, quoted, unsupported_media_type
from steady.objects import Resource

_JSON = ("application/json",)
_READ = {*_JSON, "", "application/octet-stream"}  # whoever does not say what it is means JSON
_TOP = ("apiVersion", "kind", "metadata")
_NOTHING = Resource("", "", "", "")


def decoded(call: Call) -> Json:
    """The object that the body writes. Raises 400 where it is none, 415 where it is not in JSON."""
    if call.media == protobuf.MEDIA and not call.kind.custom:
        return _from_protobuf(call)
    if call.media not in _READ:
        raise unsupported_media_type(_JSON)
    try:
        return msgspec.json.decode(call.request.body, type=Json)
    except msgspec.DecodeError as error:
        raise _unrecognized(call, str(error)) from error


def patch(body: bytes) -> Any:
    """The patch that `body` writes. Raises 400 where it is no JSON."""
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        raise bad_request(f"error decoding patch: {error}") from error


def options(call: Call) -> Mapping[str, Any]:
    """The options of a deletion: those of the body, or where there is none those of the query. Raises 400."""
    if not call.request.body.strip():
        return call.query
    try:
        found = msgspec.json.decode(call.request.body, type=Json)
        msgspec.convert(found, forms.DeleteOptions)
    except msgspec.MsgspecError as error:
        raise bad_request(f"couldn't get version/kind; json parse error: {error}") from error
    return found


def applied(call: Call) -> Json:
    """The object that an apply writes, in JSON or YAML. Raises 400 where it is none, or of another kind."""
    data = _parsed(call.request.body)
    version, kind, told = data.get("apiVersion", ""), data.get("kind", ""), data.get("metadata")
    if (version, kind) != (call.kind.resource.api_version, call.kind.resource.kind):
        raise bad_request(f"invalid object type: {version}, Kind={kind}")
    if not isinstance(told, dict) or told.get("name") != call.name:
        raise bad_request(f"the name of the object does not match the name on the URL ({call.name})")
    if told.get("managedFields"):
        raise bad_request("metadata.managedFields must be nil")
    return data


def scaled(call: Call, data: Json) -> Json:
    """`data` where it is a Scale. Raises 400 or 422 where it is none."""
    try:
        msgspec.convert(data, forms.Scale)
    except msgspec.ValidationError as error:
        raise unhandled(call, data, str(error)) from error
    return data


def identified(call: Call, data: Json) -> tuple[Json, list[str]]:
    """`data` with apiVersion, kind and metadata, all as the path says, and the paths of fields that nobody knows.

    Raises 400 or 422 where it is something else.
    """
    resource = call.kind.resource
    if not isinstance(told := data.get("metadata") or {}, dict):
        raise unhandled(call, data, "metadata: an object is expected")
    _check_type(call, data, str(told.get("name", "")))
    try:
        told, unknown = metadata.typed(told)
    except msgspec.ValidationError as error:
        raise unhandled(call, data, f"metadata: {error}") from error
    if call.name and not told.get("name"):
        why = f"the name of the object ({call.name} based on URL) was undeterminable: name must be provided"
        raise bad_request(why)
    if call.namespace and told.get("namespace", call.namespace) != call.namespace:
        raise bad_request("the namespace of the provided object does not match the namespace sent on the request")
    known, more = (data, []) if call.kind.custom else _formed(call, data)
    whole = {**known, "apiVersion": resource.api_version, "kind": resource.kind, "metadata": told}
    return whole, [*unknown, *more]


def warned(call: Call, data: Json, unknown: Iterable[str]) -> Json:
    """The header that tells of unknown and duplicate fields; `fieldValidation=Strict` makes them a failure."""
    mode = call.query.get("fieldValidation") or "Warn"
    if mode == "Ignore":
        return {}
    problems = [f"unknown field {quoted(field)}" for field in unknown]
    if call.request.method != "PATCH" and call.media != protobuf.MEDIA:
        problems = [*_duplicates(call.request.body, data), *problems]
    if problems and mode == "Strict":
        raise unhandled(call, data, f"strict decoding error: {', '.join(problems)}")
    return {"Warning": ", ".join(f"299 - {quoted(problem)}" for problem in problems)} if problems else {}


def unhandled(call: Call, data: Json, why: str) -> Failure:
    """The object cannot be read: 400, or 422 where a patch made it so."""
    if call.request.method == "PATCH":
        value = quoted(msgspec.json.encode(data, order="sorted").decode())
        return invalid(_NOTHING, "", [Cause("FieldValueInvalid", f"Invalid value: {value}: {why}", "patch")])
    kind, version = call.kind.resource.kind, quoted(call.kind.resource.version)
    return bad_request(f"{kind} in version {version} cannot be handled as a {kind}: {why}")


def _check_type(call: Call, data: Json, name: str) -> None:
    """Raise what forbids `data` where it is not of the kind that the path says; a built-in one may leave that out."""
    resource, custom = call.kind.resource, call.kind.custom
    version = data.get("apiVersion") or ("" if custom else resource.api_version)
    kind = data.get("kind") or ("" if custom else resource.kind)
    if not kind:
        raise _missing_kind(call, data)
    if not (isinstance(version, str) and isinstance(kind, str)):
        raise unhandled(call, data, "apiVersion and kind: texts are expected")
    if version != resource.api_version and call.request.method != "PATCH":
        expected = f"does not match the expected API version ({resource.api_version})"
        raise bad_request(f"the API version in the data ({version}) {expected}")
    if version != resource.api_version:
        cause = Cause(
            "FieldValueInvalid", f"Invalid value: {quoted(version)}: must be {resource.api_version}", "apiVersion"
        )
        raise invalid(resource._replace(group=version.rpartition("/")[0]), name, [cause])
    if kind != resource.kind and not custom:
        raise unhandled(call, data, f"it is a {kind}")
    if kind != resource.kind:
        cause = Cause("FieldValueInvalid", f"Invalid value: {quoted(kind)}: must be {resource.kind}", "kind")
        raise invalid(resource._replace(kind=kind), name, [cause])


def _missing_kind(call: Call, data: Json) -> Failure:
    text = msgspec.json.encode(data).decode()
    if call.request.method == "PATCH":
        return unhandled(call, data, f"Object 'Kind' is missing in '{text}'")
    return _unrecognized(call, f"Object 'Kind' is missing in '{text}'")


def _formed(call: Call, data: Json) -> tuple[Json, list[str]]:
    """`data` with the fields that its built-in kind has, and the names of the others."""
    form = call.kind.form or forms.Loose
    try:
        msgspec.convert(data, form)
    except msgspec.ValidationError as error:
        raise unhandled(call, data, str(error)) from error
    if call.kind.form is None:
        return data, []
    known = {*_TOP, *form.__struct_encode_fields__}
    kept = {name: value for name, value in data.items() if name in known and value is not None}
    return kept, [name for name in data if name not in known]


def _parsed(body: bytes) -> Json:
    try:
        return msgspec.json.decode(body, type=Json)
    except msgspec.DecodeError:
        pass
    try:
        data = yaml.load(body, yaml.CSafeLoader)
    except yaml.YAMLError as error:
        raise bad_request(f"error decoding YAML: {error}") from error
    if not isinstance(data, dict):
        raise bad_request("error decoding YAML: it is no object")
    return data


def _from_protobuf(call: Call) -> Json:
    try:
        return protobuf.decoded(call.request.body)
    except protobuf.Unreadable as error:
        raise unsupported_media_type(_JSON, why=str(error)) from error


def _unrecognized(call: Call, why: str) -> Failure:
    kind = call.kind.resource.kind
    return bad_request(f"the object provided is unrecognized (must be of type {kind}): {why}")


def _duplicates(body: bytes, data: Json) -> list[str]:
    """The paths of fields that are named twice in `body`, which means `data`."""
    if len(msgspec.json.encode(data)) == len(body):
        return []  # what is as short as it can be says nothing twice
    return [f"duplicate field {quoted(path)}" for path in _repeated(_PAIRS.decode(body.decode()), "")]


class _Pairs(list[tuple[str, Any]]):
    """The fields of an object as they were written."""


_PAIRS = json.JSONDecoder(object_pairs_hook=_Pairs)


def _repeated(value: Any, path: str) -> Iterator[str]:
    if not isinstance(value, list):
        return
    seen: set[str] = set()
    pairs = value if isinstance(value, _Pairs) else [(f"[{index}]", entry) for index, entry in enumerate(value)]
    for name, inner in pairs:
        where = f"{path}.{name}" if path and isinstance(value, _Pairs) else f"{path}{name}"
        if name in seen:
            yield where
        seen.add(name)
        yield from _repeated(inner, where)
