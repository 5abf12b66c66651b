"""One RIC: looked at once per interval for all nodes of all sets, and told about the nodes that it does not have."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable

from nephoran.api.e2nodeset import NodeState
from nephoran.e2.ric import Ric, RicUnavailable
from nephoran.e2.sessions import Member, Picture, Roster
from nephoran.e2.volley import FAILURES, Call, Outcomes, Volley
from steady.clock import Clock, timestamp
from steady.errors import SteadyError
from steady.objects import Key
from steady.trace import caused_by

_log = logging.getLogger("nephoran.e2")

Report = dict[str, NodeState] | None
"""What a RIC says of its nodes; None when it serves no liveness."""


class Link:
    """The rosters of all sets at one RIC, and the loop that keeps them true.

    Invariants: one conversation at a time (`_busy`); while the RIC is down, one look per interval and nothing else; a
    node is registered only after a look that did not report it. `up` is None before the first answer or failure.
    `announce` is called with the key of every set whose picture has changed.
    """

    def __init__(self, ric: Ric, clock: Clock, announce: Callable[[Key], None], parallel: int) -> None:
        self.rosters: dict[Key, Roster] = {}
        self.task: asyncio.Task[None] | None = None
        self.up: bool | None = None
        self.trouble: SteadyError = RicUnavailable("the RIC has not been asked yet")
        self._ric = ric
        self._clock = clock
        self._announce = announce
        self._parallel = parallel
        self._busy = asyncio.Lock()
        self._hurry = asyncio.Event()
        self._waiting: list[asyncio.Future[None]] = []
        self._answered = float("-inf")
        self._report: Report = {}

    @property
    def interval(self) -> float:
        """Seconds between two looks: the shortest that a set asks for."""
        return min((roster.ric.heartbeat_interval for roster in self.rosters.values()), default=10.0)

    @property
    def patience(self) -> float:
        """Seconds that a look may take: no longer than any set would wait."""
        return min((roster.ric.connection_timeout for roster in self.rosters.values()), default=30.0)

    async def keep(self) -> None:
        """Look once per interval, and at once when asked to, until cancelled."""
        loop = asyncio.get_running_loop()
        try:
            while True:
                due = loop.time() + self.interval
                self._hurry.clear()
                await self._beat()
                await self._pause(due)
        finally:
            self._release()

    def look_soon(self) -> asyncio.Future[None]:
        """Settles after the next look that begins from now on, and whatever that leads to."""
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        if self.task is None or self.task.done():
            future.set_exception(RuntimeError("nobody talks to this RIC any more; the log says why"))
            return future
        self._waiting.append(future)
        self._hurry.set()
        return future

    def welcome(self, roster: Roster, node_ids: Iterable[str]) -> None:
        """Tell new members what the last look already knows of them."""
        if not self.up or self._report is None:
            return
        now = timestamp(self._clock.now())
        for node_id in node_ids:
            if (state := self._report.get(node_id)) is not None:
                roster.members[node_id].reported(state, now)

    async def deregister(self, node_ids: Iterable[str], within: float) -> Outcomes:
        """Make the RIC forget nodes, each `within` seconds; nothing is sent while a loop finds the RIC down."""
        calls = [self._deregistration(node_id) for node_id in node_ids]
        async with self._busy:
            if self.up is False and self.rosters:
                return {call.node_id: self.trouble for call in calls}
            outcomes = await self._send(calls, within)
        for node_id, error in outcomes.items():
            if error is None and self._report:
                self._report.pop(node_id, None)
        return outcomes

    async def _pause(self, due: float) -> None:
        try:
            async with asyncio.timeout_at(due):
                await self._hurry.wait()
        except TimeoutError:
            return

    async def _beat(self) -> None:
        async with self._busy:
            served, self._waiting = self._waiting, []
            before = {key: roster.picture() for key, roster in self.rosters.items()}
            was_down = self.up is False
            try:
                await self._converse()
            except FAILURES as error:
                self._unanswered(error)
            finally:
                _settle(served)
            self._tell_changes(before, recovered=was_down and self.up is True)

    async def _converse(self) -> None:
        report = await self._look()
        accepted = [await self._catch_up(roster, report) for roster in list(self.rosters.values())]
        if any(accepted) and report is not None:
            report = await self._look()
        self._learn(report)

    async def _look(self) -> Report:
        """What the RIC reports of all its nodes."""
        try:
            async with asyncio.timeout(self.patience):
                self._report = await self._ric.states()
        except TimeoutError:
            raise RicUnavailable("the RIC does not answer: timed out") from None
        self._answered = asyncio.get_running_loop().time()
        if self.up is False:
            self._encourage()
        self.up = True
        return self._report

    def _encourage(self) -> None:
        """A RIC that is back may take what it had refused."""
        for roster in self.rosters.values():
            roster.encourage()

    async def _catch_up(self, roster: Roster, report: Report) -> bool:
        """Register what the RIC does not have, renew what is out of date; whether it accepted a registration."""
        eager = [pair for pair in roster.present if pair[1].tries < roster.ric.max_attempts]
        lost = [pair for pair in eager if _lost(*pair, report)]
        stale = [pair for pair in eager if pair[1].renew and not _lost(*pair, report)]
        calls = [*(self._registration(*pair) for pair in lost), *(self._renewal(*pair) for pair in stale)]
        with caused_by(roster.cause):
            outcomes = await self._send(calls, roster.ric.connection_timeout)
        for node_id, member in (*lost, *stale):
            member.told(outcomes[node_id], roster.ric.max_attempts)
        return any(outcomes[node_id] is None for node_id, _ in lost)

    async def _send(self, calls: list[Call], within: float) -> Outcomes:
        if not calls:
            return {}
        return await Volley(calls, parallel=self._parallel, within=within, sure=self.up is True).send()

    def _learn(self, report: Report) -> None:
        now = timestamp(self._clock.now())
        for roster in self.rosters.values():
            for node_id, member in roster.present:
                if not _lost(node_id, member, report):
                    member.reported(NodeState.CONNECTED if report is None else report[node_id], now)
                else:
                    member.missing(roster.ric.max_attempts)

    def _unanswered(self, error: SteadyError) -> None:
        """The RIC is down: nodes are, too, once it has been silent for their set's connection timeout."""
        if self.up is not False:
            _log.warning("a RIC is lost: %s", error)
            self.trouble = error
        self.up = False
        silence = asyncio.get_running_loop().time() - self._answered
        for roster in self.rosters.values():
            for _, member in roster.present:
                # Without reports there is no telling what a RIC that comes back still knows.
                member.known = member.known and self._report is not None
                if silence >= roster.ric.connection_timeout or member.session.state is not NodeState.CONNECTED:
                    member.silent(self.trouble)

    def _tell_changes(self, before: dict[Key, Picture], *, recovered: bool) -> None:
        for key, roster in self.rosters.items():
            if roster.picture() != before.get(key) or (recovered and roster.leaving):
                self._announce(key)

    def _registration(self, node_id: str, member: Member) -> Call:
        return Call(node_id, lambda: self._ric.register(node_id, member.functions))

    def _renewal(self, node_id: str, member: Member) -> Call:
        return Call(node_id, lambda: self._ric.update(node_id, member.functions))

    def _deregistration(self, node_id: str) -> Call:
        return Call(node_id, lambda: self._ric.deregister(node_id))

    def _release(self) -> None:
        waiting, self._waiting = self._waiting, []
        _settle(waiting)


def _lost(node_id: str, member: Member, report: Report) -> bool:
    return not member.known if report is None else node_id not in report


def _settle(futures: Iterable[asyncio.Future[None]]) -> None:
    for future in futures:
        if not future.done():
            future.set_result(None)
