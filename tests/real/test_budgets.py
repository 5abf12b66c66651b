"""What the operator costs a real API server, from that server's audit log, under the rights that we ship."""

from __future__ import annotations

import asyncio
import os
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import pytest
import yaml

from nephoran.api.names import INTENT_FINALIZER
from nephoran.e2.simulator import RicSimulator
from tests.contract.api import until
from tests.real.cluster import (
    FINALIZER,
    STATUS,
    Cluster,
    Remote,
    admitted,
    operator,
    policy_in_force,
    settled,
)

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="session")]

LONG = "LONG_TESTS"
RENEW_SECONDS = 5.0
SLOW_SECONDS = 4.5
"""More than two batch timeouts, so that a second progress patch would have its time."""


async def test_an_intent_costs_one_status_and_one_finalizer_patch(
    cluster: Cluster, remote: Remote, tmp_path: Path
) -> None:
    """Create to Completed without the policy: 2 patches; a label 0; an edit 1; deletion 1, its directory being gone."""
    async with operator(cluster, remote, tmp_path / "work"):
        await cluster.intend("upf", "Deploy UPF with 3 replicas for high availability")
        completed = await cluster.completed(1)
        await settled()
        assert await cluster.requests() == {FINALIZER: 1, STATUS: 1}
        assert completed["upf"]["status"]["gitCommitHash"] == remote.head()

        await cluster.mark()
        labelled = await cluster.api.patch(cluster.path("networkintents", "upf"), {"metadata": {"labels": {"a": "b"}}})
        assert labelled.status == 200, labelled.text
        await settled()
        assert await cluster.requests() == {}
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

        await until(lambda: admitted(cluster, with_finalizer=True))
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


async def test_a_slow_commit_costs_one_progress_patch(cluster: Cluster, remote: Remote, tmp_path: Path) -> None:
    """One for the first batch timeout, which shows the phase; none for the second, in which nothing changes."""
    remote.slow(SLOW_SECONDS)
    async with operator(cluster, remote, tmp_path / "work"):
        await cluster.intend("amf", "Deploy AMF")
        await cluster.until("networkintents", lambda found: _phase(found["amf"]) == "GitOpsCommit")
        assert remote.log() == []
        await cluster.completed(1)
        await settled()
        assert await cluster.requests() == {FINALIZER: 1, STATUS: 2}


async def test_verified_by_deployments_an_intent_costs_one_status_more(
    cluster: Cluster, remote: Remote, tmp_path: Path
) -> None:
    """One status when it is committed, one when its Deployments are available; none while they only appear."""
    async with operator(cluster, remote, tmp_path / "work", verify="deployments"):
        await cluster.intend("amf", "Deploy AMF with 2 replicas")
        await cluster.until("networkintents", lambda found: _phase(found["amf"]) == "DeploymentVerification")
        await settled()
        assert await cluster.requests() == {FINALIZER: 1, STATUS: 1}

        await cluster.mark()
        committed = remote.files()[f"networkintents/{cluster.namespace}/amf/deployment-amf.yaml"]
        await cluster.roll_out(yaml.safe_load(committed))
        await cluster.completed(1)
        await settled()
        assert await cluster.requests() == {STATUS: 1}


@pytest.mark.parametrize("policy", [True, False])
async def test_a_scale_intent_costs_one_status_and_its_target_another(
    cluster: Cluster, remote: Remote, tmp_path: Path, *, policy: bool
) -> None:
    """Without the policy its own finalizer besides; taken back, its finalizer patch and a status of the target."""
    file = f"networkintents/{cluster.namespace}/core/deployment-amf.yaml"
    async with operator(cluster, remote, tmp_path / "work"), policy_in_force(cluster) if policy else nullcontext():
        await until(lambda: admitted(cluster, with_finalizer=policy))
        await cluster.intend("core", "Deploy AMF with 2 replicas")
        await cluster.completed(1)
        await cluster.mark()
        await cluster.intend("more", "Scale AMF to 5 replicas")
        scaled = await cluster.completed(2)
        await settled()
        assert await cluster.requests() == ({STATUS: 2} if policy else {FINALIZER: 1, STATUS: 2})
        assert scaled["more"]["status"]["target"] == "core"
        assert b"replicas: 5" in remote.files()[file]

        await cluster.mark()
        await cluster.delete("networkintents", "more")
        await cluster.until("networkintents", lambda found: len(found) == 1)
        await settled()
        assert await cluster.requests() == {FINALIZER: 1, STATUS: 1}
        assert b"replicas: 2" in remote.files()[file]


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


def _phase(intent: dict[str, Any]) -> str:
    phase: str = intent.get("status", {}).get("phase", "")
    return phase
