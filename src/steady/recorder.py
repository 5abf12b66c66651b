"""Kubernetes Events: aggregated, budgeted, and never in anybody's way."""

from __future__ import annotations

import asyncio
import hashlib
import logging
from collections import OrderedDict, deque
from typing import Self

import msgspec

from steady import errors
from steady.client.client import Client
from steady.clock import Clock, micro_timestamp
from steady.objects.keys import EVENTS
from steady.objects.raw import RawObject
from steady.reasons import Reason
from steady.tasks import Scope
from steady.trace import current

RECONCILE = "steady.dev/reconcile"
"""Annotation of an Event: the id of the reconcile that told it, as in logs and in the server's audit log."""

_log = logging.getLogger("steady.events")

_QUEUE = 1000  # events waiting; beyond, the newest is dropped with a log line, for events are only a courtesy
_REMEMBERED = 4096  # (object, reason) pairs, client-go's cache size
_NOTE = 1024  # characters, the API's limit


class Recorder:
    """Sends at most one Event per object, reason and `window` seconds, one at a time, in the background."""

    def __init__(
        self, client: Client, clock: Clock, *, component: str, instance: str = "", window: float = 300.0
    ) -> None:
        self._client = client
        self._clock = clock
        self._component = component
        self._instance = instance or component
        self._window = window
        self._seen: OrderedDict[tuple[str, str, str], float] = OrderedDict()
        self._waiting: deque[tuple[str, bytes]] = deque()
        self._arrived = asyncio.Event()
        self._scope = Scope("events")

    async def __aenter__(self) -> Self:
        await self._scope.__aenter__()
        self._scope.start(self._send_all(), "sender")
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self._scope.__aexit__(None, None, None)

    def record(self, obj: RawObject, type_: str, reason: str, message: str) -> None:
        """Tell of `obj`; the same reason again within the window is not sent."""
        now = asyncio.get_running_loop().time()
        seen = (obj.metadata.uid, type_, reason)
        if now - self._seen.get(seen, -self._window) < self._window:
            return
        self._seen[seen] = now
        self._seen.move_to_end(seen)
        if len(self._seen) > _REMEMBERED:
            self._seen.popitem(last=False)
        if len(self._waiting) >= _QUEUE:
            _log.warning("event dropped, too many wait: %s %s", reason, obj.key)
            return
        self._waiting.append((obj.metadata.namespace or "default", self._body(obj, type_, reason, message)))
        self._arrived.set()

    def _body(self, obj: RawObject, type_: str, reason: str, message: str) -> bytes:
        now = micro_timestamp(self._clock.now())
        unique = hashlib.blake2b(f"{obj.metadata.uid}{reason}{now}{message}".encode(), digest_size=8).hexdigest()
        namespace = obj.metadata.namespace or "default"
        metadata: dict[str, object] = {"name": f"{obj.metadata.name[:230]}.{unique}", "namespace": namespace}
        if trace := current():
            metadata["annotations"] = {RECONCILE: trace.id}
        return msgspec.json.encode(
            {
                "apiVersion": EVENTS.api_version,
                "kind": EVENTS.kind,
                "metadata": metadata,
                "eventTime": now,
                "reportingController": self._component,
                "reportingInstance": self._instance[:128],
                "action": "Reconcile",
                "reason": reason[:128],
                "type": type_,
                "note": message[:_NOTE],
                "regarding": {
                    "apiVersion": obj.api_version,
                    "kind": obj.kind,
                    "namespace": obj.metadata.namespace,
                    "name": obj.metadata.name,
                    "uid": obj.metadata.uid,
                    "resourceVersion": obj.metadata.resource_version,
                },
            }
        )

    async def _send_all(self) -> None:
        while True:
            while self._waiting:
                namespace, body = self._waiting.popleft()
                try:
                    await self._client.create(EVENTS, body, namespace, reason=Reason.EVENT)
                except errors.SteadyError as error:
                    _log.warning("event not sent: %s", error)
            self._arrived.clear()
            await self._arrived.wait()
