"""Everything that leaves for the API server, but leases and events of nobody's object.

Invariants
- One request is in flight per object; the next waits for its answer.
- Nothing is written to a re-created object of the same name: every write names the UID.
- Every answer goes into the store; one that tells of something unpredicted makes the key wait for the watch instead.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any
from weakref import WeakValueDictionary

import msgspec

from steady import errors
from steady.cache.store import Store, same_metadata
from steady.client.client import Client
from steady.objects.keys import Key
from steady.objects.patches import Operation, add, pointer, test
from steady.objects.raw import EMPTY, RawObject
from steady.reasons import Reason
from steady.writes.limiter import Limiter


class Gone(errors.SteadyError):
    """The object that was to be written is gone, or another one has its name."""


class Writes:
    """The door out of one process."""

    def __init__(self, client: Client, *, limiter: Limiter | None = None) -> None:
        self._client = client
        self._limiter = limiter or Limiter(client.metrics)
        self._locks: WeakValueDictionary[tuple[str, Key], asyncio.Lock] = WeakValueDictionary()

    async def status(
        self, store: Store, obj: RawObject, status: Mapping[str, Any] | msgspec.Raw, *, reason: Reason
    ) -> int:
        """Make `status` (or its JSON) the whole status of `obj`, and return the version that it has then.

        Raises Gone, Throttled, ApiError, TransportError.
        """
        # Sorted as the server writes it, so that the echo is mostly equal to the letter.
        raw = status if isinstance(status, msgspec.Raw) else msgspec.Raw(msgspec.json.encode(status, order="sorted"))
        async with self._turn(store, obj.key):
            self._take(store, obj, "writes of its status", obj.metadata.generation)
            patch = [test("/metadata/uid", obj.metadata.uid), add("/status", raw)]
            answer = await self._patch(store, obj, patch, reason, "status")
            base = store.get(obj.key) or obj
            self._settle(store, answer, msgspec.structs.replace(base, metadata=answer.metadata, status=raw), base)
            return answer.metadata.version

    async def finalizers(self, store: Store, obj: RawObject, finalizers: Sequence[str]) -> None:
        """Make `finalizers` those of `obj`, unless anything changed meanwhile. Raises Conflict, Gone, …."""
        async with self._turn(store, obj.key):
            self._take(store, obj, "writes of its finalizers", obj.metadata.generation)
            current = store.get(obj.key) or obj
            metadata = {
                "uid": obj.metadata.uid,
                "resourceVersion": current.metadata.resource_version,
                "finalizers": list(finalizers),
            }
            answer = await self._patch(store, obj, {"metadata": metadata}, Reason.FINALIZER)
            if current.metadata.deleting and not finalizers:
                store.removed(obj.key, obj.metadata.uid, answer.metadata.version)
                return
            wanted = msgspec.structs.replace(current.metadata, finalizers=tuple(finalizers) or None)
            predicted = msgspec.structs.replace(current, metadata=wanted)
            self._settle(store, answer, msgspec.structs.replace(predicted, metadata=answer.metadata), predicted)

    async def create(self, store: Store, body: Mapping[str, Any], *, reason: Reason = Reason.CHILD) -> RawObject:
        """Create an object. Raises AlreadyExists, Forbidden, Invalid, …."""
        metadata = body["metadata"]
        key = Key(metadata.get("namespace", ""), metadata["name"])
        async with self._turn(store, key):
            answer = await self._client.create(store.resource, msgspec.json.encode(body), key.namespace, reason=reason)
            made = RawObject(
                store.resource.api_version,
                store.resource.kind,
                answer.metadata,
                _part(body, "spec"),
                _part(body, "status"),
                _part(body, "data"),
            )
            store.written(made)
            return made

    async def merge(
        self,
        store: Store,
        obj: RawObject,
        content: Mapping[str, Any],
        labels: Mapping[str, str],
        annotations: Mapping[str, str],
        generation: int = 0,
    ) -> None:
        """Make each part in `content` that of `obj`, and add `labels` and `annotations` to its own. Owners stay.

        `generation` is that of the object whose spec wants it so.
        """
        async with self._turn(store, obj.key):
            self._take(store, obj, "writes of its content", generation)
            patch = [test("/metadata/uid", obj.metadata.uid)]
            patch += [add(pointer(part), value) for part, value in content.items()]
            patch += _merged("labels", obj.metadata.labels, labels)
            patch += _merged("annotations", obj.metadata.annotations, annotations)
            answer = await self._patch(store, obj, patch, Reason.CHILD)
            parts = {part: _part(content, part) for part in content}
            predicted = msgspec.structs.replace(obj, metadata=answer.metadata, **parts)
            store.written(predicted)

    async def delete(self, store: Store, obj: RawObject, *, reason: Reason = Reason.CHILD) -> None:
        """Delete `obj`, and no other of its name; already gone is success."""
        async with self._turn(store, obj.key):
            try:
                left = await self._client.delete(store.resource, obj.key, uid=obj.metadata.uid, reason=reason)
            except (errors.NotFound, errors.Conflict):
                left = None
            if left is None:
                store.removed(obj.key, obj.metadata.uid, 0)
            else:
                store.written(msgspec.structs.replace(obj, metadata=left.metadata))

    async def _patch(
        self,
        store: Store,
        obj: RawObject,
        patch: list[Operation] | dict[str, Any],
        reason: Reason,
        subresource: str = "",
    ) -> RawObject:
        try:
            return await self._client.patch(store.resource, obj.key, patch, reason=reason, subresource=subresource)
        except errors.NotFound as error:
            raise Gone(str(error)) from error
        except errors.Invalid as error:
            # A JSON patch whose test failed answers 422 with empty details: the UID is another's.
            if isinstance(patch, list) and not error.details:
                raise Gone(str(error)) from error
            raise
        except errors.Conflict:
            current = store.get(obj.key)
            store.outdated(obj.key, (current or obj).metadata.version + 1)
            raise

    def _take(self, store: Store, obj: RawObject, deed: str, generation: int) -> None:
        self._limiter.take(obj.metadata.uid, deed, f"{store.resource.qualified} {obj.key}", generation)

    @staticmethod
    def _settle(store: Store, answer: RawObject, predicted: RawObject, expected: RawObject) -> None:
        if same_metadata(answer, expected):
            store.written(predicted)
        else:
            store.outdated(answer.key, answer.metadata.version)

    @asynccontextmanager
    async def _turn(self, store: Store, key: Key) -> AsyncIterator[None]:
        place = (store.resource.qualified, key)
        # Whoever waits or writes holds the lock itself, so it lives exactly as long as it is needed.
        lock = self._locks.get(place)
        if lock is None:
            lock = self._locks[place] = asyncio.Lock()
        async with lock:
            with store.writing(key):
                yield


def _part(body: Mapping[str, Any], name: str) -> msgspec.Raw:
    return msgspec.Raw(msgspec.json.encode(body[name], order="sorted")) if name in body else EMPTY


def _merged(name: str, present: Mapping[str, str] | None, wanted: Mapping[str, str]) -> list[Operation]:
    if not wanted:
        return []
    if not present:
        return [add(f"/metadata/{name}", dict(wanted))]
    return [add(pointer("metadata", name, key), value) for key, value in wanted.items() if present.get(key) != value]
