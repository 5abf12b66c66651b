"""What is known of each node at its RIC, and how an observation changes it. No request is made here."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from nephoran.api.e2nodeset import NodeState
from nephoran.e2.nodes import RanFunction, RicSettings
from nephoran.e2.ric import RicRefused, RicUnavailable
from steady.errors import SteadyError
from steady.objects import Key
from steady.trace import Trace

Picture = list[tuple[NodeState, str, str]]
"""State, connected since, and error of each node."""


class NodeSession(msgspec.Struct, frozen=True, gc=False):
    """One node as its RIC sees it. Times are RFC 3339 texts, empty when there is none; `error` is for people."""

    state: NodeState = NodeState.PENDING
    connected_since: str = ""
    last_heartbeat: str = ""
    error: str = ""


class Member:
    """One node of a set, between observations.

    `known`: the RIC has it, as far as we know. `renew`: its RAN functions must be sent again. `tries`: fruitless
    registrations in a row. `failure`: why the last one was fruitless.
    """

    __slots__ = ("_earlier", "failure", "functions", "known", "renew", "session", "tries")

    def __init__(self, functions: Sequence[RanFunction], earlier: str = "") -> None:
        self.functions = tuple(functions)
        self.session = NodeSession()
        self.known = False
        self.renew = False
        self.tries = 0
        self.failure: SteadyError | None = None
        self._earlier = earlier

    @property
    def leaving(self) -> bool:
        """Whether the node is being deregistered."""
        return self.session.state is NodeState.TERMINATING

    @property
    def settled(self) -> bool:
        """Whether the RIC has been told everything."""
        return self.known and not self.renew

    def reported(self, state: NodeState, now: str) -> None:
        """The RIC says that it has the node, in `state`."""
        self.known = True
        if not self.renew:
            self.tries, self.failure = 0, None
        if state is NodeState.CONNECTED:
            self.session = NodeSession(state, self._since(now), now, self._trouble())
        else:
            self.session = NodeSession(state, "", self.session.last_heartbeat, self._trouble() or _said(state))
        self._earlier = ""

    def told(self, error: SteadyError | None, max_attempts: int) -> None:
        """A registration or an update has been answered, or failed with `error`; a refusal is not tried again."""
        self.failure = error
        self.tries = max_attempts if isinstance(error, RicRefused) else self.tries + 1
        if error is None:
            self.known, self.renew = True, False

    def missing(self, max_attempts: int) -> None:
        """The RIC does not report the node, for all that it has been told."""
        self.known = False
        if self.failure is None:
            self.failure = RicUnavailable("the RIC has accepted the node, but does not report it")
            self.session = NodeSession(NodeState.INITIALIZING, error=str(self.failure))
        elif self.tries >= max_attempts:
            self.session = NodeSession(NodeState.ERROR, error=str(self.failure))
        else:
            self.session = NodeSession(_state_after(self.failure), error=str(self.failure))

    def silent(self, error: SteadyError) -> None:
        """The RIC has not answered for too long."""
        self.session = NodeSession(_state_after(error), "", self.session.last_heartbeat, str(error))
        self._earlier = ""

    def leave(self, error: str = "") -> None:
        """The node is being deregistered; `error` says why it could not be."""
        self.session = NodeSession(NodeState.TERMINATING, error=error)

    def _since(self, now: str) -> str:
        return self.session.connected_since or self._earlier or now

    def _trouble(self) -> str:
        return f"its RAN functions could not be renewed: {self.failure}" if self.failure else ""


class Roster:
    """The nodes of one set at one RIC, by node id. `cause` is the reconcile that waits for them to be registered."""

    def __init__(self, key: Key, ric: RicSettings) -> None:
        self.key = key
        self.ric = ric
        self.members: dict[str, Member] = {}
        self.cause: Trace | None = None

    @property
    def present(self) -> list[tuple[str, Member]]:
        """The nodes that are meant to stay."""
        return [(node_id, member) for node_id, member in self.members.items() if not member.leaving]

    @property
    def leaving(self) -> bool:
        """Whether some node still waits for being deregistered."""
        return any(member.leaving for member in self.members.values())

    @property
    def settled(self) -> bool:
        """Whether the RIC has been told everything about every node that stays."""
        return all(member.settled for _, member in self.present)

    def declare(
        self, ric: RicSettings, nodes: Mapping[str, Sequence[RanFunction]], earlier: Mapping[str, str]
    ) -> list[str]:
        """These nodes stay; others are dropped unless they are being deregistered. The ids of those that are new."""
        self.ric, before = ric, self.members
        self.members = {node_id: member for node_id, member in before.items() if member.leaving}
        fresh = []
        for node_id, functions in nodes.items():
            member = before.get(node_id)
            if member is None or member.leaving:
                member = Member(functions, earlier.get(node_id, ""))
                fresh.append(node_id)
            member.functions = tuple(functions)
            self.members[node_id] = member
        return fresh

    def encourage(self, renew: Iterable[str] = ()) -> None:
        """Try again what had been given up, and send the RAN functions of the nodes `renew` again."""
        for _, member in self.present:
            if not member.settled:
                member.tries = 0
        for node_id in renew:
            if node_id in self.members:
                self.members[node_id].renew = True

    def leave(self, node_ids: Iterable[str]) -> dict[str, Member]:
        """These nodes are being deregistered; those of them that are on the roster."""
        leaving = {node_id: self.members[node_id] for node_id in node_ids if node_id in self.members}
        for member in leaving.values():
            member.leave()
        return leaving

    def left(self, leaving: Mapping[str, Member], outcomes: Mapping[str, SteadyError | None]) -> None:
        """The nodes `leaving` have been deregistered, or not; one that was declared anew meanwhile is left alone."""
        for node_id, member in leaving.items():
            if self.members.get(node_id) is not member:
                continue
            if (error := outcomes[node_id]) is None:
                del self.members[node_id]
            else:
                member.leave(str(error))

    def sessions(self) -> dict[str, NodeSession]:
        """What is known of every node."""
        return {node_id: member.session for node_id, member in self.members.items()}

    def failures(self, otherwise: SteadyError) -> dict[str, SteadyError]:
        """Why nodes that stay are not settled; `otherwise` for those that have not been tried."""
        return {node_id: member.failure or otherwise for node_id, member in self.present if not member.settled}

    def picture(self) -> Picture:
        """What must differ for a change to be worth telling: heartbeats are not."""
        return [
            (member.session.state, member.session.connected_since, member.session.error)
            for member in self.members.values()
        ]


def _state_after(error: SteadyError) -> NodeState:
    return NodeState.DISCONNECTED if isinstance(error, RicUnavailable) else NodeState.ERROR


def _said(state: NodeState) -> str:
    if state is NodeState.DISCONNECTED:
        return "the RIC reports the node as disconnected"
    return "the RIC reports that the node's E2 setup failed" if state is NodeState.ERROR else ""
