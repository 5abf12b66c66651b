"""Reading: get, list and watch."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterable, Iterator, Mapping

import msgspec

from steady.apiserver import shapes, tables
from steady.apiserver.call import Call, flag, number, version_number
from steady.apiserver.exchange import Json, Response, answer, streaming
from steady.apiserver.failures import (
    Cause,
    Failure,
    bad_request,
    initializing,
    invalid,
    not_found,
    too_large,
)
from steady.apiserver.kinds import Kind
from steady.apiserver.shapes import Shape
from steady.apiserver.store import Item, Store
from steady.apiserver.watching import View, Watch, bookmark_line, error_line, event, lines
from steady.objects import Key, Resource
from steady.objects.selectors import parse_selector

_TABLE = "as=Table"
_PARTIAL = ("as=PartialObjectMetadata", "as=PartialObjectMetadataList")


class Reader:
    """Answers what changes nothing."""

    def __init__(self, store: Store, clock: Callable[[], float]) -> None:
        self._store = store
        self._clock = clock
        self.watches: dict[Watch, str] = {}
        self.initializing: set[str] = set()

    def get(self, call: Call) -> Response:
        """One object. Raises 404."""
        item = self.item(call)
        return answer(200, shape_of(call).encoded(item) + b"\n")

    def item(self, call: Call) -> Item:
        """The stored object that `call` names. Raises 404."""
        item = self._store.collection(call.kind.storage).items.get(call.key)
        if item is None:
            raise not_found(call.kind.resource, call.name)
        return item

    def list(self, call: Call) -> Response:
        """A page of objects. Raises 410 for forgotten versions, 504 for future ones, 400 for a bad token."""
        page = self._page(call)
        accept = call.request.headers.get("accept", "")
        if _TABLE in accept:
            return answer(200, msgspec.json.encode(_table(call, page)) + b"\n")
        if any(wanted in accept for wanted in _PARTIAL):
            head = {"kind": "PartialObjectMetadataList", "apiVersion": "meta.k8s.io/v1", "metadata": page.metadata}
            return answer(200, _listed(head, shapes.partial(call.kind), page.items))
        kind = call.kind
        head = {"kind": kind.list_kind, "apiVersion": kind.resource.api_version, "metadata": page.metadata}
        return answer(200, _listed(head, shapes.bare(kind), page.items))

    def watch(self, call: Call) -> Response:
        """A stream of changes from the version asked for. Raises 429 once after a kind has changed."""
        self._ready(call.kind.storage)
        watch = Watch(self._view(call), self._clock, lambda: self._store.version)
        try:
            for line in self._initial(call, watch.view):
                watch.push(line)
        except Failure as failure:
            if failure.code not in {410, 504}:
                raise
            return streaming(lines([error_line(failure)]))
        self._open(watch, call.kind.storage)
        bookmarks = flag(call.query, "allowWatchBookmarks")
        timeout = number(call.query, "timeoutSeconds")
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
        shape = shape_of(call)
        matches = selection(call.kind, call.query, call.name)
        return View(call.kind, shape, call.namespace, matches)

    def _initial(self, call: Call, view: View) -> Iterator[bytes]:
        """What a watch tells first: the present state, or what has changed since a version."""
        asked = call.query.get("resourceVersion", "")
        version = version_number(asked, watching=True) if asked else 0
        collection = self._store.collection(call.kind.storage)
        if flag(call.query, "sendInitialEvents"):
            _matched(call)
            self._reached(version)
            yield from _state(view, collection.items.values())
            if flag(call.query, "allowWatchBookmarks"):
                yield bookmark_line(view, self._store.version, initial=True)
        elif version == 0:
            yield from _state(view, collection.items.values())
        elif version <= self._store.version:
            yield from (line for change in collection.since(version) if (line := view.line(change)))

    def _reached(self, version: int) -> None:
        if version > self._store.version:
            raise too_large(version, self._store.version)

    def _page(self, call: Call) -> Page:
        limit = number(call.query, "limit") or 0
        version, start, exact = self._position(call)
        collection = self._store.collection(call.kind.storage)
        items = collection.at(version) if exact else collection.items
        keys = collection.ordered() if items is collection.items else sorted(items)
        view = self._view(call)
        found = [items[key] for key in keys if key > start and view.sees(items[key])]
        metadata: Json = {"resourceVersion": str(version)}
        if limit and len(found) > limit:
            metadata["continue"] = _token(version, found[limit - 1].key)
            if not call.query.get("labelSelector") and not call.query.get("fieldSelector"):
                metadata["remainingItemCount"] = len(found) - limit
            found = found[:limit]
        return Page(metadata, found)

    def _position(self, call: Call) -> tuple[int, Key, bool]:
        """The version to read, the key after which to start, and whether that version must be exact."""
        asked, token = call.query.get("resourceVersion", ""), call.query.get("continue", "")
        if token:
            return self._continued(call, asked, token)
        version = version_number(asked) if asked else 0
        self._reached(version)
        if call.query.get("resourceVersionMatch") == "Exact":
            return version, Key("", ""), True
        return self._store.version, Key("", ""), False

    def _continued(self, call: Call, asked: str, token: str) -> tuple[int, Key, bool]:
        if asked and asked != "0":
            raise bad_request("specifying resource version is not allowed when using continue")
        version, start = _read_token(token)
        if version == -1:
            return self._store.version, start, False
        oldest = self._store.collection(call.kind.storage).oldest
        if version < oldest:
            raise _expired_token(_token(-1, start))
        return version, start, True


class Page:
    """Part of a list, with the metadata that says what comes next."""

    def __init__(self, metadata: Json, items: list[Item]) -> None:
        self.metadata = metadata
        self.items = items


def shape_of(call: Call) -> Shape:
    """The shape that the Accept header asks for."""
    accept = call.request.headers.get("accept", "")
    if _TABLE in accept:
        return shapes.table(call.kind, call.query.get("includeObject") or "Metadata")
    if any(wanted in accept for wanted in _PARTIAL):
        return shapes.partial(call.kind)
    return shapes.whole(call.kind)


def selection(kind: Kind, query: Mapping[str, str], name: str = "") -> Callable[[Json], bool]:
    """Whether an object is meant by the label and field selectors of `query`. Raises 400 for what they cannot say."""
    try:
        labels = parse_selector(query.get("labelSelector", ""))
    except ValueError as error:
        raise bad_request(str(error)) from error
    fields = _fields(kind, query.get("fieldSelector", ""))
    if name:
        fields.append((("metadata", "name"), name, True))
    if not labels.requirements and not fields:
        return _everything
    return lambda data: labels.matches(data["metadata"].get("labels")) and all(_field(data, *term) for term in fields)


def _everything(_data: Json) -> bool:
    return True


_CORE_FIELDS = {"metadata.name", "metadata.namespace"}
_EVENT_FIELDS = {
    "reason",
    "type",
    "reportingComponent",
    "source",
    *(f"involvedObject.{field}" for field in ("kind", "name", "namespace", "uid", "apiVersion", "fieldPath")),
}
_STORED_FIELDS = {"regarding": "involvedObject", "reportingController": "reportingComponent"}


def _fields(kind: Kind, text: str) -> list[tuple[tuple[str, ...], str, bool]]:
    return [_field_term(kind, term) for term in text.split(",") if term]


def _field_term(kind: Kind, term: str) -> tuple[tuple[str, ...], str, bool]:
    path, operator, value = term.partition("!=" if "!=" in term else "==" if "==" in term else "=")
    if not operator:
        raise bad_request(f"invalid selector: '{term}'; can't understand '{term}'")
    head, dot, rest = path.partition(".")
    stored = _STORED_FIELDS.get(head, head) + dot + rest
    known = _CORE_FIELDS | (_EVENT_FIELDS if kind.storage == "events" else set())
    if stored not in known and not (kind.resource.plural in _FIELDS and path in _FIELDS[kind.resource.plural]):
        raise bad_request(
            f"field label not supported: {path}" if kind.custom else f'"{path}" is not a known field selector'
        )
    return tuple(stored.split(".")), value, operator != "!="


_FIELDS = {
    "secrets": {"type"},
    "namespaces": {"status.phase"},
    "pods": {"spec.nodeName", "status.phase"},
    "replicasets": {"status.replicas"},
}


def _field(data: Json, path: tuple[str, ...], value: str, equal: bool) -> bool:
    found: object = data
    for part in path:
        found = found.get(part) if isinstance(found, dict) else None
    return (str(found if found is not None else "") == value) is equal


def _matched(call: Call) -> None:
    """Initial events are sent of a state not older than the version asked for; the request must say so."""
    if call.query.get("resourceVersionMatch") == "NotOlderThan":
        return
    options = Resource("meta.k8s.io", "v1", "ListOptions", "")
    message = "Forbidden: sendInitialEvents requires setting resourceVersionMatch to NotOlderThan"
    raise invalid(options, "", [Cause("FieldValueForbidden", message, "resourceVersionMatch")])


def _state(view: View, items: Iterable[Item]) -> Iterator[bytes]:
    for item in list(items):
        if view.sees(item):
            yield event("ADDED", view.shape.encoded(item))


def _listed(head: Json, shape: Shape, items: list[Item]) -> bytes:
    encoded = b",".join(shape.encoded(item) for item in items)
    return msgspec.json.encode(head)[:-1] + b',"items":[' + encoded + b"]}\n"


def _table(call: Call, page: Page) -> Json:
    include = call.query.get("includeObject") or "Metadata"
    rows = shapes.partial(call.kind).shaped if include == "Metadata" else shapes.whole(call.kind).shaped
    objects = [item.data for item in page.items]
    return tables.table(call.kind, objects, None if include == "None" else rows, page.metadata)


def _token(version: int, after: Key) -> str:
    start = "/".join(part for part in after if part)
    body = msgspec.json.encode({"v": "meta.k8s.io/v1", "rv": version, "start": f"/{start}\u0000"})
    return base64.urlsafe_b64encode(body).decode().rstrip("=")


def _read_token(token: str) -> tuple[int, Key]:
    try:
        body = msgspec.json.decode(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
        version, start = int(body["rv"]), str(body["start"])
    except (binascii.Error, ValueError, KeyError, TypeError, msgspec.DecodeError) as error:
        raise bad_request(
            "invalid continue token: continue key is not valid: it is not a token of this server"
        ) from error
    namespace, _, name = start.strip("/\u0000").rpartition("/")
    return version, Key(namespace, name)


def _expired_token(fresh: str) -> Failure:
    message = (
        "The provided continue parameter is too old to display a consistent list result. You can start a new list "
        "without the continue parameter, or use the continue token in this response to retrieve the remainder of the "
        "results. Continuing with the provided token results in an inconsistent list - objects that were created, "
        "modified, or deleted between the time the first chunk was returned and now may show up in the list."
    )
    return Failure(410, "Expired", message, metadata={"continue": fresh})
