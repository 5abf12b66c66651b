"""How many writes may be on their way: as many as the server answers well.

The window grows by one per round trip while it is used and the answers are about as fast as the best ones lately, and
halves when they become much slower or the server refuses for overload (additive increase, multiplicative decrease:
D.-M. Chiu and R. Jain, 1989, with a delay signal as in TCP Vegas, L. Brakmo and L. Peterson, 1995).

Invariants
- `max_in_flight` and `writes_per_second` are never exceeded, by CRITICAL writes neither.
- The window and a pause (`Retry-After`) hold back all but CRITICAL ones. The window is never below one, so a single
  object that changes now and then never waits for it.
- Answers to writes that left before the window was halved do not halve it again.
"""

from __future__ import annotations

import msgspec

from steady import errors
from steady.status.pending import NEVER, Why

_START = 8.0  # the window of a batcher that has seen nothing yet
_LONGEST_PAUSE = 60.0  # seconds; a server that asks for more is asked again after this
_NOTICEABLE = 0.025  # seconds; differences below are noise of the machine
_NEAR = 2.0  # times the best latency: grow
_FAR = 4.0  # times the best latency: halve
_SMOOTHING = 1 / 8  # a new latency's part in the average, as of TCP's round trip time (RFC 6298)
_MEMORY = 30.0  # seconds after which the best latency begins to be forgotten


class Flight(msgspec.Struct, frozen=True, gc=False):
    """One write on its way."""

    number: int
    began: float
    urgent: bool


class Budget:
    """Moments and latencies in seconds. `writes_per_second` 0 means no limit."""

    def __init__(self, max_in_flight: int, writes_per_second: float = 0.0) -> None:
        self.window = min(_START, float(max_in_flight))
        self.in_flight = 0
        self.ends = NEVER  # a pause that lasts until then is not kept: there is no later
        self.paused_until = 0.0
        self._most = max_in_flight
        self._spacing = 1 / writes_per_second if writes_per_second else 0.0
        self._next = 0.0
        self._ordinary = 0
        self._number = 0
        self._filled = 0  # the last write that filled the window
        self._halved = 0  # the last one that left before the window was halved
        self._latency = 0.0
        self._best = self._best_lately = NEVER
        self._usual = _NOTICEABLE
        self._forgotten = 0.0

    def wait(self, now: float, *, urgent: bool = False) -> float:
        """Seconds until one more may leave: 0 for now, infinity when an answer must come first."""
        if self.in_flight >= self._most or (self._ordinary >= int(self.window) and not urgent):
            return NEVER
        moment = self._next
        if self.paused_until > now and not urgent:
            moment = max(moment, self._pause)
        return moment - now if moment > now else 0.0

    def why(self, now: float, *, urgent: bool = False) -> Why:
        """What a write that is ready waits for."""
        if self._pause > now and not urgent:
            return Why.PAUSE
        return Why.RATE if self._next > now else Why.TURN

    def begin(self, now: float, *, urgent: bool = False) -> Flight:
        """One leaves."""
        self.in_flight += 1
        self._ordinary += not urgent
        self._number += 1
        if self._ordinary >= int(self.window):
            self._filled = self._number
        self._next = max(self._next, now) + self._spacing
        return Flight(self._number, now, urgent)

    def end(self, flight: Flight, now: float, error: BaseException | None = None) -> None:
        """It was answered, or failed with `error`."""
        self.in_flight -= 1
        self._ordinary -= not flight.urgent
        if isinstance(error, errors.ApiError) and error.retry_after:
            self.paused_until = max(self.paused_until, now + min(error.retry_after, _LONGEST_PAUSE))
        if flight.number <= self._halved:
            return
        if error is None:
            self._answered(now - flight.began, now, used=flight.number <= self._filled)
        elif _overloaded(error):
            self._halve()

    @property
    def _pause(self) -> float:
        return self.paused_until if self.paused_until < self.ends else 0.0

    def _answered(self, latency: float, now: float, *, used: bool) -> None:
        if now - self._forgotten > _MEMORY:
            self._best, self._best_lately, self._forgotten = self._best_lately, NEVER, now
        if latency < self._best_lately:
            self._best_lately = latency
            self._usual = max(min(self._best, latency), _NOTICEABLE)
        self._latency += (latency - self._latency) * _SMOOTHING
        if self._latency > _FAR * self._usual:
            self._halve()
            self._latency = self._usual
        elif used and self._latency <= _NEAR * self._usual:
            self.window = min(self.window + 1 / self.window, float(self._most))

    def _halve(self) -> None:
        self.window = max(self.window / 2, 1.0)
        self._halved = self._number


def _overloaded(error: BaseException) -> bool:
    if isinstance(error, errors.ApiError):
        return error.status in {429, 503, 504}
    return isinstance(error, errors.TransportError | TimeoutError)
