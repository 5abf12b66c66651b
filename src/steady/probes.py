"""Health, metrics and explanations over HTTP on one port, loopback unless configured: /livez, /readyz, /metrics and
/explain/CONTROLLER/NAMESPACE/NAME.

Both probes are asked and answer as those of the Kubernetes API server: `ok`, or a line for each check where one has
failed or `?verbose` asks for them; `?exclude=NAME` leaves a check out.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import Self

import msgspec
from aiohttp import web

from steady.controller import Explanation
from steady.metrics import LagMonitor, Metrics
from steady.metrics.exposition import CONTENT_TYPE, exposition
from steady.objects.keys import Key

Explain = Callable[[str, Key], Explanation | None]
"""Why the object of a controller is as it is; None where no controller has that name."""

Check = Callable[[], str]
"""What is wrong, in words; nothing where all is well."""


def _nothing(controller: str, key: Key) -> None:
    """Nobody explains anything."""


_HEADERS = {"cache-control": "no-cache", "x-content-type-options": "nosniff"}


class Probes:
    """Answers from `ready`: checks by name. `port` 0 takes a free one.

    Liveness has no check but the answer itself: a loop that is blocked gives none.
    """

    def __init__(
        self,
        ready: Mapping[str, Check],
        metrics: Metrics,
        *,
        explain: Explain = _nothing,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self._ready = ready
        self._explain = explain
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
        app.router.add_get("/explain/{controller}/{namespace}/{name}", self._why)
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

    async def _livez(self, request: web.Request) -> web.Response:
        return _answer("livez", {"ping": lambda: ""}, request)

    async def _readyz(self, request: web.Request) -> web.Response:
        return _answer("readyz", self._ready, request)

    async def _why(self, request: web.Request) -> web.Response:
        where = request.match_info
        found = self._explain(where["controller"], Key(where["namespace"], where["name"]))
        if found is None:
            raise web.HTTPNotFound(text=f"no controller is called {where['controller']!r}\n")
        return web.Response(body=msgspec.json.encode(found), content_type="application/json", headers=_HEADERS)

    async def _expose(self, request: web.Request) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"content-type": CONTENT_TYPE})
        await answer.prepare(request)
        if request.method == "HEAD":
            return answer
        # Whoever hangs up has asked for no more.
        with contextlib.suppress(ConnectionResetError):
            async for piece in exposition(self._metrics.registry):
                await answer.write(piece)
            await answer.write_eof()
        return answer


def _answer(probe: str, checks: Mapping[str, Check], request: web.Request) -> web.Response:
    excluded = set(request.query.getall("exclude", ()))
    troubles = {name: check() for name, check in checks.items() if name not in excluded}
    failed = any(troubles.values())
    if not failed and "verbose" not in request.query:
        return web.Response(text="ok\n", headers=_HEADERS)
    lines = [_line(name, troubles.get(name)) for name in checks]
    lines += [f"warn: nothing to exclude is called {name!r}" for name in sorted(excluded - checks.keys())]
    lines.append(f"{probe} check {'failed' if failed else 'passed'}")
    return web.Response(text="\n".join(lines) + "\n", status=503 if failed else 200, headers=_HEADERS)


def _line(name: str, trouble: str | None) -> str:
    if trouble is None:
        return f"[+]{name} excluded: ok"
    return f"[-]{name} failed: {trouble}" if trouble else f"[+]{name} ok"
