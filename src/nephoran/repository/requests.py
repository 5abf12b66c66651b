"""A change as the writer queues it: checked, encoded, and with somebody waiting for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import msgspec

from nephoran.repository.errors import ForeignDirectory, RepositoryError, Stale
from nephoran.repository.paths import RECORD_FILE, check_directory, check_files
from nephoran.repository.protocol import Change, Commit, Record, always
from steady.trace import current

Outcome = Commit | RepositoryError


def _cause() -> str:
    trace = current()
    return trace.id if trace else ""


@dataclass(frozen=True, slots=True, eq=False)
class Request:
    """One directory's wanted `files` (None: gone), on behalf of `uid` in `cluster`, and the `future` of its caller.

    `cause` is the id of the reconcile that asks for it.
    """

    namespace: str
    name: str
    cluster: str
    uid: str
    files: Mapping[str, bytes] | None
    generation: int = 0
    digest: str = ""
    summary: str = ""
    valid: Callable[[], bool] = always
    cause: str = field(default_factory=_cause)
    future: asyncio.Future[Commit] = field(default_factory=lambda: asyncio.get_running_loop().create_future())

    @property
    def directory(self) -> tuple[str, str]:
        """Namespace and name."""
        return self.namespace, self.name

    def owns(self, standing: Record | None) -> bool:
        """Whether a directory with this record may be removed by us; one without a readable record may."""
        return standing is None or (standing.cluster == self.cluster and standing.uid == self.uid)

    def holds(self) -> bool:
        """Whether the request still stands; if not, its caller has been told (or has left)."""
        if self.future.done():
            return False
        try:
            if self.valid():
                return True
        except Exception as error:  # noqa: BLE001 - a caller's own code: its error belongs to the caller alone
            self.future.set_exception(error)
            return False
        self.settle(
            Stale(f"{self.namespace}/{self.name} has changed since generation {self.generation}; nothing written")
        )
        return False

    def settle(self, outcome: Commit | BaseException) -> None:
        """Tell the caller, unless it has left."""
        if self.future.done():
            return
        if isinstance(outcome, Commit):
            self.future.set_result(outcome)
            return
        self.future.set_exception(outcome)


def writing(change: Change, cluster: str) -> Request:
    """The request of a `write`. Raises UnsafePath."""
    check_directory(change.namespace, change.name)
    check_files(change.files)
    record = msgspec.structs.replace(change.record, cluster=cluster, uid=change.uid, generation=change.generation)
    return Request(
        namespace=change.namespace,
        name=change.name,
        cluster=cluster,
        uid=change.uid,
        files={**change.files, RECORD_FILE: encoded(record)},
        generation=change.generation,
        digest=record.digest,
        summary=change.summary,
        valid=change.valid,
    )


def removing(namespace: str, name: str, uid: str, cluster: str) -> Request:
    """The request of a `remove`. Raises UnsafePath."""
    check_directory(namespace, name)
    return Request(namespace=namespace, name=name, cluster=cluster, uid=uid, files=None)


def foreign(request: Request, standing: Record) -> ForeignDirectory | None:
    """Why `request` may not write over a directory with this record; None if it may."""
    if standing.cluster == request.cluster:
        return None
    return ForeignDirectory(
        f"{request.namespace}/{request.name} is of cluster {standing.cluster[:80]!r}, we are {request.cluster!r}: "
        "give each cluster its own git base or branch"
    )


def encoded(record: Record) -> bytes:
    """The record as a file: the same record gives the same bytes, also after it was read back."""
    return msgspec.json.format(msgspec.json.encode(record), indent=2) + b"\n"


def decoded(content: bytes | None) -> Record | None:
    """The record in a file; None if there is no file or it is no record."""
    if content is None:
        return None
    try:
        return _DECODER.decode(content)
    except msgspec.MsgspecError:
        return None


_DECODER = msgspec.json.Decoder(Record)
