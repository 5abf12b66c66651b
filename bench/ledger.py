"""A repository that only counts, where git takes no part in what is measured."""

from __future__ import annotations

import asyncio
import hashlib
from typing import Self

import msgspec

from nephoran.repository import Change, Commit, Record
from nephoran.repository.drift import Drift


class Ledger:
    """An IntentRepository without files: it keeps the record of each directory, and its commits are digests."""

    def __init__(self) -> None:
        self.head: str | None = None
        self.drift = Drift()
        self.records: dict[tuple[str, str], Record] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        return

    async def write(self, change: Change) -> Commit:
        """Note the record."""
        self.records[change.namespace, change.name] = msgspec.structs.replace(
            change.record, uid=change.uid, generation=change.generation
        )
        self.head = hashlib.sha1(change.record.digest.encode(), usedforsecurity=False).hexdigest()
        return Commit(self.head, changed=True)

    async def remove(self, namespace: str, name: str, uid: str) -> Commit | None:  # noqa: ARG002 - the protocol's
        """Forget the record."""
        self.records.pop((namespace, name), None)
        return None

    def record(self, namespace: str, name: str) -> Record | None:
        """The record that was noted."""
        return self.records.get((namespace, name))

    def contains(self, namespace: str, name: str, digest: str) -> bool:
        """Whether the record is of that digest."""
        record = self.record(namespace, name)
        return record is not None and record.digest == digest

    async def failed(self) -> None:
        """Never end: there is nothing to fail."""
        await asyncio.get_running_loop().create_future()
