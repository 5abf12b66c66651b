"""Backoff: classification and delays, on virtual time."""

from __future__ import annotations

import asyncio
import random
import ssl

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steady import errors
from steady.backoff import DEFAULTS, BackoffConfig, BackoffManager, BackoffStrategy, ErrorType

CONFIGS = st.builds(
    BackoffConfig,
    st.sampled_from(BackoffStrategy),
    st.floats(0.0, 1e6),
    st.floats(0.0, 1e6),
    st.floats(1.0, 10.0),
    st.booleans(),
    st.integers(0, 20),
)
TRANSIENT = errors.Interrupted("lost")


@given(CONFIGS, st.integers(0, 10_000))
def test_a_delay_is_never_negative_nor_above_its_maximum(config: BackoffConfig, attempt: int) -> None:
    """For any configuration and any number of failures."""
    assert 0.0 <= config.delay(attempt) <= config.max_delay


@given(CONFIGS)
def test_without_jitter_delays_grow_until_the_maximum(config: BackoffConfig) -> None:
    """Each is at least as long as the one before."""
    delays = [config.delay(attempt) for attempt in range(1, 100)]
    assert delays == sorted(delays)


@pytest.mark.parametrize("strategy", BackoffStrategy)
def test_the_ten_thousandth_failure_is_as_safe_as_the_first(strategy: BackoffStrategy) -> None:
    """No overflow, whatever the strategy."""
    config = BackoffConfig(strategy, 2.0, 300.0, 10.0)
    assert config.delay(10_000) == (2.0 if strategy is BackoffStrategy.CONSTANT else 300.0)


def test_the_three_strategies_grow_as_their_names_say() -> None:
    """Exponential multiplies, linear adds, constant stays."""
    exponential = BackoffConfig(BackoffStrategy.EXPONENTIAL, 2.0, 60.0, 2.0)
    linear = BackoffConfig(BackoffStrategy.LINEAR, 2.0, 60.0, 1.5)
    constant = BackoffConfig(BackoffStrategy.CONSTANT, 2.0, 60.0, 5.0)
    assert [exponential.delay(n) for n in (1, 2, 3, 4)] == [2.0, 4.0, 8.0, 16.0]
    assert [linear.delay(n) for n in (1, 2, 3)] == [2.0, 5.0, 8.0]
    assert [constant.delay(n) for n in (1, 2, 3)] == [2.0, 2.0, 2.0]


@pytest.mark.looptime
async def test_jitter_stays_in_the_upper_half() -> None:
    """Of every delay, and so never above the maximum."""
    manager = BackoffManager(rng=random.Random(1))
    for key in range(200):
        delay = manager.next_delay(key, TRANSIENT)
        assert delay is not None
        assert 1.0 <= delay <= 2.0


@pytest.mark.looptime
async def test_many_keys_that_fail_at_once_spread() -> None:
    """200 delays over four equal bins: chi-squared with three degrees of freedom stays under its 99.9 % bound."""
    manager = BackoffManager(rng=random.Random(7))
    bins = [0, 0, 0, 0]
    for key in range(200):
        delay = manager.next_delay(key, TRANSIENT)
        assert delay is not None
        bins[min(int((delay - 1.0) * 4), 3)] += 1
    assert sum((count - 50) ** 2 / 50 for count in bins) < 16.27


@pytest.mark.looptime
async def test_a_wake_up_during_the_wait_changes_nothing() -> None:
    """A failure before the deadline gets what is left of the wait, and does not count."""
    manager = BackoffManager()
    delay = manager.next_delay("a", TRANSIENT)
    assert delay is not None
    for _ in range(20):
        assert manager.next_delay("a", TRANSIENT) == pytest.approx(delay)
    assert manager.attempts("a") == 1
    await asyncio.sleep(delay / 2)
    assert manager.next_delay("a", TRANSIENT) == pytest.approx(delay / 2, abs=1e-3)
    assert manager.attempts("a") == 1
    await asyncio.sleep(delay)
    manager.next_delay("a", TRANSIENT)
    assert manager.attempts("a") == 2


@pytest.mark.looptime
async def test_retry_after_wins_when_it_is_longer() -> None:
    """And only then."""
    manager = BackoffManager()
    long = errors.TooManyRequests(429, "TooManyRequests", retry_after=900.0)
    short = errors.TooManyRequests(429, "TooManyRequests", retry_after=0.5)
    assert manager.next_delay("long", long) == 900.0
    delay = manager.next_delay("short", short)
    assert delay is not None
    assert 5.0 <= delay <= 10.0


@pytest.mark.looptime
async def test_one_key_never_changes_another() -> None:
    """Neither its count nor its delay; success forgets one key only."""
    manager = BackoffManager(
        {ErrorType.TRANSIENT: BackoffConfig(BackoffStrategy.EXPONENTIAL, 2.0, 300.0, jitter=False)}
    )
    for _ in range(5):
        delay = manager.next_delay("busy", TRANSIENT)
        assert delay is not None
        await asyncio.sleep(delay)
    assert manager.next_delay("calm", TRANSIENT) == 2.0
    manager.success("calm")
    assert manager.attempts("busy") == 5
    assert manager.attempts("calm") == 0
    assert len(manager) == 1


@pytest.mark.looptime
async def test_configuration_belongs_to_the_instance() -> None:
    """Changing one manager leaves others and the defaults alone."""
    one, two = BackoffManager(), BackoffManager()
    one.set_config(ErrorType.PERMANENT, BackoffConfig(BackoffStrategy.CONSTANT, 1.0, 1.0, jitter=False))
    denied = errors.Forbidden(403, "Forbidden")
    assert one.next_delay("a", denied) == 1.0
    assert two.next_delay("a", denied) == 30.0
    assert DEFAULTS[ErrorType.PERMANENT].base_delay == 30.0


@pytest.mark.looptime
async def test_an_error_of_the_objects_own_content_waits_for_the_object() -> None:
    """After its retries: then there is no delay at all, until success or a change."""
    manager = BackoffManager()
    broken = errors.Invalid(422, "Invalid")
    assert manager.next_delay("a", broken) == 15.0
    await asyncio.sleep(15.0)
    assert manager.next_delay("a", broken) is None
    manager.success("a")
    assert manager.next_delay("a", broken) == 15.0


@pytest.mark.looptime
async def test_an_environment_error_is_tried_for_ever() -> None:
    """Retries spent, the delay stays; it never becomes None."""
    manager = BackoffManager()
    for _ in range(50):
        delay = manager.next_delay("a", errors.Forbidden(403, "Forbidden"))
        assert delay == 30.0
        await asyncio.sleep(delay)


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (errors.TooManyRequests(429), ErrorType.THROTTLING),
        (errors.Throttled("hot", 2.0), ErrorType.THROTTLING),
        (errors.Unauthorized(401), ErrorType.PERMANENT),
        (errors.Forbidden(403), ErrorType.PERMANENT),
        (errors.NotFound(404), ErrorType.RESOURCE),
        (errors.Conflict(409), ErrorType.RESOURCE),
        (errors.AlreadyExists(409), ErrorType.RESOURCE),
        (errors.Expired(410), ErrorType.TRANSIENT),
        (errors.Invalid(422), ErrorType.VALIDATION),
        (errors.BadRequest(400), ErrorType.VALIDATION),
        (errors.ServerError(503), ErrorType.TRANSIENT),
        (errors.DecodeError("spec"), ErrorType.VALIDATION),
        (errors.Unreachable("no"), ErrorType.TRANSIENT),
        (errors.Interrupted("no"), ErrorType.TRANSIENT),
        (errors.NotLeader("no"), ErrorType.TRANSIENT),
        (errors.ConfigurationError("no"), ErrorType.PERMANENT),
        (ssl.SSLCertVerificationError("bad"), ErrorType.PERMANENT),
        (PermissionError("no"), ErrorType.PERMANENT),
        (TimeoutError(), ErrorType.TRANSIENT),
        (ConnectionResetError(), ErrorType.TRANSIENT),
        (msgspec.ValidationError("field"), ErrorType.VALIDATION),
        (ValueError("field"), ErrorType.VALIDATION),
        (RuntimeError("anything"), ErrorType.TRANSIENT),
        (RuntimeError("the rate limit is reached"), ErrorType.THROTTLING),
        (RuntimeError("capacity is exhausted"), ErrorType.RESOURCE),
    ],
    ids=lambda value: value.name if isinstance(value, ErrorType) else f"{type(value).__name__}({value})",
)
def test_errors_are_told_apart_by_type_and_code(error: Exception, expected: ErrorType) -> None:
    """Words count for foreign errors only."""
    assert BackoffManager().classify_error(error) is expected


def test_every_error_type_of_the_runtime_is_placed_on_purpose() -> None:
    """None of ours is left to the words of its message."""
    names = [getattr(errors, name) for name in dir(errors)]
    kinds = [it for it in names if isinstance(it, type) and issubclass(it, errors.SteadyError)]
    abstract = {errors.SteadyError, errors.ApiError}
    text = "rate limit forbidden quota schema"
    for kind in kinds:
        if kind in abstract:
            continue
        plain, misleading = [
            BackoffManager().classify_error(
                kind(400, message=words)
                if issubclass(kind, errors.ApiError)
                else (errors.Throttled(words, 1.0) if kind is errors.Throttled else kind(words))
            )
            for words in ("", text)
        ]
        assert plain is misleading, kind


@pytest.mark.parametrize("word", ["networkintents", "conflicting", "reschema", "unforbidden", "aquota", "invalidated"])
def test_words_inside_words_mislead_nobody(word: str) -> None:
    """Only whole words of foreign errors are read."""
    assert BackoffManager().classify_error(RuntimeError(f"about {word} of something")) is ErrorType.TRANSIENT


def test_what_an_error_says_of_itself_and_what_was_registered_goes_first() -> None:
    """Ahead of the built-in rules; the later registration ahead of the earlier."""

    class Own(errors.Invalid):
        error_type = ErrorType.RESOURCE

    manager = BackoffManager()
    assert manager.classify_error(Own(422)) is ErrorType.RESOURCE
    manager.register(OSError, ErrorType.THROTTLING)
    manager.register(PermissionError, ErrorType.VALIDATION)
    assert manager.classify_error(PermissionError()) is ErrorType.VALIDATION
    assert manager.classify_error(OSError()) is ErrorType.THROTTLING
