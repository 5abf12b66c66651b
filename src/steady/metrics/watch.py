"""What one watch counts."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from steady.metrics.families import Metrics

CHANGES: Final = ("created", "changed", "deleted")


class WatchMetrics:
    """The counters of the watch of `resource`. `objects` and `age` (seconds of quiet) are read when scraped.

    Changes exist from the start, at 0: what was written is compared with them.
    """

    __slots__ = ("_changes", "_families", "_resource")

    def __init__(
        self, families: Metrics, resource: str, *, objects: Callable[[], int], age: Callable[[], float]
    ) -> None:
        self._families = families
        self._resource = resource
        self._changes = {change: families.changes(resource, change) for change in CHANGES}
        families.objects(resource).set_function(objects)
        families.watch_age(resource).set_function(age)

    def changed(self, change: str) -> None:
        """Somebody else made one of CHANGES."""
        self._changes[change].inc()

    def restarted(self, reason: str) -> None:
        """The stream has ended, because of `reason`, and is begun anew."""
        self._families.watch_restarts(self._resource, reason).inc()

    def stalled(self) -> None:
        """The stream fell silent."""
        self._families.watch_stalls.inc()
