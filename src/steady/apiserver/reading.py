"""Reading: get, list and watch."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import msgspec

from steady.apiserver import shapes, tables, tokens
from steady.apiserver.call import Call, flag, number, version_number
from steady.apiserver.exchange import Json, Response, answer, streaming
from steady.apiserver.failures import Failure, bad_request, initializing, list_expired, not_found, too_large
from steady.apiserver.selection import selection
from steady.apiserver.shapes import shape_of
from steady.apiserver.store import Collection, Item, Store
from steady.apiserver.watching import View, Watch, bookmark_line, error_line, event, lines
from steady.objects import Key

_START = Key("", "")


class Reader:
    """Answers what changes nothing."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock
        self.watches: dict[Watch, str] = {}
        self.initializing: set[str] = set()

    def get(self, call: Call) -> Response:
        """One object. Raises 404, and 504 for a version that is not reached yet."""
        self._reached(version_number(call.query.get("resourceVersion") or "0"))
        return answer(200, shape_of(call).encoded(self.item(call)) + b"\n")

    def item(self, call: Call) -> Item:
        """The stored object that `call` names. Raises 404."""
        item = self._store.collection(call.kind.storage).items.get(call.key)
        if item is None:
            raise not_found(call.kind.resource, call.name)
        return item

    def list(self, call: Call) -> Response:
        """A page of objects.

        Raises 410 for forgotten versions, 504 for future ones, 400 for a bad token, 429 once after a kind has changed.
        """
        number(call.query, "timeoutSeconds")
        if call.query.get("resourceVersion") != "0":  # any state will do, and there is one
            self._ready(call.kind.storage)
        page = self._page(call)
        kind = call.kind
        if call.wants_table:
            return answer(200, msgspec.json.encode(_table(call, page)) + b"\n")
        if call.wants_metadata:
            return answer(200, shapes.metadata_collection(kind, page.metadata, page.items))
        return answer(200, shapes.collection(kind, page.metadata, page.items))

    def watch(self, call: Call) -> Response:
        """A stream of changes from the version asked for. Raises 429 once after a kind has changed."""
        self._ready(call.kind.storage)
        watch = Watch(self._view(call), self._clock, lambda: self._store.version)
        bookmarks, timeout = flag(call.query, "allowWatchBookmarks"), number(call.query, "timeoutSeconds")
        try:
            for line in self._initial(call, watch.view):
                watch.push(line)
        except Failure as failure:
            if failure.code not in {410, 504}:
                raise
            return streaming(lines([error_line(failure)]))
        self._open(watch, call.kind.storage)
        return streaming(watch.stream(timeout, bookmarks, self._close))

    def _ready(self, storage: str) -> None:
        if storage in self.initializing:
            self.initializing.discard(storage)
            raise initializing()

    def _open(self, watch: Watch, storage: str) -> None:
        self.watches[watch] = storage
        self._store.collection(storage).listeners.add(watch.take)

    def _close(self, watch: Watch) -> None:
        storage = self.watches.pop(watch, None)
        if storage is not None and storage in self._store.collections:
            self._store.collections[storage].listeners.discard(watch.take)

    def _view(self, call: Call) -> View:
        return View(call.kind, shape_of(call), call.namespace, selection(call.kind, call.query))

    def _initial(self, call: Call, view: View) -> Iterator[bytes]:
        """What a watch tells first: the present state, or what has changed since a version."""
        asked = call.query.get("resourceVersion", "")
        version = version_number(asked, watching=True) if asked else 0
        collection = self._store.collection(call.kind.storage)
        if flag(call.query, "sendInitialEvents"):
            self._reached(version)
            yield from _state(view, collection.items.values())
            if flag(call.query, "allowWatchBookmarks"):
                yield bookmark_line(view, self._store.version, initial=True)
        elif version == 0:
            # No version means from now on, with the state first, unless the reader says that it wants none.
            yield from () if "sendInitialEvents" in call.query else _state(view, collection.items.values())
        elif version <= self._store.version:
            yield from (line for change in collection.since(version) if (line := view.line(change)))

    def _reached(self, version: int) -> None:
        if version > self._store.version:
            raise too_large(version, self._store.version)

    def _page(self, call: Call) -> Page:
        limit = number(call.query, "limit") or 0
        collection = self._store.collection(call.kind.storage)
        position = self._position(call, collection)
        items = collection.at(position.version) if position.exact else collection.items
        keys = collection.ordered() if items is collection.items else sorted(items)
        view = self._view(call)
        found = [items[key] for key in keys if key > position.after and view.sees(items[key])]
        metadata: Json = {"resourceVersion": str(position.version)}
        if 0 < limit < len(found):
            metadata["continue"] = tokens.token(position.version, found[limit - 1].key, call.namespace)
            if not call.query.get("labelSelector") and not call.query.get("fieldSelector"):
                metadata["remainingItemCount"] = len(found) - limit
            found = found[:limit]
        return Page(metadata, found)

    def _position(self, call: Call, collection: Collection) -> Position:
        if token := call.query.get("continue", ""):
            return self._continued(call, token, collection)
        version = version_number(call.query.get("resourceVersion") or "0")
        self._reached(version)
        if call.query.get("resourceVersionMatch") != "Exact":
            return Position(self._store.version, _START, exact=False)
        if version < collection.oldest:
            raise list_expired()
        return Position(version, _START, exact=True)

    def _continued(self, call: Call, token: str, collection: Collection) -> Position:
        if call.query.get("resourceVersion", "0") != "0":
            raise bad_request("specifying resource version is not allowed when using continue")
        version, after = tokens.read(token, call.namespace)
        if version == tokens.LATEST:
            return Position(self._store.version, after, exact=False)
        self._reached(version)
        if version < collection.oldest:
            raise tokens.expired(after, call.namespace)
        return Position(version, after, exact=True)


class Position(NamedTuple):
    """Where a page begins: which version it shows (`exact`: no newer one), after which key."""

    version: int
    after: Key
    exact: bool


class Page(NamedTuple):
    """Part of a list, with the metadata that says what comes next."""

    metadata: Json
    items: list[Item]


def _state(view: View, items: Iterable[Item]) -> Iterator[bytes]:
    for item in list(items):
        if view.sees(item):
            yield event("ADDED", view.shape.encoded(item))


def _table(call: Call, page: Page) -> Json:
    include = call.query.get("includeObject") or "Metadata"
    rows = shapes.partial(call.kind).shaped if include == "Metadata" else shapes.whole(call.kind).shaped
    objects = [item.data for item in page.items]
    return tables.table(call.kind, objects, None if include == "None" else rows, page.metadata)
