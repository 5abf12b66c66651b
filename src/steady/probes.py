"""Health and metrics over HTTP: /livez, /readyz?verbose and /metrics on one port, loopback unless configured."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Self

from aiohttp import web

from steady.metrics import LagMonitor, Metrics
from steady.metrics.exposition import CONTENT_TYPE, exposition

Check = Callable[[], str]


class Probes:
    """Answers from `ready`: named checks that return what is wrong, or nothing. `port` 0 takes a free one."""

    def __init__(self, ready: Mapping[str, Check], metrics: Metrics, *, host: str = "127.0.0.1", port: int = 0) -> None:
        self._ready = ready
        self._metrics = metrics
        self._host = host
        self._lag = LagMonitor(metrics.lag)
        self._runner: web.AppRunner | None = None
        self.port = port

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_get("/livez", self._livez)
        app.router.add_get("/readyz", self._readyz)
        app.router.add_get("/metrics", self._expose)
        self._runner = web.AppRunner(app, access_log=None)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self._host, self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]
        await self._lag.__aenter__()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._lag.__aexit__()
        if self._runner:
            await self._runner.cleanup()

    async def _livez(self, _: web.Request) -> web.Response:
        # To answer is the proof: a blocked loop does not.
        return web.Response(text="ok\n")

    async def _readyz(self, request: web.Request) -> web.Response:
        troubles = {name: check() for name, check in self._ready.items()}
        lines = [f"[{'-' if trouble else '+'}] {name} {trouble or 'ok'}" for name, trouble in troubles.items()]
        failed = any(troubles.values())
        text = "\n".join(lines) if failed or "verbose" in request.query else "ok"
        return web.Response(text=text + "\n", status=503 if failed else 200)

    async def _expose(self, request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"content-type": CONTENT_TYPE})
        await answer.prepare(request)
        async for piece in exposition(self._metrics.registry):
            await answer.write(piece)
        await answer.write_eof()
        return answer
