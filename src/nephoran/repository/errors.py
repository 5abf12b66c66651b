"""What can go wrong between an intent and its commit, as types. No message of theirs carries a credential."""

from __future__ import annotations

from typing import ClassVar

from steady.backoff import ErrorType
from steady.errors import SteadyError


class RepositoryError(SteadyError):
    """Anything that the repository raises on purpose.

    `reason` is the one-word reason for a condition, `error_type` says how to wait, and `cause`, where there is one, for
    what others wait as well: one remote and one disk serve all intents.
    """

    reason: ClassVar[str] = "RepositoryFailed"
    error_type: ClassVar[ErrorType] = ErrorType.TRANSIENT
    cause: ClassVar[str] = ""

    @property
    def transient(self) -> bool:
        """Whether the same write may succeed later without anybody's doing."""
        return self.error_type is ErrorType.TRANSIENT


class UnsafePath(RepositoryError):
    """A namespace, a name or a file name is none, or its place in the repository holds something that is not ours."""

    reason = "UnsafePath"
    error_type = ErrorType.VALIDATION


class Stale(RepositoryError):
    """The object has changed or gone since the write was asked for; nothing was written."""

    reason = "Stale"


class ForeignDirectory(RepositoryError):
    """The directory of this intent belongs to another cluster; nothing was written."""

    reason = "ForeignDirectory"
    error_type = ErrorType.PERMANENT


class Refused(RepositoryError):
    """The remote declined this very change (a hook, a rule of the branch); the message is the remote's."""

    reason = "Refused"
    error_type = ErrorType.PERMANENT


class RemoteError(RepositoryError):
    """The remote did not take the commit, or did not say so in time: the outcome may be unknown."""

    reason = "RemoteError"


class RemoteUnavailable(RemoteError):
    """The remote cannot be reached, or is no repository."""

    reason = "RemoteUnavailable"


class AuthenticationFailed(RemoteError):
    """The remote does not accept our credentials or rights, or is not the host that it should be."""

    reason = "AuthenticationFailed"
    error_type = ErrorType.PERMANENT
    cause = "git credentials"


class StorageFull(RepositoryError):
    """No space (or no quota) is left, here or at the remote; nothing was written."""

    reason = "StorageFull"
    error_type = ErrorType.RESOURCE
    cause = "git storage"


class Corrupt(RepositoryError):
    """Objects of the repository are damaged or missing. A clone heals itself on the next write; an original cannot."""

    reason = "Corrupt"


class Closed(RepositoryError):
    """The repository is not open, or was left before this write was committed; nothing was written."""

    reason = "Closed"


class Moved(RepositoryError):
    """Somebody else's commit came first. Never leaves the repository: the writer applies its changes again."""
