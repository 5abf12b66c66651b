"""Requests over HTTP/1.1, on connections that are kept."""

from __future__ import annotations

import asyncio
import os
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import quote, urlencode, urlsplit

from steady.client.credentials import Connection
from steady.client.transport import Request, Response
from steady.client.wire import Wire
from steady.errors import ConfigurationError, Interrupted, Unreachable, Untrusted

_CONNECT_TIMEOUT: Final = 10.0  # seconds


class HttpTransport:
    """One API server over HTTP(S), with at most `connections` requests at a time beside its streams.

    Token and certificates come from `connection`, which re-reads its files. No redirect is followed, no proxy used.
    """

    def __init__(self, connection: Connection, *, connections: int = 16) -> None:
        self._connection = connection
        address = urlsplit(connection.server)
        secure = address.scheme == "https"
        self._host = address.hostname or ""
        self._port = address.port or (443 if secure else 80)
        self._prefix = address.path.rstrip("/")
        self._authority = address.netloc.rpartition("@")[2]
        self._secure = secure
        self._tls: ssl.SSLContext | None = None
        self._limit = asyncio.Semaphore(connections)
        self._idle: list[Wire] = []
        self._wires: set[Wire] = set()

    async def send(self, request: Request) -> Response:
        """Send and wait for the whole answer."""
        async with self._limit:
            try:
                async with asyncio.timeout(request.timeout), self._exchange(request, streaming=False) as wire:
                    body = await wire.body()
                    return Response(wire.status, wire.headers, body)
            except TimeoutError as error:
                raise Interrupted(f"{request.method} {request.path}: no answer within {request.timeout:g} s") from error

    @asynccontextmanager
    async def stream(self, request: Request) -> AsyncIterator[HttpStream]:
        """Send and read the answer piece by piece."""
        try:
            async with (
                asyncio.timeout(request.timeout) as deadline,
                self._exchange(request, streaming=True) as wire,
            ):
                await wire.began()
                body = await wire.body() if wire.status >= 400 else b""
                deadline.reschedule(None)
                yield HttpStream(wire, Response(wire.status, wire.headers, body))
        except TimeoutError as error:
            raise Interrupted(f"{request.method} {request.path}: no answer within {request.timeout:g} s") from error

    async def close(self) -> None:
        """Give up all connections."""
        for wire in self._wires:
            wire.close()
        self._wires.clear()
        self._idle.clear()
        await asyncio.sleep(0)  # the sockets close in the loop's next turn

    @asynccontextmanager
    async def _exchange(self, request: Request, *, streaming: bool) -> AsyncIterator[Wire]:
        """One request on a connection of its own; a connection whose answer was not read to its end is closed."""
        head = self._head(request)
        wire = await self._connected()
        wire.send(head, request.body, streaming=streaming)
        try:
            yield wire
        except Interrupted as error:
            raise Interrupted(f"{request.method} {request.path}: {error}") from error
        finally:
            if wire.free:
                self._idle.append(wire)
            else:
                self._wires.discard(wire)
                wire.close()

    async def _connected(self) -> Wire:
        while self._idle:
            wire = self._idle.pop()
            if wire.free:
                return wire
            self._wires.discard(wire)
        if self._secure and self._tls is None:
            self._tls = self._connection.tls()
        try:
            async with asyncio.timeout(_CONNECT_TIMEOUT):
                _, wire = await asyncio.get_running_loop().create_connection(
                    Wire, self._host, self._port, ssl=self._tls
                )
        except ssl.SSLCertVerificationError as error:
            raise Untrusted(f"cannot verify the certificate of {self._authority}: {error.verify_message}") from error
        except (ssl.SSLEOFError, ssl.SSLZeroReturnError) as error:
            raise Unreachable(f"TLS with {self._authority}: {error.reason}") from error
        except ssl.SSLError as error:
            raise Untrusted(f"TLS with {self._authority}: {error.reason}") from error
        except TimeoutError as error:
            raise Unreachable(f"{self._authority} takes no connection within {_CONNECT_TIMEOUT:g} s") from error
        except OSError as error:
            raise Unreachable(f"cannot connect to {self._authority}: {_cause(error)}") from error
        self._wires.add(wire)
        return wire

    def _head(self, request: Request) -> bytes:
        target = self._prefix + quote(request.path, safe="/:")
        if request.query:
            target = f"{target}?{urlencode(request.query)}"
        lines = [f"{request.method} {target} HTTP/1.1", f"host: {self._authority}", "user-agent: steady"]
        if token := self._connection.token():
            lines.append(f"authorization: Bearer {token}")
        lines += [f"{name}: {value}" for name, value in request.headers.items()]
        if request.body or request.method not in {"GET", "DELETE"}:
            lines.append(f"content-length: {len(request.body)}")
        if any("\n" in line or "\r" in line for line in lines):
            raise ConfigurationError(f"{request.method} {request.path}: a header or the token has a line break")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


class HttpStream:
    """An answer that goes on. Pieces are what the socket gives, so a line may be of any length."""

    def __init__(self, wire: Wire, response: Response) -> None:
        self.response = response
        self._wire = wire

    async def chunks(self) -> AsyncIterator[bytes]:
        """Pieces as they arrive."""
        while piece := await self._wire.piece():
            yield piece


def _cause(error: OSError) -> str:
    # asyncio puts the address in the place of the system's word; a resolver's error numbers are its own.
    number = error.errno or 0
    return os.strerror(number) if number > 0 else error.strerror or str(error)
