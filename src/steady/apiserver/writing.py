"""Writing: create, update, patch and delete, with the rules that hold for every kind."""

from __future__ import annotations

import random
import uuid
from collections.abc import Callable
from functools import partial
from typing import Any

from steady.apiserver import bodies, definitions, options, ownership, patch, scaling, shapes
from steady.apiserver.call import APPLY, Call, flag
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
    stale,
    unsupported_media_type,
)
from steady.apiserver.lifecycle import CRDS, NAMESPACES, Lifecycle
from steady.apiserver.metadata import faults, tidy
from steady.apiserver.ownership import Manager
from steady.apiserver.reading import Reader
from steady.apiserver.selection import selection
from steady.apiserver.shapes import shape_of, shown
from steady.apiserver.store import Item, Store
from steady.apiserver.succession import SERVERS, succeeding, writable
from steady.clock import Clock, timestamp
from steady.objects import Key, Resource
from steady.objects.patches import JSON_PATCH, MERGE_PATCH

STRATEGIC = "application/strategic-merge-patch+json"
_PRECONDITIONS = (
    ("uid", "UID", "The object might have been deleted and then recreated"),
    ("resourceVersion", "ResourceVersion", "The object might have been modified"),
)
_SUFFIX = "bcdfghjklmnpqrstvwxz2456789"
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
        data, warnings = self._admitted(call, bodies.decoded(call))
        data["metadata"].pop("managedFields", None)
        data = self._fresh(call, data)
        key = Key(call.namespace, data["metadata"]["name"])
        present = self._store.collection(call.kind.storage).items.get(key)
        if present is not None:
            self._checked(call, data, None)
            leaving = "deletionTimestamp" in present.data["metadata"]
            raise already_exists(call.kind.resource, key.name, leaving=leaving)
        return self._stored(call, key, self._owned(call, data, None), None, 201, warnings)

    def update(self, call: Call) -> Response:
        """A whole object in the place of the old one. Raises 404, 409 for an old version, 422."""
        body = bodies.decoded(call)
        if call.subresource == "scale":
            return self._rescaled(call, lambda _: body)
        wanted, warnings = self._admitted(call, body)
        return self._succeeded(call, self._reader.item(call), wanted, warnings)

    def patch(self, call: Call) -> Response:
        """A change of what is stored. Raises 404, 409, 415, 422."""
        if call.media == APPLY:
            return self._applied(call)
        apply = self._patcher(call)
        if call.subresource == "scale":
            return self._rescaled(call, apply)
        item = self._reader.item(call)
        wanted, warnings = self._admitted(call, apply(shown(call.kind, item.data)))
        return self._succeeded(call, item, wanted, warnings)

    def delete(self, call: Call) -> Response:
        """The end of an object, at once or when its finalizers are done. Raises 404, and 409 for preconditions."""
        wanted = bodies.options(call)
        options.check_policy(wanted.get("propagationPolicy"))
        item = self._reader.item(call)
        self._preconditions(call, item, wanted.get("preconditions") or {})
        policy = wanted.get("propagationPolicy") or "Background"
        if wanted.get("dryRun"):
            left = self._lifecycle.pending(call.kind.storage, item.key)
        else:
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
        return answer(200, shapes.collection(call.kind, {"resourceVersion": str(self._store.version)}, found))

    def scale(self, call: Call) -> Response:
        """The scale subresource of one object."""
        return answer(200, encode(scaling.answered(call, self._reader.item(call).data)))

    # What every write passes through

    def _succeeded(self, call: Call, item: Item, wanted: Json, warnings: Json) -> Response:
        new = succeeding(call, item.data, wanted)
        if new == item.data and item.settled:
            return answer(200, shape_of(call).encoded(item) + b"\n", warnings)
        return self._stored(call, item.key, self._owned(call, new, item.data), item.data, 200, warnings)

    def _applied(self, call: Call) -> Response:
        """Server-side apply: of what is not there, a creation."""
        wanted = bodies.applied(call)
        item = self._store.collection(call.kind.storage).items.get(call.key)
        if item is None and call.subresource:
            raise not_found(call.kind.resource, call.name)
        if item is None and (uid := wanted["metadata"].get("uid")):
            why = f"uid mismatch: the provided object specified uid {uid}, and no existing object was found"
            raise conflict(call.kind.resource, call.name, why)
        live = None if item is None else shown(call.kind, item.data)
        manager, force = self._manager(call, "Apply"), flag(call.query, "force")
        merged = ownership.applied(live, writable(call, wanted), call.kind.fields, manager, self._now(), force=force)
        data, warnings = self._admitted(call, merged)
        if item is None:
            return self._stored(call, call.key, self._fresh(call, data), None, 201, warnings)
        new = succeeding(call, item.data, data)
        if new == item.data and item.settled:
            return answer(200, shape_of(call).encoded(item) + b"\n", warnings)
        return self._stored(call, item.key, new, item.data, 200, warnings)

    def _rescaled(self, call: Call, change: Callable[[Json], Json]) -> Response:
        item = self._reader.item(call)
        wanted = bodies.scaled(call, change(scaling.shown(call.kind, item.data)))
        version = (wanted.get("metadata") or {}).get("resourceVersion")
        if version and version != item.data["metadata"]["resourceVersion"]:
            raise stale(call.kind.resource, call.name)
        new = scaling.scaled(call.kind, item.data, wanted)
        if new != item.data:
            new = self._owned(call, succeeding(call._replace(subresource=""), item.data, new), item.data)
            self._checked(call, new, item.data)
            if not call.dry_run:
                new = self._kept(call, item.key, new, item.data).data
        return answer(200, encode(scaling.answered(call, new)))

    def _stored(self, call: Call, key: Key, data: Json, old: Json | None, code: int, headers: Json) -> Response:
        data = self._completed(call, data) if old is None else data
        self._checked(call, data, old)
        item = Item(data, 0) if call.dry_run else self._kept(call, key, data, old)
        return answer(code, shape_of(call).encoded(item) + b"\n", headers)

    def _kept(self, call: Call, key: Key, data: Json, old: Json | None) -> Item:
        item = self._lifecycle.keep(call.kind.storage, key, data)
        item.settled = old is not None or not call.kind.custom or "status" not in data
        return item

    # Who wrote it

    def _manager(self, call: Call, operation: str) -> Manager:
        return Manager(call.manager, operation, call.kind.resource.api_version, call.subresource)

    def _owned(self, call: Call, new: Json, old: Json | None) -> Json:
        return ownership.recorded(old, new, call.kind.fields, self._manager(call, "Update"), self._now())

    def _now(self) -> str:
        return timestamp(self._clock.now())

    # What the sender wrote

    def _patcher(self, call: Call) -> Callable[[Json], Json]:
        accepted = [JSON_PATCH, MERGE_PATCH] + ([] if call.kind.custom else [STRATEGIC])
        if call.media not in accepted:
            raise unsupported_media_type([*accepted, APPLY])
        body = bodies.patch(call.request.body)
        if call.media == JSON_PATCH:
            return lambda old: _an_object(patch.operations(old, body))
        if not isinstance(body, dict):
            raise bad_request("error decoding patch: an object is expected")
        return partial(patch.strategic if call.media == STRATEGIC else patch.merge, patch=body)

    def _admitted(self, call: Call, data: Json) -> tuple[Json, Json]:
        """The body as it is stored: the right kind, without unknown fields, with defaults; and warnings as headers."""
        known, unknown = bodies.identified(call, data)
        if call.kind.structural is not None:
            known, more = call.kind.structural.pruned(known)
            unknown += more
        headers = bodies.warned(call, data, unknown)
        if call.kind.structural is not None:
            known = call.kind.structural.defaulted(known)
        return call.kind.inward(known), headers

    def _fresh(self, call: Call, data: Json) -> Json:
        """A new object with what the server gives to it."""
        metadata = tidy(data["metadata"])
        if not metadata.get("name") and metadata.get("generateName"):
            metadata["name"] = metadata["generateName"] + "".join(random.choices(_SUFFIX, k=5))
        if not metadata.get("name"):
            cause = Cause("FieldValueRequired", "Required value: name or generateName is required", "metadata.name")
            raise invalid(call.kind.resource, "", [cause])
        if metadata.get("resourceVersion"):
            raise Failure(500, "", "resourceVersion should not be set on objects to be created")
        for field in (*SERVERS, "selfLink"):
            metadata.pop(field, None)
        metadata |= {"namespace": call.namespace} if call.namespace else {}
        metadata |= {"uid": str(uuid.uuid4()), "creationTimestamp": self._now()}
        metadata |= {"generation": 1} if call.kind.generation else {}
        data = {field: value for field, value in data.items() if field != "status" or not call.kind.status}
        data = call.kind.defaults({**data, "metadata": metadata})
        return definitions.named(data) if call.kind.storage == CRDS else data

    def _completed(self, call: Call, data: Json) -> Json:
        """A new object with what the server adds and nobody owns: defaults of its status, finalizers of policies."""
        if call.kind.structural is not None:
            data = call.kind.structural.defaulted(data)
        present = list(data["metadata"].get("finalizers") or ())
        missing = [name for name in self._finalizers.get(call.kind.storage, ()) if name not in present]
        return {**data, "metadata": {**data["metadata"], "finalizers": [*present, *missing]}} if missing else data

    # Rules

    def _checked(self, call: Call, new: Json, old: Json | None) -> None:
        """Raise what forbids `new`."""
        if old is None:
            self._placed(call, new)
        causes = faults(new, old)
        if call.kind.storage == CRDS:
            causes += definitions.faults(new)
        causes += call.kind.faults(new, old)
        if call.kind.structural is not None:
            causes = call.kind.structural.causes(new, old, [*causes, *scaling.faults(call, new)])
        if causes:
            raise invalid(call.kind.resource, new["metadata"]["name"], causes)

    def _placed(self, call: Call, new: Json) -> None:
        """Raise what forbids a new object where it is to be: its kind is going, or its namespace is not there."""
        definition = self._store.collection(CRDS).items.get(Key("", call.kind.storage))
        if definition is not None and definition.data["metadata"].get("deletionTimestamp"):
            why = "create not allowed while custom resource definition is terminating"
            raise forbidden(call.kind.resource, new["metadata"]["name"], why)
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


def _gone(resource: Resource, item: Item) -> Json:
    shown_details = {**details(resource, item.key.name), "uid": item.uid}
    return {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Success", "details": shown_details}
