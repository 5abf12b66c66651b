"""A server in memory, and short ways to ask it."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from steady.apiserver import Request, Response, Server
from steady.clock import ManualClock

Json = dict[str, Any]


class Client:
    """Speaks to a server without a socket."""

    def __init__(self, server: Server) -> None:
        self.server = server

    async def __call__(
        self, method: str, path: str, body: object = None, media: str = "application/json", **query: str
    ) -> Response:
        data = b"" if body is None else msgspec.json.encode(body)
        headers = {"content-type": media, "authorization": "Bearer tester"}
        return await self.server.handle(Request(method, path, query, headers, data))

    async def make(self, path: str, name: str, **more: Any) -> Json:
        metadata = {"name": name, **more.pop("metadata", {})}
        response = await self("POST", path, {"metadata": metadata, **more})
        assert response.status == 201, response.body
        return decoded(response)


def decoded(response: Response) -> Json:
    return msgspec.json.decode(response.body, type=Json)


@pytest.fixture
async def apiserver() -> AsyncIterator[Server]:
    async with Server(clock=ManualClock()) as running:
        yield running


@pytest.fixture
def client(apiserver: Server) -> Client:
    return Client(apiserver)
