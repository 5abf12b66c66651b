"""A transport without sockets: the runtime's requests straight into an embedded API server."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from steady import apiserver
from steady.client.transport import Request, Response
from steady.errors import Interrupted

Hook = Callable[[Request], Awaitable[None]]


class MemoryTransport:
    """Carries requests to `server` in the name of `user`.

    `before` is awaited ahead of each request and `after` behind its answer; what they raise is what the caller sees, so
    a request can be lost before it is sent or after it took effect.
    """

    def __init__(self, server: apiserver.Server, user: str = "operator") -> None:
        self.before: Hook | None = None
        self.after: Hook | None = None
        self._server = server
        self._user = user

    async def send(self, request: Request) -> Response:
        """Send and wait for the whole answer."""
        if self.before:
            await self.before(request)
        answer = await self._handle(request)
        if answer.stream is not None:
            raise Interrupted(f"{request.method} {request.path}: a stream was not asked for")
        if self.after:
            await self.after(request)
        return Response(answer.status, _lower(answer), answer.body)

    @asynccontextmanager
    async def stream(self, request: Request) -> AsyncIterator[MemoryStream]:
        """Send and read the answer piece by piece."""
        if self.before:
            await self.before(request)
        answer = await self._handle(request)
        stream = MemoryStream(Response(answer.status, _lower(answer), answer.body), answer.stream)
        try:
            yield stream
        finally:
            await stream.close()

    async def close(self) -> None:
        """Nothing to give up."""

    async def _handle(self, request: Request) -> apiserver.Response:
        headers = {"authorization": f"Bearer {self._user}", **request.headers}
        return await self._server.handle(
            apiserver.Request(request.method, request.path, request.query, headers, request.body)
        )


class MemoryStream:
    """An answer that goes on."""

    def __init__(self, response: Response, lines: AsyncIterator[bytes] | None) -> None:
        self.response = response
        self._lines = lines

    async def chunks(self) -> AsyncIterator[bytes]:
        """Pieces as they arrive."""
        if self._lines is None:
            return
        async for line in self._lines:
            yield line

    async def close(self) -> None:
        """Tell the server that nobody listens."""
        if self._lines is not None and (aclose := getattr(self._lines, "aclose", None)):
            await aclose()


def _lower(answer: apiserver.Response) -> dict[str, str]:
    return {name.lower(): value for name, value in answer.headers.items()}
