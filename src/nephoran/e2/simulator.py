"""A RIC to try things on: the same state machine in memory (virtual time) and over HTTP (demo, end to end)."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from typing import Self

import msgspec
from aiohttp import web

from nephoran.api.e2nodeset import NodeState
from nephoran.e2.nodes import RanFunction
from nephoran.e2.ric import (
    STATES_PATH,
    RegisteredFunction,
    Registration,
    RicRefused,
    RicUnavailable,
    registered,
    state_of,
)


class SimulatedNode:
    """A node as the RIC knows it: its RAN functions and its connection status in the E2 manager's words."""

    __slots__ = ("functions", "status")

    def __init__(self, functions: tuple[RegisteredFunction, ...], status: str) -> None:
        self.functions = functions
        self.status = status


class NodeTable:
    """The nodes of a simulated RIC by id, what was asked of it, and the faults that it is told to have.

    `calls` counts every request by kind (register, update, deregister, states); `asked` those for one node by (kind,
    node id). Faults: `down` answers nothing, `silent` never answers, `refusing` holds node ids whose registration is
    refused (`*` for all), `blind` serves no states, `slow` leaves new nodes CONNECTING until `connect` is called.
    """

    def __init__(self) -> None:
        self.nodes: dict[str, SimulatedNode] = {}
        self.calls: Counter[str] = Counter()
        self.asked: Counter[tuple[str, str]] = Counter()
        self.down = False
        self.silent = False
        self.blind = False
        self.slow = False
        self.refusing: set[str] = set()

    def count(self, kind: str, node_id: str = "") -> None:
        """Take note of one request."""
        self.calls[kind] += 1
        if node_id:
            self.asked[kind, node_id] += 1

    def registered(self, node_id: str, functions: tuple[RegisteredFunction, ...]) -> int:
        """Register a node; the HTTP status: 201 for a new one, 200 for a known one, 403 when it is refused."""
        if self.refusing & {"*", node_id}:
            return 403
        if (node := self.nodes.get(node_id)) is not None:
            node.functions = functions
            return 200
        self.nodes[node_id] = SimulatedNode(functions, "CONNECTING" if self.slow else "CONNECTED")
        return 201

    def updated(self, node_id: str, functions: tuple[RegisteredFunction, ...]) -> int:
        """Replace a node's functions; the HTTP status: 200, or 404 for an unknown one."""
        if (node := self.nodes.get(node_id)) is None:
            return 404
        node.functions = functions
        return 200

    def deregistered(self, node_id: str) -> int:
        """Forget a node; the HTTP status: 204, or 404 for an unknown one."""
        return 204 if self.nodes.pop(node_id, None) else 404

    def mark(self, node_id: str, status: str) -> None:
        """Give a known node a connection status, such as DISCONNECTED."""
        self.nodes[node_id].status = status

    def connect(self) -> None:
        """Let every node be CONNECTED."""
        for node in self.nodes.values():
            node.status = "CONNECTED"

    def lose(self) -> None:
        """Forget every node, as a RIC does that restarts without its database."""
        self.nodes.clear()


class MemoryRic:
    """A simulated RIC without a socket, for virtual time. Each answer takes `latency` seconds of the loop's time."""

    def __init__(self, table: NodeTable | None = None, latency: float = 0.0) -> None:
        self.table = table or NodeTable()
        self.latency = latency

    async def register(self, node_id: str, functions: Sequence[RanFunction]) -> None:
        """Make the node known."""
        await self._arrive("register", node_id)
        _check(self.table.registered(node_id, registered(functions)))

    async def update(self, node_id: str, functions: Sequence[RanFunction]) -> None:
        """Replace the node's functions."""
        await self._arrive("update", node_id)
        _check(self.table.updated(node_id, registered(functions)))

    async def deregister(self, node_id: str) -> None:
        """Forget the node; nothing if it is not known."""
        await self._arrive("deregister", node_id)
        self.table.deregistered(node_id)

    async def states(self) -> dict[str, NodeState] | None:
        """All nodes' states; None while the RIC is `blind`."""
        await self._arrive("states")
        if self.table.blind:
            return None
        return {name: state_of(node.status) for name, node in self.table.nodes.items()}

    async def _arrive(self, kind: str, node_id: str = "") -> None:
        self.table.count(kind, node_id)
        if self.table.silent:
            await asyncio.get_running_loop().create_future()
        if self.latency:
            await asyncio.sleep(self.latency)
        if self.table.down:
            raise RicUnavailable("the RIC does not answer: connection refused")


class RicSimulator:
    """A simulated RIC over HTTP on 127.0.0.1, on a free port unless one is given. Enter it to serve at `url`."""

    def __init__(self, table: NodeTable | None = None, port: int = 0) -> None:
        self.table = table or NodeTable()
        self._port = port
        self._runner: web.AppRunner | None = None
        self._leaving = asyncio.Event()

    @property
    def nodes(self) -> dict[str, SimulatedNode]:
        """The nodes that the RIC knows, by id."""
        return self.table.nodes

    @property
    def url(self) -> str:
        """The base URL; it stays the same after the simulator has been left."""
        return f"http://127.0.0.1:{self._port}"

    async def __aenter__(self) -> Self:
        self._leaving.clear()
        application = web.Application()
        application.add_routes(
            [
                web.post("/e2ap/v1/nodes/{node}/register", self._faulty("register", self._register)),
                web.put("/e2ap/v1/nodes/{node}/update", self._faulty("update", self._update)),
                web.delete("/e2ap/v1/nodes/{node}/deregister", self._faulty("deregister", self._deregister)),
                web.get(STATES_PATH, self._faulty("states", self._states)),
            ]
        )
        self._runner = web.AppRunner(application, access_log=None, handle_signals=False, shutdown_timeout=1.0)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", self._port)
        await site.start()
        self._port = int(self._runner.addresses[0][1])
        return self

    async def __aexit__(self, *_: object) -> None:
        self._leaving.set()
        runner, self._runner = self._runner, None
        if runner is not None:
            await runner.cleanup()

    def _faulty(
        self, kind: str, answer: Callable[[web.Request], Awaitable[web.Response]]
    ) -> Callable[[web.Request], Awaitable[web.Response]]:
        """`answer`, counted and with the faults that the table is told to have."""

        async def handle(request: web.Request) -> web.Response:
            self.table.count(kind, request.match_info.get("node", ""))
            if self.table.silent:
                await self._leaving.wait()
            if self.table.down and request.transport is not None:
                request.transport.abort()
            return await answer(request)

        return handle

    async def _register(self, request: web.Request) -> web.Response:
        return web.Response(status=self.table.registered(request.match_info["node"], await _functions(request)))

    async def _update(self, request: web.Request) -> web.Response:
        return web.Response(status=self.table.updated(request.match_info["node"], await _functions(request)))

    async def _deregister(self, request: web.Request) -> web.Response:
        return web.Response(status=self.table.deregistered(request.match_info["node"]))

    async def _states(self, _: web.Request) -> web.Response:
        if self.table.blind:
            return web.Response(status=404)
        listed = [{"inventoryName": name, "connectionStatus": node.status} for name, node in self.nodes.items()]
        return web.Response(body=msgspec.json.encode(listed), content_type="application/json")


async def _functions(request: web.Request) -> tuple[RegisteredFunction, ...]:
    try:
        return msgspec.json.decode(await request.read() or b"{}", type=Registration).functions
    except msgspec.DecodeError as error:
        raise web.HTTPBadRequest(text=f"the body is no registration: {error}") from error


def _check(status: int) -> None:
    if status >= 400:
        raise RicRefused(f"the RIC answers {status}", status)
