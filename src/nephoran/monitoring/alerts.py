"""When somebody is told, and of what. No expression keeps an object's name: none of the series has one.

What the alerts of the Go package got wrong is put right here: their quantile was taken per object and phase, against a
bound that no bucket had, and their error rate divided series of different labels, so that it never fired.
"""

from __future__ import annotations

from typing import Final

from nephoran.api.install import MEMORY_MIB
from nephoran.monitoring.rules import Alert, Group, Recording, Severity
from steady import BatchConfig

CRITICAL, WARNING = Severity.CRITICAL, Severity.WARNING

LATENCY_TARGET: Final = 2
"""Seconds. The 95th percentile of a reconcile; the histogram has a bucket bound exactly here."""
REQUESTS_PER_RECONCILE: Final = 4
"""A status, a finalizer, a line of progress and an event: no reconcile needs more, and most need one."""
WRITES_PER_CHANGE: Final = 4
"""The same for one change of an intent or of what it deployed."""
SLACK: Final = 20
"""Writes beyond their causes in half an hour that are not worth a word: the window's edge cuts some from theirs."""
_QUEUE: Final = BatchConfig().max_queue_size // 2
_MEMORY: Final = int(0.8 * MEMORY_MIB * 2**20)

P95_RECONCILE: Final = "controller:controller_reconcile_duration_seconds:p95_5m"
P95_QUEUE: Final = "controller:workqueue_queue_duration_seconds:p95_5m"
ERRORS: Final = "controller:controller_reconcile_errors:ratio_5m"
SLOTS: Final = "controller:controller_active_reconcilers:ratio_5m"
REQUESTS: Final = "job:steady_requests_per_reconcile:ratio_15m"

_RECORDINGS = (
    Recording(
        P95_RECONCILE,
        "histogram_quantile(0.95, sum by (le, controller) "
        '(rate(controller_reconcile_duration_seconds_bucket{job="$job", phase="main"}[5m])))',
    ),
    Recording(
        P95_QUEUE,
        "histogram_quantile(0.95, sum by (le, controller) "
        '(rate(workqueue_queue_duration_seconds_bucket{job="$job"}[5m])))',
    ),
    Recording(
        ERRORS,
        'sum by (controller) (rate(controller_reconcile_total{job="$job", result=~"error|timeout"}[5m])) '
        '/ sum by (controller) (rate(controller_reconcile_total{job="$job"}[5m]))',
    ),
    Recording(
        SLOTS,
        'sum by (controller) (avg_over_time(controller_active_reconcilers{job="$job"}[5m])) '
        '/ sum by (controller) (controller_max_reconcilers{job="$job"})',
    ),
    Recording(
        REQUESTS,
        "sum(rate(steady_requests_total{"
        'job="$job", reason=~"status|progress|finalizer|event|conflict|freshness"}[15m])) '
        '/ sum(rate(controller_reconcile_total{job="$job"}[15m]))',
    ),
)

_PROCESS = (
    Alert(
        name="OperatorDown",
        expr='absent(up{job="$job"} == 1)',
        severity=CRITICAL,
        summary="No operator answers",
        description="Prometheus reaches no process of job $job: nothing is reconciled, or nobody knows.",
    ),
    Alert(
        name="NoLeader",
        expr='max by (name) (leader_election_master_status{job="$job"}) == 0',
        wait="1m",
        severity=CRITICAL,
        summary="Nobody holds the lease {{ $labels.name }}",
        description="The processes run, but none of them leads: nothing is reconciled.",
    ),
    Alert(
        name="LeadershipFlapping",
        expr='max by (name) (max_over_time(steady_lease_transitions{job="$job"}[15m])) '
        '- min by (name) (min_over_time(steady_lease_transitions{job="$job"}[15m])) >= 3',
        wait="0m",
        severity=WARNING,
        summary="The lease {{ $labels.name }} changes hands too often",
        description="It had {{ $value }} new holders in 15 minutes; each of them starts from nothing.",
    ),
    Alert(
        name="HighMemory",
        expr=f'max(controller_memory_usage_bytes{{job="$job", type="resident"}}) > {_MEMORY}',
        wait="10m",
        severity=WARNING,
        summary="The operator may soon run out of memory",
        description=f"It uses {{{{ $value | humanize1024 }}}}B; the Deployment that we ship allows {MEMORY_MIB} MiB.",
    ),
    Alert(
        name="EventLoopLag",
        expr='histogram_quantile(0.99, sum by (le) (rate(steady_event_loop_lag_seconds_bucket{job="$job"}[5m]))) > 0.5',
        severity=WARNING,
        summary="The event loop is late",
        description="One timer in a hundred fires {{ $value | humanizeDuration }} late; something holds the loop.",
    ),
)

_RECONCILES = (
    Alert(
        name="HighReconcileLatency",
        expr=f"{P95_RECONCILE} > {LATENCY_TARGET}",
        severity=WARNING,
        summary="Reconciles of {{ $labels.controller }} are slow",
        description=f"95 % of them take up to {{{{ $value | humanizeDuration }}}}; the target is {LATENCY_TARGET} s.",
    ),
    Alert(
        name="HighErrorRate",
        expr=f"{ERRORS} > 0.1",
        wait="2m",
        severity=CRITICAL,
        summary="Reconciles of {{ $labels.controller }} fail",
        description="{{ $value | humanizePercentage }} of them end with an error or a timeout.",
    ),
    Alert(
        name="NoSuccessfulReconcile",
        expr='sum by (controller) (increase(controller_reconcile_total{job="$job", result=~"error|timeout"}[15m])) > 0 '
        'and sum by (controller) (increase(controller_reconcile_total{job="$job", result=~"success|again"}[15m])) == 0',
        severity=CRITICAL,
        summary="No reconcile of {{ $labels.controller }} has succeeded",
        description="In 15 minutes all of them have failed, about {{ $value | humanize }}.",
    ),
    Alert(
        name="ReconcileStuck",
        expr='max by (controller) (workqueue_longest_running_processor_seconds{job="$job"}) > 330',
        wait="1m",
        severity=WARNING,
        summary="A reconcile of {{ $labels.controller }} does not end",
        description="It has run for {{ $value | humanizeDuration }}, which is longer than its deadline.",
    ),
    Alert(
        name="QueueSaturated",
        expr=f"{P95_QUEUE} > 5 and on (controller) {SLOTS} > 0.9",
        wait="10m",
        severity=WARNING,
        summary="The queue of {{ $labels.controller }} is longer than it can work off",
        description="All slots are taken, and 95 % of the keys wait up to {{ $value | humanizeDuration }}.",
    ),
    Alert(
        name="HotLoop",
        expr='sum(increase(steady_hot_objects_total{job="$job"}[10m])) > 0',
        wait="0m",
        severity=WARNING,
        summary="An object is written again and again",
        description="It was slowed down about {{ $value | humanize }} times in 10 minutes; the log names it.",
    ),
)

_REQUESTS = (
    Alert(
        name="WatchStalled",
        expr='max by (resource) (steady_watch_last_event_age_seconds{job="$job"}) > 180',
        wait="1m",
        severity=CRITICAL,
        summary="The watch of {{ $labels.resource }} is silent",
        description="Nothing was heard for {{ $value | humanizeDuration }}, not even a bookmark: the cache is old.",
    ),
    Alert(
        name="ApiServerFailing",
        expr='sum(rate(rest_client_requests_total{job="$job", code=~"429|5..|<error>"}[5m])) '
        '/ sum(rate(rest_client_requests_total{job="$job"}[5m])) > 0.1',
        severity=CRITICAL,
        summary="The API server does not do what it is asked",
        description="{{ $value | humanizePercentage }} of the requests are throttled, fail or get no answer.",
    ),
    Alert(
        name="AccessDenied",
        expr='(sum(rate(rest_client_requests_total{job="$job", code=~"401|403"}[5m])) or vector(0)) '
        '+ (sum(rate(steady_watch_restarts_total{job="$job", reason=~"Forbidden|Unauthorized"}[5m])) or vector(0)) > 0',
        wait="10m",
        severity=WARNING,
        summary="The operator lacks a right",
        description="The API server refuses {{ $value | humanize }} requests a second with 401 or 403.",
    ),
    Alert(
        name="RequestBudgetExceeded",
        expr=f"{REQUESTS} > {REQUESTS_PER_RECONCILE}",
        wait="15m",
        severity=WARNING,
        summary="Reconciles cost too many requests",
        description="Each costs {{ $value | humanize }} requests to the API server; "
        f"{REQUESTS_PER_RECONCILE} are the most that one may.",
    ),
    Alert(
        name="IntentWriteBudgetExceeded",
        expr="sum(increase(steady_requests_total{"
        'job="$job", resource="networkintents.nephoran.com", verb="patch"}[30m])) '
        f"- {WRITES_PER_CHANGE} * sum(increase("
        'steady_changes_total{job="$job", resource=~"networkintents.nephoran.com|deployments.apps"}[30m])) '
        f"> {SLACK}",
        wait="0m",
        severity=WARNING,
        summary="Intents are written more often than they change",
        description="{{ $value | humanize }} writes in half an hour have no cause outside the operator.",
    ),
    Alert(
        name="StatusQueueFilling",
        expr=f'sum(controller_status_queue_size{{job="$job"}}) > {_QUEUE}',
        wait="2m",
        severity=WARNING,
        summary="Statuses come faster than they leave",
        description="{{ $value | humanize }} wait; when the queue is full, reconciles wait with them.",
    ),
)

_OPERATOR = (
    Alert(
        name="InterpreterFailing",
        expr='sum(rate(nephoran_interpretations_total{job="$job", result="failed"}[5m])) '
        '/ sum(rate(nephoran_interpretations_total{job="$job"}[5m])) > 0.1',
        severity=CRITICAL,
        summary="Sentences are not interpreted",
        description="The interpreter gives no answer to {{ $value | humanizePercentage }} of them.",
    ),
    Alert(
        name="GitPushFailing",
        expr='sum(rate(nephoran_git_pushes_total{job="$job", result!~"success|unchanged|Moved|Refused"}[15m])) '
        '/ sum(rate(nephoran_git_pushes_total{job="$job", result!~"unchanged|Moved"}[15m])) > 0.5',
        severity=CRITICAL,
        summary="Commits do not reach the remote",
        description="{{ $value | humanizePercentage }} of the pushes fail: no intent completes until they do not.",
    ),
    Alert(
        name="GitPushRefused",
        expr='sum(increase(nephoran_git_pushes_total{job="$job", result="Refused"}[15m])) > 0',
        severity=WARNING,
        summary="The remote refuses what an intent has made",
        description="A hook or a rule of the branch has declined about {{ $value | humanize }} pushes in 15 minutes.",
    ),
    Alert(
        name="RicDown",
        expr='max(nephoran_rics{job="$job", state="down"}) > 0',
        severity=CRITICAL,
        summary="A RIC does not answer",
        description="{{ $value }} of the RICs are down: their nodes are neither registered nor watched over.",
    ),
    Alert(
        name="NodesDisconnected",
        expr='sum(max by (state) (nephoran_e2_nodes{job="$job", state=~"Disconnected|Error"})) '
        '/ sum(max by (state) (nephoran_e2_nodes{job="$job"})) > 0.1',
        wait="10m",
        severity=WARNING,
        summary="E2 nodes are not connected",
        description="{{ $value | humanizePercentage }} of all nodes are disconnected or in error.",
    ),
)

GROUPS: Final = (
    Group("steady", (*_RECORDINGS, *_PROCESS, *_RECONCILES, *_REQUESTS)),
    Group("nephoran", _OPERATOR),
)
"""All rules: those on the runtime, which hold for any controller on it, and those on the operator."""


def alerts() -> list[Alert]:
    """All alerts."""
    return [rule for group in GROUPS for rule in group.rules if isinstance(rule, Alert)]
