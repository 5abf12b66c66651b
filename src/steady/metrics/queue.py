"""What one queue of keys counts, under the names of client-go's workqueue."""

from __future__ import annotations

from collections.abc import Callable, Collection
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from steady.metrics.families import Metrics


class QueueMetrics:
    """The counters of the queue called `name`. `depth` and `running` (moments of taking) are read when scraped."""

    __slots__ = ("_added", "_retried", "_waited", "_worked")

    def __init__(
        self, families: Metrics, name: str, *, depth: Callable[[], int], ages: Callable[[], Collection[float]]
    ) -> None:
        # The second one is the label `controller`, which controller-runtime adds to client-go's.
        self._added = families.queue_adds(name, name)
        self._retried = families.queue_retries(name, name)
        self._waited = families.queue_waits(name, name)
        self._worked = families.queue_works(name, name)
        families.queue_depth(name, name).set_function(depth)
        families.queue_unfinished(name, name).set_function(lambda: sum(ages()))
        families.queue_longest(name, name).set_function(lambda: max(ages(), default=0.0))

    def added(self) -> None:
        """A key came that was not there."""
        self._added.inc()

    def taken(self, waited: float) -> None:
        """A key was taken `waited` seconds after it might have been."""
        self._waited.observe(waited)

    def done(self, worked: float) -> None:
        """A key was given back after `worked` seconds."""
        self._worked.observe(worked)

    def retried(self) -> None:
        """A key was put back because of a failure."""
        self._retried.inc()
