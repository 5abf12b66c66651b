"""The shipped installation on a real control plane, a namespace, a remote and a RIC of its own for each test."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from nephoran.e2.simulator import RicSimulator
from steady.testing.controlplane import ControlPlane
from steady.testing.target import Target
from tests.contract.api import Api
from tests.real.cluster import KINDS, Cluster, Remote, installed

SILENCE_SECONDS = 120.0
"""Longer than a test waits for anything: its own deadlines say what was missed."""

_numbers = itertools.count()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def control_plane() -> AsyncIterator[ControlPlane]:
    """A server of these tests' own: the operator works on every object of its kinds, whoever made it."""
    async with ControlPlane() as plane:
        yield plane


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def admin(control_plane: ControlPlane) -> AsyncIterator[Api]:
    """Requests of somebody who may do everything."""
    limit = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=SILENCE_SECONDS)
    async with aiohttp.ClientSession(timeout=limit) as session:
        yield Api(Target.of_plane(control_plane), session)


@pytest_asyncio.fixture(loop_scope="session")
async def cluster(control_plane: ControlPlane, admin: Api) -> AsyncIterator[Cluster]:
    """What we ship, installed, and an empty namespace; nothing is left there afterwards."""
    name = f"real-{next(_numbers)}"
    cluster = Cluster(control_plane, admin, name)
    namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
    await cluster.install([*installed(), namespace])
    for plural in KINDS:
        await cluster.serving(plural)
    await cluster.mark()
    yield cluster
    await cluster.clean()


@pytest.fixture
def remote(tmp_path: Path) -> Remote:
    """An empty bare repository."""
    return Remote(tmp_path / "remote.git")


@pytest_asyncio.fixture(loop_scope="session")
async def ric() -> AsyncIterator[RicSimulator]:
    """A RIC without nodes."""
    async with RicSimulator() as simulator:
        yield simulator
