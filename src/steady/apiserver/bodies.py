"""What a sender wrote: decoded, identified, and complained about."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import msgspec

from steady.apiserver import metadata
from steady.apiserver.call import Call
from steady.apiserver.exchange import Json
from steady.apiserver.failures import Cause, bad_request, invalid, quoted


def decoded(body: bytes, call: Call) -> Json:
    """The object that `body` writes. Raises 400 where it is none."""
    try:
        return msgspec.json.decode(body, type=Json)
    except msgspec.DecodeError as error:
        kind = call.kind.resource.kind
        raise bad_request(f"the object provided is unrecognized (must be of type {kind}): {error}") from error


def patch(body: bytes) -> Any:
    """The patch that `body` writes. Raises 400 where it is no JSON."""
    try:
        return msgspec.json.decode(body)
    except msgspec.DecodeError as error:
        raise bad_request(f"error decoding patch: {error}") from error


def identified(call: Call, data: Json) -> Json:
    """`data` with apiVersion, kind and metadata. Raises 400 or 422 where it is something else than the path says."""
    resource = call.kind.resource
    version = data.get("apiVersion", resource.api_version)
    if version != resource.api_version:
        expected = f"does not match the expected API version ({resource.api_version})"
        raise bad_request(f"the API version in the data ({version}) {expected}")
    told = data.get("metadata") or {}
    if not isinstance(told, dict):
        raise bad_request("json: cannot unmarshal into Go struct field .metadata of type v1.ObjectMeta")
    if (kind := data.get("kind", resource.kind)) != resource.kind:
        cause = Cause("FieldValueInvalid", f"Invalid value: {quoted(str(kind))}: must be {resource.kind}", "kind")
        raise invalid(resource._replace(kind=str(kind)), str(told.get("name", "")), [cause])
    try:
        metadata.typed(told)
    except metadata.Malformed as error:
        raise bad_request(_unhandled(call, str(error))) from error
    if call.namespace and told.get("namespace", call.namespace) != call.namespace:
        raise bad_request("the namespace of the provided object does not match the namespace sent on the request")
    _texts(call, data)
    return {"apiVersion": version, "kind": kind, **data, "metadata": told}


def warned(call: Call, unknown: Iterable[str]) -> Json:
    """The header that tells of unknown and duplicate fields. Raises 400 for them with `fieldValidation=Strict`."""
    mode = call.query.get("fieldValidation") or "Warn"
    if mode == "Ignore":
        return {}
    problems = [f"unknown field {quoted(field)}" for field in unknown]
    if call.request.method != "PATCH":
        problems = [*_duplicates(call.request.body), *problems]
    if problems and mode == "Strict":
        raise bad_request(_unhandled(call, f"strict decoding error: {', '.join(problems)}"))
    return {"Warning": ", ".join(f"299 - {quoted(problem)}" for problem in problems)} if problems else {}


def _unhandled(call: Call, why: str) -> str:
    kind, version = call.kind.resource.kind, quoted(call.kind.resource.version)
    return f"{kind} in version {version} cannot be handled as a {kind}: {why}"


def _texts(call: Call, data: Json) -> None:
    """The values of a ConfigMap are texts."""
    if call.kind.storage != "configmaps":
        return
    for field in ("data", "binaryData"):
        if not all(isinstance(value, str) for value in (data.get(field) or {}).values()):
            why = f"json: cannot unmarshal number into Go struct field ConfigMap.{field} of type string"
            raise bad_request(_unhandled(call, why))


def _duplicates(body: bytes) -> list[str]:
    found: list[str] = []

    def pairs(fields: list[tuple[str, Any]]) -> None:
        seen: set[str] = set()
        for name, _ in fields:
            if name in seen:
                found.append(f"duplicate field {quoted(name)}")
            seen.add(name)

    json.loads(body, object_pairs_hook=pairs)
    return found
