"""Bad weather between a client and its API server: faults by chance, on any transport, the same for the same seed."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from enum import Enum

import msgspec

from steady.client.transport import Request, Response, Stream, Transport
from steady.errors import Interrupted, Unreachable


class Fault(Enum):
    """What can become of a request."""

    THROTTLED = "answered 429, with Retry-After"
    FAILED = "answered 500"
    UNREACHABLE = "lost before it was sent"
    INTERRUPTED = "lost after it took effect"
    DELAYED = "late"
    CUT = "a stream that breaks off"


@dataclass(frozen=True, slots=True)
class Rates:
    """The shares (0 to 1) of requests that get each fault. A request gets one at most, so they add up to 1 or less.

    `cut` is the share of the pieces of a stream that are its last: half of such a piece arrives, then it breaks off.
    """

    throttled: float = 0.0
    failed: float = 0.0
    unreachable: float = 0.0
    interrupted: float = 0.0
    delayed: float = 0.0
    cut: float = 0.0

    @classmethod
    def evenly(cls, share: float) -> Rates:
        """Each of the five faults of a request for a fifth of `share`, and that share of pieces cut."""
        each = share / 5
        return cls(each, each, each, each, each, share)

    def draw(self, dice: random.Random) -> Fault | None:
        """What becomes of the next request."""
        shares = {
            Fault.THROTTLED: self.throttled,
            Fault.FAILED: self.failed,
            Fault.UNREACHABLE: self.unreachable,
            Fault.INTERRUPTED: self.interrupted,
            Fault.DELAYED: self.delayed,
        }
        none = max(0.0, 1.0 - sum(shares.values()))
        return dice.choices([*shares, None], [*shares.values(), none])[0]


def writes(request: Request) -> bool:
    """The requests that change something."""
    return request.method != "GET"


CALM = Rates()
OUTAGE = Rates(unreachable=1.0)
"""Nobody is reached. Streams that stand are left alone."""


class FaultyTransport:
    """`transport` in bad weather: requests that are `meant` get faults by `rates`.

    Both can be changed at any time; `faults` counts what was done. A late request leaves up to `delay` seconds later.
    """

    def __init__(
        self,
        transport: Transport,
        rates: Rates = CALM,
        *,
        seed: int = 0,
        meant: Callable[[Request], bool] = lambda _: True,
        retry_after: int = 1,
        delay: float = 5.0,
    ) -> None:
        self.rates = rates
        self.meant = meant
        self.faults: Counter[Fault] = Counter()
        self._transport = transport
        self._dice = random.Random(seed)
        self._retry_after = retry_after
        self._delay = delay

    async def send(self, request: Request) -> Response:
        """Send and wait for the whole answer, if it comes."""
        fault = await self._fate(request)
        if refused := self._refusal(fault):
            return refused
        answer = await self._transport.send(request)
        if fault is Fault.INTERRUPTED:
            raise Interrupted(f"{request.method} {request.path}: connection reset")
        return answer

    @asynccontextmanager
    async def stream(self, request: Request) -> AsyncIterator[Stream]:
        """Send and read the answer piece by piece, as far as it comes."""
        fault = await self._fate(request)
        if refused := self._refusal(fault):
            yield _Refused(refused)
            return
        async with self._transport.stream(request) as stream:
            if fault is Fault.INTERRUPTED:
                raise Interrupted(f"{request.method} {request.path}: connection reset")
            yield _Broken(stream, self._cuts) if self.meant(request) else stream

    async def close(self) -> None:
        """Give up all connections."""
        await self._transport.close()

    async def _fate(self, request: Request) -> Fault | None:
        """Draw a fault, and do what comes before the request leaves. Raises Unreachable."""
        fault = self.rates.draw(self._dice) if self.meant(request) else None
        if fault:
            self.faults[fault] += 1
        if fault is Fault.UNREACHABLE:
            raise Unreachable(f"{request.method} {request.path}: connection refused")
        if fault is Fault.DELAYED:
            await asyncio.sleep(self._dice.uniform(0.0, self._delay))
        return fault

    def _refusal(self, fault: Fault | None) -> Response | None:
        """The answer in the server's place."""
        if fault is Fault.THROTTLED:
            return _status(429, "TooManyRequests", {"retry-after": str(self._retry_after)})
        return _status(500, "InternalError", {}) if fault is Fault.FAILED else None

    def _cuts(self) -> bool:
        """Whether the next piece of a stream is its last."""
        last = self._dice.random() < self.rates.cut
        self.faults[Fault.CUT] += last
        return last


class _Broken:
    """A stream that may break off at any piece."""

    def __init__(self, stream: Stream, cuts: Callable[[], bool]) -> None:
        self.response = stream.response
        self._stream = stream
        self._cuts = cuts

    async def chunks(self) -> AsyncIterator[bytes]:
        """Pieces as they arrive."""
        async for piece in self._stream.chunks():
            if not self._cuts():
                yield piece
                continue
            yield piece[: len(piece) // 2]
            raise Interrupted("connection reset")


class _Refused:
    """A stream that was refused."""

    def __init__(self, response: Response) -> None:
        self.response = response

    async def chunks(self) -> AsyncIterator[bytes]:
        """None: the answer is in the response."""
        for piece in tuple[bytes, ...]():
            yield piece


def _status(code: int, reason: str, headers: dict[str, str]) -> Response:
    body = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
    told = {"message": "bad weather", "reason": reason, "code": code}
    return Response(code, headers, msgspec.json.encode(body | told))
