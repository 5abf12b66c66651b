"""How long to wait after which type of error: five types, three strategies, one configuration per type."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from steady.errors import ConfigurationError

LONGEST = 86_400.0
"""Seconds: no delay may be configured, and none asked for by a server is honoured, beyond a day."""


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
    """The delays of one type of error, in seconds. Raises ConfigurationError naming key, value and allowed range.

    The n-th failure waits `base_delay` · `multiplier`^(n-1) (exponential), `base_delay` · (1 + `multiplier` · (n-1))
    (linear) or `base_delay` (constant), never more than `max_delay`; after `max_retries` retries, `max_delay`.

    With `jitter` the delay is drawn evenly from (0, delay], the whole of it: keys that fail at one instant come back as
    thinly as the delay allows, at half the peak that its upper half would give. A short draw is no hot loop, since the
    next delay is longer, and a draw is never 0.
    """

    strategy: Annotated[BackoffStrategy, Meta(description="How the delay grows from one failure to the next.")]
    base_delay: Annotated[float, Meta(gt=0, le=LONGEST, description="Seconds after the first failure.")]
    max_delay: Annotated[float, Meta(gt=0, le=LONGEST, description="The longest delay, in seconds.")]
    multiplier: Annotated[
        float,
        Meta(ge=0, le=1000, description="Growth per failure: a factor (exponential), a share of the base (linear)."),
    ] = 2.0
    jitter: Annotated[bool, Meta(description="Draw each delay evenly from all that are not longer.")] = True
    max_retries: Annotated[
        int, Meta(ge=0, le=1_000_000, description="Retries before it depends on what can help, see the architecture.")
    ] = 5

    def __post_init__(self) -> None:
        if not 0.0 < self.max_delay <= LONGEST:
            raise _refused("max_delay", self.max_delay, f"more than 0 and at most {LONGEST:g} s")
        if not 0.0 < self.base_delay <= self.max_delay:
            raise _refused("base_delay", self.base_delay, f"more than 0 and at most max_delay, {self.max_delay:g} s")
        least = 1.0 if self.strategy is BackoffStrategy.EXPONENTIAL else 0.0
        if not least <= self.multiplier < float("inf"):
            raise _refused("multiplier", self.multiplier, f"finite and at least {least:g} for {self.strategy}")
        if self.max_retries < 0:
            raise _refused("max_retries", self.max_retries, "at least 0")

    def delay(self, attempt: int) -> float:
        """The delay after failure number `attempt` (from 1), without jitter; safe for any number and multiplier."""
        if attempt <= 1 or self.strategy is BackoffStrategy.CONSTANT:
            return self.base_delay
        multiplier = float(self.multiplier)
        try:
            grown = (
                1.0 + multiplier * (attempt - 1)
                if self.strategy is BackoffStrategy.LINEAR
                else multiplier ** (attempt - 1)
            )
        except OverflowError:
            return self.max_delay
        return min(self.base_delay * grown, self.max_delay)


def _refused(key: str, value: float, allowed: str) -> ConfigurationError:
    return ConfigurationError(f"backoff: {key} is {value!r}; it must be {allowed}")


_EXPONENTIAL, _LINEAR, _CONSTANT = BackoffStrategy.EXPONENTIAL, BackoffStrategy.LINEAR, BackoffStrategy.CONSTANT

DEFAULTS: Mapping[ErrorType, BackoffConfig] = {
    # The seed's defaults (reference: the BackoffManager of the optimized Go controllers).
    ErrorType.TRANSIENT: BackoffConfig(_EXPONENTIAL, 2.0, 300.0, 2.0, True, 5),
    ErrorType.PERMANENT: BackoffConfig(_CONSTANT, 30.0, 30.0, 1.0, False, 2),
    ErrorType.RESOURCE: BackoffConfig(_LINEAR, 5.0, 120.0, 1.5, True, 4),
    ErrorType.THROTTLING: BackoffConfig(_EXPONENTIAL, 10.0, 600.0, 2.5, True, 3),
    ErrorType.VALIDATION: BackoffConfig(_CONSTANT, 15.0, 15.0, 1.0, False, 1),
}
"""The configuration of every type; a manager takes a copy."""
