"""What the dashboard shows, row by row."""

from __future__ import annotations

from typing import Final

import msgspec


class Query(msgspec.Struct, frozen=True):
    """One line of a picture, or several that `legend` tells apart. `$job` is the dashboard's variable."""

    expr: str
    legend: str


class Panel(msgspec.Struct, frozen=True):
    """One picture. `unit` is one of Grafana's; `kind` its type; `stacked` where the sum means something."""

    title: str
    text: str
    unit: str
    queries: tuple[Query, ...]
    kind: str = "timeseries"
    stacked: bool = False


class Row(msgspec.Struct, frozen=True):
    """Panels below one title, `across` of them side by side."""

    title: str
    panels: tuple[Panel, ...]
    across: int = 3


def _one(
    title: str, text: str, unit: str, expr: str, legend: str, *, kind: str = "timeseries", stacked: bool = False
) -> Panel:
    return Panel(title, text, unit, (Query(expr, legend),), kind, stacked)


def _p95(family: str, by: str, more: str = "") -> str:
    return f'histogram_quantile(0.95, sum by (le, {by}) (rate({family}_bucket{{job="$job"{more}}}[5m])))'


def _rate(family: str, by: str, more: str = "") -> str:
    return f'sum by ({by}) (rate({family}{{job="$job"{more}}}[5m]))'


_GLANCE = Row(
    "At a glance",
    (
        _one(
            "Intents ready",
            "Of all intents, those whose commit is where it should be.",
            "percentunit",
            'sum(max by (phase) (nephoran_intents{job="$job", ready="True"})) '
            '/ sum(max by (phase, ready) (nephoran_intents{job="$job"}))',
            "ready",
            kind="stat",
        ),
        _one(
            "E2 nodes connected",
            "Of all nodes, those that their RIC reports as connected.",
            "percentunit",
            'sum(max by (state) (nephoran_e2_nodes{job="$job", state="Connected"})) '
            '/ sum(max by (state) (nephoran_e2_nodes{job="$job"}))',
            "connected",
            kind="stat",
        ),
        _one(
            "Reconciles that fail",
            "Errors and timeouts of all reconciles. Alert: more than 10 % of a controller's.",
            "percentunit",
            'sum(rate(controller_reconcile_total{job="$job", result=~"error|timeout"}[5m])) '
            '/ sum(rate(controller_reconcile_total{job="$job"}[5m]))',
            "failed",
            kind="stat",
        ),
        _one(
            "Requests per reconcile",
            "Writes and reads of objects, watches, children and lease aside. The budget is 4; most need 1.",
            "none",
            "sum(rate(steady_requests_total{"
            'job="$job", reason=~"status|progress|finalizer|event|conflict|freshness"}[15m])) '
            '/ sum(rate(controller_reconcile_total{job="$job"}[15m]))',
            "requests",
            kind="stat",
        ),
    ),
    across=4,
)

_OBJECTS = Row(
    "Objects",
    (
        _one(
            "Intents by phase",
            "How many stand where.",
            "short",
            'sum by (phase) (max by (phase, ready) (nephoran_intents{job="$job"}))',
            "{{phase}}",
            stacked=True,
        ),
        _one(
            "Intents by readiness",
            "False is final until somebody changes something; Unknown is under way.",
            "short",
            'sum by (ready) (max by (phase, ready) (nephoran_intents{job="$job"}))',
            "{{ready}}",
            stacked=True,
        ),
        _one(
            "E2 nodes by state",
            "All nodes of all sets.",
            "short",
            'max by (state) (nephoran_e2_nodes{job="$job"})',
            "{{state}}",
            stacked=True,
        ),
    ),
)

_RECONCILES = Row(
    "Reconciles",
    (
        _one(
            "Reconcile time, P95",
            "Whole reconciles. Alert: more than 2 s.",
            "s",
            _p95("controller_reconcile_duration_seconds", "controller", ', phase="main"'),
            "{{controller}}",
        ),
        _one(
            "Errors",
            "By kind of trouble, as backoff sees it.",
            "ops",
            _rate("controller_reconcile_errors_total", "controller, error_type"),
            "{{controller}} {{error_type}}",
        ),
        _one(
            "Looked at again",
            "Keys that come back, by the strategy of backoff that decided when; none: no failure.",
            "ops",
            _rate("controller_reconcile_requeue_total", "controller, backoff_strategy"),
            "{{controller}} {{backoff_strategy}}",
        ),
        _one(
            "Reconciles",
            "By result.",
            "ops",
            _rate("controller_reconcile_total", "controller, result"),
            "{{controller}} {{result}}",
        ),
        _one(
            "Backoff delay, P95",
            "What backoff asks for.",
            "s",
            _p95("controller_backoff_delay_seconds", "error_type"),
            "{{error_type}}",
        ),
        _one(
            "Failures in a row, P95",
            "How many it takes until a row ends, and how it ends.",
            "none",
            _p95("controller_backoff_retries", "outcome"),
            "{{outcome}}",
        ),
        _one(
            "Slots in use",
            "Reconciles under way of those that may be at a time.",
            "percentunit",
            'sum by (controller) (controller_active_reconcilers{job="$job"}) '
            '/ sum by (controller) (controller_max_reconcilers{job="$job"})',
            "{{controller}}",
        ),
        _one(
            "Wait in the queue, P95",
            "From when a key might have been taken. Alert: more than 5 s while all slots are taken.",
            "s",
            _p95("workqueue_queue_duration_seconds", "controller"),
            "{{controller}}",
        ),
        _one(
            "Keys in the queue",
            "Those that wait for a delay included.",
            "short",
            'sum by (controller) (workqueue_depth{job="$job"})',
            "{{controller}}",
        ),
    ),
)

_REQUESTS = Row(
    "Requests to the API server",
    (
        _one(
            "API calls",
            "By operation and result.",
            "reqps",
            _rate("controller_api_call_total", "controller, operation, result"),
            "{{controller}} {{operation}} {{result}}",
        ),
        _one(
            "API calls, P95",
            "From sending a request to its whole answer.",
            "s",
            _p95("controller_api_call_duration_seconds", "operation"),
            "{{operation}}",
        ),
        _one(
            "Answers by code",
            "429 is throttling, <error> no answer.",
            "reqps",
            _rate("rest_client_requests_total", "code, method"),
            "{{method}} {{code}}",
        ),
        _one(
            "Requests by cause",
            "Why each request was made.",
            "reqps",
            _rate("steady_requests_total", "reason"),
            "{{reason}}",
            stacked=True,
        ),
        _one(
            "Writes not made",
            "Because nothing would have changed, or something newer came.",
            "reqps",
            _rate("steady_writes_avoided_total", "reason"),
            "{{reason}}",
            stacked=True,
        ),
        _one(
            "Changes by others",
            "What wakes the controllers.",
            "ops",
            _rate("steady_changes_total", "resource, change"),
            "{{resource}} {{change}}",
        ),
    ),
)

_STATUSES = Row(
    "Statuses",
    (
        _one(
            "Statuses that wait",
            "Alert: half of what the queue may hold.",
            "short",
            'sum by (controller) (controller_status_queue_size{job="$job"})',
            "{{controller}}",
        ),
        Panel(
            "Statuses",
            "Submitted, not landed, and of these not sent because the process stopped.",
            "ops",
            (
                Query(_rate("controller_status_updates_queued_total", "priority"), "{{priority}} queued"),
                Query(_rate("controller_status_updates_failed_total", "priority"), "{{priority}} failed"),
                Query(_rate("controller_status_updates_dropped_total", "priority"), "{{priority}} dropped"),
            ),
        ),
        Panel(
            "Batches, P95",
            "How many leave together, and how long they take.",
            "none",
            (
                Query(_p95("controller_status_batch_size", "priority"), "{{priority}} statuses"),
                Query(_p95("controller_status_batch_duration_seconds", "controller"), "{{controller}} seconds"),
            ),
        ),
    ),
)

_WATCHES = Row(
    "Watches and leadership",
    (
        _one(
            "Quiet of a watch",
            "Seconds since the server said anything; bookmarks come each minute. Alert: 180 s.",
            "s",
            'max by (resource) (steady_watch_last_event_age_seconds{job="$job"})',
            "{{resource}}",
        ),
        _one(
            "Watches begun anew",
            "Ended is in good order: the server ends each watch after some minutes.",
            "ops",
            _rate("steady_watch_restarts_total", "resource, reason"),
            "{{resource}} {{reason}}",
        ),
        _one(
            "Objects in the cache",
            "What the operator sees.",
            "short",
            'max by (resource) (steady_cached_objects{job="$job"})',
            "{{resource}}",
        ),
        _one(
            "Leaders",
            "One, or something is wrong.",
            "none",
            'sum by (name) (leader_election_master_status{job="$job"})',
            "{{name}}",
        ),
        _one(
            "Changes of the leader",
            "In a quarter of an hour. Alert: 3.",
            "none",
            'max by (name) (max_over_time(steady_lease_transitions{job="$job"}[15m])) '
            '- min by (name) (min_over_time(steady_lease_transitions{job="$job"}[15m]))',
            "{{name}}",
        ),
        _one(
            "Objects slowed down",
            "For being written or reconciled more often than their causes explain. Any is an alert.",
            "ops",
            'sum(rate(steady_hot_objects_total{job="$job"}[5m]))',
            "slowed down",
        ),
    ),
)

_SURROUNDINGS = Row(
    "Interpreter, git and RICs",
    (
        _one(
            "Interpretations",
            "Meaningless and rejected are answers; failed is none.",
            "ops",
            _rate("nephoran_interpretations_total", "result"),
            "{{result}}",
            stacked=True,
        ),
        _one(
            "Interpretation time, P95",
            "By what came out.",
            "s",
            _p95("nephoran_interpretation_duration_seconds", "result"),
            "{{result}}",
        ),
        _one(
            "Hits of caches",
            "Of what was asked in a quarter of an hour. Few are no fault, but the cache may be too small.",
            "percentunit",
            'sum by (cache) (rate(nephoran_cache_requests_total{job="$job", result="hit"}[15m])) '
            '/ sum by (cache) (rate(nephoran_cache_requests_total{job="$job"}[15m]))',
            "{{cache}}",
        ),
        _one(
            "Values in caches",
            "All caches are bounded; what is unused for the longest time goes first.",
            "short",
            'max by (cache) (nephoran_cache_entries{job="$job"})',
            "{{cache}}",
        ),
        _one(
            "Pushes",
            "Groups of changes by what became of them. Moved: somebody else was first, and it is done again.",
            "ops",
            _rate("nephoran_git_pushes_total", "result"),
            "{{result}}",
            stacked=True,
        ),
        _one(
            "Push time, P95",
            "From taking a group to the remote's word.",
            "s",
            _p95("nephoran_git_push_duration_seconds", "result"),
            "{{result}}",
        ),
        _one(
            "Directories in a commit, P95",
            "Intents that were ready at the same moment share a commit.",
            "short",
            'histogram_quantile(0.95, sum by (le) (rate(nephoran_git_group_size_bucket{job="$job"}[5m])))',
            "directories",
        ),
        _one(
            "Changes by others",
            "Directories that somebody else has changed at the remote; each is committed again as its intent says.",
            "ops",
            'sum(rate(nephoran_git_drifts_total{job="$job"}[15m]))',
            "directories",
        ),
        _one(
            "RICs by state",
            "Any that is down is an alert.",
            "short",
            'max by (state) (nephoran_rics{job="$job"})',
            "{{state}}",
            stacked=True,
        ),
        _one(
            "Calls to RICs",
            "By operation and outcome.",
            "reqps",
            _rate("nephoran_ric_calls_total", "operation, result"),
            "{{operation}} {{result}}",
        ),
        _one(
            "Calls to RICs, P95",
            "From sending to the answer.",
            "s",
            _p95("nephoran_ric_call_duration_seconds", "operation"),
            "{{operation}}",
        ),
    ),
    across=4,
)

_PROCESS = Row(
    "Process",
    (
        _one(
            "Memory",
            "Resident now, and at its peak.",
            "bytes",
            'max by (type) (controller_memory_usage_bytes{job="$job", type=~"resident|peak"})',
            "{{type}}",
        ),
        _one(
            "CPU", "Seconds per second.", "percentunit", 'sum(rate(process_cpu_seconds_total{job="$job"}[5m]))', "CPU"
        ),
        _one(
            "Lag of the event loop, P99",
            "How late timers fire. Alert: 0.5 s.",
            "s",
            'histogram_quantile(0.99, sum by (le) (rate(steady_event_loop_lag_seconds_bucket{job="$job"}[5m])))',
            "lag",
        ),
        Panel(
            "Tasks and threads",
            "Of the event loop and of the process.",
            "short",
            (
                Query('max(controller_tasks{job="$job"})', "tasks"),
                Query('max(controller_threads{job="$job"})', "threads"),
            ),
        ),
    ),
    across=4,
)

ROWS: Final = (_GLANCE, _OBJECTS, _RECONCILES, _REQUESTS, _STATUSES, _WATCHES, _SURROUNDINGS, _PROCESS)
