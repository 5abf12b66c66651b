"""How long to wait after which error."""

from steady.backoff.classification import Rule, by_status
from steady.backoff.config import DEFAULTS, BackoffConfig, BackoffStrategy, ErrorType
from steady.backoff.manager import BackoffManager
from steady.backoff.parking import Release
from steady.backoff.wait import Outcome, Stats, Wait

__all__ = [
    "DEFAULTS",
    "BackoffConfig",
    "BackoffManager",
    "BackoffStrategy",
    "ErrorType",
    "Outcome",
    "Release",
    "Rule",
    "Stats",
    "Wait",
    "by_status",
]
