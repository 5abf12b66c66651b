"""The same repository without git, threads or sockets: for operators on virtual time."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from types import TracebackType
from typing import Literal, Self

import msgspec

from nephoran.repository.drift import LOOKS, Drift
from nephoran.repository.errors import Moved, Refused, RepositoryError
from nephoran.repository.messages import commit_message
from nephoran.repository.paths import RECORD_FILE, check_directory
from nephoran.repository.protocol import CLUSTER, Change, Commit, Record
from nephoran.repository.requests import Outcome, Request, decoded, foreign, removing, writing
from nephoran.repository.writer import Landing, Writer
from steady.clock import Clock
from steady.intervals import Interval
from steady.tasks import Scope

Directory = tuple[str, str]
Tree = Mapping[Directory, Mapping[str, bytes]]
Point = Literal["before commit", "after commit", "before push", "after push"]
POINTS: tuple[Point, ...] = ("before commit", "after commit", "before push", "after push")


class MemoryCommit(msgspec.Struct, frozen=True, gc=False):
    """One commit: `changed` names the directories that differ from the parent's."""

    id: str
    parent: str | None
    message: str
    time: datetime
    changed: tuple[Directory, ...]


class MemoryRemote:
    """A branch that outlives its pushers. `hook` may decline a commit by returning the reason.

    `tree` holds all directories and their files as of the newest commit; earlier ones are not kept.
    """

    def __init__(self, hook: Callable[[MemoryCommit], str | None] | None = None) -> None:
        self.commits: list[MemoryCommit] = []
        self.tree: Tree = {}
        self.hook = hook

    @property
    def head(self) -> MemoryCommit | None:
        """The newest commit."""
        return self.commits[-1] if self.commits else None

    def push(self, commit: MemoryCommit, tree: Tree) -> None:
        """Take `commit`, whose directories are `tree`, if its parent is the head. Raises Moved, Refused."""
        if commit.parent != (self.head.id if self.head else None):
            raise Moved("another commit came first")
        if self.hook and (refusal := self.hook(commit)):
            raise Refused(refusal)
        self.commits.append(commit)
        self.tree = tree


def _no_fault(_: Point) -> None:
    return


class MemoryRepository:
    """An IntentRepository on a MemoryRemote: same queue, groups, checks and answers as with git.

    `fault` is called at every point of a group's way and may raise a RepositoryError (the write fails there) or
    anything else (the process dies there). A push takes `latency` seconds of the event loop's time. `looks` and `meter`
    are as with git.
    """

    def __init__(
        self,
        remote: MemoryRemote | None = None,
        *,
        clock: Clock,
        cluster: str = CLUSTER,
        latency: float = 0.0,
        fault: Callable[[Point], None] = _no_fault,
        looks: Interval = LOOKS,
        meter: Callable[[Landing], Landing] = lambda landing: landing,
    ) -> None:
        self.remote = remote or MemoryRemote()
        self.fault = fault
        self.latency = latency
        self._clock = clock
        self._cluster = cluster
        self._head: MemoryCommit | None = None
        self._tree: Tree = {}
        self._looks = looks
        self._meter = meter
        self._moves = 0
        self._sent: MemoryCommit | None = None
        self.drift = Drift()
        self._writer = Writer(self, is_open=False)
        self._scope = Scope("repository")

    async def __aenter__(self) -> Self:
        self._fetch()
        self._writer = Writer(self._meter(self))
        self._scope = await Scope("repository").__aenter__()
        self._scope.start(self._writer.run(), "writer")
        self._scope.start(self.drift.watch(self._looks, self._look), "drift")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        try:
            await self._writer.close(grace=self.latency + 1)
        finally:
            await self._scope.__aexit__(kind, error, tb)

    async def failed(self) -> None:
        """Wait until the repository dies of a defect, then raise it."""
        await self._scope.failed()

    @property
    def head(self) -> str | None:
        """The commit last confirmed; None for an empty branch."""
        return self._head.id if self._head else None

    @property
    def commits(self) -> Sequence[MemoryCommit]:
        """All commits of the remote, oldest first."""
        return self.remote.commits

    async def write(self, change: Change) -> Commit:
        """Make the directory what `change` says. Raises RepositoryError."""
        return await self._writer.submit(writing(change, self._cluster))

    async def remove(self, namespace: str, name: str, uid: str) -> Commit | None:
        """Remove the directory; None if this cluster's `uid` has none there. Raises RepositoryError."""
        commit = await self._writer.submit(removing(namespace, name, uid, self._cluster))
        return commit if commit.changed else None

    def record(self, namespace: str, name: str) -> Record | None:
        """The record at the confirmed head; None if there is none."""
        check_directory(namespace, name)
        return _record(self._tree, (namespace, name))

    def contains(self, namespace: str, name: str, digest: str) -> bool:
        """Whether the directory, at the confirmed head, is this cluster's and of `digest`."""
        record = self.record(namespace, name)
        return record is not None and record.cluster == self._cluster and record.digest == digest

    async def land(self, group: Sequence[Request]) -> Sequence[Outcome]:
        """Commit and push `group`. Raises Moved, Refused and what `fault` raises."""
        self._compare()
        self._fetch()
        if not group:
            return []
        self.fault("before commit")
        tree = dict(self._tree)
        outcomes = [_applied(tree, request) for request in group]
        if not (changed := [request for request, outcome in zip(group, outcomes, strict=True) if outcome is True]):
            return self._told(group, outcomes, self.head or "")
        commit = self._commit(tree, changed)
        self.fault("after commit")
        await self._push(commit, tree)
        return self._told(group, outcomes, commit.id)

    def _told(self, group: Sequence[Request], applied: Sequence[bool | RepositoryError], commit: str) -> list[Outcome]:
        for request, change in zip(group, applied, strict=True):
            if isinstance(change, bool):
                self.drift.settled(request.directory)
        return [_outcome(change, commit) for change in applied]

    async def _look(self) -> bool:
        """Have the remote's head looked up; whether others have moved it since the last time."""
        before = self._moves
        await self._writer.look()
        return self._moves > before

    def _compare(self) -> None:
        """Note what others have done to what is ours since the last fetch."""
        head = self.remote.head
        if self._head is None or head is self._head or (head and head is self._sent):
            return
        self._moves += 1
        self.drift.note(
            directory
            for directory, files in self._tree.items()
            if self.remote.tree.get(directory) != files
            and (record := _record(self._tree, directory))
            and record.cluster == self._cluster
        )

    def _fetch(self) -> None:
        self._head, self._tree = self.remote.head, self.remote.tree

    def _commit(self, tree: Tree, changed: Sequence[Request]) -> MemoryCommit:
        message, time = commit_message(changed), self._clock.now()
        directories = tuple(request.directory for request in changed)
        # The parent's id stands for all that has not changed.
        content = hashlib.sha1(f"{self.head}\n{time}\n{message}".encode(), usedforsecurity=False)
        for directory in directories:
            content.update("/".join(directory).encode())
            for path, data in sorted(tree.get(directory, {}).items()):
                content.update(f"\n{path} {len(data)}\n".encode())
                content.update(data)
        return MemoryCommit(content.hexdigest(), self.head, message, time, directories)

    async def _push(self, commit: MemoryCommit, tree: Tree) -> None:
        self.fault("before push")
        if self.latency:
            await asyncio.sleep(self.latency)
        self._sent = commit
        self.remote.push(commit, tree)
        self.fault("after push")
        self._fetch()


def _record(tree: Tree, directory: Directory) -> Record | None:
    return decoded(tree.get(directory, {}).get(RECORD_FILE))


def _applied(tree: dict[Directory, Mapping[str, bytes]], request: Request) -> bool | RepositoryError:
    """Whether `request` changed `tree`, or why it may not."""
    standing = _record(tree, request.directory)
    if request.files is None:
        return request.owns(standing) and tree.pop(request.directory, None) is not None
    if standing and (error := foreign(request, standing)):
        return error
    if tree.get(request.directory) == request.files:
        return False
    tree[request.directory] = request.files
    return True


def _outcome(applied: bool | RepositoryError, commit: str) -> Outcome:
    return applied if isinstance(applied, RepositoryError) else Commit(commit, changed=applied)
