"""What a reconciler may do besides looking at its object: every awaited call writes or leaves the cluster."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Final, Generic, Literal, TypeVar

from steady.cache.store import Store
from steady.clock import Clock
from steady.controller.children import Family, Outcome
from steady.objects.children import Child
from steady.objects.keys import Key, Resource
from steady.objects.raw import RawObject
from steady.objects.view import Object, Status

START: Final = "start"
"""The cause of a reconcile for no other reason than that the process has started."""

S = TypeVar("S", bound=Status)
O = TypeVar("O", bound=Object[Any, Any])  # noqa: E741 - O for object, as S for status


class Context(Generic[S]):
    """One reconcile's reach. Reads are plain calls on the cache; writes are awaited.

    `forced`: somebody has asked, by annotation, for the whole work once more, although nothing may differ.
    """

    __slots__ = ("_clock", "_event", "_families", "_phase", "_report", "_stores", "cause", "forced", "store")

    def __init__(
        self,
        store: Store,
        clock: Clock,
        *,
        stores: Mapping[Resource, Store],
        families: Mapping[Resource, Family],
        report: Callable[[S], None],
        event: Callable[[str, str, str], None],
        phase: Callable[[str], AbstractContextManager[object]],
        cause: str,
        forced: bool = False,
    ) -> None:
        self.store = store
        self.cause = cause
        self.forced = forced
        self._clock = clock
        self._stores = stores
        self._families = families
        self._report = report
        self._event = event
        self._phase = phase

    @property
    def starting(self) -> bool:
        """Whether the object is looked at only because the process has started: an earlier life may have done all."""
        return self.cause == START

    def now(self) -> datetime:
        """The date."""
        return self._clock.now()

    def report(self, status: S) -> None:
        """Show progress: the whole status as it is now. What follows soon replaces it, at no cost."""
        self._report(status)

    def event(self, type_: Literal["Normal", "Warning"], reason: str, message: str) -> None:
        """Tell the object's story in an Event, if the budget of events allows."""
        self._event(type_, reason, message)

    def phase(self, name: str) -> AbstractContextManager[object]:
        """Times, as a context manager, one phase of the reconcile; names must be few, for they become series."""
        return self._phase(name)

    def get(self, resource: Resource, key: Key) -> RawObject | None:
        """An object of a kind that the controller watches or owns, from the cache."""
        return self._stores[resource].get(key)

    def children(self, kind: type[Child]) -> list[RawObject]:
        """The children of a kind that exist, by name."""
        return self._family(kind).members()

    def touched(self, kind: type[Child]) -> frozenset[str]:
        """Names of children, watched by their metadata only, whose content somebody else may have changed."""
        return self._family(kind).touched()

    async def apply(self, child: Child) -> bool:
        """Make a child exist as desired; sent only if it differs. False when nothing was sent."""
        return await self._family(type(child)).apply(child)

    async def become(self, kind: type[Child], desired: Sequence[Child], *, keep: Collection[str] = ()) -> Outcome:
        """Make `desired`, and what `keep` names as it is, the only children of that kind; sent where they differ."""
        return await self._family(kind).become(desired, keep)

    def _family(self, kind: type[Child]) -> Family:
        family = self._families.get(kind.resource)
        if family is None:
            raise LookupError(f"{kind.resource.kind} is not among the kinds that the controller owns")
        return family
