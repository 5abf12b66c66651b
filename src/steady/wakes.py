"""Keys to look at because of something that no watch tells."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Hashable, Iterable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)


class Wakes(Generic[K]):
    """Keys in the order in which they were named, each once however often that was. For one reader."""

    def __init__(self) -> None:
        self._waiting: dict[K, None] = {}
        self._bell = asyncio.Event()

    def add(self, keys: Iterable[K]) -> None:
        """Name `keys`."""
        self._waiting.update(dict.fromkeys(keys))
        if self._waiting:
            self._bell.set()

    def discard(self, key: K) -> None:
        """Nobody is to look at `key` any more."""
        self._waiting.pop(key, None)

    async def keys(self) -> AsyncIterator[K]:
        """The keys as they are named, without end: what a controller takes in its `wakes`."""
        while True:
            await self._bell.wait()
            while self._waiting:
                key = next(iter(self._waiting))
                del self._waiting[key]
                yield key
            self._bell.clear()
