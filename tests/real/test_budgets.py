"""What the operator costs a real API server, from that server's audit log, under the rights that we ship."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from nephoran.api.install import admission_policies
from nephoran.api.names import INTENT_FINALIZER, NODE_SET_FINALIZER, SYSTEM_NAMESPACE
from nephoran.cli.run import manager
from nephoran.configuration import Allow, Configuration, Lease
from nephoran.e2.simulator import RicSimulator
from nephoran.repository import Repository
from steady import Manager
from steady.client import HttpTransport, connect
from steady.clock import SystemClock
from steady.tasks import Scope
from tests.contract.api import until
from tests.real.cluster import (
    DELETE,
    FINALIZER,
    IMAGES,
    POST,
    SET_FINALIZER,
    SET_STATUS,
    STATUS,
    Cluster,
    Remote,
)

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="session")]

LONG = "LONG_TESTS"
RENEW_SECONDS = 5.0
SETTLE_SECONDS = 3.0
"""A batch timeout and a little: what the operator would still write too much has been written by then."""
START_SECONDS = 30.0


@asynccontextmanager
async def operator(cluster: Cluster, remote: Remote, work: Path) -> AsyncIterator[Manager]:
    """The operator in this process, as its ServiceAccount, in all namespaces."""
    connection = connect(cluster.plane.kubeconfig("operator"))
    repository = Repository(str(remote.path), work=work, clock=SystemClock())
    configuration = Configuration(
        images=IMAGES, allow=Allow(addresses=("127.0.0.0/8",)), lease=Lease(namespace=SYSTEM_NAMESPACE), probes=""
    )
    running = manager(configuration, repository, lambda: HttpTransport(connection))
    async with Scope("operator") as scope:
        serving = scope.start(running.serve(), "serve")
        started = scope.start(running.started.wait(), "started")
        async with asyncio.timeout(START_SECONDS):
            await asyncio.wait([serving, started], return_when=asyncio.FIRST_COMPLETED)
        assert not serving.done(), serving.exception()
        yield running
        running.stop()
        await scope.drained()


async def settled() -> None:
    """Let pass the time within which the operator would write what it should not."""
    await asyncio.sleep(SETTLE_SECONDS)


@asynccontextmanager
async def policy_in_force(cluster: Cluster) -> AsyncIterator[None]:
    """The admission policy, just installed (it takes effect within a second or so), and removed afterwards."""
    policies = admission_policies()
    await cluster.install(policies)
    try:
        yield
    finally:
        await cluster.remove(policies)
        await until(lambda: _admitted(cluster, with_finalizer=False))


async def _admitted(cluster: Cluster, *, with_finalizer: bool) -> bool:
    """Whether new objects of both kinds get, or do not get, their finalizer from the server."""
    tried = [
        ("networkintents", "NetworkIntent", {"intent": "Deploy AMF"}, INTENT_FINALIZER),
        ("e2nodesets", "E2NodeSet", {"replicas": 1}, NODE_SET_FINALIZER),
    ]
    for plural, kind, spec, finalizer in tried:
        body = {"apiVersion": "nephoran.com/v1", "kind": kind, "metadata": {"name": "probe"}, "spec": spec}
        answer = await cluster.api.post(cluster.path(plural), body, dryRun="All")
        if (finalizer in answer.json["metadata"].get("finalizers", ())) is not with_finalizer:
            return False
    return True


async def test_an_intent_costs_one_status_and_one_finalizer_patch(
    cluster: Cluster, remote: Remote, tmp_path: Path
) -> None:
    """Create to Completed without the policy: 2 patches; an edit 1; deletion 1, and the directory is gone."""
    async with operator(cluster, remote, tmp_path / "work"):
        await cluster.intend("upf", "Deploy UPF with 3 replicas for high availability")
        completed = await cluster.completed(1)
        await settled()
        assert await cluster.requests() == {FINALIZER: 1, STATUS: 1}
        assert completed["upf"]["status"]["gitCommitHash"] == remote.head()

        await cluster.mark()
        await cluster.edit("networkintents", "upf", {"intent": "Deploy UPF with 4 replicas for high availability"})
        await cluster.completed(1)
        await settled()
        assert await cluster.requests() == {STATUS: 1}
        assert b"replicas: 4" in remote.files()[f"networkintents/{cluster.namespace}/upf/deployment-upf.yaml"]

        await cluster.mark()
        await cluster.delete("networkintents", "upf")
        await cluster.until("networkintents", lambda found: not found)
        await settled()
        assert await cluster.requests() == {FINALIZER: 1}
        assert remote.directories(cluster.namespace) == set()


async def test_with_the_admission_policy_an_intent_costs_one_patch(
    cluster: Cluster, remote: Remote, tmp_path: Path
) -> None:
    """Right after installing the policy no intent goes without finalizer; once in force, the server adds them all."""
    async with operator(cluster, remote, tmp_path / "work"), policy_in_force(cluster):
        await cluster.mark()
        for number in range(10):
            await cluster.intend(f"early-{number}", "Deploy AMF with 2 replicas")
        early = await cluster.completed(10)
        await settled()
        spent = await cluster.requests()
        assert spent[STATUS] == 10
        assert spent[FINALIZER] <= 10
        assert set(spent) <= {STATUS, FINALIZER}
        assert all(obj["metadata"]["finalizers"] == [INTENT_FINALIZER] for obj in early.values())

        await until(lambda: _admitted(cluster, with_finalizer=True))
        await cluster.mark()
        for number in range(10):
            await cluster.intend(f"late-{number}", "Deploy SMF with 2 replicas")
        await cluster.completed(20)
        await settled()
        assert await cluster.requests() == {STATUS: 10}

        await cluster.mark()
        for number in range(10):
            await cluster.delete("networkintents", f"late-{number}")
        await cluster.until("networkintents", lambda found: len(found) == 10)
        await settled()
        assert await cluster.requests() == {FINALIZER: 10}


async def test_a_set_costs_one_post_per_node_and_one_status(
    cluster: Cluster, remote: Remote, ric: RicSimulator, tmp_path: Path
) -> None:
    """N nodes to Ready: N POST, 1 status, 1 finalizer; scaling abs(M−N) + 1 each way; deletion 1."""
    async with operator(cluster, remote, tmp_path / "work"):
        await cluster.nodes("ran", 20, ric.url)
        await cluster.ready("ran", 20)
        await settled()
        assert await cluster.requests() == {POST: 20, SET_STATUS: 1, SET_FINALIZER: 1}
        assert (len(ric.nodes), ric.table.calls["register"]) == (20, 20)

        for replicas, expected in ((12, {DELETE: 8, SET_STATUS: 1}), (15, {POST: 3, SET_STATUS: 1})):
            await cluster.mark()
            await cluster.edit("e2nodesets", "ran", {"replicas": replicas})
            await cluster.ready("ran", replicas)
            await settled()
            assert await cluster.requests() == expected
            assert len(ric.nodes) == replicas

        await cluster.mark()
        await cluster.delete("e2nodesets", "ran")
        await cluster.until("e2nodesets", lambda found: not found)
        # Nobody collects garbage here: what the server would do to the children is done by hand.
        await cluster.api.delete(cluster.path("configmaps"))
        await settled()
        assert await cluster.requests() == {SET_FINALIZER: 1}
        assert not ric.nodes


async def test_with_the_admission_policy_a_set_costs_no_finalizer_patch(
    cluster: Cluster, remote: Remote, ric: RicSimulator, tmp_path: Path
) -> None:
    """N nodes to Ready where the server adds the finalizer: N POST and 1 status."""
    async with operator(cluster, remote, tmp_path / "work"), policy_in_force(cluster):
        await until(lambda: _admitted(cluster, with_finalizer=True))
        await cluster.mark()
        await cluster.nodes("ran", 10, ric.url)
        await cluster.ready("ran", 10)
        await settled()
        assert await cluster.requests() == {POST: 10, SET_STATUS: 1}


@pytest.mark.parametrize(
    ("seconds", "intents"),
    [
        (20.0, 20),
        pytest.param(
            360.0,
            200,
            marks=pytest.mark.skipif(LONG not in os.environ, reason=f"six idle minutes are measured with {LONG}=1"),
        ),
    ],
)
async def test_an_idle_operator_and_a_restarted_one_ask_for_nothing(
    cluster: Cluster,
    remote: Remote,
    ric: RicSimulator,
    tmp_path: Path,
    seconds: float,
    intents: int,
) -> None:
    """When all is done there is no request but watches and one renewal of the lease per 5 s; a restart adds none."""
    nodes = intents // 2
    work = tmp_path / "work"
    async with operator(cluster, remote, work):
        for number in range(intents):
            await cluster.intend(f"amf-{number}", "Deploy AMF with 2 replicas")
        await cluster.nodes("ran", nodes, ric.url)
        await cluster.completed(intents)
        await cluster.ready("ran", nodes)
        await settled()
        await cluster.mark()
        await asyncio.sleep(seconds)
        assert await cluster.requests() == {}
        assert await cluster.renewals() <= seconds / RENEW_SECONDS + 1
    commits, registered = remote.log(), ric.table.calls["register"]
    await cluster.mark()
    async with operator(cluster, remote, work):
        await settled()
        assert await cluster.requests() == {}
    assert (remote.log(), ric.table.calls["register"]) == (commits, registered)
