"""The migration guides name everything that there was, and what they name here exists."""

from __future__ import annotations

import re
from functools import reduce
from importlib import import_module

import pytest

from nephoran.api import names
from tests.unit.docs.pages import DOCS
from tests.unit.monitoring.test_rules import families

PACKAGE = (DOCS / "migration" / "from-the-go-package.md").read_text(encoding="utf-8")
ORIGINALS = (DOCS / "migration" / "from-the-original-controllers.md").read_text(encoding="utf-8")
GO = [
    "BackoffManager",
    "NewBackoffManager",
    "BackoffConfig",
    "Strategy",
    "BaseDelay",
    "MaxDelay",
    "Multiplier",
    "JitterEnabled",
    "MaxRetries",
    "BackoffStrategy",
    "ExponentialBackoff",
    "LinearBackoff",
    "ConstantBackoff",
    "ErrorType",
    "TransientError",
    "PermanentError",
    "ResourceError",
    "ThrottlingError",
    "ValidationError",
    "SetConfig",
    "GetNextDelay",
    "ShouldRetry",
    "RecordSuccess",
    "GetRetryCount",
    "CleanupStaleEntries",
    "ClassifyError",
    "GetBackoffStats",
    "StatusBatcher",
    "NewStatusBatcher",
    "BatchConfig",
    "DefaultBatchConfig",
    "MaxBatchSize",
    "BatchTimeout",
    "FlushInterval",
    "RetryDelay",
    "EnablePriority",
    "MaxQueueSize",
    "CriticalPriority",
    "HighPriority",
    "MediumPriority",
    "LowPriority",
    "QueueUpdate",
    "QueueNetworkIntentUpdate",
    "Stop",
    "ControllerMetrics",
    "NewReconcileTimer",
    "Finish",
    "RecordReconcileResult",
    "RecordBackoffDelay",
    "RecordStatusUpdate",
    "NewOptimizedNetworkIntentReconciler",
    "NewOptimizedE2NodeSetReconciler",
    "SetupWithManager",
    "Shutdown",
    "APICallBatcher",
]
"""Every name of the Go package's guide and of its public parts."""
FAMILIES = {
    f"controller_{name}"
    for name in [
        "reconcile_duration_seconds",
        "reconcile_total",
        "reconcile_errors_total",
        "reconcile_requeue_total",
        "backoff_delay_seconds",
        "backoff_retries",
        "backoff_resets_total",
        "status_batch_size",
        "status_batch_duration_seconds",
        "status_updates_queued_total",
        "status_updates_dropped_total",
        "status_updates_failed_total",
        "status_queue_size",
        "api_call_duration_seconds",
        "api_call_total",
        "api_call_errors_total",
        "active_reconcilers",
        "memory_usage_bytes",
        "goroutines",
    ]
}
KEPT = {
    name: value
    for name, value in vars(names).items()
    if isinstance(value, str)
    and name.endswith(("_FINALIZER", "_LABEL", "_ANNOTATION", "_KEY", "LEASE"))
    and name not in {"CONFIG_HASH_ANNOTATION", "DIGEST_ANNOTATION", "APP_LABEL"}
}
"""What the Go operator's clusters have stored."""


def cells(page: str, column: int) -> list[str]:
    """The names in one column of all tables."""
    rows = re.findall(r"^\| (.+?) \|(?: (.+?) \|)?", page, re.MULTILINE)
    return [name for row in rows for name in re.findall(r"`([^`]+)`", row[column])]


def test_every_name_of_the_go_package_has_its_row() -> None:
    """None is left out."""
    assert [name for name in (*GO, *sorted(FAMILIES)) if name not in cells(PACKAGE, 0)] == []


@pytest.mark.parametrize("name", sorted({it for it in cells(PACKAGE, 1) if it.startswith(("steady.", "nephoran."))}))
def test_what_it_became_exists(name: str) -> None:
    """Found as it is written: a module, then attributes."""
    parts = name.split(".")
    for length in range(len(parts), 0, -1):
        try:
            found = import_module(".".join(parts[:length]))
        except ModuleNotFoundError:
            continue
        assert reduce(getattr, parts[length:], found) is not None
        return
    raise AssertionError(name)


def test_the_families_that_stay_exist() -> None:
    """And those that took the place of the one that does not."""
    known = families()
    gone = {"controller_goroutines"}
    for name in FAMILIES - gone | {"controller_tasks", "controller_threads"}:
        assert name in known or f"{name}_count" in known, name


@pytest.mark.parametrize("value", KEPT.values(), ids=KEPT.keys())
def test_everything_that_clusters_have_stored_is_named(value: str) -> None:
    """Finalizers, labels, annotations, keys of ConfigMaps and the Lease."""
    assert f"`{value}`" in ORIGINALS


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`(nephoran_\w+|controller_\w+)`", ORIGINALS))))
def test_the_metrics_that_take_the_place_of_others_exist(name: str) -> None:
    """As the guide writes them."""
    known = families()
    assert name in known or f"{name}_count" in known
