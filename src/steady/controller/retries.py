"""One controller's failures: told to backoff, counted, and looked at again when backoff says so."""

from __future__ import annotations

import logging
from functools import partial

from steady import errors
from steady.backoff import BackoffManager, ErrorType, Outcome, Wait
from steady.controller.conditions import redacted
from steady.controller.explanation import Delayed
from steady.metrics import ControllerMetrics
from steady.objects.keys import Key
from steady.queue import Priority, Queue

_log = logging.getLogger("steady.controller")

_ENDS = {Outcome.HELD: "held", Outcome.PARKED: "parked", Outcome.SPENT: "spent"}


class Retries:
    """The failures of the controller called `name`, whose keys are `resource` objects and wait in `queue`."""

    def __init__(
        self,
        name: str,
        resource: str,
        queue: Queue[Key],
        backoff: BackoffManager,
        counters: ControllerMetrics,
    ) -> None:
        self._name = name
        self._resource = resource
        self._queue = queue
        self._backoff = backoff
        self._counters = counters

    def failed(self, key: Key, error: Exception, category: str, *, hold: bool | None = None) -> Wait:
        """Record a failure of `key`, which happened in `category`; `hold` says whether only a change can help."""
        _log.warning("%s %s: %s", self._name, key, redacted(f"{type(error).__name__}: {error}"))
        wait = self._backoff.next_delay((self._name, key), error, release=partial(self._released, key), hold=hold)
        self._counters.failed(wait.error_type, category)
        if wait.outcome is not Outcome.EARLY and wait.seconds is not None:
            self._counters.delayed(wait.error_type, wait.strategy, wait.seconds)
        if end := _ENDS.get(wait.outcome):
            self._counters.retried(wait.error_type, end, wait.attempt)
        return wait

    def conflict(self, key: Key, error: errors.Conflict) -> None:
        """Record that `key` was written on top of what nobody knew of: it goes again as soon as that is seen."""
        _log.warning("%s %s: %s", self._name, key, redacted(str(error)))
        self._counters.failed(ErrorType.RESOURCE, "write")
        self._counters.requeued("conflict")

    def later(self, key: Key, wait: Wait) -> None:
        """Look at `key` again when its wait is over; nothing where only an event ends it."""
        if wait.seconds is None:
            return
        self._counters.requeued("retry", wait.strategy)
        self._queue.retry(key, priority=Priority.LOW if wait.low else Priority.MEDIUM, delay=wait.seconds)

    def succeeded(self, key: Key) -> None:
        """`key` has come to its goal."""
        self._ended(key, "success")
        self._backoff.success((self._name, key))

    def forget(self, key: Key, why: str) -> None:
        """What `key` failed at is no more: it has changed, or is gone."""
        self._ended(key, why)
        self._backoff.forget((self._name, key))

    def explain(self, key: Key, now: float) -> Delayed | None:
        """What backoff says of `key` at `now`, a moment of the loop's clock."""
        wait = self._backoff.explain((self._name, key))
        if wait is None:
            return None
        seconds = None if wait.next_try is None else max(0.0, wait.next_try - now)
        return Delayed(wait.outcome, wait.error_type, wait.strategy, wait.attempt, seconds, wait.cause)

    def _ended(self, key: Key, why: str) -> None:
        if not self._backoff.attempts((self._name, key)):
            return
        if wait := self._backoff.explain((self._name, key)):
            self._counters.retried(wait.error_type, why, wait.attempt)
        self._counters.reset(self._resource)

    def _released(self, key: Key, delay: float) -> None:
        self._counters.requeued("released")
        self._queue.retry(key, priority=Priority.LOW, delay=delay)
