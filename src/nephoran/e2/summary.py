"""The status of a set from what is known of its nodes: pure, and the same text for the same situation.

Heartbeats are left out on purpose: a status that told them would change with every look at the RIC.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

import msgspec

from nephoran.api.e2nodeset import E2NodeSetStatus, NodeSetPhase, NodeState, NodeStatus
from nephoran.e2.nodes import set_labels
from nephoran.e2.sessions import NodeSession
from steady.objects import Condition
from steady.objects.conditions import false, true

listed_limit = 50  # nodes that a status lists
error_limit = 256  # characters of a node's error message

_URGENCY = {
    NodeState.ERROR: 0,
    NodeState.DISCONNECTED: 1,
    NodeState.TERMINATING: 2,
    NodeState.PENDING: 3,
    NodeState.INITIALIZING: 4,
    NodeState.CONNECTED: 5,
}


class Situation(msgspec.Struct, frozen=True):
    """What a status is made of.

    `desired` and `existing` count nodes and ConfigMaps; `updated` those with the desired configuration. `node_ids` has
    the nodes' order (by index); `sessions` may hold more of them, such as nodes that are being deregistered.
    """

    desired: int
    existing: int
    updated: int
    node_ids: Sequence[str]
    sessions: Mapping[str, NodeSession]
    deleting: bool = False

    @property
    def states(self) -> Counter[NodeState]:
        """Number of nodes by state."""
        return Counter(session.state for _, session in self.nodes)

    @property
    def nodes(self) -> list[tuple[str, NodeSession]]:
        """All nodes in their order; one that nothing is known of is Pending."""
        others = sorted(self.sessions.keys() - set(self.node_ids))
        return [(node_id, self.sessions.get(node_id, NodeSession())) for node_id in (*self.node_ids, *others)]


def summary(set_name: str, situation: Situation) -> E2NodeSetStatus:
    """The whole status of a set, but for what the runtime fills in."""
    states = situation.states
    ready = states[NodeState.CONNECTED]
    return E2NodeSetStatus(
        conditions=conditions(situation),
        phase=phase(situation),
        replicas=situation.existing,
        selector=",".join(f"{name}={value}" for name, value in set_labels(set_name).items()),
        ready_replicas=ready,
        current_replicas=situation.existing,
        updated_replicas=situation.updated,
        available_replicas=ready + states[NodeState.INITIALIZING],
        states={state.value: states[state] for state in NodeState if states[state]},
        e2_node_statuses=node_statuses(situation),
    )


def node_statuses(situation: Situation) -> tuple[NodeStatus, ...]:
    """At most `listed_limit` nodes, those that need attention first, otherwise in their order."""
    urgent = sorted(situation.nodes, key=lambda pair: _URGENCY[pair[1].state])
    return tuple(
        NodeStatus(
            node_id,
            session.state,
            connected_since=session.connected_since or None,
            error_message=session.error[:error_limit],
        )
        for node_id, session in urgent[:listed_limit]
    )


def phase(situation: Situation) -> NodeSetPhase:
    """Where the set stands, in one word."""
    states = situation.states
    unhealthy = states[NodeState.DISCONNECTED] + states[NodeState.ERROR]
    if situation.deleting:
        return NodeSetPhase.TERMINATING
    if unhealthy:
        return NodeSetPhase.FAILED if states[NodeState.ERROR] == len(situation.nodes) else NodeSetPhase.DEGRADED
    if situation.existing != situation.desired:
        return NodeSetPhase.SCALING if situation.existing else NodeSetPhase.PENDING
    if states[NodeState.CONNECTED] >= situation.desired and situation.updated >= situation.desired:
        return NodeSetPhase.READY
    return NodeSetPhase.INITIALIZING


def conditions(situation: Situation) -> tuple[Condition, ...]:
    """Available, Progressing, Degraded and Ready."""
    return (_available(situation), _progressing(situation), _degraded(situation), _ready(situation))


def _connected(situation: Situation) -> str:
    return f"{situation.states[NodeState.CONNECTED]} of {situation.desired} nodes are connected"


def _available(situation: Situation) -> Condition:
    if situation.states[NodeState.CONNECTED] >= situation.desired:
        return true("Available", "MinimumReplicasAvailable", _connected(situation))
    return false("Available", "MinimumReplicasUnavailable", _connected(situation))


def _progressing(situation: Situation) -> Condition:
    if situation.existing != situation.desired:
        message = f"{situation.existing} nodes exist, {situation.desired} are wanted"
        return true("Progressing", "ScalingInProgress", message)
    if situation.updated < situation.desired:
        message = f"{situation.updated} of {situation.desired} nodes have the wanted configuration"
        return true("Progressing", "RollingOut", message)
    states = situation.states
    if states[NodeState.PENDING] + states[NodeState.INITIALIZING]:
        return true("Progressing", "ReplicasNotReady", _connected(situation))
    return false("Progressing", "ReplicasUpToDate", f"{situation.updated} nodes have the wanted configuration")


def _degraded(situation: Situation) -> Condition:
    bad = [pair for pair in situation.nodes if pair[1].state in {NodeState.ERROR, NodeState.DISCONNECTED}]
    if not bad:
        return false("Degraded", "NodesHealthy", "no node is disconnected or in error")
    node_id, session = min(bad, key=lambda pair: _URGENCY[pair[1].state])
    reason = "NodesInError" if session.state is NodeState.ERROR else "NodesDisconnected"
    message = f"{len(bad)} of {len(situation.nodes)} nodes are disconnected or in error; {node_id}: {session.error}"
    return true("Degraded", reason, message)


def _ready(situation: Situation) -> Condition:
    if phase(situation) is NodeSetPhase.READY:
        return true("Ready", "E2NodesReady", _connected(situation))
    return false("Ready", f"E2Nodes{phase(situation).value}", _connected(situation))
