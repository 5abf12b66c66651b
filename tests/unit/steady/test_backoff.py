"""Backoff: how long one key waits after which failure, on virtual time."""

from __future__ import annotations

import asyncio
import math
import random
from collections.abc import Sequence
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steady import errors
from steady.backoff import DEFAULTS, BackoffConfig, BackoffManager, BackoffStrategy, ErrorType, Outcome, Wait
from steady.backoff.retry_after import seconds
from steady.client.client import error_of
from steady.clock import ManualClock

EXPONENTIAL, LINEAR, CONSTANT = BackoffStrategy
DAY = 86_400.0
TRANSIENT = errors.Interrupted("lost")
THROTTLED = errors.TooManyRequests(429, "TooManyRequests")
REGULAR = BackoffConfig(EXPONENTIAL, 2.0, 300.0, jitter=False)


@st.composite
def configs(draw: st.DrawFn) -> BackoffConfig:
    """Any configuration that is allowed, with multipliers as large as a float can be."""
    longest = draw(st.floats(0.001, DAY))
    return BackoffConfig(
        draw(st.sampled_from(BackoffStrategy)),
        draw(st.floats(0.001, longest)),
        longest,
        draw(st.floats(1.0, 10.0) | st.floats(1.0, 1e308)),
        draw(st.booleans()),
        draw(st.integers(0, 20)),
    )


def after(wait: Wait) -> float:
    """The seconds of a wait that has some."""
    assert wait.seconds is not None
    return wait.seconds


def distance(sample: Sequence[float]) -> float:
    """Kolmogorov and Smirnov's distance of a sample in [0, 1] from even spreading."""
    ordered, size = sorted(sample), len(sample)
    return max(max(abs(rank / size - x), abs((rank + 1) / size - x)) for rank, x in enumerate(ordered))


SPREAD_200 = math.sqrt(-math.log(0.001 / 2) / 2) / math.sqrt(200)
"""0.138: only one in a thousand samples of 200 evenly spread numbers is further away than that."""


# The formula.


@given(configs(), st.integers(0, 10_000))
def test_a_delay_is_never_negative_nor_above_its_maximum(config: BackoffConfig, attempt: int) -> None:
    """For any configuration and any number of failures."""
    assert 0.0 < config.delay(attempt) <= config.max_delay


@given(configs())
def test_without_jitter_delays_grow_until_the_maximum(config: BackoffConfig) -> None:
    """Each is at least as long as the one before."""
    delays = [config.delay(attempt) for attempt in range(1, 100)]
    assert delays == sorted(delays)


@pytest.mark.parametrize("multiplier", [1.0, 2.0, 1e308])
@pytest.mark.parametrize("strategy", BackoffStrategy)
def test_the_ten_thousandth_failure_is_as_safe_as_the_first(strategy: BackoffStrategy, multiplier: float) -> None:
    """No overflow, whatever the strategy and the multiplier."""
    config = BackoffConfig(strategy, 2.0, 300.0, multiplier)
    growing = strategy is LINEAR or (strategy is EXPONENTIAL and multiplier > 1)
    assert config.delay(10_000) == (300.0 if growing else 2.0)
    assert config.delay(10**9) == config.delay(10_000)


def test_the_three_strategies_grow_as_their_names_say() -> None:
    """Exponential multiplies, linear adds, constant stays."""
    exponential = BackoffConfig(EXPONENTIAL, 2.0, 60.0, 2.0)
    linear = BackoffConfig(LINEAR, 2.0, 60.0, 1.5)
    constant = BackoffConfig(CONSTANT, 2.0, 60.0, 5.0)
    assert [exponential.delay(n) for n in (1, 2, 3, 4)] == [2.0, 4.0, 8.0, 16.0]
    assert [linear.delay(n) for n in (1, 2, 3)] == [2.0, 5.0, 8.0]
    assert [constant.delay(n) for n in (1, 2, 3)] == [2.0, 2.0, 2.0]


def test_a_small_multiplier_reaches_the_maximum_too() -> None:
    """However slowly it grows."""
    assert BackoffConfig(EXPONENTIAL, 1.0, 100.0, 1.01).delay(1000) == 100.0


# The configuration.


@pytest.mark.parametrize(
    ("values", "complaint"),
    [
        ({"base_delay": 0.0}, "base_delay is 0.0; it must be more than 0 and at most max_delay, 10 s"),
        ({"base_delay": -1.0}, "base_delay is -1.0; it must be more than 0"),
        ({"base_delay": 11.0}, "base_delay is 11.0; it must be more than 0 and at most max_delay, 10 s"),
        ({"base_delay": math.nan}, "base_delay is nan; it must be more than 0"),
        ({"max_delay": 0.0}, "max_delay is 0.0; it must be more than 0 and at most 86400 s"),
        ({"max_delay": 86_401.0}, "max_delay is 86401.0; it must be more than 0 and at most 86400 s"),
        ({"max_delay": math.inf}, "max_delay is inf; it must be more than 0 and at most 86400 s"),
        ({"multiplier": 0.5}, "multiplier is 0.5; it must be finite and at least 1 for exponential"),
        ({"multiplier": math.inf}, "multiplier is inf; it must be finite and at least 1 for exponential"),
        ({"multiplier": math.nan}, "multiplier is nan; it must be finite"),
        ({"strategy": LINEAR, "multiplier": -0.1}, "multiplier is -0.1; it must be finite and at least 0 for linear"),
        ({"max_retries": -1}, "max_retries is -1; it must be at least 0"),
    ],
    ids=str,
)
def test_what_is_not_allowed_is_named_with_its_value_and_range(values: dict[str, float], complaint: str) -> None:
    """So whoever wrote it knows what to write instead."""
    good = {"strategy": EXPONENTIAL, "base_delay": 1.0, "max_delay": 10.0, "multiplier": 2.0, "max_retries": 3}
    with pytest.raises(errors.ConfigurationError) as raised:
        BackoffConfig(**{**good, **values})  # type: ignore[arg-type]
    assert f"backoff: {complaint}" in str(raised.value)


def test_the_edges_of_every_range_are_allowed() -> None:
    """A linear delay that does not grow, none at all to retry, a whole day."""
    assert BackoffConfig(LINEAR, 1.0, 1.0, 0.0, False, 0).delay(9) == 1.0
    assert BackoffConfig(EXPONENTIAL, DAY, DAY, 1.0).delay(9) == DAY


def test_every_type_has_a_configuration() -> None:
    """The seed's, of the Go package."""
    assert set(DEFAULTS) == set(ErrorType)
    table = {kind: (it.strategy, it.base_delay, it.max_delay, it.multiplier) for kind, it in DEFAULTS.items()}
    assert table == {
        ErrorType.TRANSIENT: (EXPONENTIAL, 2.0, 300.0, 2.0),
        ErrorType.PERMANENT: (CONSTANT, 30.0, 30.0, 1.0),
        ErrorType.RESOURCE: (LINEAR, 5.0, 120.0, 1.5),
        ErrorType.THROTTLING: (EXPONENTIAL, 10.0, 600.0, 2.5),
        ErrorType.VALIDATION: (CONSTANT, 15.0, 15.0, 1.0),
    }
    assert [(it.jitter, it.max_retries) for it in DEFAULTS.values()] == [
        (True, 5),
        (False, 2),
        (True, 4),
        (True, 3),
        (False, 1),
    ]


@pytest.mark.looptime
async def test_a_configuration_can_be_changed_while_keys_wait() -> None:
    """It holds from the next failure on; what is pending stays."""
    manager = BackoffManager({ErrorType.TRANSIENT: REGULAR})
    assert after(manager.next_delay("a", TRANSIENT)) == 2.0
    manager.set_config(ErrorType.TRANSIENT, BackoffConfig(CONSTANT, 7.0, 7.0, jitter=False))
    wait = manager.explain("a")
    assert wait
    assert wait.seconds == pytest.approx(2.0)
    await asyncio.sleep(2.0)
    wait = manager.next_delay("a", TRANSIENT)
    assert (wait.seconds, wait.strategy, wait.attempt) == (7.0, CONSTANT, 2)


# One failure after another.


@pytest.mark.looptime
async def test_a_wait_tells_everything_about_itself() -> None:
    """For whoever shows and counts it: at the failure, and at any time until the next one."""
    manager = BackoffManager({ErrorType.TRANSIENT: REGULAR})
    assert manager.explain("a") is None
    now = asyncio.get_running_loop().time()
    wait = manager.next_delay("a", TRANSIENT)
    assert wait == Wait(Outcome.RETRY, ErrorType.TRANSIENT, EXPONENTIAL, 1, 2.0, now + 2.0)
    assert manager.explain("a") == wait
    await asyncio.sleep(0.5)
    explained = manager.explain("a")
    assert explained
    assert explained.seconds == pytest.approx(1.5)
    assert explained.next_try == wait.next_try
    await asyncio.sleep(5.0)
    late = manager.explain("a")
    assert late
    assert late.seconds == 0.0
    assert manager.attempts("a") == 1


@pytest.mark.looptime
async def test_a_wake_up_during_the_wait_changes_nothing() -> None:
    """A failure before the deadline gets what is left of the wait, and does not count."""
    manager = BackoffManager({ErrorType.TRANSIENT: REGULAR})
    wait = manager.next_delay("a", TRANSIENT)
    for _ in range(20):
        early = manager.next_delay("a", TRANSIENT)
        assert (early.outcome, early.attempt) == (Outcome.EARLY, 1)
        assert early.next_try == pytest.approx(wait.next_try)
    await asyncio.sleep(after(wait) / 2)
    assert after(manager.next_delay("a", TRANSIENT)) == pytest.approx(1.0)
    await asyncio.sleep(after(wait))
    assert manager.next_delay("a", TRANSIENT).attempt == 2


@pytest.mark.looptime
async def test_spent_retries_leave_the_longest_delay_and_the_low_lane() -> None:
    """An error that passes is tried for ever, but out of the way of all else."""
    manager = BackoffManager({ErrorType.TRANSIENT: REGULAR})
    waits = []
    for _ in range(8):
        waits.append(manager.next_delay("a", TRANSIENT))
        await asyncio.sleep(after(waits[-1]))
    assert [wait.seconds for wait in waits] == [2.0, 4.0, 8.0, 16.0, 32.0, 300.0, 300.0, 300.0]
    assert [wait.low for wait in waits] == [False] * 5 + [True] * 3
    assert [wait.outcome for wait in waits] == [Outcome.RETRY] * 5 + [Outcome.SPENT] * 3
    explained = manager.explain("a")
    assert explained
    assert explained.outcome is Outcome.SPENT


@pytest.mark.looptime
async def test_one_key_never_changes_another() -> None:
    """Neither its count nor its delay; success forgets one key only."""
    manager = BackoffManager({ErrorType.TRANSIENT: REGULAR})
    for _ in range(5):
        await asyncio.sleep(after(manager.next_delay("busy", TRANSIENT)))
    assert after(manager.next_delay("calm", TRANSIENT)) == 2.0
    assert manager.success("calm")
    assert (manager.attempts("busy"), manager.attempts("calm")) == (5, 0)
    assert len(manager) == 1


@pytest.mark.looptime
async def test_every_type_of_error_has_its_own_count() -> None:
    """Neither does another type start anew what was counted, nor does it inherit it; success resets them all."""
    manager = BackoffManager({ErrorType.TRANSIENT: REGULAR, ErrorType.THROTTLING: REGULAR})
    counts = []
    for error in (TRANSIENT, TRANSIENT, THROTTLED, TRANSIENT, THROTTLED):
        wait = manager.next_delay("a", error)
        counts.append(wait.attempt)
        await asyncio.sleep(after(wait))
    assert counts == [1, 2, 1, 3, 2]
    manager.success("a")
    assert [manager.next_delay("a", error).attempt for error in (TRANSIENT, THROTTLED)] == [1, 1]


@pytest.mark.looptime
async def test_two_types_that_alternate_early_do_not_drive_each_other_on() -> None:
    """A hundred wake-ups within one wait, failing now so, now so: one failure of each counts."""
    config = {kind: BackoffConfig(CONSTANT, 60.0, 60.0, jitter=False) for kind in ErrorType}
    manager = BackoffManager(config)
    for number in range(100):
        manager.next_delay("a", THROTTLED if number % 2 else TRANSIENT)
        await asyncio.sleep(0.5)
    assert manager.next_delay("a", TRANSIENT).attempt == 1
    assert manager.next_delay("a", THROTTLED).attempt == 1
    await asyncio.sleep(60.0)
    assert manager.next_delay("a", TRANSIENT).attempt == 2


@pytest.mark.looptime
async def test_the_count_never_overflows() -> None:
    """Beyond a million failures it tells nothing more; the delay is what it was."""
    manager = BackoffManager({ErrorType.TRANSIENT: BackoffConfig(EXPONENTIAL, 1.0, 60.0, 1e300, False, 10**9)})
    manager.next_delay("a", TRANSIENT)
    manager._entries["a"].attempts = 999_998
    waits = []
    for _ in range(4):
        await asyncio.sleep(60.0)
        waits.append(manager.next_delay("a", TRANSIENT))
    assert [wait.attempt for wait in waits] == [999_999, 1_000_000, 1_000_000, 1_000_000]
    assert {wait.seconds for wait in waits} == {60.0}


@pytest.mark.looptime
async def test_what_is_spent_is_told() -> None:
    """Before the first failure, during the retries, after them, and after a success."""
    manager = BackoffManager({ErrorType.TRANSIENT: BackoffConfig(CONSTANT, 1.0, 1.0, jitter=False, max_retries=2)})
    told = []
    for _ in range(4):
        told.append(manager.should_retry("a"))
        await asyncio.sleep(after(manager.next_delay("a", TRANSIENT)))
    assert told == [True, True, True, False]
    assert not manager.should_retry("a")
    manager.success("a")
    assert manager.should_retry("a")


@pytest.mark.looptime
async def test_success_and_forgetting_tell_whether_there_was_something() -> None:
    """So a reset is counted once, and none for those who never failed."""
    manager = BackoffManager()
    assert not manager.success("a")
    assert not manager.forget("a")
    manager.next_delay("a", TRANSIENT)
    assert manager.success("a")
    assert not manager.success("a")
    manager.next_delay("a", TRANSIENT)
    assert manager.forget("a")
    assert not manager.forget("a")
    assert manager.stats().resets == 1


@pytest.mark.looptime
async def test_the_statistics_count_keys_by_their_last_error() -> None:
    """And what waits for what."""
    manager = BackoffManager()
    manager.next_delay("a", TRANSIENT)
    manager.next_delay("b", TRANSIENT)
    manager.next_delay("b", THROTTLED)
    manager.next_delay("c", ValueError("x"), hold=True)
    stats = manager.stats()
    assert stats.keys == 3
    assert stats.by_type == {ErrorType.TRANSIENT: 1, ErrorType.THROTTLING: 1, ErrorType.VALIDATION: 1}
    assert (stats.held, stats.causes, stats.resets) == (1, {}, 0)


# Spreading.


@pytest.mark.looptime
async def test_many_keys_that_fail_at_one_instant_spread_evenly_over_the_whole_delay() -> None:
    """200 keys: Kolmogorov-Smirnov against even spreading over (0, delay], for a first and for a later failure."""
    manager = BackoffManager({ErrorType.TRANSIENT: BackoffConfig(EXPONENTIAL, 2.0, 300.0)}, rng=random.Random(7))
    first = [after(manager.next_delay(key, TRANSIENT)) for key in range(200)]
    assert distance([delay / 2.0 for delay in first]) < SPREAD_200
    await asyncio.sleep(2.0)
    second = [after(manager.next_delay(key, TRANSIENT)) for key in range(200)]
    assert distance([delay / 4.0 for delay in second]) < SPREAD_200
    assert min(first) > 0.0


def test_the_statistic_tells_uneven_spreading() -> None:
    """The upper half only, a tenth that is added, and equal delays are all far outside."""
    rng = random.Random(7)
    for uneven in ([0.5 + rng.random() / 2 for _ in range(200)], [0.9 + rng.random() / 10 for _ in range(200)], [1.0]):
        assert distance(uneven) > 3 * SPREAD_200


@pytest.mark.looptime
async def test_many_keys_that_are_sent_away_for_the_same_time_do_not_come_back_together() -> None:
    """`Retry-After` is the least of the wait, and above it they spread evenly: 200 keys, short and long."""
    for asked, latest in ((4.0, 14.0), (595.0, 600.0), (600.0, 610.0)):
        manager = BackoffManager(rng=random.Random(7))
        error = errors.TooManyRequests(429, "TooManyRequests", retry_after=asked)
        delays = [after(manager.next_delay(key, error)) for key in range(200)]
        assert asked <= min(delays) <= max(delays) <= latest
        assert distance([(delay - asked) / (latest - asked) for delay in delays]) < SPREAD_200


# What a server asks for.


@pytest.mark.looptime
async def test_retry_after_wins_when_it_is_longer() -> None:
    """And only then; also above `max_delay`, up to a day; without jitter to the second."""
    config = BackoffConfig(CONSTANT, 10.0, 10.0, jitter=False)
    manager = BackoffManager({ErrorType.THROTTLING: config})
    waits = {
        asked: manager.next_delay(asked, errors.TooManyRequests(429, retry_after=asked)).seconds
        for asked in (0.0, 0.5, 11.0, 900.0, DAY, 10 * DAY, math.inf, math.nan, -5.0)
    }
    assert waits == {0.0: 10.0, 0.5: 10.0, 11.0: 11.0, 900.0: 900.0, DAY: DAY, 10 * DAY: DAY} | {
        asked: 10.0 for asked in waits if not 0 <= asked < math.inf
    }


@pytest.mark.looptime
async def test_retry_after_holds_for_a_run_that_came_early_too() -> None:
    """It moves the deadline of the wait back, never forth, and nothing is counted."""
    manager = BackoffManager({ErrorType.THROTTLING: BackoffConfig(CONSTANT, 10.0, 10.0, jitter=False)})
    manager.next_delay("a", THROTTLED)
    wait = manager.next_delay("a", errors.TooManyRequests(429, retry_after=60.0))
    assert (wait.seconds, wait.attempt) == (60.0, 1)
    assert manager.next_delay("a", THROTTLED).seconds == pytest.approx(60.0)
    assert manager.next_delay("a", errors.TooManyRequests(429, retry_after=1.0)).seconds == pytest.approx(60.0)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("0", 0.0),
        ("7", 7.0),
        ("1.5", 1.5),
        ("86400", DAY),
        ("999999999", DAY),
        ("-3", 0.0),
        ("Thu, 01 Jan 2026 00:02:00 GMT", 120.0),
        ("Thu, 01 Jan 2026 00:02:00 -0000", 120.0),
        ("Wed, 31 Dec 2025 23:59:00 GMT", 0.0),
        ("Fri, 01 Jan 2027 00:00:00 GMT", DAY),
        ("nan", None),
        ("inf", None),
        ("soon", None),
        ("", None),
        (None, None),
    ],
)
def test_the_header_is_read_in_all_its_forms(text: str | None, expected: float | None) -> None:
    """A number, a fraction, a date in the future or the past, nothing; at most a day."""
    assert seconds(text, datetime(2026, 1, 1, tzinfo=UTC)) == expected


def test_the_api_server_may_say_it_in_its_header_or_in_its_details() -> None:
    """The header first."""
    assert error_of(429, "TooManyRequests", "", retry_after="2.5").retry_after == 2.5
    assert error_of(500, "ServerTimeout", "", details={"retryAfterSeconds": 3}).retry_after == 3.0
    assert error_of(429, "", "", details={"retryAfterSeconds": 3}, retry_after="9").retry_after == 9.0
    assert error_of(429, "", "").retry_after is None
    assert error_of(429, "", "", details={"retryAfterSeconds": "soon"}).retry_after is None


@pytest.mark.looptime
async def test_other_libraries_carry_it_in_the_headers_of_the_answer() -> None:
    """On the error itself or on its response; a date is told by the clock; whatever is no text says nothing."""

    class Answer(ConnectionError):
        headers: object = None
        response: object = None

    def wait(**attributes: object) -> float | None:
        error = Answer()
        for name, value in attributes.items():
            setattr(error, name, value)
        config = {ErrorType.TRANSIENT: BackoffConfig(CONSTANT, 1.0, 1.0, jitter=False)}
        return BackoffManager(config, clock=ManualClock()).next_delay("a", error).seconds

    assert wait(headers={"Retry-After": "20"}) == 20.0
    assert wait(response=SimpleNamespace(headers={"Retry-After": "30"})) == 30.0
    assert wait(headers={"Retry-After": "Thu, 01 Jan 2026 00:01:00 GMT"}) == 60.0
    assert wait(headers={"Retry-After": 20}, response=SimpleNamespace()) == 1.0
    assert wait() == 1.0


# Memory.


@pytest.mark.looptime
async def test_a_million_keys_are_bounded() -> None:
    """100,000 are remembered; whatever comes beyond waits as long as it may, in the low lane, and harms nobody."""
    manager = BackoffManager(rng=random.Random(1))
    for key in range(999_999):
        manager.next_delay(key, TRANSIENT)
    wait = manager.next_delay(999_999, TRANSIENT)
    assert len(manager) == 100_000
    assert (wait.outcome, wait.low, manager.attempts(999_999)) == (Outcome.SPENT, True, 0)
    assert 0.0 < after(wait) <= 300.0
    assert manager.attempts(0) == 1
    manager.success(0)
    assert manager.next_delay("new", TRANSIENT).outcome is Outcome.RETRY


@pytest.mark.looptime
async def test_a_key_beyond_the_bound_may_still_be_held() -> None:
    """Its owner sees the change by himself; what is not held is tried again."""
    manager = BackoffManager(limit=0)
    assert manager.next_delay("a", ValueError("x"), hold=True).outcome is Outcome.HELD
    assert manager.next_delay("a", ValueError("x")).seconds == 15.0


@pytest.mark.looptime
async def test_keys_that_nobody_reports_on_are_forgotten_by_the_way() -> None:
    """As new ones come; no timer and no call is needed."""
    manager = BackoffManager(rng=random.Random(1))
    for key in range(1000):
        manager.next_delay(("old", key), TRANSIENT)
    await asyncio.sleep(3700.0)
    for key in range(600):
        manager.next_delay(("new", key), TRANSIENT)
    assert len(manager) == 600


@pytest.mark.looptime
async def test_nothing_is_forgotten_before_its_pending_delay_has_passed() -> None:
    """Nor for an hour after: however long the delay is, of whatever type, and whatever it waits for."""
    manager = BackoffManager()
    manager.next_delay("day", errors.TooManyRequests(429, retry_after=DAY))
    manager.next_delay("both", errors.TooManyRequests(429, retry_after=DAY))
    manager.next_delay("both", TRANSIENT)
    manager.next_delay("held", ValueError("x"), hold=True)
    manager.next_delay("short", TRANSIENT)
    assert manager.cleanup() == 0
    await asyncio.sleep(3590.0)
    assert manager.cleanup() == 0
    await asyncio.sleep(20.0)
    assert manager.cleanup() == 1
    await asyncio.sleep(DAY - 3610.0 + 3500.0)
    assert manager.cleanup() == 0
    assert [manager.attempts(key) for key in ("day", "both", "held", "short")] == [1, 1, 1, 0]
    await asyncio.sleep(200.0)
    assert manager.cleanup() == 2
    assert len(manager) == 1
