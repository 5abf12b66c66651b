"""Keeps one store equal to one kind on the server: list once, then follow, for ever.

Discipline: WatchList first, a paged LIST where the server refuses it; resume from the last resourceVersion after every
end of a stream; exactly one relist after 410; a second silence in a row starts a new epoch (a restored server answers a
watch from a newer version with silence); every failure waits, with jitter, so nothing spins.
"""

from __future__ import annotations

import asyncio
import logging
import random
from contextlib import aclosing

from steady import errors
from steady.cache.store import Change, Store
from steady.client.client import Client
from steady.client.watch import Silence, watch
from steady.objects.raw import RawEvent, RawObject, decode_object
from steady.reasons import Reason

_log = logging.getLogger("steady.cache")

_INITIAL_END = "k8s.io/initial-events-end"
_PAGE = 500  # objects, client-go's page size
_BASE, _CAP, _MISSING = 0.8, 30.0, 10.0  # seconds; base and cap are client-go's reflector's
_HEALTHY = 120.0  # seconds of following after which the backoff starts anew, as in client-go
_NAG = 60.0  # seconds between two log lines about the same trouble
_QUIET = 10.0  # seconds without an initial event after which WatchList is given up


class Reflector:
    """Follows one resource, in one namespace or all, narrowed by a label `selector`.

    `metadata_only` leaves spec, status and data out; `silence` is the seconds without a byte that mean a dead stream.
    """

    def __init__(
        self,
        client: Client,
        store: Store,
        *,
        namespace: str = "",
        selector: str = "",
        metadata_only: bool = False,
        silence: float = 70.0,
        rng: random.Random | None = None,
    ) -> None:
        self.store = store
        self.trouble = "not yet listed"
        self._client = client
        self._namespace = namespace
        self._selector = selector
        self._metadata_only = metadata_only
        self._silence = silence
        self._random = rng or random.Random()
        self._streaming = True
        self._failures = 0
        self._silences = 0
        self._heard = asyncio.get_running_loop().time()
        self._nagged: tuple[str, float] = ("", 0.0)
        self._counters = client.metrics.watch(store.resource.qualified, objects=store.__len__, age=lambda: self.age)
        store.listen(self._count)

    @property
    def age(self) -> float:
        """Seconds since the server last said anything; bookmarks count."""
        return asyncio.get_running_loop().time() - self._heard

    async def run(self) -> None:
        """List and follow until cancelled."""
        while True:
            began = asyncio.get_running_loop().time()
            try:
                if not self.store.version or self._silences > 1:
                    await self._initialise()
                else:
                    await self._follow()
                self._failures = 0 if self._lasted(began, 1.0) else self._failures + 1
                await asyncio.sleep(self._pause() if self._failures > 1 else 0)
            except errors.SteadyError as error:
                await asyncio.sleep(self._after(error, began))
            except ValueError as error:
                _log.error("%s: cannot read what the server sent: %s", self.store.resource.qualified, error)
                self.store.version = ""
                await asyncio.sleep(self._after(errors.Interrupted(str(error)), began))

    async def _initialise(self) -> None:
        if self._streaming:
            try:
                await self._follow(initial=True)
            except (errors.BadRequest, errors.Invalid) as error:
                if "sendInitialEvents" not in str(error) + str(error.details):
                    raise
            except Silence:
                if self.store.version:
                    raise
            else:
                return
            self._streaming = False
        await self._list()

    async def _list(self) -> None:
        objects: list[RawObject] = []
        query = {**self._scope(), "limit": str(_PAGE)}
        while True:
            page = await self._client.page(
                self.store.resource,
                reason=Reason.LIST,
                namespace=self._namespace,
                query=query,
                metadata_only=self._metadata_only,
            )
            objects += [decode_object(item) for item in page.items]
            if not page.metadata.continue_:
                break
            query = {**query, "continue": page.metadata.continue_}
        self._replace(objects, page.metadata.resource_version)

    async def _follow(self, *, initial: bool = False) -> None:
        listed: list[RawObject] | None = [] if initial else None
        query = {**self._scope(), "allowWatchBookmarks": "true", "timeoutSeconds": str(self._random.randint(300, 600))}
        if initial:
            query |= {"sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan"}
        else:
            query["resourceVersion"] = self.store.version
        stream = watch(
            self._client,
            self.store.resource,
            query,
            namespace=self._namespace,
            metadata_only=self._metadata_only,
            silence=lambda: self._silence if listed is None else _QUIET,
        )
        async with aclosing(stream) as batches:
            async for batch in batches:
                self._hear()
                for event in batch:
                    listed = self._take(event, listed)
                if listed is None:
                    self._silences = 0
                    self.trouble = ""
        self._counters.restarted("Ended")

    def _take(self, event: RawEvent, listed: list[RawObject] | None) -> list[RawObject] | None:
        obj = decode_object(event.object)
        if event.type == "BOOKMARK":
            if listed is None:
                self.store.version = obj.metadata.resource_version
                return None
            if (obj.metadata.annotations or {}).get(_INITIAL_END) == "true":
                self._replace(listed, obj.metadata.resource_version)
                return None
        elif listed is None:
            self.store.apply(event.type, obj)
        else:
            listed.append(obj)
        return listed

    def _replace(self, objects: list[RawObject], version: str) -> None:
        self._hear()
        self.store.replace(objects, version, epoch=self._silences > 1)
        self._silences = 0
        self.trouble = ""

    def _scope(self) -> dict[str, str]:
        return {"labelSelector": self._selector} if self._selector else {}

    def _after(self, error: errors.SteadyError, began: float) -> float:
        """Seconds to wait after `error`; also what it means for the next attempt."""
        name = self.store.resource.qualified
        self.trouble = f"{name}: {error}"
        self._counters.restarted(type(error).__name__)
        if isinstance(error, Silence):
            self._silences += 1
            self._counters.stalled()
            return 0.0
        if self._lasted(began, _HEALTHY):
            self._failures = 0
        self._failures += 1
        if isinstance(error, errors.Expired) or "ResourceVersionTooLarge" in str(getattr(error, "details", "")):
            self.store.version = ""
            self._silences += not isinstance(error, errors.Expired)
            return self._pause() if self._failures > 1 else 0.0
        if isinstance(error, errors.NotFound):
            self._nag(f"{name} is not served: is its CustomResourceDefinition installed?")
            self._forget()
            return _MISSING
        if isinstance(error, errors.Forbidden | errors.Unauthorized):
            self._nag(f"may not list and watch {name}: {error.message}")
            return min(_CAP, 2.0 * self._pause())
        self._nag(f"{name}: {error}")
        asked = error.retry_after if isinstance(error, errors.ApiError) else None
        return max(self._pause(), asked or 0.0)

    def _hear(self) -> None:
        self._heard = asyncio.get_running_loop().time()

    def _count(self, change: Change) -> None:
        if not change.own:
            self._counters.changed("created" if change.old is None else "deleted" if change.new is None else "changed")

    def _forget(self) -> None:
        if self.store.synced.is_set() and len(self.store):
            self.store.replace((), self.store.version)
        self.store.version = ""

    def _lasted(self, began: float, seconds: float) -> bool:
        return asyncio.get_running_loop().time() - began >= seconds

    def _pause(self) -> float:
        return min(_CAP, _BASE * 2.0 ** min(self._failures - 1, 10)) * self._random.uniform(0.5, 1.0)

    def _nag(self, text: str) -> None:
        now = asyncio.get_running_loop().time()
        if self._nagged[0] == text and now - self._nagged[1] < _NAG:
            return
        self._nagged = (text, now)
        _log.warning(text)
