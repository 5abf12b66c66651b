"""Backoff against a model: any order of failures, wake-ups, successes, changes and time, seen as a queue sees it."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable
from typing import cast

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from steady import errors
from steady.backoff import BackoffConfig, BackoffManager, BackoffStrategy, ErrorType, Outcome

KEYS = [("c", name) for name in "abcdef"]
KEY = st.sampled_from(KEYS)
ERRORS: dict[str, Callable[[float | None], Exception]] = {
    "lost": lambda _: errors.Interrupted("lost"),
    "busy": lambda asked: errors.TooManyRequests(429, "TooManyRequests", retry_after=asked),
    "conflict": lambda _: errors.Conflict(409, "Conflict"),
    "forbidden": lambda asked: errors.Forbidden(403, "Forbidden", request="POST /api/v1/pods", retry_after=asked),
    "secrets": lambda _: errors.Forbidden(403, "Forbidden", request="POST /api/v1/secrets"),
    "no kind": lambda _: errors.NotFound(404, request="POST /apis/example.com/v1/echoes"),
    "invalid": lambda _: errors.Invalid(422, "Invalid", details={"name": "a"}),
    "foreign": lambda _: RuntimeError("the schema is invalid"),
}
ASKED = st.none() | st.floats(0.0, 200.0)
TICK = 0.01  # seconds; the machine's moments are further apart than what counts as the same moment


class Moment(asyncio.BaseEventLoop):
    """An event loop of which only the time is asked."""

    now = 1000.0

    def time(self) -> float:
        """The moment that was set."""
        return self.now


@st.composite
def configs(draw: st.DrawFn) -> BackoffConfig:
    """Short and long, with jitter and without."""
    longest = draw(st.floats(1.0, 900.0))
    return BackoffConfig(
        draw(st.sampled_from(BackoffStrategy)),
        draw(st.floats(0.5, longest)) if longest > 0.5 else longest,
        longest,
        draw(st.floats(1.0, 4.0)),
        draw(st.booleans()),
        draw(st.integers(0, 3)),
    )


class Backoff(RuleBasedStateMachine):
    """The queue's side: `due` says when a key comes; a key without it waits for somebody."""

    @initialize(seed=st.integers(0, 2**16), config=st.dictionaries(st.sampled_from(ErrorType), configs()))
    def begin(self, seed: int, config: dict[ErrorType, BackoffConfig]) -> None:
        self.loop = Moment()
        asyncio._set_running_loop(self.loop)
        self.manager = BackoffManager(config, rng=random.Random(seed))
        self.config = dict(self.manager._config)
        self.due: dict[object, float] = {}
        self.counted: dict[tuple[object, ErrorType], tuple[int, float]] = {}

    def teardown(self) -> None:
        asyncio._set_running_loop(None)
        if hasattr(self, "loop"):
            self.loop.close()

    # What happens.

    @rule(seconds=st.floats(TICK, 1000.0))
    def time_passes(self, seconds: float) -> None:
        self.loop.now += seconds

    @rule(data=st.data(), name=st.sampled_from(sorted(ERRORS)), asked=ASKED, hold=st.sampled_from([None, True, False]))
    def the_next_key_in_the_queue_fails(
        self, data: st.DataObject, name: str, asked: float | None, hold: bool | None
    ) -> None:
        if not self.due:
            return
        key = min(self.due, key=lambda each: self.due[each])
        self.loop.now = max(self.loop.now, self.due[key])
        self._fails(key, ERRORS[name](asked), hold)

    @rule(key=KEY, name=st.sampled_from(sorted(ERRORS)), asked=ASKED, hold=st.sampled_from([None, None, True, False]))
    def a_key_that_something_woke_fails(self, key: object, name: str, asked: float | None, hold: bool | None) -> None:
        self._fails(key, ERRORS[name](asked), hold)

    @rule(key=KEY)
    def a_key_succeeds(self, key: object) -> None:
        before = {each: self.manager.explain(each) for each in KEYS}
        had = self.manager.success(key)
        assert had is (before[cast("tuple[str, str]", key)] is not None)
        self.due.pop(key, None)
        self._forgets(key)
        mine = before[cast("tuple[str, str]", key)]
        if mine and mine.outcome in {Outcome.PROBING, Outcome.PARKED} and mine.cause:
            for each, wait in before.items():
                if each != key and wait and wait.cause == mine.cause:
                    assert self.due[each] <= self.loop.now

    @rule(key=KEY)
    def an_object_changes_or_goes(self, key: object) -> None:
        had = self.manager.explain(key) is not None
        assert self.manager.forget(key) is had
        self.due.pop(key, None)
        self._forgets(key)

    @rule()
    def the_configuration_of_the_process_changes(self) -> None:
        held = [key for key in KEYS if (wait := self.manager.explain(key)) and wait.outcome is Outcome.HELD]
        assert self.manager.reconsider() == len(held)
        assert all(self.due[key] <= self.loop.now for key in held)

    @rule(error_type=st.sampled_from(ErrorType), config=configs())
    def delays_are_configured_anew(self, error_type: ErrorType, config: BackoffConfig) -> None:
        self.manager.set_config(error_type, config)
        self.config[error_type] = config

    @rule()
    def the_stale_are_swept(self) -> None:
        pending = {key for key in KEYS if (wait := self.manager.explain(key)) and wait.seconds != 0.0}
        self.manager.cleanup()
        assert pending <= {key for key in KEYS if self.manager.explain(key)}
        for key in KEYS:
            if self.manager.explain(key) is None:
                self.due.pop(key, None)
                self._forgets(key)

    # What must hold.

    @invariant()
    def nothing_is_lost(self) -> None:
        """Every key that failed comes again by itself, or waits for one that does, or for a change."""
        if not hasattr(self, "manager"):
            return
        probing: dict[str, list[object]] = {}
        waiting: set[str] = set()
        for key in KEYS:
            wait = self.manager.explain(key)
            if wait is None:
                continue
            if wait.outcome is Outcome.PARKED:
                waiting.add(wait.cause)
            elif wait.outcome is not Outcome.HELD:
                assert key in self.due
                assert self.due[key] >= (wait.next_try or 0.0) - TICK or self.due[key] <= self.loop.now
            if wait.outcome is Outcome.PROBING:
                probing.setdefault(wait.cause, []).append(key)
        assert all(len(keys) == 1 for keys in probing.values())
        assert waiting <= set(probing)
        assert set(probing) == set(self.manager.stats().causes)

    def _fails(self, key: object, error: Exception, hold: bool | None) -> None:
        now = self.loop.now
        error_type = self.manager.classify_error(error)
        config = self.config[error_type]
        count, deadline = self.counted.get((key, error_type), (0, 0.0))
        before = self.manager.explain(key)
        if before and before.error_type is error_type:
            deadline = float("inf") if before.next_try is None else before.next_try
        others = {each: self.manager.attempts(each) for each in KEYS if each != key}
        others_due = {each: wait.next_try for each in KEYS if each != key and (wait := self.manager.explain(each))}
        self.due.pop(key, None)

        def release(seconds: float) -> None:
            assert seconds >= 0.0
            self.due[key] = min(self.due.get(key, float("inf")), self.loop.now + seconds)
            for (each, kind), (count, _) in list(self.counted.items()):
                if each == key and seconds == 0.0:  # released: whatever it fails by next is no wake-up's doing
                    self.counted[each, kind] = (count, self.loop.now)

        wait = self.manager.next_delay(key, error, release=release, hold=hold)

        # One key never changes another, but for the turn of a probe; who was due an hour ago may be forgotten.
        for each, due in others_due.items():
            after = self.manager.explain(each)
            if after is None and due is not None and due < now - 3600.0:
                self.due.pop(each, None)
                self._forgets(each)
                continue
            assert after
            assert after.attempt == others[each]
            assert after.next_try == due or (before and before.cause and after.cause == before.cause)
        # A wake-up before the time never counts; a failure in time counts once.
        assert wait.error_type is error_type
        assert wait.attempt in {count, count + 1}
        if now < deadline - TICK:
            assert wait.attempt == count
        if wait.seconds is not None:
            asked = getattr(error, "retry_after", None) or 0.0
            assert 0.0 < wait.seconds < float("inf")
            if wait.outcome is Outcome.EARLY and now < deadline < float("inf"):
                assert abs(wait.seconds - max(deadline - now, asked)) <= TICK
            elif wait.outcome is not Outcome.EARLY:
                assert wait.seconds <= max(config.max_delay, asked + config.base_delay * (asked >= config.max_delay))
            assert wait.seconds >= asked
            assert wait.next_try == now + wait.seconds
            self.due[key] = min(self.due.get(key, float("inf")), now + wait.seconds)
        assert wait.held is (wait.outcome is Outcome.HELD)
        if wait.held:
            assert hold or (hold is None and error_type is ErrorType.VALIDATION)
        self.counted[key, error_type] = (wait.attempt, wait.next_try or 0.0)

    def _forgets(self, key: object) -> None:
        for error_type in ErrorType:
            self.counted.pop((key, error_type), None)


TestBackoff = Backoff.TestCase
TestBackoff.settings = settings(max_examples=100, stateful_step_count=50, deadline=None)
