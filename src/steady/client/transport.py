"""How requests travel: one small protocol, so that HTTP, memory and faults are interchangeable."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import msgspec


class Request(msgspec.Struct, frozen=True, gc=False):
    """One request. `timeout` is the total time allowed in seconds; for a stream, the time to its first byte."""

    method: str
    path: str
    query: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}
    body: bytes = b""
    timeout: float = 30.0


class Response(msgspec.Struct, frozen=True, gc=False):
    """A whole answer. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Stream(Protocol):
    """An answer that goes on."""

    @property
    def response(self) -> Response:
        """Status and headers; the body too when the status says failure."""
        ...

    def chunks(self) -> AsyncIterator[bytes]:
        """Pieces as they arrive, of any size; ends when the server ends."""
        ...


class Transport(Protocol):
    """Carries requests to one API server.

    Raises Unreachable only where the request provably never reached the server, Interrupted for every other failure.
    """

    async def send(self, request: Request) -> Response:
        """Send and wait for the whole answer."""
        ...

    def stream(self, request: Request) -> AbstractAsyncContextManager[Stream]:
        """Send and read the answer piece by piece."""
        ...

    async def close(self) -> None:
        """Give up all connections."""
        ...
