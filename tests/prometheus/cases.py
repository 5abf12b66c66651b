"""For each alert: series under which it fires, and near misses under which it must not. One sample per minute."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

Series = Mapping[str, str]
"""Values by series, in promtool's notation: `0+6x20` grows by 6 twenty times. Every series gets the label `job`."""


class Case(NamedTuple):
    """One alert, looked at at `at` and, before it may fire, at `early` (minutes)."""

    alert: str
    firing: Series
    silent: Mapping[str, Series]
    at: int
    early: int
    labels: Mapping[str, str] = {}
    value: str = ""


def histogram(family: str, labels: str, bounds: Mapping[str, int], minutes: int = 30) -> Series:
    """Buckets that grow each minute by as many observations as lie below each bound."""
    return {f'{family}_bucket{{{labels}le="{bound}"}}': f"0+{count}x{minutes}" for bound, count in bounds.items()}


def outcomes(family: str, counts: Mapping[str, str], labels: str = "", minutes: int = 60) -> Series:
    """Counters by result that grow each minute."""
    return {f'{family}{{{labels}result="{result}"}}': f"0+{count}x{minutes}" for result, count in counts.items()}


RECONCILE = "controller_reconcile_duration_seconds"
WAIT = "workqueue_queue_duration_seconds"
ECHO = {"controller": "echo"}
PATCHES = 'steady_requests_total{resource="networkintents.nephoran.com", verb="patch", reason="status"}'
CHANGES = 'steady_changes_total{resource="networkintents.nephoran.com", change="changed"}'


def requests(*, status: int, reconciles: int, watch: int = 0) -> Series:
    """Requests by cause beside the reconciles that made them, a minute."""
    return {
        'steady_requests_total{resource="echoes", verb="patch", reason="status"}': f"0+{status}x60",
        'steady_requests_total{resource="echoes", verb="watch", reason="watch"}': f"0+{watch}x60",
        'controller_reconcile_total{controller="echo", result="success"}': f"0+{reconciles}x60",
    }


def saturation(*, active: int, waits: Mapping[str, int]) -> Series:
    """Ten slots, of which some are taken, and how long keys wait."""
    return {
        **histogram(WAIT, 'controller="echo", name="echo", ', waits),
        'controller_active_reconcilers{controller="echo"}': f"{active}x30",
        'controller_max_reconcilers{controller="echo"}': "10x30",
    }


CASES = (
    Case(
        "OperatorDown",
        firing={"up": "1x5 0x20"},
        silent={
            "one of two replicas is up": {'up{instance="a"}': "0x60", 'up{instance="b"}': "1x60"},
            "it was away for three minutes": {"up": "1x5 0x2 1x60"},
        },
        at=12,
        early=10,
    ),
    Case(
        "NoLeader",
        firing={'leader_election_master_status{name="nephoran"}': "1x5 0x20"},
        silent={
            "a standby waits beside the leader": {
                'leader_election_master_status{name="nephoran", instance="a"}': "1x30",
                'leader_election_master_status{name="nephoran", instance="b"}': "0x30",
            },
            "there is no lease": {"up": "1x30"},
        },
        at=8,
        early=6,
        labels={"name": "nephoran"},
    ),
    Case(
        "LeadershipFlapping",
        firing={'steady_lease_transitions{name="nephoran"}': "40x10 41x2 42x2 43x20"},
        silent={
            "a rollout changes it twice": {'steady_lease_transitions{name="nephoran"}': "40x10 41x2 42x30"},
            "a process that has just started has not read the lease": {
                'steady_lease_transitions{name="nephoran"}': "NaN NaN NaN 40x60"
            },
            "three changes in an hour": {'steady_lease_transitions{name="nephoran"}': "40x10 41x20 42x20 43x20"},
        },
        at=20,
        early=14,
        labels={"name": "nephoran"},
        value="3",
    ),
    Case(
        "HighMemory",
        firing={'controller_memory_usage_bytes{controller="nephoran", type="resident"}': "230686720x30"},
        silent={
            "the peak is over": {
                'controller_memory_usage_bytes{controller="nephoran", type="resident"}': "104857600x30",
                'controller_memory_usage_bytes{controller="nephoran", type="peak"}': "230686720x30",
            },
        },
        at=12,
        early=9,
        value="220Mi",
    ),
    Case(
        "EventLoopLag",
        firing=histogram("steady_event_loop_lag_seconds", "", {"0.1": 50, "0.5": 58, "1.0": 60, "+Inf": 60}),
        silent={
            "one timer in two hundred is late": histogram(
                "steady_event_loop_lag_seconds", "", {"0.1": 190, "0.5": 199, "1.0": 200, "+Inf": 200}
            ),
        },
        at=10,
        early=4,
        value="850ms",
    ),
    Case(
        "HighReconcileLatency",
        firing=histogram(
            RECONCILE, 'controller="echo", phase="main", ', {"1.0": 50, "2.0": 94, "5.0": 100, "+Inf": 100}
        ),
        silent={
            "exactly 95 % take up to 2 s": histogram(
                RECONCILE, 'controller="echo", phase="main", ', {"1.0": 50, "2.0": 95, "5.0": 100, "+Inf": 100}
            ),
            "only a phase is slow": {
                **histogram(
                    RECONCILE, 'controller="echo", phase="main", ', {"1.0": 100, "2.0": 100, "5.0": 100, "+Inf": 100}
                ),
                **histogram(
                    RECONCILE, 'controller="echo", phase="render", ', {"1.0": 0, "2.0": 0, "5.0": 100, "+Inf": 100}
                ),
            },
            "nothing happens": histogram(RECONCILE, 'controller="echo", phase="main", ', {"2.0": 0, "+Inf": 0}),
        },
        at=10,
        early=4,
        labels=ECHO,
        value="2.5s",
    ),
    Case(
        "HighErrorRate",
        firing=outcomes(
            "controller_reconcile_total",
            {"success": "84", "again": "4", "error": "8", "timeout": "4"},
            'controller="echo", ',
        ),
        silent={
            "one in ten fails": outcomes(
                "controller_reconcile_total", {"success": "90", "error": "10"}, 'controller="echo", '
            ),
            "nothing happens": outcomes(
                "controller_reconcile_total", {"success": "0", "error": "0"}, 'controller="echo", '
            ),
        },
        at=8,
        early=2,
        labels=ECHO,
        value="12%",
    ),
    Case(
        "NoSuccessfulReconcile",
        firing=outcomes(
            "controller_reconcile_total", {"success": "0", "again": "0", "error": "2"}, 'controller="echo", '
        ),
        silent={
            "one succeeds between failures": outcomes(
                "controller_reconcile_total", {"success": "0", "again": "1", "error": "50"}, 'controller="echo", '
            ),
            "nothing happens": outcomes(
                "controller_reconcile_total", {"success": "0", "again": "0", "error": "0"}, 'controller="echo", '
            ),
        },
        at=20,
        early=4,
        labels=ECHO,
        value="30",
    ),
    Case(
        "ReconcileStuck",
        firing={'workqueue_longest_running_processor_seconds{controller="echo", name="echo"}': "0+60x30"},
        silent={
            "each takes its deadline": {
                'workqueue_longest_running_processor_seconds{controller="echo", name="echo"}': "300x30"
            },
        },
        at=8,
        early=6,
        labels=ECHO,
        value="8m 0s",
    ),
    Case(
        "QueueSaturated",
        firing=saturation(active=10, waits={"1.0": 10, "5.0": 80, "10.0": 100, "+Inf": 100}),
        silent={
            "slots are free": saturation(active=8, waits={"1.0": 10, "5.0": 80, "10.0": 100, "+Inf": 100}),
            "keys do not wait": saturation(active=10, waits={"1.0": 95, "5.0": 100, "10.0": 100, "+Inf": 100}),
        },
        at=20,
        early=9,
        labels=ECHO,
        value="8.75s",
    ),
    Case(
        "HotLoop",
        firing={"steady_hot_objects_total": "0x10 1+1x20"},
        silent={"it was long ago": {"steady_hot_objects_total": "7x60"}},
        at=15,
        early=9,
        value="5",
    ),
    Case(
        "WatchStalled",
        firing={'steady_watch_last_event_age_seconds{resource="configmaps"}': "0x5 60+60x20"},
        silent={
            "bookmarks come": {'steady_watch_last_event_age_seconds{resource="configmaps"}': "55x30"},
            "the watchdog helps": {'steady_watch_last_event_age_seconds{resource="configmaps"}': "0x5 60 120 180 2x20"},
        },
        at=11,
        early=8,
        labels={"resource": "configmaps"},
        value="6m 0s",
    ),
    Case(
        "ApiServerFailing",
        firing={
            'rest_client_requests_total{code="200", method="GET"}': "0+80x30",
            'rest_client_requests_total{code="503", method="GET"}': "0+8x30",
            'rest_client_requests_total{code="429", method="PATCH"}': "0+8x30",
            'rest_client_requests_total{code="<error>", method="PUT"}': "0+4x30",
        },
        silent={
            "conflicts are answers": {
                'rest_client_requests_total{code="200", method="GET"}': "0+80x30",
                'rest_client_requests_total{code="409", method="PATCH"}': "0+20x30",
            },
        },
        at=10,
        early=4,
        value="20%",
    ),
    Case(
        "AccessDenied",
        firing={'rest_client_requests_total{code="403", method="PATCH"}': "0+6x30"},
        silent={
            "watches end in good order": {
                'rest_client_requests_total{code="200", method="PATCH"}': "0+6x30",
                'steady_watch_restarts_total{resource="configmaps", reason="Ended"}': "0+6x30",
            },
            "the right came back": {'rest_client_requests_total{code="403", method="PATCH"}': "0+6x2 12x30"},
        },
        at=15,
        early=9,
        value="100m",
    ),
    Case(
        "RequestBudgetExceeded",
        firing=requests(status=50, reconciles=10),
        silent={
            "four requests for each": requests(status=40, reconciles=10),
            "watches and lists are no cost of a reconcile": requests(status=10, reconciles=10, watch=500),
        },
        at=30,
        early=14,
        value="5",
    ),
    Case(
        "IntentWriteBudgetExceeded",
        firing={PATCHES: "0+5x60", CHANGES: "0+1x60"},
        silent={
            "four writes for each change": {PATCHES: "0+4x60", CHANGES: "0+1x60"},
            "a few writes come late": {PATCHES: "0x20 15x40", CHANGES: "0x60"},
            "what intents have deployed comes and goes": {
                PATCHES: "0+5x60",
                CHANGES: "0x60",
                'steady_changes_total{resource="deployments.apps", change="changed"}': "0+3x60",
            },
        },
        at=40,
        early=10,
        value="30",
    ),
    Case(
        "StatusQueueFilling",
        firing={'controller_status_queue_size{controller="echo"}': "6000x30"},
        silent={"it is half full": {'controller_status_queue_size{controller="echo"}': "5000x30"}},
        at=5,
        early=1,
        value="6k",
    ),
    Case(
        "InterpreterFailing",
        firing=outcomes("nephoran_interpretations_total", {"understood": "6", "meaningless": "2", "failed": "2"}),
        silent={
            "nobody makes sense": outcomes(
                "nephoran_interpretations_total",
                {"understood": "1", "meaningless": "90", "rejected": "90", "failed": "0"},
            ),
            "nothing happens": outcomes("nephoran_interpretations_total", {"understood": "0", "failed": "0"}),
        },
        at=10,
        early=4,
        value="20%",
    ),
    Case(
        "GitPushFailing",
        firing=outcomes(
            "nephoran_git_pushes_total", {"success": "1", "RemoteUnavailable": "2", "AuthenticationFailed": "1"}
        ),
        silent={
            "others push too": outcomes("nephoran_git_pushes_total", {"success": "1", "Moved": "9"}),
            "a hook says no": outcomes("nephoran_git_pushes_total", {"success": "0", "Refused": "9"}),
            "every second one fails": outcomes("nephoran_git_pushes_total", {"success": "2", "RemoteError": "2"}),
        },
        at=20,
        early=4,
        value="75%",
    ),
    Case(
        "GitPushRefused",
        firing=outcomes("nephoran_git_pushes_total", {"success": "9", "Refused": "2"}),
        silent={
            "the remote is away": outcomes("nephoran_git_pushes_total", {"RemoteUnavailable": "9", "Refused": "0"})
        },
        at=20,
        early=4,
        value="30",
    ),
    Case(
        "RicDown",
        firing={'nephoran_rics{state="down"}': "0x5 1x20", 'nephoran_rics{state="up"}': "2x5 1x20"},
        silent={
            "it is unknown": {'nephoran_rics{state="down"}': "0x30", 'nephoran_rics{state="unknown"}': "1x30"},
            "it was down for three minutes": {'nephoran_rics{state="down"}': "0x5 1x2 0x20"},
        },
        at=12,
        early=10,
        value="1",
    ),
    Case(
        "NodesDisconnected",
        firing={
            'nephoran_e2_nodes{state="Connected"}': "80x30",
            'nephoran_e2_nodes{state="Disconnected"}': "15x30",
            'nephoran_e2_nodes{state="Error"}': "5x30",
        },
        silent={
            "one in ten": {
                'nephoran_e2_nodes{state="Connected"}': "90x30",
                'nephoran_e2_nodes{state="Disconnected"}': "10x30",
            },
            "a standby knows of none": {
                'nephoran_e2_nodes{state="Connected", instance="a"}': "99x30",
                'nephoran_e2_nodes{state="Connected", instance="b"}': "0x30",
                'nephoran_e2_nodes{state="Disconnected", instance="a"}': "1x30",
            },
            "there are no nodes": {
                'nephoran_e2_nodes{state="Connected"}': "0x30",
                'nephoran_e2_nodes{state="Disconnected"}': "0x30",
            },
        },
        at=12,
        early=9,
        value="20%",
    ),
)
