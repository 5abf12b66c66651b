"""How long to wait after which error. The only place that decides when something is tried again."""

from __future__ import annotations

import asyncio
import random
import re
import ssl
from collections.abc import Hashable, Mapping
from enum import StrEnum

import msgspec

from steady import errors


class ErrorType(StrEnum):
    """What kind of trouble an error is."""

    TRANSIENT = "transient"
    PERMANENT = "permanent"
    RESOURCE = "resource"
    THROTTLING = "throttling"
    VALIDATION = "validation"


class BackoffStrategy(StrEnum):
    """How the delay grows from one failure to the next."""

    EXPONENTIAL = "exponential"
    LINEAR = "linear"
    CONSTANT = "constant"


class BackoffConfig(msgspec.Struct, frozen=True):
    """Delays in seconds. With `jitter` a delay is drawn from its upper half, never above `max_delay`."""

    strategy: BackoffStrategy
    base_delay: float
    max_delay: float
    multiplier: float = 2.0
    jitter: bool = True
    max_retries: int = 5

    def delay(self, attempt: int) -> float:
        """The delay after failure number `attempt` (from 1), without jitter; integer-safe for any attempt."""
        steps = max(attempt, 1) - 1
        if self.strategy is BackoffStrategy.CONSTANT:
            return min(self.base_delay, self.max_delay)
        if self.strategy is BackoffStrategy.LINEAR:
            return min(self.base_delay * (1 + self.multiplier * steps), self.max_delay)
        delay = self.base_delay
        for _ in range(min(steps, 64)):
            if delay >= self.max_delay:
                break
            delay *= self.multiplier
        return min(delay, self.max_delay)


_EXPONENTIAL, _LINEAR, _CONSTANT = BackoffStrategy.EXPONENTIAL, BackoffStrategy.LINEAR, BackoffStrategy.CONSTANT

DEFAULTS: Mapping[ErrorType, BackoffConfig] = {
    # The seed's defaults (reference: the BackoffManager of the optimized Go controllers).
    ErrorType.TRANSIENT: BackoffConfig(_EXPONENTIAL, 2.0, 300.0, 2.0, True, 5),
    ErrorType.PERMANENT: BackoffConfig(_CONSTANT, 30.0, 30.0, 1.0, False, 2),
    ErrorType.RESOURCE: BackoffConfig(_LINEAR, 5.0, 120.0, 1.5, True, 4),
    ErrorType.THROTTLING: BackoffConfig(_EXPONENTIAL, 10.0, 600.0, 2.5, True, 3),
    ErrorType.VALIDATION: BackoffConfig(_CONSTANT, 15.0, 15.0, 1.0, False, 1),
}

_API: tuple[tuple[type[errors.SteadyError], ErrorType], ...] = (
    (errors.TooManyRequests, ErrorType.THROTTLING),
    (errors.Throttled, ErrorType.THROTTLING),
    (errors.Unauthorized, ErrorType.PERMANENT),
    (errors.Forbidden, ErrorType.PERMANENT),
    (errors.NotFound, ErrorType.RESOURCE),
    (errors.Conflict, ErrorType.RESOURCE),
    (errors.AlreadyExists, ErrorType.RESOURCE),
    (errors.Expired, ErrorType.TRANSIENT),
    (errors.ServerError, ErrorType.TRANSIENT),
    (errors.Invalid, ErrorType.VALIDATION),
    (errors.BadRequest, ErrorType.VALIDATION),
    (errors.DecodeError, ErrorType.VALIDATION),
    (errors.ConfigurationError, ErrorType.PERMANENT),
    (errors.TransportError, ErrorType.TRANSIENT),
    (errors.NotLeader, ErrorType.TRANSIENT),
)

_FOREIGN: tuple[tuple[type[BaseException], ErrorType], ...] = (
    (ssl.SSLCertVerificationError, ErrorType.PERMANENT),
    (PermissionError, ErrorType.PERMANENT),
    (TimeoutError, ErrorType.TRANSIENT),
    (OSError, ErrorType.TRANSIENT),
    (msgspec.MsgspecError, ErrorType.VALIDATION),
    (ValueError, ErrorType.VALIDATION),
)

_WORDS: tuple[tuple[re.Pattern[str], ErrorType], ...] = (
    (re.compile(r"\b(rate limit|throttl(ed|ing)|too many requests)\b", re.IGNORECASE), ErrorType.THROTTLING),
    (re.compile(r"\b(unauthorized|forbidden|authentication|permission denied)\b", re.IGNORECASE), ErrorType.PERMANENT),
    (re.compile(r"\b(conflict|quota|capacity)\b", re.IGNORECASE), ErrorType.RESOURCE),
    (re.compile(r"\b(invalid|validation|schema)\b", re.IGNORECASE), ErrorType.VALIDATION),
)


class _Entry:
    __slots__ = ("attempts", "deadline", "error_type")

    def __init__(self, error_type: ErrorType) -> None:
        self.error_type = error_type
        self.attempts = 0
        self.deadline = 0.0


class BackoffManager:
    """Remembers failures by key.

    Invariants: one key never changes another; configuration belongs to the instance; a failure that comes before the
    pending deadline (a spurious wake-up ran the key early) neither advances the count nor moves the deadline.
    """

    def __init__(
        self, config: Mapping[ErrorType, BackoffConfig] | None = None, *, rng: random.Random | None = None
    ) -> None:
        self._config = {**DEFAULTS, **(config or {})}
        self._registered: list[tuple[type[BaseException], ErrorType]] = []
        self._entries: dict[Hashable, _Entry] = {}
        self._random = rng or random.Random()

    def __len__(self) -> int:
        return len(self._entries)

    def set_config(self, error_type: ErrorType, config: BackoffConfig) -> None:
        """Use `config` for `error_type` from the next failure on."""
        self._config[error_type] = config

    def register(self, exception: type[BaseException], error_type: ErrorType) -> None:
        """Classify `exception` and its subclasses as `error_type`, ahead of the built-in rules."""
        self._registered.insert(0, (exception, error_type))

    def classify_error(self, error: BaseException) -> ErrorType:
        """By what the error itself says (`error_type`), by type, and only then, for foreign errors, by whole words."""
        if isinstance(own := getattr(error, "error_type", None), ErrorType):
            return own
        for known, error_type in (*self._registered, *_API, *_FOREIGN):
            if isinstance(error, known):
                return error_type
        text = str(error)
        return next((error_type for pattern, error_type in _WORDS if pattern.search(text)), ErrorType.TRANSIENT)

    def next_delay(self, key: Hashable, error: BaseException) -> float | None:
        """Record a failure of `key` and return the seconds to wait, or None: wait until the object changes.

        `Retry-After` wins when it is longer.
        """
        error_type = self.classify_error(error)
        config = self._config[error_type]
        now = asyncio.get_running_loop().time()
        entry = self._entries.get(key)
        if entry is None or entry.error_type is not error_type:
            entry = self._entries[key] = _Entry(error_type)
        elif now < entry.deadline:
            return entry.deadline - now
        entry.attempts = min(entry.attempts + 1, 1_000_000)
        if error_type is ErrorType.VALIDATION and entry.attempts > config.max_retries:
            return None
        delay = self._jittered(config, config.delay(entry.attempts))
        delay = max(delay, getattr(error, "retry_after", None) or 0.0)
        entry.deadline = now + delay
        return delay

    def attempts(self, key: Hashable) -> int:
        """Failures of `key` since its last success."""
        entry = self._entries.get(key)
        return entry.attempts if entry else 0

    def success(self, key: Hashable) -> None:
        """`key` has succeeded, or is gone, or its object has changed: forget its failures."""
        self._entries.pop(key, None)

    def _jittered(self, config: BackoffConfig, delay: float) -> float:
        if not config.jitter:
            return delay
        return delay * (0.5 + self._random.random() / 2)
