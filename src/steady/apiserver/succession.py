"""What becomes of a stored object when somebody writes another state of it: the part that they may write."""

from __future__ import annotations

from steady.apiserver import definitions
from steady.apiserver.call import Call
from steady.apiserver.exchange import Json
from steady.apiserver.failures import Cause, Failure, bad_request, conflict, invalid, stale
from steady.apiserver.kinds import Kind
from steady.apiserver.lifecycle import CRDS
from steady.apiserver.metadata import tidy

SERVERS = ("creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation")
"""The fields of metadata that only the server writes."""
_FIXED = ("namespace", "generateName", *SERVERS)


def succeeding(call: Call, old: Json, wanted: Json) -> Json:
    """What `old` becomes. Raises 400, 409 or 422 where `wanted` is not a state of the same object."""
    _same_object(call, old, wanted)
    owners = wanted["metadata"].get("managedFields") or old["metadata"].get("managedFields")
    owned = {"managedFields": owners} if owners else {}
    if call.subresource == "status":
        return _with_status({**old, "metadata": {**old["metadata"], **owned}}, wanted)
    metadata = {field: value for field, value in wanted["metadata"].items() if field not in _FIXED} | owned
    metadata |= {field: old["metadata"][field] for field in _FIXED if field in old["metadata"]}
    metadata |= {"resourceVersion": old["metadata"]["resourceVersion"]}
    metadata["uid"] = metadata.get("uid") or old["metadata"]["uid"]  # another one is a fault, and refused as such
    new = {**wanted, "metadata": tidy(metadata)}
    if call.kind.status:
        new = _with_status(new, old)
    if call.kind.storage == CRDS:
        new = definitions.named(new)
    if call.kind.generation and _desired(call.kind, new) != _desired(call.kind, old):
        new["metadata"]["generation"] = old["metadata"].get("generation", 0) + 1
    return new


def writable(call: Call, wanted: Json) -> Json:
    """The part of an apply that the path lets it say."""
    if call.subresource == "status":
        metadata = {field: value for field, value in wanted["metadata"].items() if field in {"name", "resourceVersion"}}
        return {field: value for field, value in wanted.items() if field in {"apiVersion", "kind", "status"}} | {
            "metadata": metadata
        }
    return {field: value for field, value in wanted.items() if field != "status" or not call.kind.status}


def _same_object(call: Call, old: Json, wanted: Json) -> None:
    metadata, present = wanted["metadata"], old["metadata"]
    if metadata["name"] != call.name:
        raise bad_request(
            f"the name of the object ({metadata['name']}) does not match the name on the URL ({call.name})"
        )
    version, uid = metadata.get("resourceVersion"), metadata.get("uid")
    if not version and call.kind.custom and call.request.method == "PUT":
        raise _unversioned(call)
    if version and version != present["resourceVersion"]:
        raise stale(call.kind.resource, call.name)
    if uid and uid != present["uid"] and call.request.method == "PUT":
        raise _uid_conflict(call, uid, present["uid"])


def _with_status(data: Json, source: Json) -> Json:
    """`data` with the status of `source`."""
    new = {field: value for field, value in data.items() if field != "status"}
    return new | ({"status": source["status"]} if "status" in source else {})


def _desired(kind: Kind, data: Json) -> Json:
    ignored = {"metadata", "apiVersion", "kind"} | ({"status"} if kind.status else set())
    return {field: value for field, value in data.items() if field not in ignored}


def _unversioned(call: Call) -> Failure:
    resource = call.kind.resource
    message = "Invalid value: 0: must be specified for an update"
    cause = Cause("FieldValueInvalid", message, "metadata.resourceVersion")
    return invalid(resource._replace(kind=resource.plural), call.name, [cause])


def _uid_conflict(call: Call, wanted: str, present: str) -> Failure:
    resource, key = call.kind.resource, "/".join(part for part in call.key if part)
    root = "" if call.dry_run else "/registry"
    path = f"{root}/{resource.group}/{resource.plural}/{key}".replace("//", "/")
    failed = f"Precondition failed: UID in precondition: {wanted}, UID in object meta: {present}"
    why = f"StorageError: invalid object, Code: 4, Key: {path}, ResourceVersion: 0, AdditionalErrorMsg: {failed}"
    return conflict(resource, call.name, why)
