"""What the server holds: every object once, its recent history, and who watches it.

Invariant: an object's `data` is never changed in place. A write puts a new item in the place of the old one, so that
history, watches and answers share what they show, and each shape of an item is encoded at most once.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Iterator
from typing import Literal

import msgspec

from steady.apiserver.exchange import Json
from steady.apiserver.failures import expired
from steady.objects import Key

Kind = Literal["ADDED", "MODIFIED", "DELETED"]


class Item:
    """One version of one object.

    Not `settled` is an object whose status is only shown by default: CREATE stores none, the next write does.
    """

    __slots__ = ("_encoded", "data", "settled", "version")

    def __init__(self, data: Json, version: int) -> None:
        self.data = data
        self.version = version
        self.settled = True
        self._encoded: dict[str, bytes] = {}

    @property
    def key(self) -> Key:
        """Where the object is found within its collection."""
        metadata = self.data["metadata"]
        return Key(metadata.get("namespace", ""), metadata["name"])

    @property
    def uid(self) -> str:
        """The identity that a re-created object of the same name does not share."""
        return str(self.data["metadata"]["uid"])

    def encoded(self, shape: str, shaped: Callable[[Json], Json]) -> bytes:
        """The JSON of `shaped(data)`, made once for each name of a shape."""
        made = self._encoded.get(shape)
        if made is None:
            made = self._encoded[shape] = msgspec.json.encode(shaped(self.data))
        return made


class Change:
    """One step of history: what an object became (for DELETED: its last state), and what it was before."""

    __slots__ = ("before", "item", "lines", "type")

    def __init__(self, type_: Kind, item: Item, before: Item | None) -> None:
        self.type = type_
        self.item = item
        self.before = before
        self.lines: dict[tuple[str, str], bytes] = {}

    @property
    def version(self) -> int:
        """The resource version that the change made."""
        return self.item.version


class Collection:
    """All objects of one kind, whatever version of the API shows them."""

    def __init__(self, window: int) -> None:
        self.items: dict[Key, Item] = {}
        self.listeners: set[Callable[[Change], None]] = set()
        self.oldest = 0
        self._history: deque[Change] = deque()
        self._window = window
        self._sorted: list[Key] | None = None

    def record(self, change: Change) -> None:
        """Take `change` over and tell everybody who listens."""
        self._apply(change)
        self._history.append(change)
        while len(self._history) > self._window:
            self.oldest = self._history.popleft().version
        for listener in list(self.listeners):
            listener(change)

    def ordered(self) -> list[Key]:
        """All keys in the order of a list answer."""
        if self._sorted is None:
            self._sorted = sorted(self.items)
        return self._sorted

    def since(self, version: int) -> Iterator[Change]:
        """The changes after `version`, in order. Raises 410 when some of them are forgotten."""
        if version < self.oldest:
            raise expired(version, self.oldest)
        start = bisect_right(self._history, version, key=lambda change: change.version)
        return (self._history[index] for index in range(start, len(self._history)))

    def at(self, version: int) -> dict[Key, Item]:
        """The objects as they were at `version`: today's, with history undone. Raises 410 where it is forgotten."""
        later = list(self.since(version))
        if not later:
            return self.items
        then = dict(self.items)
        for change in reversed(later):
            if change.before is None:
                then.pop(change.item.key, None)
            else:
                then[change.item.key] = change.before
        return then

    def reshape(self, shaped: Callable[[Json], Json]) -> None:
        """Show every object in another form from now on, each at its version; what is new in it is not stored."""
        for key, item in self.items.items():
            found = Item(shaped(item.data), item.version)
            found.settled = item.settled and found.data == item.data
            self.items[key] = found

    def forget(self, version: int) -> None:
        """Drop all history up to `version`."""
        self._history.clear()
        self.oldest = version

    def _apply(self, change: Change) -> None:
        key = change.item.key
        if change.type != "MODIFIED":
            self._sorted = None
        if change.type == "DELETED":
            del self.items[key]
        else:
            self.items[key] = change.item


class Store:
    """All collections under one counter of versions, with the two indexes that garbage collection needs."""

    def __init__(self, window: int) -> None:
        self.version = 100  # a server that has started has written already; clients must not assume a small number
        self.collections: dict[str, Collection] = {}
        self._window = window
        self._uids: dict[str, tuple[str, Key]] = {}
        self._dependents: dict[str, set[tuple[str, Key]]] = {}

    def collection(self, name: str) -> Collection:
        """The collection of that name (`plural.group`), made when first asked for."""
        found = self.collections.get(name)
        if found is None:
            found = self.collections[name] = Collection(self._window)
            found.oldest = self.version
        return found

    def put(self, name: str, key: Key, data: Json) -> Item:
        """Store `data` as the next version of the object at `key`; `data` gets its resourceVersion here."""
        collection = self.collection(name)
        before = collection.items.get(key)
        item = self._item(data)
        if before is not None:
            self._unindex(name, before)
        self._index(name, item)
        collection.record(Change("ADDED" if before is None else "MODIFIED", item, before))
        return item

    def remove(self, name: str, key: Key, data: Json | None = None) -> Item:
        """Take the object at `key` out; `data` is its last state where that differs from what is stored."""
        collection = self.collection(name)
        before = collection.items[key]
        item = self._item(data or before.data)
        self._unindex(name, before)
        collection.record(Change("DELETED", item, before))
        return item

    def drop(self, name: str) -> None:
        """Forget a collection with all that belongs to it."""
        self.collections.pop(name, None)

    def exists(self, uid: str) -> bool:
        """Whether an object of that identity is stored, of any kind."""
        return uid in self._uids

    def dependents(self, uid: str) -> list[tuple[str, Key]]:
        """Collection and key of every object that names `uid` as an owner."""
        return sorted(self._dependents.get(uid, ()))

    def compact(self) -> None:
        """Forget all history: a watch or list of an older version is answered 410 from here on."""
        for collection in self.collections.values():
            collection.forget(self.version)

    def _item(self, data: Json) -> Item:
        self.version += 1
        metadata = {**data["metadata"], "resourceVersion": str(self.version)}
        return Item({**data, "metadata": metadata}, self.version)

    def _index(self, name: str, item: Item) -> None:
        place = (name, item.key)
        self._uids[item.uid] = place
        for owner in item.data["metadata"].get("ownerReferences") or ():
            self._dependents.setdefault(owner["uid"], set()).add(place)

    def _unindex(self, name: str, item: Item) -> None:
        place = (name, item.key)
        self._uids.pop(item.uid, None)
        for owner in item.data["metadata"].get("ownerReferences") or ():
            held = self._dependents.get(owner["uid"], set())
            held.discard(place)
            if not held:
                self._dependents.pop(owner["uid"], None)
