"""The local bare repository: reads and writes objects with libgit2, never the network."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TypeAlias

import pygit2
from pygit2.enums import ConfigLevel, FileMode

from nephoran.repository.errors import Corrupt, Moved, RepositoryError, StorageFull, UnsafePath
from nephoran.repository.messages import commit_message, one_line
from nephoran.repository.paths import RECORD_FILE
from nephoran.repository.protocol import Record
from nephoran.repository.requests import Request, decoded, foreign
from steady.errors import ConfigurationError

_LOCK = "nephoran.lock"
# Another git command holds a lock file for milliseconds; one this old (seconds) belongs to nobody.
_STALE_LOCK = 60.0
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_PROBE = bytes(2**20)

Edits: TypeAlias = "dict[str, Edits | pygit2.Oid | None]"
Applied = bool | RepositoryError


class Clone:
    """A bare repository in a directory of our own, kept for one process by a lock that dies with it.

    Not safe for threads: one instance is used by one thread at a time.
    """

    def __init__(self, path: Path, *, branch: str, base: Sequence[str], author: tuple[str, str]) -> None:
        self.path = path
        self._branch = branch
        self._ref = f"refs/heads/{branch}"
        self._base = tuple(base)
        self._author = author
        self._git: pygit2.Repository | None = None
        self._namespaces: tuple[pygit2.Oid | None, dict[str, pygit2.Tree | None]] = (None, {})

    def open(self, *, durable: bool) -> None:
        """Open, or make where there is none. `durable`: every object is synced to the disk. Raises Corrupt."""
        if self._git is not None:
            return
        _isolate()
        with translated(self.path):
            if not (self.path / "HEAD").exists():
                made = pygit2.init_repository(self.path, bare=True, initial_head=self._branch)
                made.config["core.fsyncObjectFiles"] = durable
            self._git = pygit2.Repository(str(self.path))

    def close(self) -> None:
        """Release all files."""
        if self._git is not None:
            self._git.free()
        self._git, self._namespaces = None, (None, {})

    def head(self) -> pygit2.Oid | None:
        """The commit of the branch, whose tree can be read; None for no commit. Raises Corrupt."""
        with translated(self.path):
            if self._ref not in self._repository.references:
                return None
            commit = self._repository.references[self._ref].peel(pygit2.Commit)
            self._directory(commit.tree, self._base)
            return commit.id

    def advance(self, commit: pygit2.Oid, parent: pygit2.Oid | None) -> None:
        """Move the branch from `parent` to `commit`. Raises Moved if it is elsewhere."""
        references = self._repository.references
        with translated(self.path):
            try:
                if parent is None:
                    references.create(self._ref, commit)
                    return
                reference = references[self._ref]
                if reference.target != parent:
                    raise Moved("another commit came first")
                # libgit2 compares with the target read above while it holds the lock of the file.
                reference.set_target(commit)
            except (pygit2.AlreadyExistsError, KeyError) as error:
                raise Moved("another commit came first") from error
            except pygit2.GitError as error:
                if "old reference value does not match" not in str(error):
                    raise
                raise Moved("another commit came first") from error

    def forget(self) -> None:
        """Remove the branch, as at the remote."""
        with translated(self.path):
            if self._ref in self._repository.references:
                self._repository.references.delete(self._ref)

    def changed(
        self, before: pygit2.Oid | None, after: pygit2.Oid | None, ours: Callable[[Record], bool]
    ) -> list[tuple[str, str]]:
        """The directories that are `ours` by their record at `before` and are not the same at `after`. Raises Corrupt.

        Nothing where the commit `before` is no longer there, for then nobody can tell.
        """
        with translated(self.path):
            if before is None or before not in self._repository:
                return []
            old, new = (self._directory(self._tree(head), self._base) for head in (before, after))
            return [
                (namespace, name)
                for namespace, was, now in _differing(old, new)
                for name, directory, _ in _differing(was, now)
                if (record := decoded(_content(directory))) and ours(record)
            ]

    def record(self, head: pygit2.Oid | None, namespace: str, name: str) -> Record | None:
        """The record of a directory at `head`; None without a readable one. Raises Corrupt."""
        with translated(self.path):
            return decoded(_content(self._directory(self._namespace(head, namespace), (name,))))

    def commit(
        self, head: pygit2.Oid | None, group: Sequence[Request], time: datetime
    ) -> tuple[pygit2.Oid | None, list[Applied]]:
        """Write the commit of `group` on `head`, without moving the branch; None if nothing differs.

        Says for each request whether it changed anything, or why it may not. Raises StorageFull, Corrupt.
        """
        with translated(self.path):
            root = self._tree(head)
            edits: Edits = {}
            applied = [self._applied(root, request, edits) for request in group]
            changed = [request for request, change in zip(group, applied, strict=True) if change is True]
            if not changed:
                return None, applied
            tree = self._grafted(root, edits) or self._repository.TreeBuilder().write()
            who = pygit2.Signature(*self._author, int(time.timestamp()), 0)
            parents = [] if head is None else [head]
            return self._repository.create_commit(None, who, who, commit_message(changed), tree, parents), applied

    @property
    def _repository(self) -> pygit2.Repository:
        if self._git is None:
            raise Corrupt(f"{self.path} is not open")
        return self._git

    def _tree(self, head: pygit2.Oid | None) -> pygit2.Tree | None:
        return None if head is None else self._repository[head].peel(pygit2.Tree)

    def _namespace(self, head: pygit2.Oid | None, namespace: str) -> pygit2.Tree | None:
        """The tree of a namespace, parsed once per head: libgit2 caches no tree of thousands of entries."""
        known, trees = self._namespaces
        if known != head:
            known, trees = self._namespaces = head, {}
        if namespace not in trees:
            trees[namespace] = self._directory(self._tree(head), (*self._base, namespace))
        return trees[namespace]

    def _directory(self, tree: pygit2.Tree | None, parts: Sequence[str]) -> pygit2.Tree | None:
        """The tree below `tree`; None if there is none. Links are objects like any other and never followed."""
        for depth, part in enumerate(parts, 1):
            if tree is None or part not in tree:
                return None
            entry = tree[part]
            if not isinstance(entry, pygit2.Tree):
                raise UnsafePath(f"{'/'.join(parts[:depth])} in the repository is not a directory; move it away")
            tree = entry
        return tree

    def _applied(self, root: pygit2.Tree | None, request: Request, edits: Edits) -> Applied:
        parts = (*self._base, request.namespace, request.name)
        try:
            standing = self._directory(root, parts)
        except UnsafePath as error:
            return error
        record = decoded(_content(standing))
        if request.files is None:
            if standing is None or not request.owns(record):
                return False
            _put(edits, parts, None)
            return True
        if record and (refusal := foreign(request, record)):
            return refusal
        tree = self._written(request.files)
        if standing is not None and standing.id == tree:
            return False
        _put(edits, parts, tree)
        return True

    def _written(self, files: Mapping[str, bytes]) -> pygit2.Oid:
        builder = self._repository.TreeBuilder()
        for file, content in files.items():
            builder.insert(file, self._repository.create_blob(content), FileMode.BLOB)
        return builder.write()

    def _grafted(self, tree: pygit2.Tree | None, edits: Edits) -> pygit2.Oid | None:
        """`tree` with `edits`; None if nothing is left."""
        builder = self._repository.TreeBuilder() if tree is None else self._repository.TreeBuilder(tree)
        for part, edit in edits.items():
            within = tree[part] if tree is not None and part in tree else None
            below = within if isinstance(within, pygit2.Tree) else None
            new = self._grafted(below, edit) if isinstance(edit, dict) else edit
            if new is not None:
                builder.insert(part, new, FileMode.TREE)
            elif within is not None:
                builder.remove(part)
        return builder.write() if len(builder) else None


@contextmanager
def owned(path: Path) -> Iterator[None]:
    """The directory `path`, made if missing, for one process. Raises ConfigurationError."""
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock = os.open(path / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
    except OSError as error:
        raise ConfigurationError(
            f"git directory {path}: {error.strerror}; give a directory that can be written"
        ) from error
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.utime(lock)
        yield
    except BlockingIOError as error:
        raise ConfigurationError(f"git directory {path} is in use by another process; give each its own") from error
    finally:
        os.close(lock)


def clear_stale_locks(path: Path, *, shared: bool) -> None:
    """Remove lock files of killed commands. `shared`: others may write here too, so only old ones."""
    now = (path / _LOCK).stat().st_mtime
    for lock in [*path.glob("*.lock"), *path.glob("refs/**/*.lock")]:
        if lock.name != _LOCK and (not shared or now - lock.stat().st_mtime > _STALE_LOCK):
            lock.unlink(missing_ok=True)


def emptied(path: Path) -> None:
    """Remove everything in a clone but the lock that makes it ours."""
    for entry in path.iterdir():
        if entry.name == _LOCK:
            continue
        if entry.is_dir() and not entry.is_symlink():
            shutil.rmtree(entry)
        else:
            entry.unlink()


@contextmanager
def translated(path: Path) -> Iterator[None]:
    """Errors of libgit2 and the disk as ours."""
    try:
        yield
    except RepositoryError:
        raise
    except (pygit2.GitError, OSError, KeyError, ValueError) as error:
        # libgit2 keeps a failed write's cause to itself ("no error"): ask the disk.
        if cause := _refusal(path):
            raise StorageFull(f"{path}: {cause}") from error
        raise Corrupt(f"{path}: {type(error).__name__}: {one_line(str(error))}") from error


def _refusal(path: Path) -> str | None:
    """Why the disk at `path` takes no file of a mebibyte; None if it does, or fails for another reason than space."""
    try:
        with tempfile.TemporaryFile(dir=path, buffering=0) as file:
            file.write(_PROBE)
            # A short write is the first sign of a full disk, its cause comes with the next.
            file.write(_PROBE[file.tell() :])
    except OSError as error:
        return error.strerror if error.errno in _FULL else None
    return None


def _isolate() -> None:
    """Leave the user's and the machine's git configuration unread; whose the directory is was settled by its lock."""
    for level in (ConfigLevel.SYSTEM, ConfigLevel.XDG, ConfigLevel.GLOBAL):
        pygit2.settings.search_path[level] = os.devnull
    pygit2.settings.owner_validation = False


def _put(edits: Edits, parts: Sequence[str], value: pygit2.Oid | None) -> None:
    for part in parts[:-1]:
        below = edits.setdefault(part, {})
        if not isinstance(below, dict):
            raise UnsafePath(f"{'/'.join(parts)} lies inside another intent's directory")
        edits = below
    edits[parts[-1]] = value


def _differing(
    old: pygit2.Tree | None, new: pygit2.Tree | None
) -> Iterator[tuple[str, pygit2.Tree, pygit2.Tree | None]]:
    """The directories of `old` that `new` does not have, or not like that: name, what was, what is."""
    for was in old or ():
        if not isinstance(was, pygit2.Tree) or was.name is None:
            continue
        now = new[was.name] if new is not None and was.name in new else None
        if now is None or now.id != was.id:
            yield was.name, was, now if isinstance(now, pygit2.Tree) else None


def _content(tree: pygit2.Tree | None) -> bytes | None:
    if tree is None or RECORD_FILE not in tree:
        return None
    blob = tree[RECORD_FILE]
    return blob.data if isinstance(blob, pygit2.Blob) else None
