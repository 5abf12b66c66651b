"""Intents in git: a local bare repository, and the remote that must confirm every commit."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Self, TypeVar

import pygit2

from nephoran.repository.clone import Applied, Clone, clear_stale_locks, emptied, owned
from nephoran.repository.drift import LOOKS, Drift
from nephoran.repository.errors import Closed, Corrupt, Refused, RepositoryError
from nephoran.repository.paths import check_branch, check_directory, checked_base
from nephoran.repository.protocol import (
    AUTHOR,
    BASE,
    BRANCH,
    CLUSTER,
    FETCH_TIMEOUT,
    PUSH_TIMEOUT,
    Change,
    Commit,
    Record,
)
from nephoran.repository.remote import PROTOCOLS, GitRemote
from nephoran.repository.requests import Outcome, Request, removing, writing
from nephoran.repository.writer import Landing, Writer
from steady.clock import Clock
from steady.intervals import Interval
from steady.tasks import Scope

_log = logging.getLogger("nephoran.repository")
T = TypeVar("T")


class Repository:
    """An IntentRepository in git. An async context manager.

    `work` is a directory of our own with a bare repository. Without a `remote` that repository is the destination
    itself, and what is made `durable` (the default) has every object synced to its disk. With a remote it is a clone
    that can be lost at any time: its branch is always the last head that the remote has confirmed, and what was never
    confirmed is forgotten.

    `remote` is an absolute path or a URL of one of `protocols`. The git configuration of user and machine is ignored;
    `config_global` names a file to read in its place (credential helpers, `core.sshCommand`, certificates).
    `push_timeout` and `fetch_timeout` are seconds. A remote that does not answer does not keep the repository from
    being entered: reads and writes raise until it does. `meter` is put around what lands the groups. At the interval
    `looks` the remote is asked whether others have changed what is ours, which `drift` then tells. Raises
    ConfigurationError for options that cannot work.
    """

    def __init__(
        self,
        remote: str | None,
        *,
        work: Path,
        clock: Clock,
        branch: str = BRANCH,
        base: str = BASE,
        cluster: str = CLUSTER,
        author: tuple[str, str] = AUTHOR,
        push_timeout: float = PUSH_TIMEOUT,
        fetch_timeout: float = FETCH_TIMEOUT,
        protocols: Sequence[str] = PROTOCOLS,
        config_global: Path | None = None,
        durable: bool = True,
        meter: Callable[[Landing], Landing] = lambda landing: landing,
        looks: Interval = LOOKS,
    ) -> None:
        check_branch(branch)
        work = work.absolute()
        self._work = work
        self._clock = clock
        self._cluster = cluster
        self._push_timeout = push_timeout
        self._meter = meter
        self._looks = looks
        self.drift = Drift()
        # A clone can be made anew at any time.
        self._durable = durable and remote is None
        parts = checked_base(base)
        # libgit2's objects are not shared between threads: one handle writes in the executor, one reads on the loop.
        self._writing = Clone(work, branch=branch, base=parts, author=author)
        self._reading = Clone(work, branch=branch, base=parts, author=author)
        self._remote = remote and GitRemote(
            remote,
            repository=work,
            branch=branch,
            timeout=push_timeout,
            fetch_timeout=fetch_timeout,
            protocols=protocols,
            config_global=config_global,
        )
        self._head: pygit2.Oid | None = None
        self._records: dict[tuple[str, str], Record | None] = {}
        self._trouble: RepositoryError | None = Closed("the repository is not open")
        self._unsure = False
        self._sent: pygit2.Oid | None = None
        self._moves = 0
        self._writer = Writer(self, is_open=False)

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            stack.enter_context(owned(self._work))
            stack.callback(self._close)
            self._executor = stack.enter_context(ThreadPoolExecutor(1, thread_name_prefix="repository"))
            clear_stale_locks(self._work, shared=self._remote is None)
            await self._enter()
            self._scope = await stack.enter_async_context(Scope("repository"))
            self._writer = Writer(self._meter(self))
            self._scope.start(self._writer.run(), "writer")
            if self._remote:
                self._scope.start(self.drift.watch(self._looks, self._look), "drift")
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        try:
            await self._writer.close(grace=self._push_timeout)
        finally:
            self._trouble = Closed("the repository has been left")
            await self._stack.__aexit__(kind, error, tb)

    async def failed(self) -> None:
        """Wait until the repository dies of a defect, then raise it."""
        await self._scope.failed()

    @property
    def head(self) -> str | None:
        """The commit last confirmed by the destination; None for an empty branch."""
        return str(self._head) if self._head else None

    async def write(self, change: Change) -> Commit:
        """Make the directory what `change` says. Raises RepositoryError."""
        return await self._writer.submit(writing(change, self._cluster))

    async def remove(self, namespace: str, name: str, uid: str) -> Commit | None:
        """Remove the directory; None if this cluster's `uid` has none there. Raises RepositoryError."""
        commit = await self._writer.submit(removing(namespace, name, uid, self._cluster))
        return commit if commit.changed else None

    def record(self, namespace: str, name: str) -> Record | None:
        """The record at the confirmed head; None if there is none that can be read.

        Raises RepositoryError while the remote's head is not known; each such call has it looked up once more.
        """
        check_directory(namespace, name)
        if self._trouble:
            self._writer.prod()
            raise type(self._trouble)(str(self._trouble))
        if (key := (namespace, name)) not in self._records:
            try:
                self._records[key] = self._reading.record(self._head, namespace, name)
            except Corrupt as error:
                self._trouble = error
                self._writer.prod()
                raise
        return self._records[key]

    def contains(self, namespace: str, name: str, digest: str) -> bool:
        """Whether the directory, at the confirmed head, is this cluster's and of `digest`. Raises RepositoryError."""
        record = self.record(namespace, name)
        return record is not None and record.cluster == self._cluster and record.digest == digest

    async def land(self, group: Sequence[Request]) -> Sequence[Outcome]:
        """Commit and push `group`; an empty one only has the destination's head looked up. Raises RepositoryError."""
        if not group or self._trouble or self._unsure or not self._remote:
            await self._synchronise()
        if not group:
            return []
        try:
            return await self._landed(group)
        except Corrupt as error:
            self._trouble = error
            await self._synchronise()
            return await self._landed(group)

    async def _landed(self, group: Sequence[Request]) -> Sequence[Outcome]:
        parent = self._head
        commit, applied = await self._run(lambda: self._writing.commit(parent, group, self._clock.now()))
        if commit is None:
            return self._told(group, applied, self.head or "")
        # Until the destination has said what became of the commit, the next attempt has to ask first.
        self._unsure, self._sent = True, commit
        try:
            if self._remote:
                await self._remote.push(str(commit), self.head)
            await self._run(lambda: self._writing.advance(commit, parent))
        except Refused:
            self._unsure = False
            raise
        self._confirm(commit)
        return self._told(group, applied, str(commit))

    def _told(self, group: Sequence[Request], applied: Sequence[Applied], commit: str) -> list[Outcome]:
        for request, change in zip(group, applied, strict=True):
            if isinstance(change, bool):
                self.drift.settled(request.directory)
        return [_outcome(change, commit) for change in applied]

    async def _look(self) -> bool:
        """Have the remote's head looked up; whether others have moved it since the last time."""
        before = self._moves
        await self._writer.look()
        return self._moves > before

    async def _enter(self) -> None:
        try:
            await self._synchronise()
        except RepositoryError as error:
            if not self._remote:
                raise
            _log.warning("git is not usable yet: %s: %s", type(error).__name__, error)

    async def _synchronise(self) -> None:
        """Learn the destination's head; a damaged clone is made anew, once. Raises RepositoryError."""
        try:
            if self._remote and isinstance(self._trouble, Corrupt):
                await self._discard()
            try:
                head = await self._looked_up()
            except Corrupt:
                if not self._remote:
                    raise
                await self._discard()
                head = await self._looked_up()
        except RepositoryError as error:
            if self._trouble:
                self._trouble = error
            raise
        await self._compare(head)
        self._confirm(head)

    async def _compare(self, head: pygit2.Oid | None) -> None:
        """Note what others have done since the head that was confirmed; our own commit may have arrived after all."""
        before = self._head
        if before is None or head == before or (head is not None and head == self._sent):
            return
        self._moves += 1
        self.drift.note(await self._run(lambda: self._writing.changed(before, head, self._is_ours)))

    def _is_ours(self, record: Record) -> bool:
        return record.cluster == self._cluster

    async def _looked_up(self) -> pygit2.Oid | None:
        """The destination's head, with all that it needs, as the local branch. Raises RepositoryError."""
        self._reading.open(durable=self._durable)
        await self._run(lambda: self._writing.open(durable=self._durable))
        head = await self._run(self._writing.head)
        if not self._remote or (wanted := await self._remote.head()) == (str(head) if head else None):
            return head
        if wanted is None:
            return await self._run(self._writing.forget)
        await self._remote.fetch()
        return await self._run(self._writing.head)

    async def _discard(self) -> None:
        _log.warning("the clone in %s is damaged: it is made anew", self._work)
        self._close()
        await self._run(lambda: emptied(self._work))

    def _close(self) -> None:
        self._reading.close()
        self._writing.close()

    async def _run(self, work: Callable[[], T]) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, work)

    def _confirm(self, head: pygit2.Oid | None) -> None:
        self._trouble, self._unsure, self._sent = None, False, None
        if head != self._head:
            self._head = head
            self._records.clear()


def _outcome(applied: Applied, commit: str) -> Outcome:
    return applied if isinstance(applied, RepositoryError) else Commit(commit, changed=applied)
