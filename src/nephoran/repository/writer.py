"""The one writer: first come, first committed, and what is ready at the same moment goes together."""

from __future__ import annotations

import asyncio
import contextlib
from collections import deque
from collections.abc import Sequence
from typing import Protocol

from nephoran.repository.errors import Closed, Moved, Refused, RemoteError, RepositoryError
from nephoran.repository.protocol import Commit
from nephoran.repository.requests import Outcome, Request

# A push of that many directories takes well under a second, and the message that lists them stays readable.
GROUP_LIMIT = 500
# Every turn but the last saw another pusher succeed: enough to win against several busy ones.
_ATTEMPTS = 10


class Landing(Protocol):
    """Where groups go."""

    async def land(self, group: Sequence[Request]) -> Sequence[Outcome]:
        """Bring `group` to the destination in one commit; one outcome per request, in order.

        An empty `group` has the destination's head looked up. Raises Moved when another commit came first (the next
        call starts from it), Refused when the remote declined the content, and any other RepositoryError when
        nothing can be said about a single request.
        """
        ...


class Writer:
    """Queues requests and lands them in groups.

    Invariants: requests leave in the order in which they came; a group never holds two of one directory, so that
    each keeps its own commit; a request is asked whether it still holds right before every attempt; a future is
    resolved only with what the destination has confirmed.
    """

    def __init__(self, landing: Landing, limit: int = GROUP_LIMIT, *, is_open: bool = True) -> None:
        self._landing = landing
        self._limit = limit
        self._queue: deque[Request] = deque()
        self._ready = asyncio.Event()
        self._idle = asyncio.Event()
        self._idle.set()
        self._turned = asyncio.Event()
        self._open = is_open

    async def submit(self, request: Request) -> Commit:
        """Wait until `request` has landed. Raises RepositoryError."""
        if not self._open:
            raise Closed("the repository is not open: enter it first, or derive the write again after the next start")
        self._queue.append(request)
        self._ready.set()
        return await request.future

    def prod(self) -> None:
        """Have the destination's head looked up."""
        self._ready.set()

    async def look(self) -> None:
        """Have the destination's head looked up, and wait until it was, or until a write has done so."""
        self._turned.clear()
        self.prod()
        await self._turned.wait()

    async def run(self) -> None:
        """Land groups until cancelled."""
        while True:
            await self._ready.wait()
            group = self._next_group()
            self._idle.clear()
            try:
                await self._settle(group) if group else await self._look_up()
            except BaseException as error:
                self._fail(group, Closed(f"the writer ended: {type(error).__name__}"))
                raise
            finally:
                self._idle.set()
                self._turned.set()

    async def close(self, grace: float) -> None:
        """Take nothing more, abandon what is queued, and give the group under way `grace` seconds."""
        self._open = False
        self._fail(self._queue, Closed("the repository was left before this write was committed"))
        self._queue.clear()
        try:
            async with asyncio.timeout(grace):
                await self._idle.wait()
        except TimeoutError:
            return

    def _next_group(self) -> list[Request]:
        group: dict[tuple[str, str], Request] = {}
        while self._queue and len(group) < self._limit and self._queue[0].directory not in group:
            request = self._queue.popleft()
            if not request.future.done():
                group[request.directory] = request
        if not self._queue:
            self._ready.clear()
        return list(group.values())

    async def _look_up(self) -> None:
        # Whoever asked for it keeps getting the error from a read until this succeeds.
        with contextlib.suppress(RepositoryError):
            await self._landing.land([])

    async def _settle(self, group: Sequence[Request]) -> None:
        for _ in range(_ATTEMPTS):
            if not (group := [request for request in group if request.holds()]):
                return
            try:
                outcomes = await self._landing.land(group)
            except Moved:
                continue
            except Refused as error:
                await self._split(group, error)
                return
            except RepositoryError as error:
                self._fail(group, error)
                return
            for request, outcome in zip(group, outcomes, strict=True):
                request.settle(outcome)
            return
        self._fail(group, RemoteError(f"the branch moved {_ATTEMPTS} times under this write; others push too fast"))

    async def _split(self, group: Sequence[Request], error: Refused) -> None:
        """Halve a refused group until the culprit stands alone; the others land."""
        if len(group) == 1:
            group[0].settle(error)
            return
        middle = len(group) // 2
        await self._settle(group[:middle])
        await self._settle(group[middle:])

    @staticmethod
    def _fail(requests: Sequence[Request] | deque[Request], error: RepositoryError) -> None:
        for request in requests:
            request.settle(type(error)(str(error)))
