"""Requests to one API server, each with its reason."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import msgspec

from steady import errors
from steady.backoff.retry_after import seconds as retry_after_seconds
from steady.client.transport import Request, Response, Transport
from steady.clock import SystemClock
from steady.metrics import Metrics
from steady.objects.keys import Key, Resource
from steady.objects.patches import JSON_PATCH, MERGE_PATCH, Operation, encode
from steady.objects.raw import RawList, RawObject, decode_list, decode_object
from steady.reasons import Reason
from steady.spans import Spans
from steady.trace import current

METADATA_ONLY = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1"
METADATA_ONLY_LIST = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1"
_JSON = "application/json"


class _Details(msgspec.Struct, frozen=True):
    status: str = ""
    message: str = ""
    reason: str = ""
    details: dict[str, Any] | None = None
    code: int = 0


_status = msgspec.json.Decoder(_Details)


class Client:
    """One API server.

    Invariant: a request is repeated only when it provably never reached the server, and then once. Whether a failure is
    tried again later is for others to decide. `fence` is asked before every write and raises to refuse it.
    """

    def __init__(
        self,
        transport: Transport,
        *,
        metrics: Metrics | None = None,
        field_manager: str = "steady",
        timeout: float = 30.0,
        fence: Callable[[], None] | None = None,
        spans: Spans | None = None,
    ) -> None:
        self.transport = transport
        self.metrics = metrics or Metrics()
        self.fence = fence
        self._manager = field_manager
        self._timeout = timeout
        self._send = self._sent if spans is None else partial(self._spanned, spans)

    async def get(self, resource: Resource, key: Key, *, reason: Reason) -> RawObject:
        """Read one object. Raises NotFound."""
        path = resource.path(key.namespace, key.name)
        return decode_object((await self._call(resource, "get", "GET", path, reason)).body)

    async def page(
        self,
        resource: Resource,
        *,
        reason: Reason,
        namespace: str = "",
        query: Mapping[str, str] | None = None,
        metadata_only: bool = False,
    ) -> RawList:
        """Read one page. Raises Expired when its continue token is too old."""
        accept = METADATA_ONLY_LIST if metadata_only else _JSON
        answer = await self._call(
            resource, "list", "GET", resource.path(namespace), reason, query=query or {}, headers={"accept": accept}
        )
        return decode_list(answer.body)

    async def create(self, resource: Resource, body: bytes, namespace: str, *, reason: Reason) -> RawObject:
        """Create an object; the answer holds metadata only. Raises AlreadyExists, Invalid, Forbidden."""
        answer = await self._write(
            resource,
            "create",
            "POST",
            resource.path(namespace),
            reason,
            body=body,
            headers={"accept": METADATA_ONLY, "content-type": _JSON},
        )
        return decode_object(answer.body)

    async def replace(self, resource: Resource, key: Key, body: bytes, *, reason: Reason) -> RawObject:
        """Replace an object; its resourceVersion in `body` guards it. Raises Conflict."""
        path = resource.path(key.namespace, key.name)
        answer = await self._write(resource, "update", "PUT", path, reason, body=body, headers={"content-type": _JSON})
        return decode_object(answer.body)

    async def patch(
        self,
        resource: Resource,
        key: Key,
        patch: list[Operation] | dict[str, Any],
        *,
        reason: Reason,
        subresource: str = "",
    ) -> RawObject:
        """Send a JSON patch (a list) or a merge patch (a mapping); the answer holds metadata only."""
        if isinstance(patch, list):
            body, kind = encode(patch), JSON_PATCH
        else:
            body, kind = msgspec.json.encode(patch), MERGE_PATCH
        path = resource.path(key.namespace, key.name, subresource)
        headers = {"accept": METADATA_ONLY, "content-type": kind}
        answer = await self._write(resource, "patch", "PATCH", path, reason, body=body, headers=headers)
        return decode_object(answer.body)

    async def delete(self, resource: Resource, key: Key, *, uid: str, reason: Reason) -> RawObject | None:
        """Delete the object if it still is the one with `uid`.

        Returns it when finalizers keep it, None when it is gone. Raises NotFound; Conflict when another has its name.
        """
        body = msgspec.json.encode({"kind": "DeleteOptions", "apiVersion": "v1", "preconditions": {"uid": uid}})
        path = resource.path(key.namespace, key.name)
        answer = await self._write(
            resource, "delete", "DELETE", path, reason, body=body, headers={"content-type": _JSON}
        )
        obj = decode_object(answer.body)
        return None if obj.kind == "Status" else obj

    def watch_request(
        self, resource: Resource, query: Mapping[str, str], *, namespace: str, metadata_only: bool, timeout: float
    ) -> Request:
        """The request of a watch, counted; `timeout` seconds may pass until its first byte."""
        self.metrics.request(resource.qualified, "watch", Reason.WATCH)
        accept = METADATA_ONLY if metadata_only else _JSON
        query = {**query, "watch": "1"}
        return Request("GET", resource.path(namespace), query, {"accept": accept}, b"", timeout)

    async def _write(
        self,
        resource: Resource,
        verb: str,
        method: str,
        path: str,
        reason: Reason,
        *,
        body: bytes,
        headers: Mapping[str, str],
    ) -> Response:
        if self.fence:
            self.fence()
        query = {} if method == "DELETE" else {"fieldManager": self._manager}
        return await self._call(resource, verb, method, path, reason, query=query, headers=headers, body=body)

    async def _call(
        self,
        resource: Resource,
        verb: str,
        method: str,
        path: str,
        reason: Reason,
        *,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        body: bytes = b"",
    ) -> Response:
        headers = headers or {}
        if trace := current():
            # The server's audit log then names the reconcile: it takes the id of a request from this header.
            headers = {**headers, "audit-id": trace.request(reason)}
        request = Request(method, path, query or {}, headers, body, self._timeout)
        try:
            answer = await self._send(request, resource.qualified, verb, reason)
        except errors.Unreachable:
            answer = await self._send(request, resource.qualified, verb, reason)
        if answer.status >= 400:
            raise api_error(answer, f"{method} {path}")
        return answer

    async def _spanned(self, spans: Spans, request: Request, resource: str, verb: str, reason: Reason) -> Response:
        trace = current()
        told = {"http.request.method": request.method, "url.path": request.path, "steady.reason": reason.value}
        with spans.span(f"{verb} {resource}", told, trace.span if trace else None) as span:
            answer = await self._sent(request, resource, verb, reason)
            span.set_attribute("http.response.status_code", answer.status)
            if answer.status >= 400:
                spans.failed(span, _name(answer))
            return answer

    async def _sent(self, request: Request, resource: str, verb: str, reason: Reason) -> Response:
        self.metrics.request(resource, verb, reason)
        clock = asyncio.get_running_loop().time
        began, code, error = clock(), 0, "Cancelled"
        try:
            answer = await self.transport.send(request)
            code, error = answer.status, "" if answer.status < 400 else _name(answer)
            return answer
        except errors.TransportError as lost:
            error = type(lost).__name__
            raise
        finally:
            self.metrics.answered(resource, verb, request.method, code, error, clock() - began)


def _name(answer: Response) -> str:
    return errors.api_error_type(answer.status, "").__name__


def api_error(answer: Response, request: str) -> errors.ApiError:
    """The failure that `answer` tells of."""
    try:
        status = _status.decode(answer.body)
    except msgspec.DecodeError:
        status = _Details(message=answer.body[:200].decode(errors="replace").strip())
    return error_of(
        answer.status,
        status.reason,
        status.message,
        details=status.details,
        retry_after=answer.headers.get("retry-after"),
        request=request,
    )


def error_of(
    code: int,
    reason: str,
    message: str,
    *,
    details: dict[str, Any] | None = None,
    retry_after: str | None = None,
    request: str = "",
) -> errors.ApiError:
    """The typed error of a failure's parts; `retry_after` is the header's text, `details` may say it as well."""
    asked = retry_after or str((details or {}).get("retryAfterSeconds", ""))
    seconds = retry_after_seconds(asked, SystemClock().now())
    type_ = errors.api_error_type(code, reason)
    return type_(code, reason, message, details=details, retry_after=seconds, request=request)


def watch_error(data: msgspec.Raw, request: str) -> errors.ApiError:
    """The failure that an ERROR event of a watch carries."""
    status = _status.decode(data)
    return error_of(status.code, status.reason, status.message, details=status.details, request=request)
