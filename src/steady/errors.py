"""What can go wrong, as types: decided from an HTTP code and `Status.reason`, never from words in a message."""

from __future__ import annotations

import re

_CREDENTIALS = re.compile(r"(?<=://)[^/\s@]+@")
_TOKENS = re.compile(r"(?i)\b(bearer|token|password|secret|authorization)([=:\s]+)\S+")


def redacted(text: str) -> str:
    """`text` without credentials of URLs and headers."""
    return _TOKENS.sub(r"\1\2***", _CREDENTIALS.sub("***@", text))


class SteadyError(Exception):
    """Anything that this runtime raises on purpose."""


class ConfigurationError(SteadyError):
    """What the owner wrote (options, kubeconfig, environment) cannot be used; the message says which key and why."""


class DecodeError(SteadyError):
    """An object, or its spec or status, is not what its type declares; the message names the field."""


class NotLeader(SteadyError):
    """A write was refused by ourselves because leadership is not (or no longer provably) ours."""


class Throttled(SteadyError):
    """One object was written far more often than its causes explain; the next may go in `retry_after` seconds."""

    def __init__(self, message: str, retry_after: float) -> None:
        super().__init__(message)
        self.retry_after = retry_after


class TransportError(SteadyError):
    """No whole answer arrived."""


class Unreachable(TransportError):
    """The request provably never reached the server, so it may be repeated."""


class Untrusted(Unreachable):
    """TLS failed: the server is not provably the one that it should be, or does not take us for what we are."""


class Interrupted(TransportError):
    """The request may have reached the server: the outcome of a write is unknown."""


class ApiError(SteadyError):
    """The server answered with a failure.

    `status` is the HTTP code, `reason` the machine-readable `Status.reason`, `details` the decoded `Status.details`,
    `retry_after` the seconds of a `Retry-After` header (None without one), `request` the verb and path that failed.
    """

    def __init__(
        self,
        status: int,
        reason: str = "",
        message: str = "",
        *,
        details: dict[str, object] | None = None,
        retry_after: float | None = None,
        request: str = "",
    ) -> None:
        super().__init__(f"{request}: {status} {reason}: {message}" if request else f"{status} {reason}: {message}")
        self.status = status
        self.reason = reason
        self.message = message
        self.details = details or {}
        self.retry_after = retry_after
        self.request = request


class BadRequest(ApiError):
    """400, 405, 406, 413, 415: this request can never succeed."""


class Unauthorized(ApiError):
    """401: the credentials are not accepted."""


class Forbidden(ApiError):
    """403: the right is missing, or the namespace is terminating."""


class NotFound(ApiError):
    """404: no such object, or no such kind."""


class AlreadyExists(ApiError):
    """409 AlreadyExists."""


class Conflict(ApiError):
    """409 with any other reason: the object has changed, or another manager owns the field."""


class Expired(ApiError):
    """410: the resourceVersion or the continue token is too old."""


class Invalid(ApiError):
    """422: the object breaks its schema, or a JSON patch's test failed (then `details` is empty)."""


class TooManyRequests(ApiError):
    """429."""


class ServerError(ApiError):
    """5xx: the outcome of a write is unknown."""


_BY_STATUS: dict[int, type[ApiError]] = {
    401: Unauthorized,
    403: Forbidden,
    404: NotFound,
    409: Conflict,
    410: Expired,
    422: Invalid,
    429: TooManyRequests,
}


def api_error_type(status: int, reason: str) -> type[ApiError]:
    """The exception type for an HTTP `status` and a `Status.reason`."""
    if status == 409 and reason == "AlreadyExists":
        return AlreadyExists
    if status >= 500:
        return ServerError
    return _BY_STATUS.get(status, BadRequest)
