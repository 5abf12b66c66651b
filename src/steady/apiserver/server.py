"""The server: from a request to its answer, and the handles that tests hold."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import NamedTuple, Self

import msgspec

from steady.apiserver import builtin, definitions, documents, openapi, options
from steady.apiserver.call import APPLY, Call, Path, check_accept, check_verb, parse, verb
from steady.apiserver.exchange import Json, Request, Response, answer, encode, text
from steady.apiserver.failures import Failure, no_such_resource, not_found
from steady.apiserver.kinds import Kind, Registry
from steady.apiserver.lifecycle import CRDS, Lifecycle
from steady.apiserver.reading import Reader
from steady.apiserver.store import Change, Store
from steady.apiserver.writing import Writer
from steady.clock import Clock, SystemClock
from steady.tasks import Scope

_NAMESPACES = ("default", "kube-node-lease", "kube-public", "kube-system")


class Entry(NamedTuple):
    """One request as the audit log would tell it. `reason` is `Status.reason` of a failure, empty otherwise."""

    user: str
    verb: str
    resource: str
    subresource: str
    namespace: str
    name: str
    code: int
    reason: str


class Server:
    """A Kubernetes API server in memory.

    `clock` dates objects (the machine's clock by default), `window` is how many changes of a kind are remembered for
    watches that resume. Without `watch_list` it refuses to send initial events, as older servers do. Everything happens
    within the request that causes it; the server starts no task of its own.
    """

    def __init__(self, *, clock: Clock | None = None, window: int = 10_000, watch_list: bool = True) -> None:
        self.log: list[Entry] = []
        self._clock = clock or SystemClock()
        self._watch_list = watch_list
        self._store = Store(window)
        self._registry = Registry(builtin.kinds())
        self._reader = Reader(self._store, lambda: asyncio.get_running_loop().time())
        lifecycle = Lifecycle(self._store, self._clock)
        self._writer = Writer(self._store, self._reader, lifecycle, self._clock)
        self._scope = Scope("apiserver")
        for kind in self._registry:
            self._store.collection(kind.storage)  # from here on its history is known, though nothing has happened yet
        self._store.collection(CRDS).listeners.add(self._defined)
        for name in _NAMESPACES:
            self._found(name)

    async def __aenter__(self) -> Self:
        await self._scope.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        self.disconnect()
        await self._scope.__aexit__(kind, error, tb)

    async def handle(self, request: Request) -> Response:
        """Answer any request; what the server refuses is an answer too."""
        path = parse(request.path)
        if path is None:
            return self._about(request)
        kind = self._registry.find(path.group, path.version, path.plural)
        if kind is None or not _meant(request, path, kind):
            return self._review(request, path.plural) or self._unknown(request, path, kind)
        action = verb(request, path)
        try:
            check_verb(action, path, kind)
            call = Call(request, kind, path.namespace, path.name, path.subresource, action)
            check_accept(call.accept)
            options.check(action, request.query, apply=call.media == APPLY, watch_list=self._watch_list)
            response, reason = self._act(call), ""
        except Failure as failure:
            response, reason = failure.response(), failure.reason
        entry = Entry(
            request.user,
            action,
            path.plural,
            path.subresource,
            path.namespace,
            _named(request, path),
            response.status,
            reason,
        )
        self.log.append(entry)
        return response

    def add_finalizer_on_create(self, group: str, plural: str, finalizer: str) -> None:
        """Give `finalizer` to every new object of that kind, as an idempotent admission policy would. Repeatable."""
        self._writer.finalizer_on_create(f"{plural}.{group}" if group else plural, finalizer)

    def objects(self, resource: str) -> list[Json]:
        """All objects of `resource` (`plural` or `plural.group`), as they are stored."""
        collection = self._store.collections.get(self._storage(resource))
        return [collection.items[key].data for key in collection.ordered()] if collection else []

    def disconnect(self, resource: str | None = None) -> None:
        """End all open watches, or those of one resource."""
        for watch, storage in list(self._reader.watches.items()):
            if resource is None or storage == self._storage(resource):
                watch.end()

    def silence(self, resource: str | None = None, *, silent: bool = True) -> None:
        """Let the open watches say nothing while their connections stand; `silent=False` sends what was held back."""
        for watch, storage in list(self._reader.watches.items()):
            if resource is None or storage == self._storage(resource):
                watch.silence(silent)

    def restart(self) -> None:
        """As if the process had been started anew on what it had stored: watches end, no history is left, and kinds of
        definitions are not ready for the first list or watch.
        """
        self.disconnect()
        self._store.version += 1  # a server that starts writes something of its own
        self.compact()
        self._reader.initializing |= {kind.storage for kind in self._registry if kind.custom}

    def compact(self) -> None:
        """Forget all history: watches and lists of older versions are answered 410."""
        self._store.compact()

    def _act(self, call: Call) -> Response:
        reader, writer = self._reader, self._writer
        if call.subresource == "scale" and call.verb == "get":
            return writer.scale(call)
        actions: Mapping[str, Callable[[Call], Response]] = {
            "get": reader.get,
            "list": reader.list,
            "watch": reader.watch,
            "create": writer.create,
            "update": writer.update,
            "patch": writer.patch,
            "delete": writer.delete,
            "deletecollection": writer.delete_all,
        }
        return actions[call.verb](call)

    def _about(self, request: Request) -> Response:
        """What is said of the server itself."""
        if request.path in {"/healthz", "/livez", "/readyz"}:
            return text(200, "ok")
        path = request.path.rstrip("/")
        if path == "/openapi/v2" and "protobuf" in request.headers.get("accept", ""):
            return Response(200, {"Content-Type": "application/octet-stream"}, openapi.V2_PROTOBUF)
        body = documents.found(self._registry, path)
        return text(404, "404 page not found\n") if body is None else answer(200, encode(body))

    def _unknown(self, request: Request, path: Path, kind: Kind | None) -> Response:
        """The answer to a path that means nothing: groups of definitions give another one than built-in groups."""
        if kind is not None and kind.custom and path.subresource:
            return not_found(kind.resource, path.name).response()
        if self._registry.is_built_in(path.group):
            return no_such_resource().response()
        return self._about(request)

    def _review(self, request: Request, plural: str) -> Response | None:
        if request.method != "POST" or plural not in {"selfsubjectaccessreviews", "subjectaccessreviews"}:
            return None
        head = {"kind": "SelfSubjectAccessReview", "apiVersion": "authorization.k8s.io/v1", "metadata": {}}
        return answer(201, encode({**head, "spec": {}, "status": {"allowed": True}}))

    def _storage(self, resource: str) -> str:
        if resource in self._store.collections:
            return resource
        return next((kind.storage for kind in self._registry if kind.resource.plural == resource), resource)

    def _found(self, name: str) -> None:
        """A namespace that is there from the start."""
        body = encode({"metadata": {"name": name}})
        call = Call(Request("POST", "", {}, {}, body), builtin.NAMESPACE, "", "", "", "create")
        self._writer.create(call)

    def _defined(self, change: Change) -> None:
        """Serve what a definition declares; stop when it is gone."""
        data, storage = change.item.data, change.item.key.name
        if change.type == "DELETED":
            self._registry.withdraw(storage)
            self.disconnect(storage)
            self._store.drop(storage)
        elif change.type == "ADDED" or (change.before and data["spec"] != change.before.data["spec"]):
            self._serve(data, storage, changed=change.type == "MODIFIED")

    def _serve(self, data: Json, storage: str, *, changed: bool) -> None:
        self._registry.withdraw(storage)
        for kind in definitions.kinds(data):
            self._registry.add(kind)
        if changed:
            self._renew(storage)

    def _renew(self, storage: str) -> None:
        """Begin anew with a kind that has changed: objects are read by its schema, and nothing is known of before."""
        self.disconnect(storage)
        collection, kind = self._store.collection(storage), self._registry.of(storage)
        if kind is not None and kind.structural is not None:
            collection.reshape(kind.structural.read)
        collection.forget(self._store.version)
        self._reader.initializing.add(storage)


def _meant(request: Request, path: Path, kind: Kind) -> bool:
    """Whether a kind has what the path names: the subresource, and a place within or outside a namespace."""
    if path.subresource and path.subresource not in kind.subresources:
        return False
    if not kind.resource.namespaced:
        return not path.namespace
    return bool(path.namespace) or (not path.name and request.method == "GET")


class _Metadata(msgspec.Struct, frozen=True):
    name: str = ""


class _Body(msgspec.Struct, frozen=True):
    metadata: _Metadata = _Metadata()


def _named(request: Request, path: Path) -> str:
    """The object's name as the audit log has it: of a creation, the one in the body."""
    if path.name or request.method != "POST":
        return path.name
    try:
        return msgspec.json.decode(request.body, type=_Body).metadata.name
    except msgspec.DecodeError:
        return ""
