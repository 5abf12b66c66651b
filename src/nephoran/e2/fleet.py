"""The E2 nodes of all sets in this process: who is registered where, and how they fare."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from nephoran.addresses import PARALLEL
from nephoran.api.e2nodeset import NodeState
from nephoran.e2.link import Link
from nephoran.e2.nodes import RanFunction, RicSettings
from nephoran.e2.ric import Ric
from nephoran.e2.sessions import NodeSession, Roster
from steady.clock import Clock
from steady.errors import SteadyError
from steady.objects import Key
from steady.tasks import Scope
from steady.trace import caused_by, current
from steady.wakes import Wakes

Connect = Callable[[str], Ric]
"""Makes the RIC at an endpoint; `RicClients` is one."""


class Fleet:
    """Keeps nodes registered and watches over them: one request per RIC and interval, whatever the number of sets.

    A service: enter it before use. All state is in memory and is learned again from the RICs after a restart: a node
    that its RIC still reports is not registered again. `parallel` bounds the requests to one RIC at a time.
    """

    def __init__(self, connect: Connect, clock: Clock, parallel: int = PARALLEL) -> None:
        self._connect = connect
        self._clock = clock
        self._parallel = parallel
        self._scope = Scope("fleet")
        self._links: dict[str, Link] = {}
        self._rosters: dict[Key, Roster] = {}
        self._wakes = Wakes[Key]()
        self._attended: Counter[Key] = Counter()

    async def __aenter__(self) -> Self:
        await self._scope.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self._scope.__aexit__(kind, error, tb)

    async def failed(self) -> None:
        """Wait until the fleet cannot go on, then raise why."""
        await self._scope.failed()

    def watch(
        self,
        key: Key,
        ric: RicSettings,
        nodes: Mapping[str, Sequence[RanFunction]],
        earlier: Mapping[str, str] | None = None,
    ) -> None:
        """The set `key` has exactly `nodes` (RAN functions by node id) at `ric`; call it at every reconcile.

        `earlier` tells since when nodes have been connected (RFC 3339, by node id), as an earlier life saw it; it holds
        for nodes that the RIC reports as connected at the first look. A set that moves to another RIC is forgotten at
        the old one, where its nodes stay registered until `deregister` is called with the old settings.
        """
        roster = self._rosters.get(key)
        if roster is not None and roster.ric.endpoint != ric.endpoint:
            self.forget(key)
            roster = None
        if roster is None:
            roster = self._rosters[key] = Roster(key, ric)
        fresh = roster.declare(ric, nodes, earlier or {})
        link = self._joined(roster)
        link.welcome(roster, fresh)

    def forget(self, key: Key) -> None:
        """Nobody is interested in the set any more. Its nodes stay registered."""
        self._wakes.discard(key)
        roster = self._rosters.pop(key, None)
        if roster is None:
            return
        link = self._links[roster.ric.endpoint]
        link.rosters.pop(key, None)
        if not link.rosters and link.task is not None:
            del self._links[roster.ric.endpoint]
            link.task.cancel()

    async def register(self, key: Key, renew: Iterable[str] = ()) -> Mapping[str, SteadyError]:
        """Let the RIC know every node of a watched set; returns when it does, with the failures by node id.

        Nodes in `renew` get their RAN functions sent again: ask for it before the new configuration is stored, so that
        a crash in between repeats it. What the RIC already reports costs no request; while it is known to be down, none
        is made: the fleet goes on by itself when it is back, and `changes` says so. What was given up (Error) is tried
        again. Failures are RicUnavailable, RicRefused or AddressForbidden. KeyError: it is not watched.
        """
        roster = self._rosters[key]
        link = self._links[roster.ric.endpoint]
        roster.encourage(renew)
        if link.up is not False and not (link.up and roster.settled):
            with self._attending(roster):
                await link.look_soon()
        return roster.failures(link.trouble)

    async def deregister(self, key: Key, ric: RicSettings, node_ids: Iterable[str]) -> Mapping[str, SteadyError]:
        """Make the RIC forget nodes of a set, watched or not; the failures by node id.

        A node is Terminating until it is forgotten. While the RIC is known to be down no request is made, and `changes`
        names the set when it is back.
        """
        ids = list(node_ids)
        roster = self._rosters.get(key)
        leaving = roster.leave(ids) if roster is not None and roster.ric.endpoint == ric.endpoint else {}
        link = self._links.get(ric.endpoint) or self._link(ric.endpoint)
        outcomes = await link.deregister(ids, ric.connection_timeout)
        if roster is not None:
            roster.left(leaving, outcomes)
        return {node_id: error for node_id, error in outcomes.items() if error is not None}

    def sessions(self, key: Key) -> Mapping[str, NodeSession]:
        """How the nodes of a set fare, by node id; nothing for a set that is not watched."""
        roster = self._rosters.get(key)
        return roster.sessions() if roster is not None else {}

    def state(self, key: Key, node_id: str) -> NodeSession:
        """How one node of a set fares; Pending when nothing is known."""
        roster = self._rosters.get(key)
        member = roster.members.get(node_id) if roster is not None else None
        return member.session if member is not None else NodeSession()

    def counts(self) -> Counter[NodeState]:
        """Number of nodes by state, over all sets."""
        return Counter(member.session.state for roster in self._rosters.values() for member in roster.members.values())

    def rics(self) -> Counter[str]:
        """Number of RICs that are up, down, or unknown because nothing has been heard of them yet."""
        names = {True: "up", False: "down", None: "unknown"}
        return Counter(names[link.up] for link in self._links.values())

    def changes(self) -> AsyncIterator[Key]:
        """The sets of which a node has changed, each once however often it changed meanwhile; for one reader.

        What changes while `register` is awaited for a set is not told: its caller looks at the sessions anyway.
        """
        return self._wakes.keys()

    def _announce(self, key: Key) -> None:
        if not self._attended[key]:
            self._wakes.add([key])

    @contextmanager
    def _attending(self, roster: Roster) -> Iterator[None]:
        key, attended = roster.key, False
        self._attended[key] += 1
        roster.cause = current()
        try:
            yield
            attended = True
        finally:
            self._attended[key] -= 1
            if not self._attended[key]:
                del self._attended[key]
                roster.cause = None
            if not attended and key in self._rosters:
                self._announce(key)

    def _joined(self, roster: Roster) -> Link:
        """The link of the roster's RIC, with its loop running."""
        endpoint = roster.ric.endpoint
        link = self._links.get(endpoint)
        if link is None:
            link = self._links[endpoint] = self._link(endpoint)
        link.rosters[roster.key] = roster
        if link.task is None:
            with caused_by(None):  # it outlives the reconcile that needed it first
                link.task = self._scope.start(link.keep(), endpoint)
        return link

    def _link(self, endpoint: str) -> Link:
        return Link(self._connect(endpoint), self._clock, self._announce, self._parallel)
