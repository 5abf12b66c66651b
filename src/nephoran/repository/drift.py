"""What somebody else has done to our directories at the remote: noticed, remembered until it is put right, and told."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from typing import Final

from steady.intervals import Interval, Intervals
from steady.objects import Key
from steady.wakes import Wakes

LOOKS: Final = Interval(shortest=60.0, longest=3600.0)
"""How often the remote is asked for its head, by one command for all intents, unless the owner says otherwise."""

_log = logging.getLogger("nephoran.repository")
_NAMED = 10  # directories that a log line lists


class Drift:
    """Directories that others have changed since we wrote them. `found` counts them, `looks` how often it was asked.

    A directory counts as touched, whatever its record says, until a write of ours has confirmed it.
    """

    def __init__(self) -> None:
        self.found = 0
        self.looks = 0
        self._touched: set[Key] = set()
        self._wakes = Wakes[Key]()

    def touched(self, namespace: str, name: str) -> bool:
        """Whether somebody else has changed the directory since we wrote it."""
        return Key(namespace, name) in self._touched

    def note(self, directories: Iterable[tuple[str, str]]) -> None:
        """Others have changed these."""
        keys = [Key(*directory) for directory in directories]
        if not keys:
            return
        self.found += len(keys)
        self._touched.update(keys)
        self._wakes.add(keys)
        listed = ", ".join(map(str, keys[:_NAMED])) + (" …" if len(keys) > _NAMED else "")
        _log.warning("%d directories were changed at the remote by others: %s", len(keys), listed)

    def settled(self, directory: tuple[str, str]) -> None:
        """The destination has the directory as we want it."""
        self._touched.discard(Key(*directory))

    def keys(self) -> AsyncIterator[Key]:
        """The intents whose directories were changed, each once however often it was; for one reader."""
        return self._wakes.keys()

    async def watch(self, interval: Interval, look: Callable[[], Awaitable[bool]]) -> None:
        """Call `look`, which says whether the head was moved by others, at an adaptive interval, until cancelled."""
        intervals = Intervals[None]()
        while True:
            await asyncio.sleep(intervals.next(None, interval))
            self.looks += 1
            if await look():
                intervals.changed(None)
