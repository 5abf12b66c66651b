"""What the cluster looks like, one kind: the watch's objects with our own writes above them.

Invariants
- Within an epoch an object never moves back: an event older than what is held is ignored. Identity is the UID.
- What we wrote is seen at once and stays above the store until the watch has passed its resourceVersion.
- Events of a key with a write in flight are held until the write's answer (the echo may come first).
- Listeners hear of changes of content only; so the echo of our own write, whose content is known, wakes nobody, while
  a foreign change merged into it does.
- Where metadata alone is watched, a version that somebody else has moved stands for a change of the unseen content: it
  is told, and the object counts as `touched` until we write it.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

import msgspec

from steady.objects.keys import Key, Resource
from steady.objects.meta import ObjectMeta
from steady.objects.raw import EMPTY, RawObject


class Change(NamedTuple):
    """The view of `key` went from `old` to `new`; None means absent. `own` when our own write did it."""

    key: Key
    old: RawObject | None
    new: RawObject | None
    own: bool = False


Listener = Callable[[Change], None]
IndexFunction = Callable[[RawObject], Iterable[Hashable]]


class _Own(NamedTuple):
    version: int
    obj: RawObject | None


class _Held(NamedTuple):
    obj: RawObject | None
    version: int
    uid: str


class Index:
    """Keys by what a function of their objects says; look-ups are O(1)."""

    def __init__(self, function: IndexFunction) -> None:
        self._function = function
        self._keys: dict[Hashable, dict[Key, None]] = defaultdict(dict)

    def __getitem__(self, value: Hashable) -> tuple[Key, ...]:
        return tuple(self._keys.get(value, ()))

    def move(self, key: Key, old: RawObject | None, new: RawObject | None) -> None:
        """`key`'s object went from `old` to `new`."""
        before = tuple(self._function(old)) if old else ()
        after = tuple(self._function(new)) if new else ()
        if before == after:
            return
        for value in before:
            keys = self._keys[value]
            keys.pop(key, None)
            if not keys:
                del self._keys[value]
        for value in after:
            self._keys[value][key] = None


class Store:
    """All objects of one kind that a watch selects. Snapshots are immutable; `metadata_only` ones hold nothing else."""

    def __init__(self, resource: Resource, *, metadata_only: bool = False) -> None:
        self.resource = resource
        self.metadata_only = metadata_only
        self.version = ""
        self.synced = asyncio.Event()
        self._items: dict[Key, RawObject] = {}
        self._own: dict[Key, _Own] = {}
        self._held: dict[Key, list[_Held]] = {}
        self._writers: dict[Key, int] = defaultdict(int)
        self._touched: set[Key] = set()
        self._behind: dict[Key, int] = {}
        self._waiters: dict[Key, asyncio.Event] = {}
        self._listeners: list[Listener] = []
        self._indexes: dict[str, Index] = {}

    def __len__(self) -> int:
        return len(self._items)

    def __iter__(self) -> Iterator[RawObject]:
        for key in self.keys():
            if obj := self.get(key):
                yield obj

    def keys(self) -> tuple[Key, ...]:
        """The keys of all objects."""
        if not self._own:
            return tuple(self._items)
        return tuple(key for key in {**self._items, **self._own} if self.get(key))

    def get(self, key: Key) -> RawObject | None:
        """The latest known state of the object, our own writes included."""
        own = self._own.get(key)
        return own.obj if own else self._items.get(key)

    def touched(self, key: Key) -> bool:
        """Whether somebody else has written the object since we did, so that what is not watched may differ."""
        return key in self._touched

    def listen(self, listener: Listener) -> None:
        """Tell `listener` of every change of content."""
        self._listeners.append(listener)

    def index(self, name: str, function: IndexFunction) -> Index:
        """Keep an index called `name`; asking again for the same name returns the first one."""
        if name not in self._indexes:
            index = self._indexes[name] = Index(function)
            for obj in self:
                index.move(obj.key, None, obj)
        return self._indexes[name]

    # What the watch says.

    def replace(self, objects: Iterable[RawObject], version: str, *, epoch: bool = False) -> None:
        """Take a whole list as the truth at `version`; what it lacks was deleted.

        With `epoch` the server was restored to an older state: nothing older is remembered against it.
        """
        fresh = {obj.key: obj for obj in objects}
        reached = int(version or 0)
        if epoch:
            self._own.clear()
            self._behind.clear()
            self._items = {
                key: msgspec.structs.replace(obj, metadata=_ancient(obj)) for key, obj in self._items.items()
            }
        self.version = version
        for key in [key for key in self._items if key not in fresh]:
            self._arrive(key, None, reached, self._items[key].metadata.uid)
        for key, obj in fresh.items():
            self._arrive(key, obj, obj.metadata.version, obj.metadata.uid)
        for key in [key for key, own in self._own.items() if key not in fresh and own.version <= reached]:
            self._arrive(key, None, reached, "")
        self.synced.set()
        for key in list(self._behind):
            self._catch_up(key, reached)

    def apply(self, type_: str, obj: RawObject) -> None:
        """Take one event of the watch."""
        version = obj.metadata.version
        self.version = obj.metadata.resource_version
        self._arrive(obj.key, None if type_ == "DELETED" else obj, version, obj.metadata.uid)

    # What we write.

    @contextmanager
    def writing(self, key: Key) -> Iterator[None]:
        """Hold the key's events while a write of ours is in flight."""
        self._writers[key] += 1
        try:
            yield
        finally:
            self._writers[key] -= 1
            if not self._writers[key]:
                del self._writers[key]
                for held in self._held.pop(key, ()):
                    self._take(key, held)

    def written(self, obj: RawObject) -> None:
        """Our write left the object like this."""
        self._touched.discard(obj.key)
        if self.metadata_only:
            obj = msgspec.structs.replace(obj, spec=EMPTY, status=EMPTY, data=EMPTY)
        held = self._items.get(obj.key)
        if held and held.metadata.uid == obj.metadata.uid and held.metadata.version >= obj.metadata.version:
            return
        self._show(obj.key, _Own(obj.metadata.version, obj))

    def removed(self, key: Key, uid: str, version: int) -> None:
        """Our write made the object with `uid` go, at `version` or later (0 when unknown)."""
        held = self.get(key)
        if held is None or held.metadata.uid != uid:
            return
        self._show(key, _Own(max(version, held.metadata.version), None))

    def outdated(self, key: Key, version: int) -> None:
        """The object is known to have reached `version`, unlike anything we can predict: it waits for the watch."""
        held = self._items.get(key)
        if held is None or held.metadata.version < version:
            self._behind[key] = version

    def read(self, key: Key, obj: RawObject | None) -> None:
        """A live read says that the object is like this, or absent: nothing newer is known to exist."""
        if obj is not None:
            self.written(obj)
        elif held := self.get(key):
            self.removed(key, held.metadata.uid, 0)
        self._catch_up(key, self._behind.get(key, 0))

    async def fresh(self, key: Key, within: float) -> bool:
        """Wait until nothing newer than the view is known to exist; False when `within` seconds did not suffice."""
        if key not in self._behind:
            return True
        waiter = self._waiters.setdefault(key, asyncio.Event())
        try:
            async with asyncio.timeout(within):
                await waiter.wait()
        except TimeoutError:
            return key not in self._behind
        return True

    def _arrive(self, key: Key, obj: RawObject | None, version: int, uid: str) -> None:
        event = _Held(obj, version, uid)
        if key in self._writers:
            self._held.setdefault(key, []).append(event)
        else:
            self._take(key, event)

    def _take(self, key: Key, event: _Held) -> None:
        held = self._items.get(key)
        if held and held.metadata.uid == event.uid and held.metadata.version > event.version:
            return
        before = self.get(key)
        own = self._own.get(key)
        if own and self._passed(own, event):
            del self._own[key]
        if event.obj is None:
            self._items.pop(key, None)
        else:
            self._items[key] = event.obj
        self._announce(key, before, own=False, touched=self._touch(key, before, event))
        self._catch_up(key, event.version)

    def _touch(self, key: Key, before: RawObject | None, event: _Held) -> bool:
        """Whether `event` shows the object that was there `before` at a version that is not ours."""
        if event.obj is None or before is None or before.metadata.uid != event.uid:
            self._touched.discard(key)
            return False
        if not self.metadata_only or not 0 < before.metadata.version < event.version:
            return False
        self._touched.add(key)
        return True

    @staticmethod
    def _passed(own: _Own, event: _Held) -> bool:
        if event.version >= own.version:
            return True
        return own.obj is None and event.obj is None

    def _show(self, key: Key, own: _Own) -> None:
        before = self.get(key)
        self._own[key] = own
        self._announce(key, before, own=True)

    def _announce(self, key: Key, before: RawObject | None, *, own: bool, touched: bool = False) -> None:
        after = self.get(key)
        if after is before:
            return
        for index in self._indexes.values():
            index.move(key, before, after)
        if same_content(before, after) and not touched:
            return
        change = Change(key, before, after, own)
        for listener in self._listeners:
            listener(change)

    def _catch_up(self, key: Key, version: int) -> None:
        if key in self._behind and version >= self._behind[key]:
            del self._behind[key]
            if waiter := self._waiters.pop(key, None):
                waiter.set()


def same_content(a: RawObject | None, b: RawObject | None) -> bool:
    """Whether two states say the same, resourceVersions aside."""
    if a is None or b is None:
        return a is b
    return (
        same_metadata(a, b)
        and same_json(a.spec, b.spec)
        and same_json(a.status, b.status)
        and same_json(a.data, b.data)
    )


def same_metadata(a: RawObject, b: RawObject) -> bool:
    """Whether identity, generation, labels, annotations, finalizers, owners and deletion are the same."""
    one, two = a.metadata, b.metadata
    return (
        one.uid == two.uid
        and one.generation == two.generation
        and one.deletion_timestamp == two.deletion_timestamp
        and (one.labels or {}) == (two.labels or {})
        and (one.annotations or {}) == (two.annotations or {})
        and (one.finalizers or ()) == (two.finalizers or ())
        and (one.owner_references or ()) == (two.owner_references or ())
    )


def same_json(a: msgspec.Raw, b: msgspec.Raw) -> bool:
    """Whether two raw parts mean the same; the server may order and escape them otherwise than we do."""
    left, right = bytes(a), bytes(b)
    if left == right:
        return True
    if not left or not right:
        return False
    return bool(msgspec.json.decode(left) == msgspec.json.decode(right))


def _ancient(obj: RawObject) -> ObjectMeta:
    return msgspec.structs.replace(obj.metadata, resource_version="0")
