"""The operator's errors: every one of its own, of git's and of the language model's library has its place.

Whoever sees one of these tests fail after an upgrade has a new class to place: in `nephoran.failures`, and here.
"""

from __future__ import annotations

import re

import pytest

from nephoran.e2.ric import RicRefused
from nephoran.failures import LIBRARIES, backoff
from nephoran.repository.errors import AuthenticationFailed, StorageFull
from steady.backoff import BackoffConfig, BackoffStrategy, ErrorType, Outcome
from steady.backoff.causes import cause_of
from tests.unit.steady.exceptions import MISLEADING, bare, exceptions_of

TRANSIENT, PERMANENT, RESOURCE = ErrorType.TRANSIENT, ErrorType.PERMANENT, ErrorType.RESOURCE
THROTTLING, VALIDATION = ErrorType.THROTTLING, ErrorType.VALIDATION

OURS: dict[ErrorType, str] = {
    TRANSIENT: """RepositoryError Stale RemoteError RemoteUnavailable Corrupt Closed Moved RicUnavailable""",
    PERMANENT: "ForeignDirectory Refused AuthenticationFailed",
    RESOURCE: "StorageFull",
    VALIDATION: """UnsafePath AddressForbidden Refusal Rejected Meaningless Unplannable NotANamespace BadLine
        RicRefused""",
}

GIT: dict[ErrorType, str] = {
    # pygit2 1.21
    TRANSIENT: "GitError Passthrough",
    PERMANENT: "AuthError CertificateError",
    RESOURCE: "AlreadyExistsError AmbiguousError NotFoundError",
    VALIDATION: "InvalidError InvalidSpecError",
}

MODEL: dict[ErrorType, str] = {
    # openai 3.57; those of an answer go by its code (see below).
    TRANSIENT: """OpenAIError APIError APIConnectionError APITimeoutError APIResponseValidationError APIStatusError
        InternalServerError WebSocketConnectionClosedError WebSocketQueueFullError StreamAlreadyConsumed
        _TransientTokenExchangeError ResponsesWebSocketError ResponsesWebSocketBufferError ToolRunnerError
        DecisionsToolRunnerError ComputerUseError BrowserError BrowserCancelledError AgentFilePreparationError
        AgentFileStagingError AgentOutputParseError AgentTurnResultError""",
    PERMANENT: """AuthenticationError OAuthError PermissionDeniedError SubjectTokenProviderError
        InvalidWebhookSignatureError MutuallyExclusiveAuthError MissingDependencyError MissingStreamClassError
        APIRemovedInV1 _AmbiguousModuleClientUsageError""",
    RESOURCE: "NotFoundError ConflictError",
    THROTTLING: "RateLimitError",
    VALIDATION: "BadRequestError UnprocessableEntityError LengthFinishReasonError ContentFilterFinishReasonError",
}


def placed(table: dict[ErrorType, str]) -> dict[str, ErrorType]:
    """The table, by name."""
    return {name: error_type for error_type, text in table.items() for name in text.split()}


def classify(error: BaseException) -> ErrorType:
    """As the operator does."""
    return backoff().classify_error(error)


def test_every_error_of_the_operator_has_its_place() -> None:
    """Whatever its text says; RicRefused goes by the RIC's code."""
    found = {name.removeprefix("nephoran."): kind for name, kind in exceptions_of("nephoran").items()}
    table = placed(OURS)
    assert set(found) == set(table)
    for name, kind in found.items():
        error = RicRefused(MISLEADING, 400) if kind is RicRefused else bare(kind)
        assert classify(error) is table[name], name
        assert hasattr(kind, "error_type"), f"{name} does not say its type itself"


@pytest.mark.parametrize(("package", "table"), [("pygit2", GIT), ("openai", MODEL)])
def test_every_class_of_a_library_has_its_place(package: str, table: dict[ErrorType, str]) -> None:
    """All that the installed version can raise."""
    found = {name.removeprefix(f"{package}."): kind for name, kind in exceptions_of(package).items()}
    expected = placed(table)
    assert set(found) - set(expected) == set()
    for name, kind in found.items():
        assert classify(bare(kind)) is expected[name], name


@pytest.mark.parametrize("name", LIBRARIES)
def test_no_rule_names_a_class_that_does_not_exist(name: str) -> None:
    """A name with a typing error would place nothing."""
    assert name in exceptions_of(name.partition(".")[0])


@pytest.mark.parametrize(
    ("code", "expected"),
    [(400, VALIDATION), (401, PERMANENT), (403, PERMANENT), (404, RESOURCE), (409, RESOURCE), (422, VALIDATION)],
)
def test_a_refusal_of_the_ric_goes_by_its_code(code: int, expected: ErrorType) -> None:
    """And those that one RIC refuses wait for it together."""
    refused = RicRefused(MISLEADING, code, "RIC http://ric:38080")
    assert classify(refused) is expected
    assert cause_of(refused, expected) == "RIC http://ric:38080"


@pytest.mark.parametrize(
    ("code", "expected"), [(429, THROTTLING), (403, PERMANENT), (404, RESOURCE), (422, VALIDATION), (529, TRANSIENT)]
)
def test_an_answer_of_the_model_goes_by_its_code(code: int, expected: ErrorType) -> None:
    """Whichever class the library makes of it."""
    import openai

    assert classify(bare(openai.APIStatusError, status_code=code)) is expected


@pytest.mark.looptime
async def test_one_remote_and_one_disk_serve_all_intents() -> None:
    """So one intent tries for all of them."""
    for error, cause in ((AuthenticationFailed("denied"), "git credentials"), (StorageFull("full"), "git storage")):
        manager = backoff()
        for error_type in (PERMANENT, RESOURCE):
            manager.set_config(error_type, BackoffConfig(BackoffStrategy.CONSTANT, 30.0, 30.0, max_retries=0))
        waits = [manager.next_delay(key, error, release=lambda _: None) for key in "abc"]
        assert [wait.outcome for wait in waits] == [Outcome.PROBING, Outcome.PARKED, Outcome.PARKED]
        assert {wait.cause for wait in waits} == {cause}


def test_nothing_of_the_libraries_is_imported_to_place_it() -> None:
    """The rules are names, and every name is one of a package and a class."""
    assert all(re.fullmatch(r"(pygit2|openai)\._?[A-Z]\w+", name) for name in LIBRARIES)
