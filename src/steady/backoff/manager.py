"""Decides when something is tried again. The only place that does.

Invariants
- One key never changes another, but by success of a cause that they share. Configuration belongs to the instance.
- A failure before the pending deadline (a wake-up ran the key early) neither advances the count nor moves the deadline.
- Every type of error has its own count and deadline; success resets all of them.
- A key that waits for others is in one group, and each group of a cause has one probing key with a pending time: when
  that key succeeds all are released, when it fails or goes the next one takes its turn.
- At most `limit` keys are remembered, and none is forgotten before its pending delay has passed.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Hashable, Mapping

from steady.backoff.causes import cause_of
from steady.backoff.classification import Classifier, Rule
from steady.backoff.config import DEFAULTS, BackoffConfig, ErrorType
from steady.backoff.entry import Entry
from steady.backoff.parking import NEVER, Group, Parking, Release
from steady.backoff.retry_after import asked_by
from steady.backoff.wait import Outcome, Stats, Wait
from steady.clock import Clock, SystemClock
from steady.errors import ConfigurationError

_PROBE = 60.0  # seconds between two tries at a cause, at most: rights that come back are noticed within a minute
_STALE = 3600.0  # seconds after its pending delay for which a key that nobody reports on is remembered
_ROUND = 60.0  # seconds between two rounds in which all remembered keys are looked at
_SWEPT = 4  # of them for every new key
_TICK = 0.001  # seconds: a timer may fire, and a sum of floats fall, that much before the moment that was meant
_MOST = 1_000_000  # failures counted; more tell nothing


class BackoffManager:
    """Remembers failures by key: any hashable, one for every object and operation.

    `config` replaces defaults by type. `limit` bounds the keys that are remembered (100,000 take 14 MiB beside
    the keys themselves): beyond it a new key is not remembered but waits `max_delay` in the low lane. Keys that nobody
    has reported on for an hour after their delay are forgotten as new ones come; no timer is needed. Times are the
    event loop's; `clock` is asked only where a server names a date.
    """

    def __init__(
        self,
        config: Mapping[ErrorType, BackoffConfig] | None = None,
        *,
        rng: random.Random | None = None,
        limit: int = 100_000,
        clock: Clock | None = None,
    ) -> None:
        self._config = dict(DEFAULTS)
        for error_type, each in (config or {}).items():
            self.set_config(error_type, each)
        self._classifier = Classifier()
        self._random = rng or random.Random()
        self._limit = limit
        self._clock = clock or SystemClock()
        self._entries: dict[Hashable, Entry] = {}
        self._parking = Parking()
        self._sweeping: list[Hashable] = []
        self._sweep_at = 0.0
        self._resets = 0

    def __len__(self) -> int:
        return len(self._entries)

    # What decides.

    def set_config(self, error_type: ErrorType, config: BackoffConfig) -> None:
        """Use `config` for `error_type` from the next failure on. Raises ConfigurationError for an unknown type."""
        if error_type not in DEFAULTS:
            raise ConfigurationError(f"backoff: error type is {error_type!r}; it must be one of {', '.join(DEFAULTS)}")
        self._config[ErrorType(error_type)] = config

    def register(self, exception: type[BaseException] | str, rule: Rule) -> None:
        """Classify `exception` and its subclasses by `rule`, ahead of everything else; the nearest class counts.

        A class of a library that need not be installed can be given as "package.Class". A rule is an ErrorType or a
        function of the error, such as `by_status`.
        """
        self._classifier.register(exception, rule)

    def classify_error(self, error: BaseException) -> ErrorType:
        """What type of error it is (see `classification`)."""
        return self._classifier(error)

    # What happens.

    def next_delay(
        self, key: Hashable, error: BaseException, *, release: Release | None = None, hold: bool | None = None
    ) -> Wait:
        """Record a failure of `key` and say how long it waits; `Retry-After` wins when it is longer.

        With `release` the key can wait for others: it is called when the key is to be tried again, and every run of the
        key must be reported, as a failure, by `success` or by `forget`. Without it a key whose retries are spent tries
        for itself. `hold` True: only a change can help, so it waits for one at once; False: it is never left to wait
        for one; None: as the error says.
        """
        now = asyncio.get_running_loop().time()
        error_type = self._classifier(error)
        entry = self._entries.get(key) or self._remember(key, error_type, now)
        asked = asked_by(error, self._clock)
        if entry is None:
            return self._unremembered(error_type, asked, now, held=hold)
        if entry.error_type is not error_type:
            self._parking.leave(key, entry, now)
            entry.turn(error_type)
        if now >= entry.deadline - _TICK and entry.attempts < _MOST:
            entry.attempts += 1
        config = self._config[error_type]
        spent = entry.attempts > config.max_retries
        if hold is None and spent and error_type is ErrorType.VALIDATION:
            hold = self._classifier.knows(error)  # no guess at words is taken for the last word
        if hold:
            self._parking.hold(key, entry, release or _nobody, now)
            return _said(entry, config, Outcome.HELD)
        if (spent or (release and self._parking.causes)) and (cause := self._cause(error, error_type, spent=spent)):
            wanted = Group(cause, min(config.max_delay, _PROBE))
            group = self._parking.join(wanted, key, entry, release, now) if release else None
            return self._probe(key, entry, config, group, asked, now)
        if entry.group:
            self._parking.leave(key, entry, now)
        if now < entry.deadline - _TICK:
            return _delayed(entry, config, Outcome.EARLY, max(entry.deadline - now, asked), now)
        if spent:
            return _delayed(entry, config, Outcome.SPENT, self._drawn(config, config.max_delay, asked), now)
        seconds = self._drawn(config, config.delay(entry.attempts), asked)
        return _delayed(entry, config, Outcome.RETRY, seconds, now)

    def success(self, key: Hashable) -> bool:
        """`key` has succeeded: forget its failures and release those that wait for the same cure.

        True when there was something to reset.
        """
        entry = self._entries.pop(key, None)
        if entry is None:
            return False
        self._resets += 1
        if entry.group:
            self._parking.cured(key, entry.group, asyncio.get_running_loop().time())
        return True

    def forget(self, key: Hashable) -> bool:
        """`key` is gone, or its object has changed: forget its failures; another takes its turn. True if it had any."""
        entry = self._entries.pop(key, None)
        if entry is None:
            return False
        if entry.group:
            self._parking.leave(key, entry, asyncio.get_running_loop().time())
        return True

    def reconsider(self) -> int:
        """The configuration or the interpreter has changed: release the keys that are held; returns how many.

        Their counts stay, so one that fails again is held again after one try.
        """
        held = len(self._parking.held)
        self._parking.held.release(asyncio.get_running_loop().time())
        return held

    def cleanup(self) -> int:
        """Forget every key that nobody has reported on for an hour after its delay; returns how many.

        It need not be called: as new keys come, old ones are looked at by the way.
        """
        now = asyncio.get_running_loop().time()
        stale = [key for key, entry in self._entries.items() if _stale(entry, now)]
        for key in stale:
            self.forget(key)
        return len(stale)

    # What is known.

    def attempts(self, key: Hashable) -> int:
        """Failures of `key` since its last success, of the type of its last error."""
        entry = self._entries.get(key)
        return entry.attempts if entry else 0

    def should_retry(self, key: Hashable) -> bool:
        """Whether `key` has retries left for its last type of error (without, it may still be tried: see Outcome)."""
        entry = self._entries.get(key)
        return entry is None or not self._spent(entry)

    def explain(self, key: Hashable) -> Wait | None:
        """How long `key` still waits, and why; None when it has no failure. Nothing changes by asking."""
        entry = self._entries.get(key)
        if entry is None:
            return None
        group = entry.group
        if group is None:
            outcome = Outcome.SPENT if self._spent(entry) else Outcome.RETRY
        elif group is self._parking.held:
            outcome = Outcome.HELD
        else:
            outcome = Outcome.PROBING if group.first == key else Outcome.PARKED
        config = self._config[entry.error_type]
        if entry.deadline == NEVER:
            return _said(entry, config, outcome)
        return _said(entry, config, outcome, max(entry.deadline - asyncio.get_running_loop().time(), 0.0))

    def stats(self) -> Stats:
        """What is remembered now. It looks at every key: for people and scrapes, not for every reconcile."""
        return Stats(
            len(self._entries),
            dict(Counter(entry.error_type for entry in self._entries.values())),
            {cause: len(group) for cause, group in self._parking.causes.items()},
            len(self._parking.held),
            self._resets,
        )

    # One failure.

    def _spent(self, entry: Entry) -> bool:
        return entry.attempts > self._config[entry.error_type].max_retries

    def _cause(self, error: BaseException, error_type: ErrorType, *, spent: bool) -> str:
        """The cause to probe: once retries are spent, or before that where others are at it already."""
        cause = cause_of(error, error_type) if self._classifier.knows(error) else ""
        return cause if spent or cause in self._parking.causes else ""

    def _probe(
        self, key: Hashable, entry: Entry, config: BackoffConfig, group: Group | None, asked: float, now: float
    ) -> Wait:
        """`key` failed by a cause: it waits for the others of `group`, or it is the one that tries."""
        if group and group.first != key:
            return _said(entry, config, Outcome.PARKED)
        if now < entry.deadline - _TICK:
            return _delayed(entry, config, Outcome.EARLY, max(entry.deadline - now, asked), now)
        seconds = self._drawn(config, min(config.max_delay, _PROBE), asked)
        if group and len(group) > 1:
            group.turn(now, now + seconds)
            return _said(entry, config, Outcome.PARKED)
        return _delayed(entry, config, Outcome.PROBING, seconds, now)

    def _drawn(self, config: BackoffConfig, delay: float, asked: float) -> float:
        """Between what the server asked for and `delay`, or up to `base_delay` after what it asked for.

        So those who were told the same moment do not come back at the same moment, and none comes sooner. What is above
        `max_delay` was asked for.
        """
        if not config.jitter:
            return max(delay, asked)
        if asked:
            latest = asked + config.base_delay
            delay = max(delay, latest if asked >= config.max_delay else min(latest, config.max_delay))
        return asked + (delay - asked) * (1.0 - self._random.random())

    # Memory.

    def _remember(self, key: Hashable, error_type: ErrorType, now: float) -> Entry | None:
        """A new entry, or None when there is no room."""
        if self._sweeping or now >= self._sweep_at:
            self._sweep(now)
        if len(self._entries) >= self._limit:
            return None
        entry = self._entries[key] = Entry(error_type)
        return entry

    def _sweep(self, now: float) -> None:
        if not self._sweeping:
            self._sweeping, self._sweep_at = list(self._entries), now + _ROUND
        for _ in range(min(_SWEPT, len(self._sweeping))):
            key = self._sweeping.pop()
            if (entry := self._entries.get(key)) and _stale(entry, now):
                self.forget(key)

    def _unremembered(self, error_type: ErrorType, asked: float, now: float, *, held: bool | None) -> Wait:
        config = self._config[error_type]
        if held:
            return Wait(Outcome.HELD, error_type, config.strategy, 1, low=True)
        seconds = self._drawn(config, config.max_delay, asked)
        return Wait(Outcome.SPENT, error_type, config.strategy, 1, seconds, now + seconds, low=True)


def _delayed(entry: Entry, config: BackoffConfig, outcome: Outcome, seconds: float, now: float) -> Wait:
    entry.deadline = now + seconds
    return _said(entry, config, outcome, seconds)


def _said(entry: Entry, config: BackoffConfig, outcome: Outcome, seconds: float | None = None) -> Wait:
    group = entry.group
    return Wait(
        outcome,
        entry.error_type,
        config.strategy,
        entry.attempts,
        seconds,
        None if seconds is None else entry.deadline,
        group is not None or entry.attempts > config.max_retries,
        group.cause if group else "",
    )


def _stale(entry: Entry, now: float) -> bool:
    return entry.deadline + _STALE < now and entry.pending() + _STALE < now


def _nobody(_: float) -> None:
    """For a key whose owner sees for himself when it may be tried again."""
