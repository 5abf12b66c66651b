"""How late the event loop is."""

from __future__ import annotations

import asyncio
from typing import Self

from prometheus_client import Histogram


class LagMonitor:
    """Measures, every `interval` seconds, how much later than asked a timer fires."""

    def __init__(self, histogram: Histogram, *, interval: float = 1.0) -> None:
        self._histogram = histogram
        self._interval = interval
        self._timer: asyncio.TimerHandle | None = None
        self._due = 0.0

    async def __aenter__(self) -> Self:
        self._arm()
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._timer:
            self._timer.cancel()

    def _arm(self) -> None:
        self._due = asyncio.get_running_loop().time() + self._interval
        self._timer = asyncio.get_running_loop().call_later(self._interval, self._fire)

    def _fire(self) -> None:
        self._histogram.observe(max(0.0, asyncio.get_running_loop().time() - self._due))
        self._arm()
