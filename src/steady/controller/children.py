"""The objects that one object owns: made, changed and removed by comparison."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from functools import partial

import msgspec

from steady import errors
from steady.backoff import ErrorType
from steady.cache.store import Store, same_json
from steady.objects.children import Child
from steady.objects.keys import Key
from steady.objects.meta import ObjectMeta, OwnerReference
from steady.objects.raw import RawObject
from steady.writes import Writes

DIGEST = "steady.dev/content-digest"
_WIDEST = 16  # requests in parallel, at the end of a slow start


class ForeignOwner(errors.SteadyError):
    """The name of a child belongs to an object that is not ours."""

    reason = "NameTaken"
    error_type = ErrorType.RESOURCE


class Outcome(msgspec.Struct, frozen=True):
    """What `become` came to. `failures` maps the names of children to what went wrong; the rest was done."""

    created: tuple[str, ...] = ()
    updated: tuple[str, ...] = ()
    deleted: tuple[str, ...] = ()
    failures: dict[str, Exception] = {}

    @property
    def changed(self) -> int:
        """Children that a request was made for."""
        return len(self.created) + len(self.updated) + len(self.deleted)


class Family:
    """The children of one kind that one owner has. `labels` select the kind's watch, so every child gets them.

    `forced` writes again what only its mark, and not the cache, says to be as desired.
    """

    def __init__(
        self,
        store: Store,
        writes: Writes,
        owner: RawObject,
        labels: Mapping[str, str],
        *,
        metadata_only: bool,
        forced: bool = False,
    ) -> None:
        self._store = store
        self._writes = writes
        self._owner = owner
        self._labels = labels
        self._metadata_only = metadata_only
        self._forced = forced

    def members(self) -> list[RawObject]:
        """The children that exist, by name; ownership is by UID, never by label alone."""
        index = self._store.index("owner", owners)
        found = (self._store.get(key) for key in index[self._owner.metadata.uid])
        return sorted((obj for obj in found if obj), key=lambda obj: obj.metadata.name)

    def touched(self) -> frozenset[str]:
        """Names of those whose unwatched content somebody else may have changed since we wrote it."""
        return frozenset(child.metadata.name for child in self.members() if self._store.touched(child.key))

    async def apply(self, child: Child) -> bool:
        """Make one child exist as desired; False when it already did. Raises ForeignOwner, ApiError, TransportError."""
        key = Key(child.namespace or self._owner.metadata.namespace, child.name)
        existing = self._store.get(key)
        if existing is None:
            await self._create(child, key)
            return True
        if not self._ours(existing):
            owner = existing.metadata.controller
            whose = f"{owner.kind} {owner.name}" if owner else "nobody"
            raise ForeignOwner(f"{self._store.resource.kind} {key} exists and belongs to {whose}")
        if self._same(existing, child):
            return False
        await self._writes.merge(
            self._store,
            existing,
            child.content(),
            self._all_labels(child),
            self._all_annotations(child),
            self._owner.metadata.generation,
        )
        return True

    async def remove(self, child: RawObject) -> None:
        """Make one child go."""
        if not child.metadata.deleting:
            await self._writes.delete(self._store, child)

    async def become(self, desired: Sequence[Child], keep: Collection[str] = ()) -> Outcome:
        """Make `desired` exist, and else only what `keep` names, which stays as it is.

        What fails is reported; the rest is attempted, at the pace of a slow start.

        The slow start (1, 2, 4 … in parallel) bounds what a refusing server has to refuse: a round in which all
        failed ends it.
        """
        names = {child.name for child in desired}.union(keep)
        present = {child.metadata.name for child in self.members()}
        surplus = [child for child in self.members() if child.metadata.name not in names]
        needed = [child for child in desired if self._needed(child)]
        failures = await _slowly([(child.name, partial(self.apply, child)) for child in needed])
        failures |= await _slowly([(child.metadata.name, partial(self.remove, child)) for child in surplus])
        done = [child.name for child in needed if child.name not in failures]
        return Outcome(
            created=tuple(name for name in done if name not in present),
            updated=tuple(name for name in done if name in present),
            deleted=tuple(child.metadata.name for child in surplus if child.metadata.name not in failures),
            failures=failures,
        )

    def _needed(self, child: Child) -> bool:
        existing = self._store.get(Key(child.namespace or self._owner.metadata.namespace, child.name))
        return existing is None or not self._ours(existing) or not self._same(existing, child)

    def _ours(self, existing: RawObject) -> bool:
        owner = existing.metadata.controller
        return owner is not None and owner.uid == self._owner.metadata.uid

    def _same(self, existing: RawObject, child: Child) -> bool:
        if self._store.touched(existing.key):
            return False
        metadata = existing.metadata
        if not _within(self._all_labels(child), metadata.labels):
            return False
        if not _within(self._all_annotations(child), metadata.annotations):
            return False
        if self._metadata_only or child.marked:
            return not self._forced
        return all(
            same_json(msgspec.Raw(msgspec.json.encode(value)), getattr(existing, part))
            for part, value in child.content().items()
        )

    async def _create(self, child: Child, key: Key) -> None:
        owner = self._owner
        reference = OwnerReference(
            owner.api_version,
            owner.kind,
            owner.metadata.name,
            owner.metadata.uid,
            controller=True,
            block_owner_deletion=True,
        )
        metadata = ObjectMeta(
            name=key.name,
            namespace=key.namespace,
            labels=self._all_labels(child),
            annotations=self._all_annotations(child),
            owner_references=(reference,),
        )
        body = {
            "apiVersion": self._store.resource.api_version,
            "kind": self._store.resource.kind,
            "metadata": msgspec.to_builtins(metadata),
            **child.content(),
        }
        await self._writes.create(self._store, body)

    def _all_labels(self, child: Child) -> dict[str, str]:
        return {**child.labels, **self._labels}

    def _all_annotations(self, child: Child) -> dict[str, str]:
        if child.marked:
            return dict(child.annotations)
        return {**child.annotations, DIGEST: digest_of(child)}


def owners(obj: RawObject) -> tuple[str, ...]:
    """The UID of the object's controller: the index that finds children."""
    controller = obj.metadata.controller
    return (controller.uid,) if controller else ()


def digest_of(child: Child) -> str:
    """What tells one desired content from another."""
    encoded = msgspec.json.encode(child.content(), order="sorted")
    return hashlib.blake2b(encoded, digest_size=16).hexdigest()


def _within(wanted: Mapping[str, str], present: Mapping[str, str] | None) -> bool:
    return wanted.items() <= (present or {}).items()


async def _slowly(work: Sequence[tuple[str, Callable[[], Awaitable[object]]]]) -> dict[str, Exception]:
    failures: dict[str, Exception] = {}
    width, start = 1, 0
    while start < len(work):
        batch = work[start : start + width]
        results = await asyncio.gather(*(run() for _, run in batch), return_exceptions=True)
        failed = {
            name: result for (name, _), result in zip(batch, results, strict=True) if isinstance(result, Exception)
        }
        failures |= failed
        start += len(batch)
        if len(failed) == len(batch):
            error = next(iter(failed.values()))
            return failures | {name: error for name, _ in work[start:]}
        width = min(width * 2, _WIDEST)
    return failures
