"""One HTTP/1.1 connection to a server, one exchange at a time.

Invariants
- An exchange ends exactly once: with a whole answer, or with the reason why there is none.
- A connection on which anything unexpected happened is closed, never used again.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Final, cast

import httptools

from steady.errors import Interrupted

_FULL: Final = 1024 * 1024  # bytes of a stream that wait for their reader before the socket is read no further


class Wire(asyncio.Protocol):
    """Parses what comes in. `free` tells whether another exchange may follow."""

    def __init__(self) -> None:
        self.free = True
        self.status = 0
        self.headers: dict[str, str] = {}
        self._parser = httptools.HttpResponseParser(self)
        self._transport: asyncio.Transport | None = None
        self._pieces: deque[bytes] = deque()
        self._waiting = 0
        self._paused = False
        self._streaming = False
        self._begun = self._complete = False
        self._error: Interrupted | None = None
        self._news: asyncio.Future[None] | None = None

    # For those who ask.

    def send(self, head: bytes, body: bytes, *, streaming: bool = False) -> None:
        """Begin an exchange. With `streaming` its body is read piece by piece."""
        self.free = self._begun = self._complete = False
        self._streaming = streaming
        self.status, self.headers = 0, {}
        self._pieces.clear()
        self._waiting = 0
        self._resume()
        if self._transport is None or self._transport.is_closing():
            self._fail("the connection was closed")
        else:
            self._transport.write(head + body)

    async def began(self) -> None:
        """Wait for status and headers. Raises Interrupted."""
        while not self._begun:
            await self._more()

    async def body(self) -> bytes:
        """Wait for the whole body. Raises Interrupted."""
        while not self._complete:
            await self._more()
        return b"".join(self._pieces)

    async def piece(self) -> bytes:
        """The next piece of a stream's body; nothing at its end. Raises Interrupted."""
        while not self._pieces and not self._complete:
            await self._more()
        if not self._pieces:
            return b""
        piece = self._pieces.popleft()
        self._waiting -= len(piece)
        if self._waiting < _FULL:
            self._resume()
        return piece

    def close(self) -> None:
        """End the connection, and whatever is under way on it."""
        self.free = False
        if self._transport:
            self._transport.abort()

    # What the socket says.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The connection stands."""
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is one in all but name

    def data_received(self, data: bytes) -> None:
        """Bytes have come; what nobody asked for (a server that gives up an idle connection) ends the connection."""
        if self.free:
            self.close()
            return
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserError as error:
            self._fail(f"not HTTP: {error}")
            self.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection is no more. A body of no declared length ends here."""
        self.free = False
        framed = "content-length" in self.headers or "transfer-encoding" in self.headers
        if exc is None and self._begun and not framed:
            self._complete = True
            self._tell()
        elif not self._complete:
            self._fail(f"the connection was lost: {exc or 'closed by the server'}")

    # What the parser says.

    def on_header(self, name: bytes, value: bytes) -> None:
        """One header."""
        self.headers[name.decode("latin-1").lower()] = value.decode("latin-1")

    def on_headers_complete(self) -> None:
        """The head is whole."""
        self.status = self._parser.get_status_code()
        if self.status >= 200:
            self._begun = True
            self._tell()

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        self._pieces.append(body)
        if not self._streaming:
            return
        self._waiting += len(body)
        if self._waiting >= _FULL and not self._paused and self._transport:
            self._paused = True
            self._transport.pause_reading()
        self._tell()

    def on_message_complete(self) -> None:
        """The answer is whole; an interim one (1xx) is followed by another."""
        if self.status < 200:
            self.headers = {}
            return
        self._complete = True
        self.free = self._parser.should_keep_alive()
        self._tell()

    def _resume(self) -> None:
        if self._paused and self._transport:
            self._paused = False
            self._transport.resume_reading()

    async def _more(self) -> None:
        if self._error:
            raise self._error
        self._news = asyncio.get_running_loop().create_future()
        await self._news

    def _tell(self) -> None:
        if self._news and not self._news.done():
            self._news.set_result(None)

    def _fail(self, why: str) -> None:
        self._error = self._error or Interrupted(why)
        self._tell()
