"""Leadership over one Lease: who may write.

A Lease is advice, not a fence, so we stop writing on our own before anybody else may start: `check` refuses every
write once `renew_deadline` has passed since the last renewal that the server confirmed. All times are the loop's; the
server's dates are only watched for change, so clocks need not agree.
"""

from __future__ import annotations

import asyncio
import logging
import math
import random
from typing import Annotated, Any, NamedTuple

import msgspec
from msgspec import Meta

from steady import errors
from steady.client.client import Client
from steady.clock import Clock, micro_timestamp
from steady.objects.keys import LEASES, Key
from steady.objects.raw import RawObject
from steady.reasons import Reason

_log = logging.getLogger("steady.leadership")

_NAG = 60.0  # seconds between two log lines about the same trouble


class LeaseConfig(msgspec.Struct, frozen=True):
    """Seconds. The defaults are client-go's, but for `renew_interval`.

    Raises ValueError unless `duration` > `renew_deadline` > `renew_interval` and `renew_deadline` > `retry_period`.
    """

    duration: Annotated[
        float, Meta(ge=1, le=3600, description="Seconds without a renewal after which another may take the Lease.")
    ] = 15.0
    renew_deadline: Annotated[
        float, Meta(gt=0, le=3600, description="Seconds without a confirmed renewal after which nothing is written.")
    ] = 10.0
    retry_period: Annotated[
        float, Meta(gt=0, le=3600, description="Seconds between two attempts, and how long a renewal may take.")
    ] = 2.0
    renew_interval: Annotated[float, Meta(gt=0, le=3600, description="Seconds between two renewals.")] = 5.0

    def __post_init__(self) -> None:
        if not self.duration > self.renew_deadline > max(self.renew_interval, self.retry_period):
            raise ValueError(
                f"duration ({self.duration:g}) must be above renew_deadline ({self.renew_deadline:g}), and that above "
                f"renew_interval ({self.renew_interval:g}) and retry_period ({self.retry_period:g})"
            )


class _Spec(msgspec.Struct, frozen=True, rename="camel"):
    holder_identity: str | None = None
    lease_duration_seconds: int | None = None
    acquire_time: str | None = None
    renew_time: str | None = None
    lease_transitions: int | None = None


class _Seen(NamedTuple):
    what: str
    at: float


_spec = msgspec.json.Decoder(_Spec)


class Leadership:
    """One candidate, called `identity`, for the Lease at `key`.

    `transitions` is how often its leader has changed, as last seen; None before.
    """

    def __init__(
        self, client: Client, key: Key, identity: str, clock: Clock, *, config: LeaseConfig | None = None
    ) -> None:
        self.config = config or LeaseConfig()
        self.identity = identity
        self.transitions: int | None = None
        self._client = client
        self._key = key
        self._clock = clock
        self._renewed = -1e9
        self._seen = _Seen("", 0.0)
        self._failure = ""
        self._nagged = _Seen("", 0.0)
        self._lease: RawObject | None = None
        self._held = False
        client.metrics.leader(key.name).set_function(lambda: float(self.held))
        client.metrics.lease_transitions(key.name).set_function(self._transitions)

    @property
    def held(self) -> bool:
        """Whether writing is allowed at this moment."""
        return self._held and asyncio.get_running_loop().time() - self._renewed < self.config.renew_deadline

    @property
    def trouble(self) -> str:
        """Why the Lease cannot be had; nothing for a leader, nor for one that waits in good order."""
        return "" if self.held else self._failure

    def check(self) -> None:
        """Raise NotLeader unless leadership is provably ours."""
        if not self.held:
            raise errors.NotLeader(f"{self.identity} does not hold the lease {self._key}")

    async def acquire(self) -> None:
        """Wait until leadership is ours."""
        while not await self._attempt():  # noqa: ASYNC110 - the lease is the server's; there is nothing to await here
            await asyncio.sleep(self.config.retry_period * random.uniform(1.0, 1.2))
        _log.info("%s leads (lease %s)", self.identity, self._key)

    async def keep(self) -> None:
        """Renew until leadership is lost; then raise NotLeader."""
        interval = self.config.renew_interval
        while True:
            await asyncio.sleep(interval)
            renewed = await self._attempt()
            interval = self.config.renew_interval if renewed else self.config.retry_period
            if not self.held:
                self._held = False
                raise errors.NotLeader(f"{self.identity} lost the lease {self._key}")

    async def release(self) -> None:
        """Let the next one start at once. Must come after the last write."""
        if not self.held or self._lease is None:
            return
        self._held = False
        try:
            async with asyncio.timeout(self.config.retry_period):
                await self._put(self._lease, holder="", transitions=None, duration=1)
        except (errors.SteadyError, TimeoutError) as error:
            _log.warning("lease %s not released: %s", self._key, error)

    def _transitions(self) -> float:
        # Not 0: it would look like a change once the Lease is read.
        return math.nan if self.transitions is None else self.transitions

    async def _attempt(self) -> bool:
        """Acquire or renew once. Counts from before the request, so that our time is never later than the server's."""
        began = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(self.config.retry_period if self._held else self.config.renew_deadline):
                took = await self._take(began)
        except (errors.SteadyError, TimeoutError) as error:
            self._failure = str(error) or type(error).__name__
            self._nag(self._failure)
            self._lease = None
            return False
        self._failure = ""
        if took:
            self._held, self._renewed = True, began
        return took

    def _nag(self, trouble: str) -> None:
        now = asyncio.get_running_loop().time()
        if trouble != self._nagged.what or now - self._nagged.at >= _NAG:
            self._nagged = _Seen(trouble, now)
            _log.warning("lease %s: %s", self._key, trouble)

    async def _take(self, now: float) -> bool:
        lease = self._lease if self._held else None
        if lease is None:
            try:
                lease = await self._client.get(LEASES, self._key, reason=Reason.LEASE)
            except errors.NotFound:
                await self._create()
                return True
            spec = _spec.decode(bytes(lease.spec) or b"{}")
            self.transitions = spec.lease_transitions or 0
            if spec.holder_identity not in {self.identity, "", None} and not self._expired(lease, spec, now):
                self._held = False
                return False
        spec = _spec.decode(bytes(lease.spec) or b"{}")
        changed = spec.holder_identity != self.identity
        transitions = (spec.lease_transitions or 0) + 1 if changed else None
        await self._put(lease, holder=self.identity, transitions=transitions, duration=int(self.config.duration))
        return True

    def _expired(self, lease: RawObject, spec: _Spec, now: float) -> bool:
        if lease.metadata.resource_version != self._seen.what:
            self._seen = _Seen(lease.metadata.resource_version, now)
            return False
        return now - self._seen.at >= (spec.lease_duration_seconds or self.config.duration)

    async def _create(self) -> None:
        now = micro_timestamp(self._clock.now())
        spec = {
            "holderIdentity": self.identity,
            "leaseDurationSeconds": int(self.config.duration),
            "acquireTime": now,
            "renewTime": now,
            "leaseTransitions": 0,
        }
        body = self._body({"name": self._key.name, "namespace": self._key.namespace}, spec)
        answer = await self._client.create(LEASES, body, self._key.namespace, reason=Reason.LEASE)
        raw = msgspec.Raw(msgspec.json.encode(spec))
        self._lease = msgspec.structs.replace(answer, spec=raw)

    async def _put(self, lease: RawObject, *, holder: str, transitions: int | None, duration: int) -> None:
        spec: dict[str, Any] = msgspec.json.decode(bytes(lease.spec) or b"{}")
        now = micro_timestamp(self._clock.now())
        spec |= {"holderIdentity": holder, "renewTime": now, "leaseDurationSeconds": duration}
        if transitions is not None:
            spec |= {"leaseTransitions": transitions, "acquireTime": now}
        metadata = {
            "name": self._key.name,
            "namespace": self._key.namespace,
            "uid": lease.metadata.uid,
            "resourceVersion": lease.metadata.resource_version,
        }
        self._lease = await self._client.replace(LEASES, self._key, self._body(metadata, spec), reason=Reason.LEASE)
        self.transitions = spec.get("leaseTransitions") or 0

    @staticmethod
    def _body(metadata: dict[str, Any], spec: dict[str, Any]) -> bytes:
        return msgspec.json.encode(
            {"apiVersion": LEASES.api_version, "kind": LEASES.kind, "metadata": metadata, "spec": spec}
        )
