"""Plain HTTP to an API server: nothing of the runtime's own client, so that neither can hide the other's mistake."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import aiohttp
from multidict import CIMultiDictProxy

from steady.testing.target import Target

Json = dict[str, Any]
DEADLINE_SECONDS = 30.0
_PAUSE_SECONDS = 0.03
MERGE = "application/merge-patch+json"
JSON_PATCH = "application/json-patch+json"
APPLY = "application/apply-patch+yaml"
STRATEGIC = "application/strategic-merge-patch+json"
METADATA_ONLY = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
METADATA_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
TABLE = "application/json;as=Table;g=meta.k8s.io;v=v1"


class Answer(NamedTuple):
    """One answer: code, headers, text as sent."""

    status: int
    headers: CIMultiDictProxy[str]
    text: str

    @property
    def json(self) -> Json:
        decoded: Json = json.loads(self.text)
        return decoded

    @property
    def version(self) -> str:
        """The object's or the list's resourceVersion."""
        version: str = self.json["metadata"]["resourceVersion"]
        return version

    @property
    def causes(self) -> list[tuple[str, str]]:
        """Reason and field of each cause of a failure."""
        return [(cause.get("reason", ""), cause.get("field", "")) for cause in self.json["details"].get("causes", [])]


class Watch:
    """An open watch."""

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self.status = response.status
        self.headers = response.headers
        self._content = response.content
        self._buffer = b""

    async def next(self, seconds: float = DEADLINE_SECONDS) -> Json | None:
        """Return the next event, `None` at the stream's end; raises `TimeoutError` after `seconds` of silence."""
        async with asyncio.timeout(seconds):
            while b"\n" not in self._buffer:
                chunk = await self._content.readany()
                if not chunk:
                    return None
                self._buffer += chunk
        line, _, self._buffer = self._buffer.partition(b"\n")
        event: Json = json.loads(line)
        return event

    async def event(self) -> Json:
        """Return the next event; its absence fails the test."""
        event = await self.next()
        assert event is not None, "the watch ended"
        return event

    async def seen(self, count: int) -> list[tuple[str, str]]:
        """Return type and object name of the next `count` events."""
        events = [await self.event() for _ in range(count)]
        return [(event["type"], event["object"]["metadata"]["name"]) for event in events]

    async def ended(self) -> bool:
        """Read to the end of the stream; true when it is reached within the deadline."""
        async with asyncio.timeout(DEADLINE_SECONDS):
            while await self.next() is not None:
                pass
        return True


class Api:
    """One server. Bodies are sent as JSON; a `str` body goes out as it is."""

    def __init__(self, target: Target, session: aiohttp.ClientSession) -> None:
        self.target = target
        self._session = session

    async def request(
        self, method: str, path: str, body: object = None, content: str = "", accept: str = "", **query: str
    ) -> Answer:
        """Send one request and read its whole answer."""
        data = body if isinstance(body, str) else None if body is None else json.dumps(body)
        async with self._session.request(
            method,
            self.target.url + path,
            data=data,
            params=query,
            headers=self._headers(content or "application/json", accept),
            ssl=self.target.trust,
        ) as response:
            return Answer(response.status, response.headers, await response.text())

    async def get(self, path: str, accept: str = "", **query: str) -> Answer:
        return await self.request("GET", path, None, "", accept, **query)

    async def post(self, path: str, body: object, accept: str = "", **query: str) -> Answer:
        return await self.request("POST", path, body, "", accept, **query)

    async def put(self, path: str, body: object, **query: str) -> Answer:
        return await self.request("PUT", path, body, **query)

    async def patch(self, path: str, body: object, content: str = MERGE, accept: str = "", **query: str) -> Answer:
        return await self.request("PATCH", path, body, content, accept, **query)

    async def delete(self, path: str, body: object = None, **query: str) -> Answer:
        return await self.request("DELETE", path, body, **query)

    @asynccontextmanager
    async def watch(self, path: str, accept: str = "", **query: str) -> AsyncIterator[Watch]:
        """Open a watch of a collection."""
        async with self._session.get(
            self.target.url + path,
            params={"watch": "1", **query},
            headers=self._headers("", accept),
            ssl=self.target.trust,
        ) as response:
            yield Watch(response)

    def _headers(self, content: str, accept: str) -> dict[str, str]:
        headers = {"Authorization": f"Bearer {self.target.token}", "Accept": accept or "application/json"}
        return headers | ({"Content-Type": content} if content else {})


async def until(ask: Callable[[], Awaitable[bool]]) -> None:
    """Return when `ask` says yes; raises `TimeoutError` after the deadline."""
    async with asyncio.timeout(DEADLINE_SECONDS):
        while not await ask():  # noqa: ASYNC110 - the other side is another process
            await asyncio.sleep(_PAUSE_SECONDS)


async def expired(api: Api, path: str, query: dict[str, str]) -> bool:
    """Ask until a kind is ready; return whether a watch is then told that its version is too old."""

    async def ready() -> bool:
        return (await api.get(path)).status == 200

    await until(ready)
    told: Json = json.loads((await api.get(path, **query)).text)
    return (told["type"], told["object"]["code"], told["object"]["reason"]) == ("ERROR", 410, "Expired")


def failure(message: str, reason: str, details: Json, code: int) -> str:
    """Return the text of a failed answer, to the byte."""
    body = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": {},
        "status": "Failure",
        "message": message,
        "reason": reason,
        "details": details,
        "code": code,
    }
    return json.dumps(body, separators=(",", ":"), ensure_ascii=False) + "\n"
