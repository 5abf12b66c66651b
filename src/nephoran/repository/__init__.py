"""Git as the destination of intents: one writer, group commits, and nothing said before the remote has it."""

from nephoran.repository.errors import (
    AuthenticationFailed,
    Closed,
    Corrupt,
    ForeignDirectory,
    Refused,
    RemoteError,
    RemoteUnavailable,
    RepositoryError,
    Stale,
    StorageFull,
    UnsafePath,
)
from nephoran.repository.protocol import Adjustment, Change, Commit, IntentRepository, Record
from nephoran.repository.repository import Repository

__all__ = [
    "Adjustment",
    "AuthenticationFailed",
    "Change",
    "Closed",
    "Commit",
    "Corrupt",
    "ForeignDirectory",
    "IntentRepository",
    "Record",
    "Refused",
    "RemoteError",
    "RemoteUnavailable",
    "Repository",
    "RepositoryError",
    "Stale",
    "StorageFull",
    "UnsafePath",
]
