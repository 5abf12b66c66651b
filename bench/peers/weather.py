"""Bad weather between a contender and the API server: a proxy that answers some requests itself, or not at all."""

from __future__ import annotations

import random
import ssl
from collections import Counter
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import aiohttp
from aiohttp import web

from bench.server import RealServer
from steady.testing.controlplane import OPERATOR

_FAULTS: Final = ("too many requests", "internal error", "reset before", "reset after")
_HOP_HEADERS: Final = frozenset(
    {"connection", "content-encoding", "content-length", "host", "keep-alive", "transfer-encoding"}
)
_AUTOMATIC: Final = ("accept", "accept-encoding", "content-type", "user-agent")
_SEED = 20


class Weather:
    """A proxy on 127.0.0.1; `share` of all requests get a fault, 0 until it is set.

    `asked` counts requests (watches and leases left out), `faults` what became of some: answered 429 with Retry-After,
    answered 500, or cut off before or after the server has had them. While the server is away, connections are cut
    off, too.
    """

    def __init__(self, server: RealServer) -> None:
        self.share = 0.0
        self.asked = 0
        self.faults: Counter[str] = Counter()
        self._server = server
        self._chance = random.Random(_SEED)

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=self._server.trust),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=5),
            auto_decompress=False,
        )
        application = web.Application(client_max_size=2**26)
        application.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(
            application, access_log=None, handle_signals=False, shutdown_timeout=1.0, handler_cancellation=True
        )
        await self._runner.setup()
        # The server's own certificate: clients send their tokens to nobody else.
        trust = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        files = self._server.plane.credentials
        trust.load_cert_chain(files.server_certificate, files.server_key)
        await web.TCPSite(self._runner, "127.0.0.1", 0, ssl_context=trust).start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self._runner.cleanup()
        await self._session.close()

    @property
    def kubeconfig(self) -> Path:
        """The kubeconfig of the operator that leads through the weather."""
        url = f"https://127.0.0.1:{self._runner.addresses[0][1]}"
        return self._server.plane.credentials.kubeconfig(OPERATOR.key, url)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        watch = request.query.get("watch", "") not in {"", "0", "false"}
        self.asked += not watch and "/leases" not in request.path
        fault = self._fault()
        match fault:
            case "too many requests":
                return _status(429, "TooManyRequests", {"Retry-After": "1"})
            case "internal error":
                return _status(500, "InternalError", {})
            case "reset before":
                return _cut(request)
        try:
            return await self._forwarded(request, watch=watch, cut=fault == "reset after")
        except aiohttp.ClientError:
            return _cut(request)

    def _fault(self) -> str:
        if self._chance.random() >= self.share:
            return ""
        fault = self._chance.choice(_FAULTS)
        self.faults[fault] += 1
        return fault

    async def _forwarded(self, request: web.Request, *, watch: bool, cut: bool) -> web.StreamResponse:
        headers = {name: value for name, value in request.headers.items() if name.lower() not in _HOP_HEADERS}
        url = f"{self._server.url}{request.raw_path}"
        body = await request.read() or None
        async with self._session.request(
            request.method, url, data=body, headers=headers, skip_auto_headers=_AUTOMATIC, allow_redirects=False
        ) as upstream:
            kept = {name: value for name, value in upstream.headers.items() if name.lower() not in _HOP_HEADERS}
            if "content-encoding" in upstream.headers:
                kept["content-encoding"] = upstream.headers["content-encoding"]
            response = web.StreamResponse(status=upstream.status, headers=kept)
            if cut:
                if not watch:
                    await upstream.read()
                return _cut(request)
            await response.prepare(request)
            async for piece in upstream.content.iter_any():
                await response.write(piece)
            await response.write_eof()
            return response


def _cut(request: web.Request) -> web.Response:
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=502)


def _status(code: int, reason: str, headers: dict[str, str]) -> web.Response:
    body = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": "bad weather",
        "reason": reason,
        "code": code,
    }
    return web.json_response(body, status=code, headers=headers)
