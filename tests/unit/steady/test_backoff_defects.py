"""Defects that the BackoffManager of the optimized Go controllers had: each one is a test here, on virtual time."""

from __future__ import annotations

import asyncio
import random
from typing import cast

import pytest

from steady import errors
from steady.backoff import DEFAULTS, BackoffConfig, BackoffManager, BackoffStrategy, ErrorType, Outcome
from steady.client.client import error_of

pytestmark = pytest.mark.looptime

LOST = errors.Interrupted("lost")
DENIED = errors.Forbidden(403, "Forbidden")


def config(max_retries: int = 5, *, jitter: bool = False, max_delay: float = 60.0) -> BackoffConfig:
    """2 s, doubled."""
    return BackoffConfig(BackoffStrategy.EXPONENTIAL, 2.0, max_delay, 2.0, jitter, max_retries)


async def test_defect_one_managers_configuration_changed_all_managers() -> None:
    """The default map was shared by all of them."""
    one, two = BackoffManager(), BackoffManager()
    one.set_config(ErrorType.PERMANENT, BackoffConfig(BackoffStrategy.CONSTANT, 1.0, 1.0, jitter=False))
    assert one.next_delay("a", DENIED).seconds == 1.0
    assert two.next_delay("a", DENIED).seconds == 30.0
    assert BackoffManager().next_delay("a", DENIED).seconds == 30.0
    assert DEFAULTS[ErrorType.PERMANENT].base_delay == 30.0
    one.register(errors.Forbidden, ErrorType.THROTTLING)
    assert two.classify_error(DENIED) is ErrorType.PERMANENT


async def test_defect_a_configuration_that_was_handed_in_stayed_shared() -> None:
    """A manager keeps a copy: who handed it in may change his own."""
    mine = {ErrorType.TRANSIENT: config()}
    manager = BackoffManager(mine)
    mine[ErrorType.TRANSIENT] = config(max_delay=2.0)
    manager.next_delay("a", LOST)
    await asyncio.sleep(2.0)
    assert manager.next_delay("a", LOST).seconds == 4.0


async def test_defect_the_maximum_of_retries_was_never_enforced() -> None:
    """Above it the count began anew, so there was always another retry."""
    manager = BackoffManager({ErrorType.TRANSIENT: config(max_retries=2)})
    told = []
    for _ in range(6):
        wait = manager.next_delay("a", LOST)
        told.append((wait.attempt, manager.should_retry("a")))
        await asyncio.sleep(wait.seconds or 0.0)
    assert told == [(1, True), (2, True), (3, False), (4, False), (5, False), (6, False)]


async def test_defect_permanent_errors_were_retried_by_everybody_for_ever() -> None:
    """Every 30 s each; now one key tries for all that share the cause, and bad content waits for a change."""
    manager = BackoffManager()
    for _ in range(3):
        for key in range(10):
            manager.next_delay(key, DENIED, release=lambda _: None)
            manager.next_delay(("bad", key), errors.Invalid(422), release=lambda _: None)
        await asyncio.sleep(30.0)
    waits = [manager.explain(key) for key in range(10)]
    assert [wait.outcome for wait in waits if wait] == [Outcome.PROBING] + [Outcome.PARKED] * 9
    assert manager.stats().held == 10


async def test_defect_the_penalty_for_failing_vanished_at_the_maximum() -> None:
    """So the delay fell where it was to be longest."""
    manager = BackoffManager({ErrorType.TRANSIENT: config(max_retries=8)})
    delays = []
    for _ in range(12):
        wait = manager.next_delay("a", LOST)
        delays.append(wait.seconds or 0.0)
        await asyncio.sleep(delays[-1])
    assert delays == [2.0, 4.0, 8.0, 16.0, 32.0] + [60.0] * 7


async def test_defect_jitter_went_above_the_maximum_and_hardly_spread() -> None:
    """It was added after the cap, a tenth at most; now it draws from the whole delay."""
    manager = BackoffManager({ErrorType.TRANSIENT: config(jitter=True, max_delay=2.0)}, rng=random.Random(3))
    delays = [manager.next_delay(key, LOST).seconds or 0.0 for key in range(200)]
    assert 0.0 < min(delays) < 0.2
    assert 1.8 < max(delays) <= 2.0


@pytest.mark.parametrize("attempt", [33, 64, 1024, 10_000, 2**63])
def test_defect_large_retry_limits_overflowed_into_negative_delays(attempt: int) -> None:
    """And the request was dropped."""
    assert config(10**6).delay(attempt) == 60.0
    assert BackoffConfig(BackoffStrategy.LINEAR, 2.0, 60.0, 1e308).delay(attempt) == 60.0


async def test_defect_one_count_served_all_types_of_errors() -> None:
    """Another type began anew or inherited what was not its own."""
    manager = BackoffManager({kind: config() for kind in ErrorType})
    attempts = []
    for error in (LOST, LOST, LOST, DENIED, LOST):
        wait = manager.next_delay("a", error)
        attempts.append(wait.attempt)
        await asyncio.sleep(wait.seconds or 0.0)
    assert attempts == [1, 2, 3, 1, 4]


def test_defect_an_unknown_type_had_no_delay_at_all() -> None:
    """It got a configuration of zeros; now it is refused by name."""
    with pytest.raises(
        errors.ConfigurationError, match="error type is 'fatal'; it must be one of transient, permanent"
    ):
        BackoffManager().set_config(cast("ErrorType", "fatal"), config())
    with pytest.raises(errors.ConfigurationError, match="'fatal'"):
        BackoffManager({cast("ErrorType", "fatal"): config()})


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (error_of(403, "Forbidden", "networkintents.nephoran.com is forbidden"), ErrorType.PERMANENT),
        (error_of(422, "Invalid", "NetworkIntent networkintents is invalid"), ErrorType.VALIDATION),
        (error_of(404, "NotFound", 'networkintents.nephoran.com "a" not found'), ErrorType.RESOURCE),
        (
            error_of(409, "Conflict", "Operation cannot be fulfilled: the object has been modified"),
            ErrorType.RESOURCE,
        ),
        (error_of(429, "TooManyRequests", "Too many requests, please try again later."), ErrorType.THROTTLING),
        (error_of(404, "NotFound", "the server could not find the requested resource"), ErrorType.RESOURCE),
        (error_of(500, "InternalError", "could not find the requested resource"), ErrorType.TRANSIENT),
        (error_of(400, "BadRequest", "invalid resource: capacity exceeded"), ErrorType.VALIDATION),
        (error_of(503, "ServiceUnavailable", "no information in this format"), ErrorType.TRANSIENT),
        (RuntimeError("networkintents: forbidden"), ErrorType.PERMANENT),
        (RuntimeError("information"), ErrorType.TRANSIENT),
        (RuntimeError("Too Many Requests"), ErrorType.THROTTLING),
        (RuntimeError("could not find the requested resource"), ErrorType.TRANSIENT),
    ],
    ids=str,
)
def test_defect_parts_of_words_decided_and_neither_code_nor_reason_did(error: Exception, expected: ErrorType) -> None:
    """`network` of networkintents came first, `format` of information counted, capital letters did not."""
    assert BackoffManager().classify_error(error) is expected


async def test_defect_success_kept_the_entry_and_counted_a_reset_every_time() -> None:
    """Now a success forgets, and tells whether there was something to forget."""
    manager = BackoffManager()
    assert not manager.success("a")
    manager.next_delay("a", LOST)
    assert manager.success("a")
    assert len(manager) == 0
    assert [manager.success("a") for _ in range(3)] == [False] * 3
    assert manager.stats().resets == 1


async def test_defect_cleaning_up_dropped_entries_whose_delay_had_not_passed() -> None:
    """It went by the last failure and not by the end of the delay."""
    manager = BackoffManager(
        {ErrorType.TRANSIENT: BackoffConfig(BackoffStrategy.CONSTANT, 7200.0, 7200.0, jitter=False)}
    )
    manager.next_delay("a", LOST)
    await asyncio.sleep(7199.0)
    assert manager.cleanup() == 0
    assert manager.attempts("a") == 1
