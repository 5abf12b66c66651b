"""The kinds that the server serves: what each is called, where it is stored and which rules it follows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import msgspec

from steady.apiserver.exchange import Json
from steady.apiserver.failures import Cause
from steady.apiserver.fields import BUILT_IN, Schema
from steady.objects import Resource

if TYPE_CHECKING:
    from steady.apiserver.custom import Structural

VERBS = ("create", "delete", "deletecollection", "get", "list", "patch", "update", "watch")


class Column(NamedTuple):
    """One column of a printed table: what is at a JSON path, or what `cell` makes of an object.

    A `priority` above 0 shows it only with `-o wide`.
    """

    name: str
    type: str
    path: str = ""
    priority: int = 0
    description: str = ""
    format: str = ""
    cell: Callable[[Json], Any] | None = None


class ScalePaths(NamedTuple):
    """Where a kind keeps what its scale subresource shows, as JSON paths."""

    spec_replicas: str
    status_replicas: str
    selector: str = ""


def same(data: Json) -> Json:
    """The stored form is the served form."""
    return data


def faultless(_new: Json, _old: Json | None) -> list[Cause]:
    """No rules of its own."""
    return []


class Kind(msgspec.Struct, frozen=True, eq=False):
    """One kind in one version. Versions of the same kind share `storage`."""

    resource: Resource
    storage: str
    singular: str = ""
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    status: bool = False
    scale: ScalePaths | None = None
    generation: bool = False
    columns: tuple[Column, ...] = ()
    custom: bool = False
    structural: Structural | None = None
    outward: Callable[[Json], Json] = same
    inward: Callable[[Json], Json] = same
    defaults: Callable[[Json], Json] = same
    faults: Callable[[Json, Json | None], list[Cause]] = faultless
    form: type[msgspec.Struct] | None = None
    list_kind: str = ""

    @property
    def fields(self) -> Schema:
        """What is known of the kind's fields."""
        return self.structural.fields if self.structural is not None else BUILT_IN

    @property
    def subresources(self) -> tuple[str, ...]:
        """The names of what hangs below an object of this kind."""
        return (("status",) if self.status else ()) + (("scale",) if self.scale else ())


class Registry:
    """All kinds by group, version and plural. Reading is O(1); CRDs add and remove kinds."""

    def __init__(self, kinds: Iterable[Kind]) -> None:
        self._kinds: dict[tuple[str, str, str], Kind] = {}
        self._preferred: dict[str, str] = {}
        for kind in kinds:
            self.add(kind)

    def __iter__(self) -> Iterator[Kind]:
        return iter(self._kinds.values())

    def add(self, kind: Kind) -> None:
        """Serve `kind` from now on, in place of one of the same name."""
        group, version, _, plural, _ = kind.resource
        self._kinds[group, version, plural] = kind
        self._preferred.setdefault(kind.storage, version)

    def withdraw(self, storage: str) -> None:
        """Serve nothing of that storage any more."""
        self._kinds = {name: kind for name, kind in self._kinds.items() if kind.storage != storage}
        self._preferred.pop(storage, None)

    def find(self, group: str, version: str, plural: str) -> Kind | None:
        """The kind of that name, if it is served."""
        return self._kinds.get((group, version, plural))

    def is_built_in(self, group: str) -> bool:
        """Whether the server itself, and no definition, serves the group."""
        return any(kind.resource.group == group and not kind.custom for kind in self._kinds.values())

    def of(self, storage: str) -> Kind | None:
        """The kind that speaks for a storage."""
        return next((kind for kind in self._kinds.values() if kind.storage == storage), None)

    def versions(self) -> Mapping[str, list[str]]:
        """The versions of each group: built-in groups first, then those of definitions by name."""
        found: dict[str, list[str]] = {}
        for group, version, _ in sorted(self._kinds, key=lambda name: name[0] if self._kinds[name].custom else ""):
            versions = found.setdefault(group, [])
            if version not in versions:
                versions.append(version)
        return found

    def within(self, group: str, version: str) -> list[Kind]:
        """All kinds of one group and version."""
        return [kind for (of, at, _), kind in self._kinds.items() if (of, at) == (group, version)]
