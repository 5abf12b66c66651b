"""How objects end: finalizers, owners and namespaces. All of it happens within the request that causes it."""

from __future__ import annotations

from steady.apiserver import definitions
from steady.apiserver.exchange import Json
from steady.apiserver.store import Item, Store
from steady.clock import Clock, timestamp
from steady.objects import Key

NAMESPACES = "namespaces"
CRDS = "customresourcedefinitions.apiextensions.k8s.io"
CRD_FINALIZER = "customresourcecleanup.apiextensions.k8s.io"


class Lifecycle:
    """Takes objects out of the store, and what belonged to them after them."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock

    def delete(self, storage: str, key: Key, policy: str = "Background") -> Item | None:
        """Delete an object, or mark it where something holds it: then the marked object is returned, else None."""
        item = self._store.collection(storage).items[key]
        metadata = item.data["metadata"]
        if policy == "Orphan":
            self._orphan(metadata["uid"])
        if not held(storage, item.data):
            self._remove(storage, key, item.data)
            return None
        if not metadata.get("deletionTimestamp"):
            item = self._store.put(storage, key, self._marked(storage, item.data))
        self._empty(storage, key)
        return item

    def pending(self, storage: str, key: Key) -> Item | None:
        """What `delete` would leave of an object, without doing it."""
        item = self._store.collection(storage).items[key]
        if not held(storage, item.data):
            return None
        return Item(self._marked(storage, item.data), item.version)

    def keep(self, storage: str, key: Key, data: Json) -> Item:
        """Store an object. It goes instead if nothing holds it any more, or right after if all its owners are gone."""
        if data["metadata"].get("deletionTimestamp") and not held(storage, data):
            return self._remove(storage, key, data)
        item = self._store.put(storage, key, data)
        if storage == CRDS and (accepted := definitions.established(item.data, self._clock)) != item.data:
            self._store.put(storage, key, accepted)
        if self._bereft(item):
            self.delete(storage, key)
        return item

    def _bereft(self, item: Item) -> bool:
        owners = item.data["metadata"].get("ownerReferences")
        return bool(owners) and not any(self._store.exists(owner["uid"]) for owner in owners)

    def _remove(self, storage: str, key: Key, data: Json) -> Item:
        item = self._store.remove(storage, key, data)
        for name, dependent in self._store.dependents(item.uid):
            self._bereave(name, dependent)
        if key.namespace:
            self._release(NAMESPACES, Key("", key.namespace))
        definition = self._store.collection(CRDS).items.get(Key("", storage))
        if definition is not None:
            self._release(CRDS, definition.key)
        return item

    def _bereave(self, storage: str, key: Key) -> None:
        """An owner is gone: its dependent goes too, or keeps the owners that are left."""
        item = self._store.collection(storage).items.get(key)
        if item is None:
            return
        left = [owner for owner in item.data["metadata"]["ownerReferences"] if self._store.exists(owner["uid"])]
        if left:
            metadata = {**item.data["metadata"], "ownerReferences": left}
            self._store.put(storage, key, {**item.data, "metadata": metadata})
        else:
            self.delete(storage, key)

    def _orphan(self, uid: str) -> None:
        for storage, key in self._store.dependents(uid):
            item = self._store.collection(storage).items[key]
            left = [owner for owner in item.data["metadata"]["ownerReferences"] if owner["uid"] != uid]
            metadata = {field: value for field, value in item.data["metadata"].items() if field != "ownerReferences"}
            metadata |= {"ownerReferences": left} if left else {}
            self._store.put(storage, key, {**item.data, "metadata": metadata})

    def _marked(self, storage: str, data: Json) -> Json:
        metadata = {**data["metadata"], "deletionTimestamp": timestamp(self._clock.now())}
        if storage == NAMESPACES:
            return {**data, "status": {"phase": "Terminating"}, "metadata": metadata}
        if storage == CRDS:
            finalizers = [CRD_FINALIZER, *(metadata.get("finalizers") or ())]
            return {**data, "metadata": {**metadata, "finalizers": finalizers}}
        metadata["deletionGracePeriodSeconds"] = 0
        if metadata.get("generation"):
            metadata["generation"] += 1
        return {**data, "metadata": metadata}

    def _empty(self, storage: str, key: Key) -> None:
        """What a namespace or a definition contains goes before it."""
        if storage == NAMESPACES:
            for name, collection in list(self._store.collections.items()):
                for content in [found for found in collection.items if found.namespace == key.name]:
                    self._discard(name, content)
            self._release(storage, key)
        if storage == CRDS:
            for content in list(self._store.collection(key.name).items):
                self._discard(key.name, content)
            self._release(storage, key)

    def _discard(self, storage: str, key: Key) -> None:
        if key in self._store.collection(storage).items:
            self.delete(storage, key)

    def _release(self, storage: str, key: Key) -> None:
        """A terminating container that is empty ends."""
        item = self._store.collection(storage).items.get(key)
        if item is None or not item.data["metadata"].get("deletionTimestamp") or self._filled(storage, key):
            return
        if left := [name for name in item.data["metadata"].get("finalizers") or () if name != CRD_FINALIZER]:
            if left != item.data["metadata"]["finalizers"]:
                metadata = {**item.data["metadata"], "finalizers": left}
                self._store.put(storage, key, {**item.data, "metadata": metadata})
            return
        self._remove(storage, key, item.data)

    def _filled(self, storage: str, key: Key) -> bool:
        if storage == CRDS:
            return bool(self._store.collection(key.name).items)
        return any(found.namespace == key.name for each in self._store.collections.values() for found in each.items)


def held(storage: str, data: Json) -> bool:
    """Whether something must happen before the object may go."""
    if data["metadata"].get("finalizers") or storage == CRDS:
        return True
    return storage == NAMESPACES and bool((data.get("spec") or {}).get("finalizers"))
