"""The API server that is measured: a real control plane where its binaries are at hand, else the embedded one."""

from __future__ import annotations

import asyncio
import json
import ssl
import tempfile
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterable
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import aiohttp

from bench.child import Child
from bench.measure import process_cpu
from nephoran.api.install import Manifest, admission_policies, crds, manifests
from nephoran.api.names import GROUP, VERSION
from steady.testing.controlplane import OPERATOR, BinariesMissingError, ControlPlane, locate

Choice = Literal["auto", "embedded", "real"]
Requests = Counter[tuple[str, str]]
"""Number of requests by verb and resource (`resource/subresource`); watches left out."""

_EFFECTIVE_SECONDS = 30.0
_POLL_SECONDS = 0.1
_PROBES: tuple[tuple[str, str, dict[str, Any]], ...] = (
    ("networkintents", "NetworkIntent", {"intent": "Deploy AMF"}),
    ("e2nodesets", "E2NodeSet", {"replicas": 0}),
)


class ApiServer(ABC):
    """One running API server with the operator's kinds and rights. `name` is `embedded` or `real`."""

    name: str
    url: str
    token: str
    trust: ssl.SSLContext | bool = True

    def __init__(self) -> None:
        self._stack = AsyncExitStack()

    @abstractmethod
    async def __aenter__(self) -> Self:
        """Start it."""

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, tb: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    @abstractmethod
    def kubeconfig(self) -> Path:
        """The kubeconfig with which the operator reaches it."""

    @abstractmethod
    async def requests(self) -> Requests:
        """All requests of the operator so far."""

    @abstractmethod
    async def cpu(self) -> float | None:
        """CPU seconds that it has used; None where they cannot be read."""

    @abstractmethod
    async def take_policy(self) -> None:
        """From now on it adds the finalizers itself."""

    def user(self) -> aiohttp.ClientSession:
        """A connection of somebody who may do everything."""
        return aiohttp.ClientSession(
            self.url,
            headers={"authorization": f"Bearer {self.token}"},
            connector=aiohttp.TCPConnector(limit=0, ssl=self.trust),
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=10),
            read_bufsize=2**20,
        )


class EmbeddedServer(ApiServer):
    """The embedded one, over HTTP from another process."""

    name = "embedded"
    token = "user"  # noqa: S105 - it takes the token for the name

    async def __aenter__(self) -> Self:
        self._child = await self._stack.enter_async_context(Child("bench.embedded"))
        self.url = self._child.hello
        self._folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-server-")))
        async with self.user() as session:
            for body in crds():
                await _created(session, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", body)
        return self

    def kubeconfig(self) -> Path:
        """The kubeconfig with which the operator reaches it."""
        named = {"name": "operator"}
        path = self._folder / "kubeconfig"
        content = {
            "current-context": "operator",
            "clusters": [named | {"cluster": {"server": self.url}}],
            "users": [named | {"user": {"token": "operator"}}],
            "contexts": [named | {"context": {"cluster": "operator", "user": "operator"}}],
        }
        path.write_text(json.dumps(content), encoding="utf-8")
        return path

    async def requests(self) -> Requests:
        """All requests of the operator so far."""
        entries = await self._child.ask("log")
        return _counted((verb, kind, part) for user, verb, kind, part, _ in entries if user == "operator")

    async def cpu(self) -> float | None:
        """CPU seconds that it has used."""
        return float((await self._child.ask("usage"))["cpu"])

    async def take_policy(self) -> None:
        """From now on it adds the finalizers itself."""
        await self._child.ask("policy")


class RealServer(ApiServer):
    """A kube-apiserver with etcd. `installed` is applied to it: by default what we ship, but the admission policy."""

    name = "real"

    def __init__(self, installed: list[Manifest] | None = None) -> None:
        super().__init__()
        self._installed = manifests(admission_policy="off") if installed is None else installed

    async def __aenter__(self) -> Self:
        plane = self.plane = await self._stack.enter_async_context(ControlPlane())
        self.url, self.token = plane.url, plane.tokens["admin"]
        self.trust = ssl.create_default_context(cafile=str(plane.ca_path))
        await self._apply(self._installed)
        said = await plane.kubectl("wait", "--for=condition=Established", "--timeout=30s", "crd", "--all")
        assert said.code == 0, said.err
        await self._until_created(lambda _: True)
        return self

    def kubeconfig(self) -> Path:
        """The kubeconfig with which the operator reaches it."""
        return self.plane.kubeconfig(OPERATOR.key)

    async def requests(self) -> Requests:
        """All requests of the operator so far, as the audit log tells them."""
        entries = await self.plane.audit()
        refused = {entry.uri for entry in entries if entry.user == OPERATOR.username and entry.code == 403}
        assert not refused, f"the rights that we ship do not suffice for {min(refused)}"
        return _counted((e.verb, e.resource, e.subresource) for e in entries if e.user == OPERATOR.username)

    async def cpu(self) -> float | None:
        """CPU seconds that kube-apiserver has used; None where they cannot be read."""
        return process_cpu(self.plane.apiserver_pid)

    async def take_policy(self) -> None:
        """Install the admission policy, and wait until it works."""
        await self._apply(admission_policies())
        await self._until_created(lambda made: bool(made["metadata"].get("finalizers")))

    async def _until_created(self, right: Callable[[dict[str, Any]], bool]) -> None:
        """Wait until an object of each kind can be created, and is `right` then; none is."""
        path = f"/apis/{GROUP}/{VERSION}/namespaces/default"
        async with self.user() as session, asyncio.timeout(_EFFECTIVE_SECONDS):
            for plural, kind, spec in _PROBES:
                body = {"apiVersion": f"{GROUP}/{VERSION}", "kind": kind, "metadata": {"name": "probe"}, "spec": spec}
                while not await _would_create(session, f"{path}/{plural}?dryRun=All", body, right):  # noqa: ASYNC110 - nobody tells
                    await asyncio.sleep(_POLL_SECONDS)

    async def _apply(self, objects: list[dict[str, Any]]) -> None:
        text = json.dumps({"apiVersion": "v1", "kind": "List", "items": objects})
        said = await self.plane.kubectl("apply", "--server-side", "-f", "-", stdin=text)
        assert said.code == 0, said.err


def chosen(choice: Choice) -> ApiServer:
    """The server that `choice` names; `auto` is the real one where its binaries are at hand."""
    if choice == "embedded":
        return EmbeddedServer()
    try:
        locate()
    except BinariesMissingError:
        if choice == "real":
            raise
        return EmbeddedServer()
    return RealServer()


def _counted(requests: Iterable[tuple[str, str, str]]) -> Requests:
    return Counter((verb, f"{kind}/{part}" if part else kind) for verb, kind, part in requests if verb != "watch")


async def _would_create(
    session: aiohttp.ClientSession, path: str, body: dict[str, Any], right: Callable[[dict[str, Any]], bool]
) -> bool:
    """Whether the object comes out `right`; not yet, where the server has yet to learn its kind."""
    async with session.post(path, json=body) as answer:
        return answer.status == 201 and right(await answer.json())


async def _created(session: aiohttp.ClientSession, path: str, body: dict[str, Any]) -> dict[str, Any]:
    async with session.post(path, json=body) as answer:
        made: dict[str, Any] = await answer.json()
        assert answer.status == 201, made
        return made
