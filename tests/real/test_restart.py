"""The operator is killed three times in the middle of its work, and nothing shows that it was."""

from __future__ import annotations

import itertools
from collections import Counter
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from nephoran.e2.simulator import RicSimulator
from tests.contract.api import until
from tests.real.cluster import IMAGES, Cluster, Objects, Remote
from tests.real.process import Nephoran, nephoran

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="session")]


def operator(cluster: Cluster, remote: Remote, work: Path) -> AbstractAsyncContextManager[Nephoran]:
    """`nephoran run` as its ServiceAccount, without a lease: a killed leader's would keep the next waiting for 15 s."""
    return nephoran(
        "run",
        f"--kubeconfig={cluster.plane.kubeconfig('operator')}",
        f"--git-url={remote.path}",
        f"--work={work}",
        "--allow-address=127.0.0.0/8",
        "--no-lease",
        "--probes=127.0.0.1:0",
        *(f"--image={component}={image}" for component, image in IMAGES.items()),
    )


async def intend(cluster: Cluster, numbers: range) -> None:
    """Create intents of the given numbers."""
    for number in numbers:
        await cluster.intend(f"amf-{number}", f"Deploy AMF with {number % 4 + 1} replicas")


def with_finalizer(found: Objects) -> int:
    """How many objects the operator has put its finalizer on."""
    return sum(bool(obj["metadata"].get("finalizers")) for obj in found.values())


async def test_three_kills_leave_the_same_end_one_commit_per_change_and_one_registration_per_node(
    cluster: Cluster, remote: Remote, ric: RicSimulator, tmp_path: Path
) -> None:
    """Killed after the first finalizers, amid the nodes and after a push; the fourth ends as one alone would."""
    work = tmp_path / "work"
    async with operator(cluster, remote, work) as running:
        await intend(cluster, range(7))
        await cluster.until("networkintents", lambda found: with_finalizer(found) > 0)
        await running.kill()
    assert remote.log() == []

    async with operator(cluster, remote, work) as running:
        await intend(cluster, range(7, 14))
        await cluster.nodes("ran", 10, ric.url)
        await cluster.until("configmaps", lambda found: sum("e2node" in name for name in found) > 2)
        await running.kill()

    async with operator(cluster, remote, work) as running:
        await cluster.completed(14)
        pushed = len(remote.log())
        await intend(cluster, range(14, 20))
        await cluster.edit("networkintents", "amf-0", {"intent": "Deploy AMF with 9 replicas"})

        async def pushed_more() -> bool:
            return len(remote.log()) > pushed

        await until(pushed_more)
        await running.kill()

    async with operator(cluster, remote, work):
        intents = await cluster.completed(20)
        await cluster.ready("ran", 10)

    commits = remote.log()
    assert {intent["status"]["gitCommitHash"] for intent in intents.values()} <= {commit.id for commit in commits}
    assert remote.directories(cluster.namespace) == {f"amf-{number}" for number in range(20)}
    changes = Counter(change for commit in commits for change in commit.changes)
    assert set(changes.values()) == {1}
    assert len(changes) == 21
    trees = [commit.tree for commit in commits]
    assert all(before != after for before, after in itertools.pairwise(trees))
    registered = {node: count for (kind, node), count in ric.table.asked.items() if kind == "register"}
    assert registered == dict.fromkeys(ric.nodes, 1)
    assert len(ric.nodes) == 10
    assert len([name for name in await cluster.objects("configmaps") if "e2node" in name]) == 10
