"""What type of error an exception is: by its class and code, then by `Status.reason`, words only where nothing else is.

A rule is an ErrorType or a function of the error. Rules are found by class once and remembered; what depends on the
error itself (a code, an errno) is read from it every time. Rules of other libraries are kept by name ("package.Class"),
so that nothing is imported for them.
"""

from __future__ import annotations

import errno
import re
import ssl
from collections.abc import Callable, Iterable, Mapping
from typing import Final, TypeAlias

import msgspec

from steady import errors
from steady.backoff.config import ErrorType

Rule: TypeAlias = ErrorType | Callable[[BaseException], ErrorType]
Rules: TypeAlias = Mapping[type[BaseException] | str, Rule]

_TRANSIENT, _PERMANENT, _RESOURCE = ErrorType.TRANSIENT, ErrorType.PERMANENT, ErrorType.RESOURCE
_THROTTLING, _VALIDATION = ErrorType.THROTTLING, ErrorType.VALIDATION

_CLASSES = 1024  # remembered; classes made at run time must not fill the memory

_CODES: Final[Mapping[int, ErrorType]] = {
    **dict.fromkeys((400, 411, 413, 414, 416, 417, 422, 428, 431), _VALIDATION),
    **dict.fromkeys((401, 402, 403, 405, 406, 407, 415, 426, 451, 501, 505, 506, 510, 511), _PERMANENT),
    **dict.fromkeys((404, 409, 410, 412, 423, 424, 507), _RESOURCE),
    **dict.fromkeys((408, 421, 425), _TRANSIENT),
    429: _THROTTLING,
}
"""RFC 9110 and its registry, by what can help; other 4xx are about the request, other 5xx pass."""

_REASONS: Final[Mapping[str, ErrorType]] = {
    # metav1.StatusReason of k8s.io/apimachinery 0.37.
    "Unauthorized": _PERMANENT,
    "Forbidden": _PERMANENT,
    "NotFound": _RESOURCE,
    "AlreadyExists": _RESOURCE,
    "Conflict": _RESOURCE,
    "Gone": _TRANSIENT,
    "Invalid": _VALIDATION,
    "ServerTimeout": _TRANSIENT,
    "StorageReadError": _TRANSIENT,
    "Timeout": _TRANSIENT,
    "TooManyRequests": _THROTTLING,
    "BadRequest": _VALIDATION,
    "MethodNotAllowed": _PERMANENT,
    "NotAcceptable": _PERMANENT,
    "RequestEntityTooLarge": _VALIDATION,
    "UnsupportedMediaType": _PERMANENT,
    "InternalError": _TRANSIENT,
    "Expired": _TRANSIENT,
    "ServiceUnavailable": _TRANSIENT,
}

_SPENT_SPACE: Final = ("ENOSPC", "EDQUOT", "EMFILE", "ENFILE", "ENOMEM", "ENOBUFS", "EUSERS", "ENOLCK", "EMLINK")
_REFUSED: Final = (
    "EACCES", "EPERM", "EROFS", "ENOTDIR", "EISDIR", "ELOOP", "ENAMETOOLONG", "EINVAL", "ENOSYS", "ENOTSUP",
    "EOPNOTSUPP", "EAFNOSUPPORT", "EPFNOSUPPORT", "EPROTONOSUPPORT", "ESOCKTNOSUPPORT", "ENOEXEC", "EXDEV", "EFBIG",
    "E2BIG", "EKEYEXPIRED", "EKEYREVOKED", "EKEYREJECTED", "ENOKEY", "EAUTH", "ENEEDAUTH", "ENOTCAPABLE",
)  # fmt: skip
_MISSING: Final = ("ENOENT", "EEXIST", "EBUSY", "ENOTEMPTY", "ENXIO", "ENODEV", "ETXTBSY")


def _numbers(names: Iterable[str]) -> frozenset[int]:
    """The platform's numbers of those names that it has."""
    return frozenset(getattr(errno, name) for name in names if hasattr(errno, name))


SPACE: Final = _numbers(_SPENT_SPACE)
"""Numbers of system errors that say that something is used up for all."""

_ERRNO: Final[Mapping[int, ErrorType]] = {
    **dict.fromkeys(SPACE | _numbers(_MISSING), _RESOURCE),
    **dict.fromkeys(_numbers(_REFUSED), _PERMANENT),
}

_WORDS: Final[tuple[tuple[str, re.Pattern[str], ErrorType], ...]] = tuple(
    (stem, re.compile(rf"\b{stem}{ending}\b"), error_type)
    for stem, ending, error_type in (
        ("rate limit", "(?:s|ed)?", _THROTTLING),
        ("throttl", "(?:e|ed|ing)", _THROTTLING),
        ("too many requests", "", _THROTTLING),
        ("unauthori", "[sz]ed", _PERMANENT),
        ("forbidden", "", _PERMANENT),
        ("authentication", "", _PERMANENT),
        ("permission denied", "", _PERMANENT),
        ("conflict", "", _RESOURCE),
        ("quota", "", _RESOURCE),
        ("capacity", "", _RESOURCE),
        ("invalid", "", _VALIDATION),
        ("validation", "", _VALIDATION),
        ("schema", "", _VALIDATION),
    )
)
"""Stems, which are quick to look for, the whole words that they begin, and what these say; the first one counts."""


def by_status(error: BaseException) -> ErrorType:
    """The type of an error that has an HTTP code (`status_code` or `status`); TRANSIENT where it has none."""
    return _of_code(_code(error)) or _TRANSIENT


def _code(error: BaseException) -> int:
    for name in ("status_code", "status"):
        code = getattr(error, name, None)
        if isinstance(code, int) and 400 <= code < 600:
            return code
    return 0


def _of_code(code: int) -> ErrorType | None:
    if not 400 <= code < 600:
        return None
    return _CODES.get(code, _VALIDATION if code < 500 else _TRANSIENT)


def _by_answer(error: BaseException) -> ErrorType:
    """An API server's answer: its code, and the reason where the code says nothing of its own."""
    if not isinstance(error, errors.ApiError):
        return _TRANSIENT
    if error.status in _CODES or error.status >= 500:
        return by_status(error)
    return _REASONS.get(error.reason) or by_status(error)


def _by_causes(error: BaseException) -> ErrorType:
    """A 403 of a namespace that is terminating is no question of rights: it ends with the namespace."""
    causes = error.details.get("causes") if isinstance(error, errors.ApiError) else None
    if isinstance(causes, list) and any(
        isinstance(cause, dict) and cause.get("reason") == "NamespaceTerminating" for cause in causes
    ):
        return _RESOURCE
    return _PERMANENT


def _by_errno(error: BaseException) -> ErrorType:
    return _ERRNO.get(getattr(error, "errno", None) or 0, _TRANSIENT)


def _by_words(error: BaseException) -> ErrorType:
    """A foreign error that no rule names: a code, if it has one, else whole words of its text."""
    if found := _of_code(_code(error)):
        return found
    text = str(error).lower()
    for stem, pattern, error_type in _WORDS:
        if stem in text and pattern.search(text):
            return error_type
    return _TRANSIENT


def _by_itself(error: BaseException) -> ErrorType:
    own = getattr(error, "error_type", None)
    if isinstance(own, ErrorType):
        return own
    return _applied(_nearest(type(error), _RULES) or _by_words, error)


_RULES: Final[Rules] = {
    errors.SteadyError: by_status,
    errors.ApiError: _by_answer,
    errors.TooManyRequests: _THROTTLING,
    errors.Throttled: _THROTTLING,
    errors.Unauthorized: _PERMANENT,
    errors.Forbidden: _by_causes,
    errors.NotFound: _RESOURCE,
    errors.Conflict: _RESOURCE,
    errors.AlreadyExists: _RESOURCE,
    errors.Expired: _TRANSIENT,
    errors.ServerError: by_status,
    errors.Invalid: _VALIDATION,
    errors.BadRequest: _by_answer,
    errors.DecodeError: _VALIDATION,
    errors.ConfigurationError: _PERMANENT,
    errors.TransportError: _TRANSIENT,
    errors.Untrusted: _PERMANENT,
    errors.NotLeader: _TRANSIENT,
    OSError: _by_errno,
    PermissionError: _PERMANENT,
    FileNotFoundError: _RESOURCE,
    FileExistsError: _RESOURCE,
    IsADirectoryError: _PERMANENT,
    NotADirectoryError: _PERMANENT,
    TimeoutError: _TRANSIENT,
    ConnectionError: _TRANSIENT,
    ssl.SSLError: _PERMANENT,
    ssl.SSLZeroReturnError: _TRANSIENT,
    ssl.SSLEOFError: _TRANSIENT,
    ssl.SSLSyscallError: _TRANSIENT,
    ssl.SSLWantReadError: _TRANSIENT,
    ssl.SSLWantWriteError: _TRANSIENT,
    EOFError: _TRANSIENT,
    MemoryError: _RESOURCE,
    msgspec.MsgspecError: _VALIDATION,
    ValueError: _VALIDATION,
    "aiohttp.ClientError": _TRANSIENT,
    "aiohttp.ClientResponseError": by_status,
    "aiohttp.TooManyRedirects": _PERMANENT,
    "aiohttp.ClientOSError": _by_errno,
    "aiohttp.ClientConnectorError": _by_errno,
    "aiohttp.ClientConnectorDNSError": _TRANSIENT,
    "aiohttp.ClientSSLError": _PERMANENT,
    "aiohttp.ServerFingerprintMismatch": _PERMANENT,
    "aiohttp.InvalidURL": _VALIDATION,
    "aiohttp.NonHttpUrlClientError": _VALIDATION,
    "aiohttp.RedirectClientError": _PERMANENT,
    "aiohttp.InvalidUrlRedirectClientError": _PERMANENT,
    "aiohttp.NonHttpUrlRedirectClientError": _PERMANENT,
    "aiohttp.WSMessageTypeError": _TRANSIENT,
    "aiohttp.WebSocketError": _TRANSIENT,
    "aiohttp.WSHandshakeError": _TRANSIENT,
    "aiohttp.HttpProcessingError": _TRANSIENT,
    "aiohttp.HTTPException": by_status,
    "aiohttp.TooManyMembersError": _TRANSIENT,
    "aiohttp.EofStream": _TRANSIENT,
    "aiohttp.LookupError": _TRANSIENT,
    "aiohttp.CleanupError": _TRANSIENT,
    "aiohttp.PayloadAccessError": _TRANSIENT,
    "aiohttp.RequestPayloadError": _TRANSIENT,
}


class Classifier:
    """Tells the type of an error.

    Order: what was registered here; what the error's class says of itself (`error_type`, an attribute or a property);
    the rules above; and for a foreign error that none of them names, a code it may carry, then whole words of its text.
    Among classes the nearest in the error's line of descent counts.
    """

    def __init__(self) -> None:
        self._registered: dict[type[BaseException] | str, Rule] = {}
        self._found: dict[type[BaseException], Rule] = {}

    def __call__(self, error: BaseException) -> ErrorType:
        """The type of `error`."""
        rule = self._found.get(type(error)) or self._rule(type(error))
        return rule if isinstance(rule, ErrorType) else rule(error)

    def register(self, exception: type[BaseException] | str, rule: Rule) -> None:
        """Use `rule` for `exception` and its subclasses."""
        self._registered[exception] = rule
        self._found.clear()

    def knows(self, error: BaseException) -> bool:
        """Whether a rule names the error's class: then its type is no guess."""
        return self._rule(type(error)) is not _by_words

    def _rule(self, kind: type[BaseException]) -> Rule:
        rule = self._found.get(kind)
        if rule is None:
            if len(self._found) >= _CLASSES:
                self._found.clear()
            rule = self._found[kind] = self._find(kind)
        return rule

    def _find(self, kind: type[BaseException]) -> Rule:
        if rule := _nearest(kind, self._registered):
            return rule
        if hasattr(kind, "error_type"):
            return _by_itself
        return _nearest(kind, _RULES) or _by_words


def _nearest(kind: type[BaseException], rules: Rules) -> Rule | None:
    for ancestor in kind.__mro__:
        if rule := rules.get(ancestor) or rules.get(_name(ancestor)):
            return rule
    return None


def _name(kind: type) -> str:
    """The class as "package.Class", wherever in its package the class is defined."""
    return f"{kind.__module__.partition('.')[0].lstrip('_')}.{kind.__name__}"


def _applied(rule: Rule, error: BaseException) -> ErrorType:
    return rule if isinstance(rule, ErrorType) else rule(error)
