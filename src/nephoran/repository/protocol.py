"""What a repository of intents is to those who write to it and read from it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Final, Protocol, Self

import msgspec

from nephoran.repository.drift import Drift

# What holds where the operator's owner says nothing.
BRANCH: Final = "main"
BASE: Final = "networkintents"
CLUSTER: Final = "default"
AUTHOR: Final = ("Nephoran", "nephoran@localhost")
PUSH_TIMEOUT: Final = 60.0  # seconds
FETCH_TIMEOUT: Final = 300.0  # seconds


def always() -> bool:
    """A change that nothing can outdate."""
    return True


class Adjustment(msgspec.Struct, frozen=True):
    """Another intent that shaped this directory (a `scale` of what this one deployed)."""

    name: str
    uid: str
    generation: int


class Record(msgspec.Struct, frozen=True, rename="camel"):
    """How a directory came about, stored in it as `intent.json`.

    `spec_digest` is of the spec that was interpreted, `interpretation` the JSON object that came out, `images` a digest
    of the images that the operator had configured for it, `digest` of the rendered files. `cluster`, `uid` and
    `generation` are set by the repository from the change.
    """

    spec_digest: str
    interpretation: msgspec.Raw
    renderer_version: str
    digest: str
    images: str = ""
    adjustments: tuple[Adjustment, ...] = ()
    cluster: str = ""
    uid: str = ""
    generation: int = 0


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """The wanted content of one intent's directory: exactly `files` and the record.

    `valid` is asked, on the event loop, whenever the change is about to be committed: do uid, generation and deletion
    still hold? `summary` is one line for the commit message.
    """

    namespace: str
    name: str
    uid: str
    generation: int
    files: Mapping[str, bytes]
    record: Record
    summary: str = ""
    valid: Callable[[], bool] = always


class Commit(msgspec.Struct, frozen=True):
    """The commit (full hexadecimal id) that the destination has; without `changed` the content was there before."""

    id: str
    changed: bool


class IntentRepository(Protocol):
    """Directories of intents under version control. Whatever is awaited ends only when the destination has it."""

    drift: Drift

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None: ...

    @property
    def head(self) -> str | None:
        """The commit last confirmed by the destination; None for an empty branch."""
        ...

    async def write(self, change: Change) -> Commit:
        """Make the directory what `change` says. Raises RepositoryError."""
        ...

    async def remove(self, namespace: str, name: str, uid: str) -> Commit | None:
        """Remove the directory; None if this cluster's `uid` has none there. Raises RepositoryError."""
        ...

    def record(self, namespace: str, name: str) -> Record | None:
        """The record at the confirmed head; None if there is none that can be read. Raises RepositoryError."""
        ...

    def contains(self, namespace: str, name: str, digest: str) -> bool:
        """Whether the directory, at the confirmed head, is this cluster's and of `digest`. Raises RepositoryError."""
        ...

    async def failed(self) -> None:
        """Wait until the repository dies of a defect, then raise it."""
        ...
