"""One request and its answer, as the server sees them: no sockets, no framework."""

from __future__ import annotations

import uuid
from collections.abc import AsyncGenerator, Mapping
from typing import Any, NamedTuple

import msgspec

Json = dict[str, Any]
"""A decoded JSON object. Objects of the server are replaced, never changed."""

_FLOW = {
    "Cache-Control": "no-cache, private",
    "Content-Type": "application/json",
    "X-Kubernetes-Pf-Flowschema-Uid": str(uuid.uuid5(uuid.NAMESPACE_DNS, "flowschema")),
    "X-Kubernetes-Pf-Prioritylevel-Uid": str(uuid.uuid5(uuid.NAMESPACE_DNS, "prioritylevel")),
}


class Request(NamedTuple):
    """What a client asks. Header names are lower case; `path` is decoded and has no query."""

    method: str
    path: str
    query: Mapping[str, str] = {}
    headers: Mapping[str, str] = {}
    body: bytes = b""

    @property
    def user(self) -> str:
        """The name that the bearer token stands for; `anonymous` without one."""
        scheme, _, name = self.headers.get("authorization", "").partition(" ")
        return name if scheme.lower() == "bearer" and name else "anonymous"


class Response(NamedTuple):
    """What the server answers. A watch has an empty `body` and a `stream` of newline-terminated JSON lines."""

    status: int
    headers: Mapping[str, str] = {}
    body: bytes = b""
    stream: AsyncGenerator[bytes] | None = None


def answer(status: int, body: bytes, headers: Mapping[str, str] | None = None) -> Response:
    """A JSON answer with the headers that every answer of the server carries."""
    return Response(status, {**_FLOW, "Audit-Id": str(uuid.uuid4()), **(headers or {})}, body)


def streaming(stream: AsyncGenerator[bytes]) -> Response:
    """The answer to a watch."""
    return Response(200, {**_FLOW, "Audit-Id": str(uuid.uuid4())}, b"", stream)


def text(status: int, body: str) -> Response:
    """A plain text answer, as from paths that the server does not know."""
    return Response(status, {"Content-Type": "text/plain; charset=utf-8"}, body.encode())


def encode(value: object) -> bytes:
    """`value` as JSON with the newline that ends every answer."""
    return msgspec.json.encode(value) + b"\n"
