"""One open watch: what it may see, in which shape, and how it ends."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncGenerator, Callable, Iterable
from typing import NamedTuple

import msgspec

from steady.apiserver.exchange import Json
from steady.apiserver.failures import Failure
from steady.apiserver.kinds import Kind
from steady.apiserver.shapes import Shape
from steady.apiserver.store import Change, Item

BOOKMARK_INTERVAL = 60.0
"""Seconds between bookmarks, as kube-apiserver's watch cache sends them."""

INITIAL_EVENTS_END = "k8s.io/initial-events-end"


class View(NamedTuple):
    """What one reader sees of a collection."""

    kind: Kind
    shape: Shape
    namespace: str
    matches: Callable[[Json], bool]

    def sees(self, item: Item) -> bool:
        """Whether the item is in this reader's part of the collection."""
        metadata = item.data["metadata"]
        if self.namespace and metadata.get("namespace") != self.namespace:
            return False
        return self.matches(item.data)

    def line(self, change: Change) -> bytes | None:
        """The event that `change` is to this reader: leaving the selection is a DELETED, entering it an ADDED."""
        after = change.type != "DELETED" and self.sees(change.item)
        before = change.before is not None and self.sees(change.before)
        if not after and not before:
            return None
        type_ = "DELETED" if not after else "MODIFIED" if before else "ADDED"
        return self._encoded(change, type_)

    def _encoded(self, change: Change, type_: str) -> bytes:
        made = change.lines.get((type_, self.shape.name))
        if made is None:
            made = change.lines[type_, self.shape.name] = event(type_, self.shape.encoded(change.item))
        return made


class Watch:
    """A stream of lines. It holds a place in the collection from `open` to the end of the stream."""

    def __init__(self, view: View, clock: Callable[[], float], version: Callable[[], int]) -> None:
        self.view = view
        self.silent = False
        self._clock = clock
        self._version = version
        self._lines: deque[bytes] = deque()
        self._wake = asyncio.Event()
        self._ended = False

    def take(self, change: Change) -> None:
        """A change happened; keep its line if this reader sees it."""
        line = self.view.line(change)
        if line is not None:
            self.push(line)

    def push(self, line: bytes) -> None:
        """Send `line` next."""
        self._lines.append(line)
        self._wake.set()

    def end(self) -> None:
        """End the stream after what is already under way."""
        self._ended = True
        self._wake.set()

    def silence(self, silent: bool) -> None:
        """Hold back whatever comes (bookmarks too), or send what was held back."""
        self.silent = silent
        self._wake.set()

    async def stream(
        self, lasting: float | None, bookmarks: bool, closed: Callable[[Watch], None]
    ) -> AsyncGenerator[bytes]:
        """The lines, until `lasting` seconds have passed or `end` was called; `closed` hears of the end."""
        ends = None if lasting is None else self._clock() + lasting
        bookmark = self._clock() + BOOKMARK_INTERVAL if bookmarks else None
        now = self._clock()
        try:
            while True:
                while self._lines and not self.silent:
                    yield self._lines.popleft()
                if self._ended or (ends is not None and now >= ends):
                    return
                if bookmark is not None and now >= bookmark:
                    bookmark += BOOKMARK_INTERVAL
                    self.push(bookmark_line(self.view, self._version()))
                    continue
                now = await self._pause(
                    min((moment for moment in (ends, bookmark) if moment is not None), default=None)
                )
        finally:
            closed(self)

    async def _pause(self, until: float | None) -> float:
        """Wait for something to do; the time then. A timer may fire a clock's tick early: it counts as in time."""
        self._wake.clear()
        try:
            async with asyncio.timeout_at(until):
                await self._wake.wait()
        except TimeoutError:
            return max(until or 0.0, self._clock())
        return self._clock()


def event(type_: str, encoded: bytes) -> bytes:
    """One line of a watch."""
    return b'{"type":"' + type_.encode() + b'","object":' + encoded + b"}\n"


def bookmark_line(view: View, version: int, *, initial: bool = False) -> bytes:
    """A bookmark; `initial` marks the end of the initial events of a WatchList."""
    metadata: Json = {"resourceVersion": str(version)}
    metadata |= {"annotations": {INITIAL_EVENTS_END: "true"}} if initial else {}
    resource = view.kind.resource
    body = {"kind": resource.kind, "apiVersion": resource.api_version, "metadata": metadata}
    return event("BOOKMARK", msgspec.json.encode(body))


def error_line(failure: Failure) -> bytes:
    """A failure told inside a stream that has begun."""
    return event("ERROR", msgspec.json.encode(failure.body()))


async def lines(these: Iterable[bytes]) -> AsyncGenerator[bytes]:
    """A stream that ends after `these`."""
    for line in these:
        yield line
