"""What a controller is: a kind, what is done about it, and what else concerns it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping, Sequence
from typing import Any, Generic, TypeVar

import msgspec

from steady.cache.store import IndexFunction, Store
from steady.controller.context import Context
from steady.controller.result import Result
from steady.intervals import Interval
from steady.objects.children import Child
from steady.objects.keys import Key, Resource
from steady.objects.raw import RawObject
from steady.objects.view import Object, Status

S = TypeVar("S", bound=Status)
O = TypeVar("O", bound=Object[Any, Any])  # noqa: E741 - O for object, as S for status

Mapper = Callable[[RawObject, Store], Iterable[Key]]
Wake = Callable[[], AsyncIterator[Key]]


class Owned(msgspec.Struct, frozen=True):
    """A kind of children. `labels` narrow the watch and are put on every child; the default names the controller."""

    child: type[Child]
    labels: Mapping[str, str] = {}
    metadata_only: bool = False


class Watched(msgspec.Struct, frozen=True):
    """Another kind that concerns this one: `mapper` says which keys to look at, for the old and for the new state.

    `selector` narrows the watch; a `resource` that is the controller's own kind shares its store.
    """

    resource: Resource
    mapper: Mapper
    selector: str = ""
    metadata_only: bool = False


class Controller(Generic[O, S]):
    """One kind's declaration.

    `cleanup` runs when an object is deleted, behind `finalizer` (by default the kind's name); it is called until it
    returns. `concurrency` is the number of slots: awaiting something slow holds one, not the others. `deadline` is the
    seconds one reconcile may take. `wakes` yield keys for what happens outside the cluster. `indexes` are kept on the
    controller's own store, by name.

    With an `interval` objects that are done are looked at again, soon after a change, ever later without; only what no
    watch can tell needs it.

    People may annotate an object with `<domain>/suspend: "true"`, `<domain>/reconcile: <any new value>` and
    `<domain>/interval: "30s"`, which goes ahead of any interval of the controller or of a result. `domain` is by
    default the kind's group; the annotations mean nothing to a kind of the core group without one. `pause` is called
    with the key of a suspended object, perhaps often: what goes on for it outside of reconciles ends.
    """

    def __init__(
        self,
        kind: type[O],
        reconcile: Callable[[O, Context[S]], Awaitable[Result[S]]],
        *,
        name: str = "",
        cleanup: Callable[[O, Context[S]], Awaitable[None]] | None = None,
        finalizer: str = "",
        owns: Sequence[type[Child] | Owned] = (),
        watches: Sequence[Watched] = (),
        wakes: Sequence[Wake] = (),
        indexes: Mapping[str, IndexFunction] | None = None,
        concurrency: int = 64,
        deadline: float = 300.0,
        domain: str = "",
        pause: Callable[[Key], None] | None = None,
        interval: Interval | None = None,
    ) -> None:
        self.kind = kind
        self.resource = kind.declaration.resource
        self.reconcile = reconcile
        self.name = name or self.resource.kind.lower()
        self.cleanup = cleanup
        self.finalizer = finalizer or f"{self.resource.group}/{self.name}"
        self.owns = tuple(self._owned(child) for child in owns)
        self.watches = tuple(watches)
        self.wakes = tuple(wakes)
        self.indexes = dict(indexes or {})
        self.concurrency = concurrency
        self.deadline = deadline
        self.domain = domain or self.resource.group
        self.pause = pause
        self.interval = interval

    def _owned(self, child: type[Child] | Owned) -> Owned:
        owned = child if isinstance(child, Owned) else Owned(child)
        if owned.labels:
            return owned
        return msgspec.structs.replace(owned, labels={"app.kubernetes.io/managed-by": self.name})
