"""One server, its widgets, and a namespace of its own for each test."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from steady.apiserver import Server
from steady.apiserver.http import serve
from steady.testing.controlplane import ControlPlane, Kubectl, locate
from steady.testing.target import Installer, Target
from tests.contract.api import DEADLINE_SECONDS, Api, until
from tests.contract.policies import admission_policy
from tests.contract.widgets import Widgets, crd, install

_numbers = itertools.count()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def api(server: Target) -> AsyncIterator[Api]:
    """The server under test."""
    limit = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=DEADLINE_SECONDS)
    async with aiohttp.ClientSession(timeout=limit) as session:
        yield Api(server, session)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def served(api: Api) -> Api:
    """The server with the kind Widget."""
    await install(api, crd())
    return api


@pytest_asyncio.fixture(loop_scope="session")
async def namespace(api: Api) -> str:
    """A namespace that only this test uses."""
    name = f"contract-{next(_numbers)}"
    created = await api.post("/api/v1/namespaces", {"metadata": {"name": name}})
    assert created.status == 201, created.text
    return name


@pytest_asyncio.fixture(loop_scope="session")
async def widgets(served: Api, namespace: str) -> Widgets:
    """The widgets of this test's namespace: none yet."""
    return Widgets(served, namespace)


@pytest_asyncio.fixture(loop_scope="session")
async def old_server(server: Target) -> AsyncIterator[Api]:
    """A server of the same make that has no WatchList."""
    async with aiohttp.ClientSession() as session:
        if server.name == "embedded":
            embedded = Server(watch_list=False)
            async with serve(embedded) as address:
                yield Api(Target.of_server(embedded, address.url), session)
        else:
            async with ControlPlane(options=["--feature-gates=WatchList=false"]) as plane:
                yield Api(Target.of_plane(plane), session)


@pytest.fixture
def kubectl(server: Target, tmp_path: Path) -> Kubectl:
    """Kubectl against the server under test."""
    return server.kubectl(locate() / "kubectl", tmp_path)


@pytest.fixture(scope="session")
def finalizer_policy(api: Api) -> Installer:
    """How to make the server add a finalizer at CREATE: its own switch, or a real admission policy."""

    async def install_policy(group: str, plural: str, finalizer: str) -> None:
        if api.target.add_finalizer_on_create is not None:
            api.target.add_finalizer_on_create(group, plural, finalizer)
            return
        for path, body in admission_policy(group, plural, finalizer):
            created = await api.post(f"/apis/admissionregistration.k8s.io/v1/{path}", body)
            assert created.status == 201, created.text

        async def effective() -> bool:
            tried = await api.post(
                f"/apis/{group}/v1/namespaces/default/{plural}",
                {
                    "apiVersion": f"{group}/v1",
                    "kind": "Gadget",
                    "metadata": {"name": "probe"},
                    "spec": {"text": "probe"},
                },
                dryRun="All",
            )
            return finalizer in tried.json.get("metadata", {}).get("finalizers", [])

        await until(effective)

    return install_policy
