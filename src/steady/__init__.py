"""A controller runtime for asyncio that costs only what its job costs, and can prove it."""

from steady.backoff import BackoffConfig, BackoffManager, BackoffStrategy, ErrorType
from steady.controller import Again, Context, Controller, Done, Failed, Owned, Result, Waiting, Watched
from steady.intervals import Interval
from steady.manager import Manager, Options
from steady.metrics import Metrics
from steady.objects import Condition, ConfigMap, Key, Object, Scale, Spec, Status, resource
from steady.queue import Priority
from steady.reasons import Reason
from steady.status import BatchConfig, StatusBatcher

__all__ = [
    "Again",
    "BackoffConfig",
    "BackoffManager",
    "BackoffStrategy",
    "BatchConfig",
    "Condition",
    "ConfigMap",
    "Context",
    "Controller",
    "Done",
    "ErrorType",
    "Failed",
    "Interval",
    "Key",
    "Manager",
    "Metrics",
    "Object",
    "Options",
    "Owned",
    "Priority",
    "Reason",
    "Result",
    "Scale",
    "Spec",
    "Status",
    "StatusBatcher",
    "Waiting",
    "Watched",
    "resource",
]
