"""Backoff: who waits for whom once retries are spent, on virtual time."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Hashable
from functools import partial

import pytest

from steady import errors
from steady.backoff import BackoffConfig, BackoffManager, BackoffStrategy, ErrorType, Outcome, Wait
from steady.backoff.causes import cause_of

pytestmark = pytest.mark.looptime

CONFIGMAPS = "/api/v1/namespaces/default/configmaps"
FORBIDDEN = errors.Forbidden(403, "Forbidden", request=f"POST {CONFIGMAPS}")
SECRETS = errors.Forbidden(403, "Forbidden", request="POST /api/v1/namespaces/default/secrets")
LOST = errors.Interrupted("lost")
INVALID = errors.Invalid(422, "Invalid", details={"name": "a"})


class Tries:
    """A manager whose retries are spent from the start, and what it releases, as a queue would see it."""

    def __init__(self, *, max_retries: int = 0, max_delay: float = 30.0) -> None:
        config = {
            kind: BackoffConfig(BackoffStrategy.CONSTANT, 1.0, max_delay, jitter=False, max_retries=max_retries)
            for kind in ErrorType
        }
        self.manager = BackoffManager(config)
        self.released: list[tuple[Hashable, float]] = []

    def fail(self, key: Hashable, error: Exception = FORBIDDEN, *, hold: bool | None = None) -> Wait:
        """One failure of a key that can be woken."""
        return self.manager.next_delay(key, error, release=partial(self._released, key), hold=hold)

    def outcomes(self, *keys: Hashable) -> list[Outcome | None]:
        """What the keys wait for."""
        waits = [self.manager.explain(key) for key in keys]
        return [wait.outcome if wait else None for wait in waits]

    def taken(self) -> list[tuple[Hashable, float]]:
        """What was released since the last look."""
        released, self.released = self.released, []
        return released

    def _released(self, key: Hashable, delay: float) -> None:
        self.released.append((key, round(delay, 3)))


# Errors of the environment.


async def test_the_first_key_probes_and_the_others_wait_for_it() -> None:
    """One tries every 30 s; nobody else does."""
    tries = Tries()
    first = tries.fail("a")
    assert (first.outcome, first.seconds, first.low) == (Outcome.PROBING, 30.0, True)
    assert first.cause == f"POST {CONFIGMAPS.removeprefix('/')}: Forbidden"
    for key in "bc":
        wait = tries.fail(key)
        assert (wait.outcome, wait.seconds, wait.next_try, wait.cause) == (Outcome.PARKED, None, None, first.cause)
    assert tries.taken() == []
    assert tries.manager.stats().causes == {first.cause: 3}


@pytest.mark.parametrize(("max_delay", "interval"), [(600.0, 60.0), (60.0, 60.0), (20.0, 20.0)])
async def test_a_cause_is_probed_every_minute_at_least(max_delay: float, interval: float) -> None:
    """However long the type's own delays are; a shorter maximum holds."""
    assert Tries(max_delay=max_delay).fail("a").seconds == interval


async def test_a_key_has_its_own_retries_before_it_probes() -> None:
    """By its own count and delays."""
    tries = Tries(max_retries=2)
    outcomes = []
    for _ in range(4):
        wait = tries.fail("a")
        outcomes.append((wait.outcome, wait.seconds, wait.attempt))
        await asyncio.sleep(wait.seconds or 0.0)
    assert outcomes == [
        (Outcome.RETRY, 1.0, 1),
        (Outcome.RETRY, 1.0, 2),
        (Outcome.PROBING, 30.0, 3),
        (Outcome.PROBING, 30.0, 4),
    ]


async def test_a_newcomer_spends_no_retries_on_a_cause_that_is_known() -> None:
    """Its first failure tells nothing new, unless it failed by another cause."""
    tries = Tries(max_retries=1)
    tries.fail("a")
    await asyncio.sleep(1.0)
    assert tries.fail("a").outcome is Outcome.PROBING
    newcomer = tries.fail("b")
    assert (newcomer.outcome, newcomer.attempt) == (Outcome.PARKED, 1)
    assert tries.fail("c", SECRETS).outcome is Outcome.RETRY
    assert tries.fail("d", LOST).outcome is Outcome.RETRY


async def test_success_of_the_probing_key_releases_all_others_at_once() -> None:
    """In the order in which they came; and nobody of another cause."""
    tries = Tries()
    for key in "abc":
        tries.fail(key)
    tries.fail("x", SECRETS)
    tries.fail("y", SECRETS)
    assert tries.manager.success("a")
    assert tries.taken() == [("b", 0.0), ("c", 0.0)]
    assert tries.outcomes("a", "b", "x", "y") == [None, Outcome.SPENT, Outcome.PROBING, Outcome.PARKED]
    assert tries.manager.stats().causes == {"POST api/v1/namespaces/default/secrets: Forbidden": 2}


async def test_success_of_a_parked_key_is_as_good_a_proof() -> None:
    """Something woke it, and it went well: so it will for the others, the probing one included."""
    tries = Tries()
    for key in "abc":
        tries.fail(key)
    tries.manager.success("b")
    assert tries.taken() == [("a", 0.0), ("c", 0.0)]
    assert tries.manager.stats().causes == {}


async def test_released_keys_that_fail_again_wait_again_after_one_try() -> None:
    """Their counts were kept: the first one probes, the others are parked."""
    tries = Tries(max_retries=2)
    for _ in range(3):
        for key in "ab":
            tries.fail(key)
        await asyncio.sleep(1.0)
    assert tries.outcomes("a", "b") == [Outcome.PROBING, Outcome.PARKED]
    tries.fail("c")
    tries.manager.success("c")
    assert [tries.fail(key).outcome for key in "ab"] == [Outcome.PROBING, Outcome.PARKED]


async def test_the_parked_keys_take_turns_at_probing() -> None:
    """So nobody waits for one that has a trouble of its own; one try per interval all the same."""
    tries = Tries()
    for key in "abc":
        tries.fail(key)
    probing = []
    for key in "abca":
        await asyncio.sleep(30.0)
        wait = tries.fail(key)
        assert (wait.outcome, wait.seconds) == (Outcome.PARKED, None)
        [(successor, delay)] = tries.taken()
        assert delay == 30.0
        probing.append(successor)
    assert probing == ["b", "c", "a", "b"]
    assert tries.outcomes("a", "b", "c") == [Outcome.PARKED, Outcome.PROBING, Outcome.PARKED]


async def test_a_probing_key_that_goes_leaves_its_turn_to_the_next() -> None:
    """At the moment that was its own; when the last one goes, the cause is forgotten."""
    tries = Tries()
    for key in "abc":
        tries.fail(key)
    await asyncio.sleep(10.0)
    assert tries.manager.forget("a")
    assert tries.taken() == [("b", 20.0)]
    assert tries.outcomes("a", "b", "c") == [None, Outcome.PROBING, Outcome.PARKED]
    tries.manager.forget("c")
    assert tries.taken() == []
    tries.manager.forget("b")
    assert tries.taken() == []
    assert tries.manager.stats().causes == {}


async def test_a_probing_key_that_goes_while_it_tries_leaves_the_next_a_whole_interval() -> None:
    """So objects that are deleted one after another make no burst of tries."""
    tries = Tries()
    for key in "abc":
        tries.fail(key)
    await asyncio.sleep(31.0)
    tries.manager.forget("a")
    tries.manager.forget("b")
    assert tries.taken() == [("b", 30.0), ("c", 30.0)]


async def test_a_probing_key_that_fails_otherwise_leaves_its_turn_to_the_next() -> None:
    """By an error of another type, by another cause, and by its own content."""
    for error, outcome in ((LOST, Outcome.SPENT), (SECRETS, Outcome.PROBING), (INVALID, Outcome.HELD)):
        tries = Tries()
        tries.fail("a")
        tries.fail("b")
        await asyncio.sleep(30.0)
        assert tries.fail("a", error).outcome is outcome
        assert tries.taken() == [("b", 30.0)]
        assert tries.outcomes("b") == [Outcome.PROBING]


async def test_a_parked_key_that_fails_otherwise_leaves_the_others_alone() -> None:
    """And comes back to them when it fails as before."""
    tries = Tries()
    for key in "abc":
        tries.fail(key)
    assert tries.fail("b", LOST).outcome is Outcome.SPENT
    assert tries.taken() == []
    tries.manager.success("a")
    assert tries.taken() == [("c", 0.0)]
    tries.fail("c")
    assert tries.fail("b").outcome is Outcome.PARKED


async def test_an_error_of_the_same_type_without_a_cause_is_the_keys_own_again() -> None:
    """A missing kind and a conflict are both of resources, but a conflict is nobody else's."""
    missing = errors.NotFound(404, request="POST /apis/example.com/v1/echoes")
    conflict = errors.Conflict(409, "Conflict")
    tries = Tries()
    for key in "abc":
        tries.fail(key, missing)
    for key, released in (("b", []), ("a", [("c", 30.0)])):
        wait = tries.fail(key, conflict)
        assert (wait.outcome, wait.seconds, wait.cause) == (Outcome.EARLY, 30.0, "")
        assert tries.taken() == released
    assert tries.outcomes("a", "b", "c") == [Outcome.SPENT, Outcome.SPENT, Outcome.PROBING]
    await asyncio.sleep(30.0)
    assert tries.fail("a", conflict).attempt == 2


async def test_a_wake_up_moves_neither_the_probe_nor_the_parked() -> None:
    """Twenty runs that nobody asked for: same moment, same count, same order."""
    tries = Tries()
    first = tries.fail("a")
    tries.fail("b")
    for _ in range(20):
        await asyncio.sleep(1.0)
        early = tries.fail("a")
        assert (early.outcome, early.attempt) == (Outcome.EARLY, 1)
        assert early.next_try == pytest.approx(first.next_try)
        parked = tries.fail("b")
        assert (parked.outcome, parked.attempt) == (Outcome.PARKED, 1)
    assert tries.taken() == []


async def test_retry_after_of_a_probe_holds_for_the_next_one() -> None:
    """Whoever's turn it is, also when the one that was told goes."""
    patient = errors.Forbidden(403, "Forbidden", request=f"POST {CONFIGMAPS}", retry_after=50.0)
    tries = Tries()
    assert tries.fail("a", patient).seconds == 50.0
    tries.fail("b")
    await asyncio.sleep(10.0)
    tries.fail("a", patient)
    tries.manager.forget("a")
    assert tries.taken() == [("b", 50.0)]
    tries.fail("c")
    await asyncio.sleep(50.0)
    tries.fail("b", patient)
    assert tries.taken() == [("c", 50.0)]


async def test_a_probing_key_of_which_nothing_is_heard_loses_its_turn() -> None:
    """An hour after it was due: nothing is lost, even when somebody forgets to report."""
    tries = Tries()
    tries.fail("a")
    tries.fail("b")
    await asyncio.sleep(3600.0)
    assert tries.manager.cleanup() == 0
    await asyncio.sleep(31.0)
    assert tries.manager.cleanup() == 1
    assert tries.taken() == [("b", 30.0)]
    tries.fail("c")
    await asyncio.sleep(3700.0)
    tries.fail("new", LOST)  # a new key lets old ones be looked at
    assert tries.taken() == [("c", 30.0)]


async def test_what_was_released_is_remembered_until_it_has_been_tried() -> None:
    """For an hour: its retries are still spent."""
    tries = Tries(max_retries=1)
    for _ in range(2):
        tries.fail("a")
        await asyncio.sleep(30.0)
    tries.fail("b")
    tries.fail("c", INVALID, hold=True)
    tries.manager.success("b")
    tries.manager.reconsider()
    assert tries.taken() == [("a", 0.0), ("c", 0.0)]
    await asyncio.sleep(3599.0)
    assert tries.manager.cleanup() == 0
    await asyncio.sleep(2.0)
    assert tries.manager.cleanup() == 2


async def test_a_key_that_cannot_be_woken_probes_for_itself() -> None:
    """Without a release: by its own retries, then every interval, whoever else is at it."""
    tries = Tries(max_retries=1)
    tries.fail("a")
    await asyncio.sleep(1.0)
    assert tries.fail("a").outcome is Outcome.PROBING
    outcomes = []
    for _ in range(3):
        wait = tries.manager.next_delay("alone", FORBIDDEN)
        outcomes.append((wait.outcome, wait.seconds))
        await asyncio.sleep(wait.seconds or 0.0)
    assert outcomes == [(Outcome.RETRY, 1.0), (Outcome.PROBING, 30.0), (Outcome.PROBING, 30.0)]
    tries.manager.success("alone")
    assert tries.taken() == []


# Errors of the content.


async def test_what_its_own_content_causes_waits_for_its_object() -> None:
    """After its retries, and until it is changed, which forgets everything."""
    tries = Tries(max_retries=1)
    assert tries.fail("a", INVALID).outcome is Outcome.RETRY
    await asyncio.sleep(1.0)
    wait = tries.fail("a", INVALID)
    assert (wait.outcome, wait.held, wait.seconds, wait.next_try, wait.attempt) == (Outcome.HELD, True, None, None, 2)
    assert tries.outcomes("a") == [Outcome.HELD]
    await asyncio.sleep(86_400.0)
    assert tries.fail("a", INVALID).attempt == 2
    tries.manager.forget("a")
    assert tries.fail("a", INVALID).outcome is Outcome.RETRY
    assert tries.taken() == []


async def test_a_change_of_the_configuration_releases_what_is_held() -> None:
    """And nothing else; what fails again is held again after one try."""
    tries = Tries()
    for key in "ab":
        tries.fail(key, INVALID)
    tries.fail("p")
    tries.fail("q")
    assert tries.manager.reconsider() == 2
    assert tries.taken() == [("a", 0.0), ("b", 0.0)]
    assert tries.manager.reconsider() == 0
    assert tries.fail("a", INVALID).outcome is Outcome.HELD
    assert tries.manager.success("b")
    assert tries.manager.reconsider() == 1
    assert tries.taken() == [("a", 0.0)]


async def test_success_of_a_held_key_says_nothing_about_another() -> None:
    """Each content is its own."""
    tries = Tries()
    tries.fail("a", INVALID)
    tries.fail("b", INVALID)
    tries.manager.success("a")
    assert tries.taken() == []
    assert tries.outcomes("b") == [Outcome.HELD]


async def test_who_knows_better_can_hold_at_once_or_never() -> None:
    """A refusal is not tried again at all; a deletion is not left to wait for a change."""
    tries = Tries(max_retries=2)
    assert tries.fail("a", LOST, hold=True).outcome is Outcome.HELD
    waits = []
    for _ in range(5):
        waits.append(tries.fail("b", INVALID, hold=False))
        await asyncio.sleep(waits[-1].seconds or 0.0)
    assert (waits[-1].outcome, waits[-1].seconds, waits[-1].low) == (Outcome.SPENT, 30.0, True)
    assert tries.manager.reconsider() == 1
    assert tries.taken() == [("a", 0.0)]


async def test_a_held_key_without_a_release_is_its_owners_to_wake() -> None:
    """Nobody is called."""
    tries = Tries()
    assert tries.manager.next_delay("a", INVALID).outcome is Outcome.HELD
    assert tries.manager.reconsider() == 1


async def test_a_guess_at_words_is_never_the_last_word() -> None:
    """A foreign error that only sounds like bad content or a missing right is tried for ever, by itself."""
    tries = Tries()
    for key, text in (("a", "invalid answer"), ("b", "forbidden"), ("c", "forbidden")):
        assert tries.fail(key, RuntimeError(text)).outcome is Outcome.SPENT
    assert tries.manager.stats().causes == {}


@pytest.mark.parametrize(
    "error",
    [LOST, errors.ServerError(503), errors.TooManyRequests(429), errors.Conflict(409, "Conflict")],
    ids=lambda error: type(error).__name__,
)
async def test_what_passes_or_belongs_to_one_object_is_tried_for_ever(error: Exception) -> None:
    """Every `max_delay`, each key by itself."""
    tries = Tries()
    assert [tries.fail(key, error).outcome for key in "ab"] == [Outcome.SPENT] * 2
    assert tries.manager.stats().causes == {}


# Causes.


class _Named(errors.SteadyError):
    error_type = ErrorType.RESOURCE
    cause = "git storage"


class _Elsewhere(Exception):
    cause = "not ours"


def _certificate() -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError("bad")
    error.host = "ric.example"  # type: ignore[attr-defined]
    return error


def _forbidden(request: str, reason: str = "Forbidden") -> errors.Forbidden:
    return errors.Forbidden(403, reason, request=request)


PATCH = "PATCH /apis/example.com/v1"


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        (FORBIDDEN, "POST api/v1/namespaces/default/configmaps: Forbidden"),
        (_forbidden(f"PATCH {CONFIGMAPS}/a"), "PATCH api/v1/namespaces/default/configmaps: Forbidden"),
        (_forbidden(f"{PATCH}/namespaces/n/echoes/a"), "PATCH apis/example.com/v1/namespaces/n/echoes: Forbidden"),
        (
            _forbidden(f"{PATCH}/namespaces/n/echoes/a/status"),
            "PATCH apis/example.com/v1/namespaces/n/echoes/status: Forbidden",
        ),
        (_forbidden(f"{PATCH}/things/a"), "PATCH apis/example.com/v1/things: Forbidden"),
        (_forbidden("PATCH /api/v1/namespaces/a"), "PATCH api/v1/namespaces: Forbidden"),
        (_forbidden(""), " : Forbidden"),
        (errors.BadRequest(405, request="POST /api/v1/pods"), "POST api/v1/pods: 405"),
        (errors.Unauthorized(401, "Unauthorized", request="GET /api/v1/pods"), "credentials"),
        (
            errors.NotFound(404, request=f"{PATCH}/namespaces/n/echoes/a"),
            "no kind at apis/example.com/v1/namespaces/n/echoes",
        ),
        (errors.NotFound(404, "NotFound", details={"name": "a", "kind": "namespaces"}), ""),
        (errors.Conflict(409, "Conflict"), ""),
        (errors.ServerError(500), ""),
        (errors.Untrusted("TLS"), "Untrusted"),
        (errors.ConfigurationError("the token of user x"), "ConfigurationError"),
        (_certificate(), "SSLCertVerificationError ric.example"),
        (PermissionError(13, "denied", "/var/lib/token"), "PermissionError /var/lib/token"),
        (OSError(28, "no space left", "/tmp/x"), "ENOSPC"),
        (OSError(2, "missing", "/tmp/x"), ""),
        (ConnectionRefusedError(111, "refused"), ""),
        (_Named("full"), "git storage"),
        (_Elsewhere("full"), ""),
    ],
    ids=str,
)
async def test_those_who_fail_alike_share_a_cause(error: Exception, cause: str) -> None:
    """By verb, resource and namespace for rights, by host for TLS, never by an object's name or a text."""
    assert cause_of(error, BackoffManager().classify_error(error)) == cause
