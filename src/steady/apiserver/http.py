"""The server on a socket."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, asynccontextmanager, suppress
from typing import NamedTuple

from aiohttp import web

from steady.apiserver.exchange import Request
from steady.apiserver.server import Server

_LARGEST = 3 * 1024 * 1024  # bytes of a request body, as kube-apiserver limits it


class Address(NamedTuple):
    """Where the server listens."""

    host: str
    port: int

    @property
    def url(self) -> str:
        """The base URL for clients."""
        return f"http://{self.host}:{self.port}"


@asynccontextmanager
async def serve(server: Server, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[Address]:
    """Serve `server` over HTTP while inside; port 0 takes a free one."""

    async def answer(request: web.Request) -> web.StreamResponse:
        response = await server.handle(await _read(request))
        if response.stream is None:
            return web.Response(status=response.status, headers=response.headers, body=response.body)
        return await _streamed(request, response.stream, response.headers)

    app = web.Application(client_max_size=_LARGEST)
    app.router.add_route("*", "/{path:.*}", answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0, handler_cancellation=True)
    await runner.setup()
    try:
        site = web.TCPSite(runner, host, port)
        await site.start()
        yield Address(host, runner.addresses[0][1])
    finally:
        server.disconnect()
        await runner.cleanup()


async def _read(request: web.Request) -> Request:
    headers = {name.lower(): value for name, value in request.headers.items()}
    return Request(request.method, request.path, dict(request.query), headers, await request.read())


async def _streamed(
    request: web.Request, lines: AsyncGenerator[bytes], headers: Mapping[str, str]
) -> web.StreamResponse:
    """Send a watch line by line; a client that goes away ends it."""
    stream = web.StreamResponse(status=200, headers=headers)
    stream.enable_chunked_encoding()
    async with aclosing(lines):
        with suppress(ConnectionResetError):
            await stream.prepare(request)
            async for line in lines:
                await stream.write(line)
            await stream.write_eof()
    return stream
