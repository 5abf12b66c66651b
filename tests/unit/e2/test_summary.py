"""The status of a set from what is known of its nodes."""

from __future__ import annotations

import msgspec
import pytest

from nephoran.api.e2nodeset import NodeSetPhase, NodeState
from nephoran.e2.sessions import NodeSession
from nephoran.e2.summary import Situation, summary
from steady.objects.conditions import find


def situation(*states: NodeState, **changes: object) -> Situation:
    """A set whose nodes are in `states`, by index, all as desired but for `changes`."""
    ids = [f"n-{index}" for index in range(len(states))]
    sessions = {name: session(state) for name, state in zip(ids, states, strict=True)}
    count = len(states)
    return msgspec.structs.replace(Situation(count, count, count, ids, sessions), **changes)


def session(state: NodeState, heartbeat: str = "2026-01-01T00:00:00Z") -> NodeSession:
    connected = state is NodeState.CONNECTED
    since, error = ("2026-01-01T00:00:00Z", "") if connected else ("", f"why it is {state}")
    return NodeSession(state, since, heartbeat, error)


PENDING, INITIALIZING, CONNECTED = NodeState.PENDING, NodeState.INITIALIZING, NodeState.CONNECTED
DISCONNECTED, ERROR, TERMINATING = NodeState.DISCONNECTED, NodeState.ERROR, NodeState.TERMINATING


def test_nodes_are_counted_by_state() -> None:
    """Ready are the connected, available also those about to be."""
    status = summary("edge", situation(CONNECTED, CONNECTED, INITIALIZING, PENDING, ERROR))
    assert (status.ready_replicas, status.available_replicas, status.replicas) == (2, 3, 5)
    assert status.states == {"Connected": 2, "Initializing": 1, "Pending": 1, "Error": 1}


def test_the_selector_selects_the_sets_nodes() -> None:
    """The scale subresource gets the labels that every node has."""
    assert summary("edge", situation()).selector == "nephoran.com/e2-nodeset=edge,app=e2-node-simulator"


def test_a_heartbeat_changes_nothing() -> None:
    """Two looks at the same healthy nodes give the same status, to the byte."""
    before = situation(CONNECTED, CONNECTED)
    later = {name: session(CONNECTED, "2026-01-01T09:00:00Z") for name in before.node_ids}
    after = msgspec.structs.replace(before, sessions=later)
    assert msgspec.json.encode(summary("edge", before)) == msgspec.json.encode(summary("edge", after))


def test_a_status_lists_fifty_nodes_those_in_trouble_first() -> None:
    """Errors, then disconnected ones, then the rest by index."""
    states = [CONNECTED] * 100
    states[99], states[80], states[90] = ERROR, DISCONNECTED, DISCONNECTED
    listed = summary("edge", situation(*states)).e2_node_statuses
    assert len(listed) == 50
    assert [node.node_id for node in listed[:5]] == ["n-99", "n-80", "n-90", "n-0", "n-1"]


def test_long_errors_are_cut() -> None:
    """One node's message cannot fill the object."""
    long = {"n-0": NodeSession(ERROR, error="x" * 1000)}
    [node] = summary("edge", situation(ERROR, sessions=long)).e2_node_statuses
    assert node.error_message == "x" * 256


def test_a_node_that_leaves_is_listed_beyond_the_desired_ones() -> None:
    """It has left the order but not yet the RIC."""
    shown = situation(CONNECTED, TERMINATING, node_ids=["n-0"], desired=1)
    assert [node.state for node in summary("edge", shown).e2_node_statuses] == [TERMINATING, CONNECTED]


@pytest.mark.parametrize(
    ("shown", "phase"),
    [
        (situation(), NodeSetPhase.READY),
        (situation(CONNECTED, CONNECTED), NodeSetPhase.READY),
        (situation(PENDING, PENDING, existing=0), NodeSetPhase.PENDING),
        (situation(PENDING, CONNECTED), NodeSetPhase.INITIALIZING),
        (situation(CONNECTED, CONNECTED, updated=1), NodeSetPhase.INITIALIZING),
        (situation(CONNECTED, PENDING, existing=1), NodeSetPhase.SCALING),
        (situation(CONNECTED, CONNECTED, existing=3), NodeSetPhase.SCALING),
        (situation(CONNECTED, DISCONNECTED), NodeSetPhase.DEGRADED),
        (situation(DISCONNECTED, DISCONNECTED), NodeSetPhase.DEGRADED),
        (situation(CONNECTED, ERROR), NodeSetPhase.DEGRADED),
        (situation(ERROR, ERROR), NodeSetPhase.FAILED),
        (situation(ERROR, CONNECTED, deleting=True), NodeSetPhase.TERMINATING),
    ],
)
def test_the_phase_sums_up(shown: Situation, phase: NodeSetPhase) -> None:
    """One word for people; Ready is true exactly in phase Ready."""
    status = summary("edge", shown)
    ready = find(status.conditions, "Ready")
    assert status.phase is phase
    assert ready is not None
    assert (ready.status == "True") == (phase is NodeSetPhase.READY)


@pytest.mark.parametrize(
    ("shown", "type_", "status", "reason"),
    [
        (situation(CONNECTED), "Available", "True", "MinimumReplicasAvailable"),
        (situation(PENDING), "Available", "False", "MinimumReplicasUnavailable"),
        (situation(CONNECTED, existing=3), "Progressing", "True", "ScalingInProgress"),
        (situation(CONNECTED, updated=0), "Progressing", "True", "RollingOut"),
        (situation(INITIALIZING), "Progressing", "True", "ReplicasNotReady"),
        (situation(CONNECTED), "Progressing", "False", "ReplicasUpToDate"),
        (situation(CONNECTED), "Degraded", "False", "NodesHealthy"),
        (situation(DISCONNECTED), "Degraded", "True", "NodesDisconnected"),
        (situation(DISCONNECTED, ERROR), "Degraded", "True", "NodesInError"),
    ],
)
def test_conditions_say_why(shown: Situation, type_: str, status: str, reason: str) -> None:
    """Each condition has the reason that the Go operator's users know, where it had one."""
    condition = find(summary("edge", shown).conditions, type_)
    assert condition is not None
    assert (condition.status, condition.reason) == (status, reason)


def test_a_degraded_set_names_a_node_and_its_reason() -> None:
    """The message holds the number, the worst node and what is wrong with it."""
    condition = find(summary("edge", situation(CONNECTED, DISCONNECTED, ERROR)).conditions, "Degraded")
    assert condition is not None
    assert condition.message == "2 of 3 nodes are disconnected or in error; n-2: why it is Error"
