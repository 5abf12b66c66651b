"""Requests over HTTP/1.1 with aiohttp."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
from yarl import URL

from steady.client.credentials import Connection
from steady.client.transport import Request, Response
from steady.errors import Interrupted, Unreachable

_CONNECT_TIMEOUT = 10.0  # seconds


class HttpTransport:
    """One API server over HTTP(S), with at most `connections` requests at a time beside its streams.

    Token and certificates come from `connection`, which re-reads its files.
    """

    def __init__(self, connection: Connection, *, connections: int = 32) -> None:
        self._connection = connection
        self._base = URL(connection.server.rstrip("/"))
        self._limit = asyncio.Semaphore(connections)
        self._session: aiohttp.ClientSession | None = None

    async def send(self, request: Request) -> Response:
        """Send and wait for the whole answer."""
        async with self._limit:
            try:
                async with asyncio.timeout(request.timeout):
                    return await self._send(request)
            except TimeoutError as error:
                raise Interrupted(f"{request.method} {request.path}: no answer within {request.timeout:g} s") from error

    @asynccontextmanager
    async def stream(self, request: Request) -> AsyncIterator[HttpStream]:
        """Send and read the answer piece by piece."""
        try:
            async with asyncio.timeout(request.timeout) as deadline, self._open(request) as answer:
                body = await answer.read() if answer.status >= 400 else b""
                deadline.reschedule(None)
                yield HttpStream(answer, _response(answer, body))
        except TimeoutError as error:
            raise Interrupted(f"{request.method} {request.path}: no answer within {request.timeout:g} s") from error

    async def close(self) -> None:
        """Give up all connections."""
        if self._session:
            await self._session.close()
            self._session = None

    async def _send(self, request: Request) -> Response:
        async with self._open(request) as answer:
            return _response(answer, await answer.read())

    @asynccontextmanager
    async def _open(self, request: Request) -> AsyncIterator[aiohttp.ClientResponse]:
        headers = dict(request.headers)
        if token := self._connection.token():
            headers["authorization"] = f"Bearer {token}"
        url = self._base.joinpath(request.path.lstrip("/")).with_query(dict(request.query))
        try:
            async with self._client().request(
                request.method, url, data=request.body or None, headers=headers
            ) as answer:
                yield answer
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError) as error:
            raise Unreachable(_plain(error)) from error
        except (aiohttp.ClientError, ConnectionError) as error:
            raise Interrupted(f"{request.method} {request.path}: {_plain(error)}") from error

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            connector = aiohttp.TCPConnector(limit=0, ssl=self._connection.tls() or True)
            timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_TIMEOUT)
            self._session = aiohttp.ClientSession(connector=connector, timeout=timeout, auto_decompress=True)
        return self._session


class HttpStream:
    """An answer that goes on. Pieces are what the socket gives, so a line may be of any length."""

    def __init__(self, answer: aiohttp.ClientResponse, response: Response) -> None:
        self.response = response
        self._answer = answer

    async def chunks(self) -> AsyncIterator[bytes]:
        """Pieces as they arrive."""
        async for piece in self._answer.content.iter_any():
            yield piece


def _response(answer: aiohttp.ClientResponse, body: bytes) -> Response:
    return Response(answer.status, answer.headers, body)


def _plain(error: BaseException) -> str:
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return f"cannot verify the server's certificate: {error.certificate_error}"
    if isinstance(error, ssl.SSLError):
        return f"TLS: {error.reason}"
    return f"{type(error).__name__}: {error}"
