"""Writing: create, update, patch and delete, with the rules that hold for every kind."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from typing import Any

from steady.apiserver import bodies, definitions, patch, scaling
from steady.apiserver.call import Call
from steady.apiserver.exchange import Json, Response, answer, encode
from steady.apiserver.failures import (
    Cause,
    Failure,
    already_exists,
    bad_request,
    conflict,
    details,
    forbidden,
    invalid,
    not_found,
    patch_failed,
    quoted,
    stale,
    unsupported_media_type,
)
from steady.apiserver.kinds import Kind
from steady.apiserver.lifecycle import CRD_FINALIZER, CRDS, NAMESPACES, Lifecycle
from steady.apiserver.metadata import faults, tidy
from steady.apiserver.reading import Reader, selection, shape_of
from steady.apiserver.shapes import shown
from steady.apiserver.store import Item, Store
from steady.clock import Clock, timestamp
from steady.objects import Key, Resource
from steady.objects.patches import JSON_PATCH, MERGE_PATCH

_APPLY = "application/apply-patch+yaml"
STRATEGIC = "application/strategic-merge-patch+json"
_PRECONDITIONS = (
    ("uid", "UID", "The object might have been deleted and then recreated"),
    ("resourceVersion", "ResourceVersion", "The object might have been modified"),
)
_SUFFIX = "bcdfghjklmnpqrstvwxz2456789"
_FIXED = ("uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds", "generation", "generateName")
_NAMES = Resource("", "v1", "Namespace", "namespaces", namespaced=False)


class Writer:
    """Answers what changes something."""

    def __init__(self, store: Store, reader: Reader, lifecycle: Lifecycle, clock: Clock) -> None:
        self._store = store
        self._reader = reader
        self._lifecycle = lifecycle
        self._clock = clock
        self._finalizers: dict[str, tuple[str, ...]] = {}

    def finalizer_on_create(self, storage: str, finalizer: str) -> None:
        """Give `finalizer` to every new object of `storage` that comes without it."""
        present = self._finalizers.get(storage, ())
        if finalizer not in present:
            self._finalizers[storage] = (*present, finalizer)

    def create(self, call: Call) -> Response:
        """A new object. Raises 409 where one is, 404 without its namespace, 422 where it breaks a rule."""
        data, warnings = self._admitted(call, self._body(call))
        data = self._fresh(call, data)
        key = Key(call.namespace, data["metadata"]["name"])
        self._checked(call, data, None)
        if key in self._store.collection(call.kind.storage).items:
            raise already_exists(call.kind.resource, key.name)
        return self._stored(call, key, data, 201, warnings)

    def update(self, call: Call) -> Response:
        """A whole object in the place of the old one. Raises 404, 409 for an old version, 422."""
        if call.subresource == "scale":
            return self._rescaled(call, lambda _: self._body(call))
        return self._updated(call, lambda _: self._body(call))

    def patch(self, call: Call) -> Response:
        """A change of what is stored. Raises 404, 409, 415, 422."""
        apply = self._patcher(call)
        if call.subresource == "scale":
            return self._rescaled(call, apply)
        return self._updated(call, apply)

    def delete(self, call: Call) -> Response:
        """The end of an object, at once or when its finalizers are done. Raises 404, and 409 for preconditions."""
        item = self._reader.item(call)
        options = bodies.decoded(call.request.body, call) if call.request.body.strip() else {}
        self._preconditions(call, item, options.get("preconditions") or {})
        policy = options.get("propagationPolicy") or call.query.get("propagationPolicy") or "Background"
        if call.dry_run or options.get("dryRun"):
            return answer(200, shape_of(call).encoded(item) + b"\n")
        left = self._lifecycle.delete(call.kind.storage, item.key, policy)
        if left is not None:
            return answer(200, shape_of(call).encoded(left) + b"\n")
        return answer(200, encode(_gone(call.kind.resource, item)))

    def delete_all(self, call: Call) -> Response:
        """Delete every object that the selectors of the request mean; the answer lists them."""
        matches = selection(call.kind, call.query)
        found = [
            item
            for item in list(self._store.collection(call.kind.storage).items.values())
            if (not call.namespace or item.key.namespace == call.namespace) and matches(item.data)
        ]
        for item in found if not call.dry_run else ():
            if item.key in self._store.collection(call.kind.storage).items:
                self._lifecycle.delete(call.kind.storage, item.key)
        body = {
            "kind": call.kind.list_kind,
            "apiVersion": call.kind.resource.api_version,
            "metadata": {"resourceVersion": str(self._store.version)},
            "items": [shown(call.kind, item.data) for item in found],
        }
        return answer(200, encode(body))

    def scale(self, call: Call) -> Response:
        """The scale subresource of one object."""
        item = self._reader.item(call)
        return answer(200, encode(scaling.shown(call.kind, item.data)))

    # What every write passes through

    def _updated(self, call: Call, change: Callable[[Json], Json]) -> Response:
        item = self._reader.item(call)
        old = item.data
        wanted, warnings = self._admitted(call, change(shown(call.kind, old)))
        new = self._succeeding(call, old, wanted)
        if new == old and item.settled:
            return answer(200, shape_of(call).encoded(item) + b"\n", warnings)
        self._checked(call, new, old)
        return self._stored(call, item.key, new, 200, warnings)

    def _rescaled(self, call: Call, change: Callable[[Json], Json]) -> Response:
        item = self._reader.item(call)
        wanted = change(scaling.shown(call.kind, item.data))
        version = (wanted.get("metadata") or {}).get("resourceVersion")
        if version and version != item.data["metadata"]["resourceVersion"]:
            raise stale(call.kind.resource, call.name)
        new = scaling.scaled(call.kind, item.data, wanted)
        if new != item.data:
            new = self._succeeding(call._replace(subresource=""), item.data, new)
            self._checked(call, new, item.data)
            if not call.dry_run:
                new = self._kept(call, item.key, new).data
        return answer(200, encode(scaling.shown(call.kind, new)))

    def _stored(self, call: Call, key: Key, data: Json, code: int, headers: Json) -> Response:
        item = Item(data, 0) if call.dry_run else self._kept(call, key, data)
        return answer(code, shape_of(call).encoded(item) + b"\n", headers)

    def _kept(self, call: Call, key: Key, data: Json) -> Item:
        item = self._lifecycle.keep(call.kind.storage, key, data)
        item.settled = call.verb != "create" or not call.kind.custom or "status" not in data
        return item

    # What the sender wrote

    def _body(self, call: Call) -> Json:
        return bodies.decoded(call.request.body, call)

    def _patcher(self, call: Call) -> Callable[[Json], Json]:
        media = call.request.headers.get("content-type", "").partition(";")[0].strip()
        accepted = [JSON_PATCH, MERGE_PATCH] + ([] if call.kind.custom else [STRATEGIC])
        if media not in accepted:
            raise unsupported_media_type([*accepted, _APPLY])
        body = bodies.patch(call.request.body)
        if media == JSON_PATCH:
            return lambda old: _an_object(patch.operations(old, body))
        if media == STRATEGIC:
            return lambda old: _an_object(patch.strategic(old, body))
        return lambda old: _an_object(patch.merge(old, body))

    def _admitted(self, call: Call, data: Json) -> tuple[Json, Json]:
        """The body as it is stored: the right kind, without unknown fields, with defaults; and warnings as headers."""
        data = bodies.identified(call, data)
        headers: Json = {}
        if call.kind.structural is not None:
            data, unknown = call.kind.structural.pruned(data)
            headers = bodies.warned(call, unknown)
            data = call.kind.structural.defaulted(data)
        return call.kind.inward(data), headers

    def _fresh(self, call: Call, data: Json) -> Json:
        """A new object with what the server gives to it."""
        metadata = dict(data["metadata"])
        if not metadata.get("name") and metadata.get("generateName"):
            metadata["name"] = metadata["generateName"] + "".join(random.choices(_SUFFIX, k=5))
        if not metadata.get("name"):
            cause = Cause("FieldValueRequired", "Required value: name or generateName is required", "metadata.name")
            raise invalid(call.kind.resource, "", [cause])
        if metadata.get("resourceVersion"):
            raise Failure(500, "", "resourceVersion should not be set on objects to be created")
        for field in (*_FIXED[1:5], "selfLink", "managedFields"):
            metadata.pop(field, None)
        metadata |= {"namespace": call.namespace} if call.namespace else {}
        metadata |= {"uid": str(uuid.uuid4()), "creationTimestamp": timestamp(self._clock.now())}
        metadata |= {"generation": 1} if call.kind.generation else {}
        return self._prepared(call, {**data, "metadata": metadata})

    def _prepared(self, call: Call, data: Json) -> Json:
        kind = call.kind
        if kind.status:
            data = {field: value for field, value in data.items() if field != "status"}
        data = kind.defaults(data)
        if kind.structural is not None:
            data = kind.structural.defaulted(data)
        added = [*self._finalizers.get(kind.storage, ()), *([CRD_FINALIZER] if kind.storage == CRDS else [])]
        present = list(data["metadata"].get("finalizers") or ())
        if missing := [name for name in added if name not in present]:
            data = {**data, "metadata": {**data["metadata"], "finalizers": [*present, *missing]}}
        if kind.storage == CRDS:
            data = definitions.named(data)
        return data

    def _succeeding(self, call: Call, old: Json, wanted: Json) -> Json:
        """What `old` becomes: the part that the request may write, taken from `wanted`."""
        self._same_object(call, old, wanted)
        if call.subresource == "status":
            return _with_status(old, wanted)
        metadata = {field: value for field, value in wanted["metadata"].items() if field not in _FIXED}
        metadata.pop("managedFields", None)
        metadata |= {field: old["metadata"][field] for field in _FIXED if field in old["metadata"]}
        metadata["resourceVersion"] = old["metadata"]["resourceVersion"]
        new = {field: value for field, value in wanted.items() if field != "metadata"}
        if call.kind.status:
            new = {field: value for field, value in new.items() if field != "status"}
            new |= {"status": old["status"]} if "status" in old else {}
        if call.kind.storage == CRDS:
            new = definitions.named(new)
        if call.kind.generation and _desired(call.kind, new) != _desired(call.kind, old):
            metadata["generation"] = metadata.get("generation", 0) + 1
        return {"apiVersion": new.get("apiVersion"), "kind": new.get("kind"), "metadata": tidy(metadata), **new}

    # Rules

    def _same_object(self, call: Call, old: Json, wanted: Json) -> None:
        metadata, present = wanted["metadata"], old["metadata"]
        if metadata.get("name", call.name) != call.name:
            raise bad_request(
                f"the name of the object ({metadata['name']}) does not match the name on the URL ({call.name})"
            )
        version = metadata.get("resourceVersion")
        if not version and call.kind.custom and call.request.method == "PUT":
            raise _unversioned(call)
        if version and version != present["resourceVersion"]:
            raise stale(call.kind.resource, call.name)
        uid = metadata.get("uid")
        if uid and uid != present["uid"] and call.subresource != "status":
            if call.request.method == "PUT":
                raise _uid_conflict(call, uid, present["uid"])
            cause = Cause("FieldValueInvalid", f"Invalid value: {quoted(uid)}: field is immutable", "metadata.uid")
            raise invalid(call.kind.resource, call.name, [cause, cause])

    def _checked(self, call: Call, new: Json, old: Json | None) -> None:
        """Raise what forbids `new`."""
        if old is None:
            self._namespace(call, new)
        causes = faults(new, old)
        if call.kind.storage == CRDS:
            causes += definitions.faults(new)
        causes += call.kind.faults(new)
        if call.kind.structural is not None:
            causes = call.kind.structural.causes(new, old, [*causes, *scaling.faults(call.kind, new)])
        if causes:
            raise invalid(call.kind.resource, new["metadata"]["name"], causes)

    def _namespace(self, call: Call, new: Json) -> None:
        if not call.kind.resource.namespaced:
            return
        found = self._store.collection(NAMESPACES).items.get(Key("", call.namespace))
        if found is None:
            raise not_found(_NAMES, call.namespace)
        if found.data["metadata"].get("deletionTimestamp"):
            why = f"unable to create new content in namespace {call.namespace} because it is being terminated"
            message = f"namespace {call.namespace} is being terminated"
            cause = Cause("NamespaceTerminating", message, "metadata.namespace")
            raise forbidden(call.kind.resource, new["metadata"]["name"], why, [cause])

    def _preconditions(self, call: Call, item: Item, wanted: Json) -> None:
        for field, name, guess in _PRECONDITIONS:
            asked, present = wanted.get(field), item.data["metadata"][field]
            if asked and asked != present:
                why = (
                    f"the {name} in the precondition ({asked}) does not match the {name} in record ({present}). {guess}"
                )
                raise conflict(call.kind.resource, call.name, why, of_kind=True)


def _an_object(patched: Any) -> Json:
    """A patch may make anything of an object, but only an object can be stored."""
    if not isinstance(patched, dict):
        raise patch_failed()
    return patched


def _with_status(old: Json, wanted: Json) -> Json:
    new = {field: value for field, value in old.items() if field != "status"}
    return new | ({"status": wanted["status"]} if "status" in wanted else {})


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
    path = f"/registry/{resource.group}/{resource.plural}/{key}".replace("//", "/")
    failed = f"Precondition failed: UID in precondition: {wanted}, UID in object meta: {present}"
    why = f"StorageError: invalid object, Code: 4, Key: {path}, ResourceVersion: 0, AdditionalErrorMsg: {failed}"
    return conflict(call.kind.resource, call.name, why)


def _gone(resource: Resource, item: Item) -> Json:
    shown_details = {**details(resource, item.key.name), "uid": item.uid}
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": shown_details}
