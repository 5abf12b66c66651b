"""The classifier: every reason, code and exception class of what the runtime stands on has its place.

Whoever sees one of the enumerating tests fail after an upgrade has a new class or reason to place: in
`steady.backoff.classification`, and here.
"""

from __future__ import annotations

import builtins
import errno
import http
import re
import socket
import ssl

import pytest

from steady import errors
from steady.backoff import BackoffManager, ErrorType, by_status
from steady.client.client import error_of
from steady.controller.children import ForeignOwner
from tests.unit.steady.exceptions import MISLEADING, bare, exceptions_of

TRANSIENT, PERMANENT, RESOURCE = ErrorType.TRANSIENT, ErrorType.PERMANENT, ErrorType.RESOURCE
THROTTLING, VALIDATION = ErrorType.THROTTLING, ErrorType.VALIDATION

REASONS: dict[str, tuple[int, ErrorType]] = {
    # All constants of metav1.StatusReason, k8s.io/apimachinery v0.37.0, pkg/apis/meta/v1/types.go, with their codes.
    "": (500, TRANSIENT),
    "Unauthorized": (401, PERMANENT),
    "Forbidden": (403, PERMANENT),
    "NotFound": (404, RESOURCE),
    "AlreadyExists": (409, RESOURCE),
    "Conflict": (409, RESOURCE),
    "Gone": (410, TRANSIENT),
    "Invalid": (422, VALIDATION),
    "ServerTimeout": (500, TRANSIENT),
    "StorageReadError": (500, TRANSIENT),
    "Timeout": (504, TRANSIENT),
    "TooManyRequests": (429, THROTTLING),
    "BadRequest": (400, VALIDATION),
    "MethodNotAllowed": (405, PERMANENT),
    "NotAcceptable": (406, PERMANENT),
    "RequestEntityTooLarge": (413, VALIDATION),
    "UnsupportedMediaType": (415, PERMANENT),
    "InternalError": (500, TRANSIENT),
    "Expired": (410, TRANSIENT),
    "ServiceUnavailable": (503, TRANSIENT),
}

CODES: dict[ErrorType, set[int]] = {
    # Every 4xx and 5xx of http.HTTPStatus, and 430, 440, 530, which nobody has registered.
    TRANSIENT: {408, 421, 425, 500, 502, 503, 504, 508, 530},
    PERMANENT: {401, 402, 403, 405, 406, 407, 415, 426, 451, 501, 505, 506, 510, 511},
    RESOURCE: {404, 409, 410, 412, 423, 424, 507},
    THROTTLING: {429},
    VALIDATION: {400, 411, 413, 414, 416, 417, 418, 422, 428, 430, 431, 440},
}

ERRNO: dict[ErrorType, str] = {
    RESOURCE: """ENOSPC EDQUOT EMFILE ENFILE ENOMEM ENOBUFS EUSERS ENOLCK EMLINK ENOENT EEXIST EBUSY ENOTEMPTY ENXIO
        ENODEV ETXTBSY""",
    PERMANENT: """EACCES EPERM EROFS ENOTDIR EISDIR ELOOP ENAMETOOLONG EINVAL ENOSYS ENOTSUP EOPNOTSUPP EAFNOSUPPORT
        EPFNOSUPPORT EPROTONOSUPPORT ESOCKTNOSUPPORT ENOEXEC EXDEV EFBIG E2BIG EKEYEXPIRED EKEYREVOKED EKEYREJECTED
        ENOKEY EAUTH ENEEDAUTH ENOTCAPABLE""",
    TRANSIENT: """EADDRINUSE EADDRNOTAVAIL EADV EAGAIN EALREADY EBADARCH EBADE EBADEXEC EBADF EBADFD EBADMACHO EBADMSG
        EBADR EBADRPC EBADRQC EBADSLT EBFONT ECANCELED ECHILD ECHRNG ECOMM ECONNABORTED ECONNREFUSED ECONNRESET EDEADLK
        EDEADLOCK EDESTADDRREQ EDEVERR EDOM EDOTDOT EFAULT EFTYPE EHOSTDOWN EHOSTUNREACH EHWPOISON EIDRM EILSEQ
        EINPROGRESS EINTR EIO EISCONN EISNAM EL2HLT EL2NSYNC EL3HLT EL3RST ELIBACC ELIBBAD ELIBEXEC ELIBMAX ELIBSCN
        ELNRNG EMEDIUMTYPE EMSGSIZE EMULTIHOP ENAVAIL ENETDOWN ENETRESET ENETUNREACH ENOANO ENOATTR ENOCSI ENODATA
        ENOLINK ENOMEDIUM ENOMSG ENONET ENOPKG ENOPOLICY ENOPROTOOPT ENOSR ENOSTR ENOTACTIVE ENOTBLK ENOTCONN ENOTNAM
        ENOTRECOVERABLE ENOTSOCK ENOTTY ENOTUNIQ EOVERFLOW EOWNERDEAD EPIPE EPROCLIM EPROCUNAVAIL EPROGMISMATCH
        EPROGUNAVAIL EPROTO EPROTOTYPE EPWROFF EQFULL ERANGE EREMCHG EREMOTE EREMOTEIO ERESTART ERFKILL ERPCMISMATCH
        ESHLIBVERS ESHUTDOWN ESPIPE ESRCH ESRMNT ESTALE ESTRPIPE ETIME ETIMEDOUT ETOOMANYREFS EUCLEAN EUNATCH
        EWOULDBLOCK EXFULL""",
}

SYSTEM: dict[ErrorType, str] = {
    # Classes of builtins, socket and ssl that are OSErrors; those with an errno go by it (see ERRNO).
    TRANSIENT: """OSError BlockingIOError ChildProcessError ConnectionError BrokenPipeError ConnectionAbortedError
        ConnectionRefusedError ConnectionResetError InterruptedError ProcessLookupError TimeoutError gaierror herror
        SSLZeroReturnError SSLWantReadError SSLWantWriteError SSLSyscallError SSLEOFError""",
    PERMANENT: """PermissionError IsADirectoryError NotADirectoryError SSLError SSLCertVerificationError""",
    RESOURCE: """FileExistsError FileNotFoundError""",
}

AIOHTTP: dict[ErrorType, str] = {
    # aiohttp 3.14; the answers of aiohttp.web (HTTPNotFound …) go by their codes (see CODES).
    TRANSIENT: """ClientError ClientConnectionError ClientConnectionResetError ClientConnectorDNSError
        ClientConnectorError ClientHttpProxyError ClientOSError ClientPayloadError ClientProxyConnectionError
        ClientResponseError ConnectionTimeoutError ContentTypeError ServerConnectionError ServerDisconnectedError
        ServerTimeoutError SocketTimeoutError UnixClientConnectorError UploadAbortedError WSMessageTypeError
        WSServerHandshakeError WSHandshakeError WebSocketError BadHttpMessage BadHttpMethod BadStatusLine
        ContentEncodingError ContentLengthError DecompressSizeError HttpBadRequest HttpProcessingError InvalidHeader
        InvalidURLError LineTooLong PayloadEncodingError TransferEncodingError TooManyMembersError EofStream
        LookupError CleanupError PayloadAccessError RequestPayloadError""",
    PERMANENT: """ClientConnectorCertificateError ClientConnectorSSLError ClientSSLError ServerFingerprintMismatch
        TooManyRedirects RedirectClientError InvalidUrlRedirectClientError NonHttpUrlRedirectClientError""",
    VALIDATION: """InvalidURL InvalidUrlClientError NonHttpUrlClientError""",
}

MSGSPEC = {VALIDATION: "MsgspecError DecodeError ValidationError EncodeError"}


def placed(table: dict[ErrorType, str]) -> dict[str, ErrorType]:
    """The table, by name; no name twice."""
    names = [(name, error_type) for error_type, text in table.items() for name in text.split()]
    assert len(dict(names)) == len(names)
    return dict(names)


def classify(error: BaseException) -> ErrorType:
    """As a manager of its own does."""
    return BackoffManager().classify_error(error)


@pytest.mark.parametrize("reason", REASONS, ids=lambda reason: reason or "none")
def test_every_reason_of_the_api_server_has_its_place(reason: str) -> None:
    """With its code, and alone, where a watch tells it without one; whatever the message says."""
    code, expected = REASONS[reason]
    assert classify(error_of(code, reason, MISLEADING)) is expected
    assert classify(error_of(code, reason, "")) is expected
    if reason:
        assert classify(error_of(0, reason, MISLEADING)) is expected


def test_the_code_counts_before_the_reason() -> None:
    """A reason clarifies a code but does not override it."""
    assert classify(error_of(403, "Invalid", "")) is PERMANENT
    assert classify(error_of(500, "Invalid", "")) is TRANSIENT
    assert classify(error_of(422, "TooManyRequests", "")) is VALIDATION
    assert classify(error_of(400, "Forbidden", "")) is VALIDATION
    assert classify(error_of(405, "Invalid", "")) is PERMANENT
    assert classify(error_of(418, "Forbidden", "")) is PERMANENT


def test_a_namespace_that_terminates_refuses_for_no_want_of_rights() -> None:
    """A 403 with that cause ends with the namespace: it is not probed as a right would be."""
    causes = {"causes": [{"reason": "NamespaceTerminating", "message": MISLEADING}]}
    assert classify(error_of(403, "Forbidden", MISLEADING, details=causes)) is RESOURCE
    other = {"causes": [{"reason": "FieldValueInvalid"}, "text", 7]}
    assert classify(error_of(403, "Forbidden", MISLEADING, details=other)) is PERMANENT


def test_every_http_code_has_its_place() -> None:
    """All that Python knows, on errors of other libraries and on the API server's answers."""
    known = {code: error_type for error_type, codes in CODES.items() for code in codes}
    assert {status.value for status in http.HTTPStatus if status >= 400} <= set(known)

    class Answer(Exception):
        status_code = 0

    class Other(Exception):
        status = 0

    for code, expected in known.items():
        assert classify(bare(Answer, status_code=code)) is expected, code
        assert classify(bare(Other, status=code)) is expected, code
        answered = TRANSIENT if code == 410 else expected  # a resourceVersion that is too old is read again
        assert classify(error_of(code, "", MISLEADING)) is answered, code


@pytest.mark.parametrize("code", [0, -1, 200, 302, 399, 600, None, "404"])
def test_what_is_no_failure_of_http_is_no_code(code: object) -> None:
    """Then the text of a foreign error is all there is."""

    class Answer(Exception):
        status_code = code

    assert classify(Answer("it rests")) is TRANSIENT
    assert classify(Answer("the rate limit")) is THROTTLING
    assert by_status(Answer("the rate limit")) is TRANSIENT


def test_every_errno_has_its_place() -> None:
    """All that the platform knows, Linux and macOS."""
    table = placed(ERRNO)
    assert {name for name in errno.errorcode.values() if name not in table} == set()
    for number, name in errno.errorcode.items():
        assert classify(OSError(number, MISLEADING)) is table[name], name


def test_every_system_error_has_its_place() -> None:
    """OSError and its subclasses in builtins, socket and ssl."""
    found = {
        value.__name__: value
        for module in (builtins, socket, ssl)
        for value in vars(module).values()
        if isinstance(value, type) and issubclass(value, OSError)
    }
    found.pop("_GiveupOnSendfile", None)  # socket's own signal to itself, an Exception
    table = placed(SYSTEM)
    assert set(found) == set(table)
    for name, kind in found.items():
        assert classify(bare(kind)) is table[name], name


def test_every_class_of_the_http_library_has_its_place() -> None:
    """Of aiohttp; answers by their code."""
    from aiohttp.web import HTTPException

    codes = {code: error_type for error_type, known in CODES.items() for code in known}
    table = {f"aiohttp.{name}": error_type for name, error_type in placed(AIOHTTP).items()}
    found = exceptions_of("aiohttp")
    answers = {name: kind for name, kind in found.items() if issubclass(kind, HTTPException)}
    assert set(found) - set(answers) == set(table)
    for name, error_type in table.items():
        assert classify(bare(found[name])) is error_type, name
    for name, kind in answers.items():
        code = getattr(kind, "status_code", -1)
        assert classify(bare(kind)) is (codes[code] if code >= 400 else TRANSIENT), name


def test_an_answer_of_the_http_library_goes_by_its_code() -> None:
    """Every class that has a status."""
    from aiohttp import ClientHttpProxyError, ClientResponseError, ContentTypeError, WSServerHandshakeError

    for kind in (ClientResponseError, ClientHttpProxyError, ContentTypeError, WSServerHandshakeError):
        assert classify(bare(kind, status=403)) is PERMANENT
        assert classify(bare(kind, status=429)) is THROTTLING
        assert classify(bare(kind, status=503)) is TRANSIENT


def test_a_connection_that_the_system_refuses_goes_by_its_errno() -> None:
    """Of an aiohttp error as of any other."""
    from aiohttp import ClientOSError

    assert classify(ClientOSError(errno.EMFILE, MISLEADING)) is RESOURCE
    assert classify(ClientOSError(errno.ECONNREFUSED, MISLEADING)) is TRANSIENT


def test_every_class_of_the_json_library_has_its_place() -> None:
    """Of msgspec: what cannot be parsed is the content's fault."""
    table = {f"msgspec.{name}": error_type for name, error_type in placed(MSGSPEC).items()}
    found = exceptions_of("msgspec")
    assert set(found) == set(table)
    for name, kind in found.items():
        assert classify(bare(kind)) is table[name], name


OURS: dict[ErrorType, str] = {
    TRANSIENT: "SteadyError Gone Silence NotLeader TransportError Unreachable Interrupted Expired ServerError",
    PERMANENT: "ConfigurationError Unauthorized Forbidden Untrusted SchemaError",
    RESOURCE: "NotFound Conflict AlreadyExists ForeignOwner",
    THROTTLING: "Throttled TooManyRequests",
    VALIDATION: "DecodeError Invalid BadRequest ApiError",
}


def test_every_error_of_the_runtime_has_its_place() -> None:
    """Whatever its text says. The queue's end is no failure, and the embedded server's errors never get here."""
    outside = re.compile(r"^steady\.(apiserver|testing|queue)\b")
    found = {
        name.removeprefix("steady."): kind
        for name, kind in exceptions_of("steady").items()
        if not outside.match(kind.__module__)
    }
    table = placed(OURS)
    assert set(found) == set(table)
    for name, kind in found.items():
        error = bare(kind)
        if isinstance(error, errors.ApiError):
            error = kind(500 if kind is errors.ServerError else 400, "", MISLEADING)
        assert classify(error) is table[name], name


def test_the_name_of_a_child_that_belongs_to_another_waits_for_that_one() -> None:
    """The error says so itself."""
    assert classify(ForeignOwner(MISLEADING)) is RESOURCE


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("the rate limit is reached", THROTTLING),
        ("Too Many Requests", THROTTLING),
        ("request was throttled", THROTTLING),
        ("FORBIDDEN", PERMANENT),
        ("Permission denied (publickey)", PERMANENT),
        ("capacity is exhausted", RESOURCE),
        ("exceeded quota: pods", RESOURCE),
        ("Invalid value", VALIDATION),
        ("networkintents are tried", TRANSIENT),
        ("information is missing", TRANSIENT),
        ("could not find the requested resource", TRANSIENT),
        ("conflicting reschema, unforbidden aquota invalidated", TRANSIENT),
        ("", TRANSIENT),
    ],
)
def test_whole_words_of_a_foreign_error_are_the_last_resort(text: str, expected: ErrorType) -> None:
    """In any case, and never a part of a word."""
    assert classify(RuntimeError(text)) is expected


def test_what_was_registered_counts_before_everything() -> None:
    """Of this manager only; the nearest class decides, whatever the order of registration."""
    manager, other = BackoffManager(), BackoffManager()
    assert manager.classify_error(PermissionError()) is PERMANENT
    manager.register(PermissionError, VALIDATION)
    manager.register(OSError, THROTTLING)
    assert manager.classify_error(PermissionError()) is VALIDATION
    assert manager.classify_error(ConnectionResetError()) is THROTTLING
    assert other.classify_error(PermissionError()) is PERMANENT


def test_a_class_can_be_registered_by_name_and_by_a_function() -> None:
    """For libraries that need not be installed, and for errors that carry a code."""
    manager = BackoffManager()
    manager.register("tests.Answer", by_status)

    class Answer(Exception):
        status = 404

    Answer.__module__ = "tests.somewhere.deep"
    assert manager.classify_error(Answer(MISLEADING)) is RESOURCE


def test_an_error_may_say_its_type_itself() -> None:
    """By an attribute of its class or a property; a foreign attribute of that name that is no type says nothing."""

    class Own(errors.Invalid):
        error_type = RESOURCE

    class Asked(errors.SteadyError):
        @property
        def error_type(self) -> ErrorType:
            return THROTTLING if self.args[0] else PERMANENT

    class Foreign(ConnectionError):
        error_type = "permanent-ish"

    assert classify(Own(422)) is RESOURCE
    assert (classify(Asked(1)), classify(Asked(0))) == (THROTTLING, PERMANENT)
    assert classify(Foreign(MISLEADING)) is TRANSIENT
    manager = BackoffManager()
    manager.register(Own, TRANSIENT)
    assert manager.classify_error(Own(422)) is TRANSIENT


def test_classes_made_at_run_time_do_not_fill_the_memory() -> None:
    """What is remembered by class is bounded."""
    manager = BackoffManager()
    for number in range(3000):
        assert manager.classify_error(type(f"Made{number}", (ConnectionError,), {})()) is TRANSIENT
    assert len(manager._classifier._found) <= 1024
