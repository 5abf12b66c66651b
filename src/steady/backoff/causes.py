"""What errors of the environment have in common: whoever fails by the same cause is helped by the same cure."""

from __future__ import annotations

import errno

from steady import errors
from steady.backoff.classification import SPACE
from steady.backoff.config import ErrorType


def cause_of(error: BaseException, error_type: ErrorType) -> str:
    """The cause of an error of the environment, without any secret; nothing for an error of another kind.

    Of the environment are: 401 (one set of credentials), 403 and other refusals by verb, resource and namespace, a kind
    that the server does not have, TLS by host, space that is used up, and what says so itself by a `cause`. A cause may
    be wider than the trouble: those who wait for it take turns at trying, so nobody depends on another's cure.
    """
    if isinstance(error, errors.SteadyError) and isinstance(own := getattr(error, "cause", None), str) and own:
        return own
    if isinstance(error, errors.ApiError):
        return _of_answer(error, error_type)
    if isinstance(error, OSError) and error.errno in SPACE:
        return errno.errorcode[error.errno]
    return _of_place(error) if error_type is ErrorType.PERMANENT else ""


def _of_answer(error: errors.ApiError, error_type: ErrorType) -> str:
    method, _, path = error.request.partition(" ")
    if error.status == 401:
        return "credentials"
    if isinstance(error, errors.NotFound) and not error.details.get("name"):
        return f"no kind at {_collection(path)}"
    if error_type is ErrorType.PERMANENT:
        return f"{method} {_collection(path)}: {error.reason or error.status}"
    return ""


def _of_place(error: BaseException) -> str:
    where = getattr(error, "host", None) or getattr(error, "filename", None)
    kind = type(error).__name__
    return f"{kind} {where}" if isinstance(where, str) else kind


def _collection(path: str) -> str:
    """`path` without the object's name: all objects of a kind in one namespace are refused alike."""
    parts = path.strip("/").split("/")
    start = 2 if parts[0] == "api" else 3
    if len(parts) > start + 2 and parts[start] == "namespaces":
        start += 2
    return "/".join((*parts[: start + 1], *parts[start + 2 :]))
