"""A budget per object: it stops two writers, or a controller and its echo, from going round for ever."""

from __future__ import annotations

import asyncio
import logging
from typing import Annotated

import msgspec
from msgspec import Meta

from steady.errors import Throttled
from steady.metrics import Metrics

_log = logging.getLogger("steady.writes")

_NAG = 60.0  # seconds between two log lines about the same object
_LIMIT = 100_000  # objects remembered; far more than one process serves
_ROUNDING = 1e-9  # of a token; a wait for so little is none to the loop's clock, and would be asked for without end


class LimiterConfig(msgspec.Struct, frozen=True):
    """How often one thing may be done to one object: `burst` times at once, then `rate` times a second."""

    burst: Annotated[int, Meta(ge=1, le=10_000, description="Writes of one part of one object in a row.")] = 20
    rate: Annotated[float, Meta(gt=0, le=1000, description="Writes per second once these are spent.")] = 0.5


class _Bucket:
    __slots__ = ("at", "generation", "nagged", "tokens")

    def __init__(self, tokens: float, at: float) -> None:
        self.tokens = tokens
        self.at = at
        self.generation = 0
        self.nagged = -_NAG


class Limiter:
    """A token bucket for each thing that is done to an object. The first time for a generation is free."""

    def __init__(self, metrics: Metrics, config: LimiterConfig | None = None) -> None:
        self._metrics = metrics
        self._config = config or LimiterConfig()
        self._buckets: dict[tuple[str, str], _Bucket] = {}

    def take(self, uid: str, deed: str, name: str, generation: int = 0) -> None:
        """Take one `deed` (in the plural) for the object with `uid`, called `name` in the log. Raises Throttled.

        `generation` is the one that the deed is for, 0 where there is none.
        """
        now = asyncio.get_running_loop().time()
        burst, rate = self._config.burst, self._config.rate
        bucket = self._buckets.get((uid, deed))
        if bucket is None:
            self._forget(now)
            bucket = self._buckets[uid, deed] = _Bucket(burst, now)
        bucket.tokens = min(burst, bucket.tokens + (now - bucket.at) * rate)
        bucket.at = now
        if generation > bucket.generation:
            bucket.generation = generation
            return
        if bucket.tokens >= 1 - _ROUNDING:
            bucket.tokens -= 1
            return
        self._metrics.hot_objects.inc()
        text = f"{name}: {burst} {deed} in a row for no change of a spec; slowed down to {rate:g} a second"
        if now - bucket.nagged >= _NAG:
            bucket.nagged = now
            _log.warning("hot loop: %s", text)
        raise Throttled(text, (1 - bucket.tokens) / rate)

    def _forget(self, now: float) -> None:
        if len(self._buckets) < _LIMIT:
            return
        full = self._config.burst / self._config.rate
        self._buckets = {key: bucket for key, bucket in self._buckets.items() if now - bucket.at < full}
