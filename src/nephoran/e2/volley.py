"""Many requests to one RIC, some at a time, ended early by an outage."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from typing import NamedTuple

from nephoran.addresses import AddressForbidden
from nephoran.e2.ric import RicRefused, RicUnavailable
from steady.errors import SteadyError
from steady.tasks import Scope

FAILURES = (RicUnavailable, RicRefused, AddressForbidden)
"""What a request to a RIC may raise."""

Outcomes = dict[str, SteadyError | None]
"""By node id: why the request failed, None when it did not."""


class Call(NamedTuple):
    """One request about one node."""

    node_id: str
    send: Callable[[], Awaitable[None]]


class Volley:
    """Sends `calls`, `parallel` at a time and each `within` seconds.

    Invariant: after `parallel` unanswered requests in a row (one, while it is not `sure` that the RIC answers at all)
    no further one is sent; those left out share the last error.
    """

    def __init__(self, calls: Sequence[Call], *, parallel: int, within: float, sure: bool) -> None:
        self._calls = calls
        self._parallel = parallel
        self._within = within
        self._sure = sure
        self._outcomes: Outcomes = {}
        self._unanswered = 0
        self._last: SteadyError | None = None

    async def send(self) -> Outcomes:
        """Send what may be sent; the outcome of every call."""
        pending = iter(self._calls)
        if not self._sure and (first := next(pending, None)) is not None:
            await self._attempt(first)
            self._unanswered *= self._parallel
        async with Scope("ric") as scope:
            for number in range(min(self._parallel, len(self._calls))):
                scope.start(self._work(pending), f"call-{number}")
            await scope.drained()
        return {call.node_id: self._outcomes.get(call.node_id, self._last) for call in self._calls}

    async def _work(self, pending: Iterator[Call]) -> None:
        while self._unanswered < self._parallel and (call := next(pending, None)) is not None:
            await self._attempt(call)

    async def _attempt(self, call: Call) -> None:
        self._outcomes[call.node_id] = outcome = await self._outcome(call)
        if isinstance(outcome, RicUnavailable):
            self._unanswered += 1
            self._last = outcome
        else:
            self._unanswered = 0

    async def _outcome(self, call: Call) -> SteadyError | None:
        try:
            async with asyncio.timeout(self._within):
                await call.send()
        except TimeoutError:
            return RicUnavailable("the RIC does not answer: timed out")
        except FAILURES as error:
            return error
        return None
