"""What sets of nodes cost a real API server, from that server's audit log, under the rights that we ship."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from nephoran.api.names import NODE_SET_FINALIZER
from nephoran.e2.simulator import RicSimulator
from tests.contract.api import until
from tests.real.cluster import (
    DELETE,
    PATCH,
    POST,
    SET_FINALIZER,
    SET_STATUS,
    Cluster,
    Json,
    Remote,
    admitted,
    operator,
    policy_in_force,
    settled,
)

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="session")]

BATCH_SECONDS = 2.0
BRISK = {"heartbeatInterval": "2s", "connectionTimeout": "1s"}
"""A look per batch timeout, and a RIC that misses one counts as lost."""


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
        await costs_its_difference_to_scale_and_one_patch_to_delete(cluster, ric)


async def test_with_the_admission_policy_a_set_costs_no_finalizer_patch(
    cluster: Cluster, remote: Remote, ric: RicSimulator, tmp_path: Path
) -> None:
    """Right after installing the policy no set goes without finalizer; in force, N POST and 1 status are all."""
    async with operator(cluster, remote, tmp_path / "work"), policy_in_force(cluster):
        await cluster.mark()
        early = [f"early-{number}" for number in range(5)]
        for name in early:
            await cluster.nodes(name, 1, ric.url)
        for name in early:
            await cluster.ready(name, 1)
        await settled()
        spent = await cluster.requests()
        found = await cluster.objects("e2nodesets")
        assert spent.pop(SET_FINALIZER, 0) <= 5
        assert spent == {POST: 5, SET_STATUS: 5}
        assert all(found[name]["metadata"]["finalizers"] == [NODE_SET_FINALIZER] for name in early)
        for name in early:
            await cluster.delete("e2nodesets", name)
        await cluster.until("e2nodesets", lambda found: not found)

        await until(lambda: admitted(cluster, with_finalizer=True))
        await cluster.mark()
        await cluster.nodes("ran", 20, ric.url)
        await cluster.ready("ran", 20)
        await settled()
        assert await cluster.requests() == {POST: 20, SET_STATUS: 1}
        await costs_its_difference_to_scale_and_one_patch_to_delete(cluster, ric)


async def costs_its_difference_to_scale_and_one_patch_to_delete(cluster: Cluster, ric: RicSimulator) -> None:
    """The set `ran` of 20 nodes is scaled to 12 and to 15, and deleted."""
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


async def test_a_template_change_costs_one_patch_per_node_and_one_status(
    cluster: Cluster, remote: Remote, ric: RicSimulator, tmp_path: Path
) -> None:
    """N + 1, and the RIC hears of every node once."""
    async with operator(cluster, remote, tmp_path / "work"):
        await cluster.nodes("ran", 10, ric.url)
        await cluster.ready("ran", 10)
        await cluster.mark()
        await cluster.edit("e2nodesets", "ran", {"template": {"spec": {"e2InterfaceVersion": "v2.0"}}})
        await cluster.ready("ran", 10)
        await settled()
        assert await cluster.requests() == {PATCH: 10, SET_STATUS: 1}
        assert (ric.table.calls["register"], ric.table.calls["update"]) == (10, 10)
        nodes = (await cluster.objects("configmaps")).values()
        assert [node["metadata"]["annotations"]["nephoran.com/e2-interface-version"] for node in nodes] == ["v2.0"] * 10


async def test_a_node_that_somebody_else_has_edited_costs_one_patch(
    cluster: Cluster, remote: Remote, ric: RicSimulator, tmp_path: Path
) -> None:
    """It is written again as it was; no status, for nothing has changed in it."""
    async with operator(cluster, remote, tmp_path / "work"):
        await cluster.nodes("ran", 3, ric.url)
        await cluster.ready("ran", 3)
        written = await cluster.objects("configmaps")
        await cluster.mark()
        edited = await cluster.api.patch(
            cluster.path("configmaps", "ran-e2node-1"), {"data": {"e2node-config.json": "{}"}}
        )
        assert edited.status == 200, edited.text
        await cluster.until("configmaps", lambda found: _data(found) == _data(written))
        await settled()
        assert await cluster.requests() == {PATCH: 1}


async def test_heartbeats_of_healthy_nodes_cost_nothing(
    cluster: Cluster, remote: Remote, ric: RicSimulator, tmp_path: Path
) -> None:
    """The RIC is asked once per interval, the API server never."""
    async with operator(cluster, remote, tmp_path / "work"):
        await cluster.nodes("ran", 5, ric.url, **BRISK)
        await cluster.ready("ran", 5)
        await cluster.mark()
        before = ric.table.calls["states"]
        await asyncio.sleep(15.0)
        assert await cluster.requests() == {}
        assert ric.table.calls["states"] - before >= 7


async def test_a_ric_that_goes_and_returns_costs_one_status_each_time(
    cluster: Cluster, remote: Remote, ric: RicSimulator, tmp_path: Path
) -> None:
    """All nodes are lost at once, and nothing more is said while it stays away; nobody is registered anew."""
    async with operator(cluster, remote, tmp_path / "work"):
        await cluster.nodes("ran", 5, ric.url, **BRISK)
        await cluster.ready("ran", 5)
        await cluster.mark()
        ric.table.down = True
        await cluster.until("e2nodesets", lambda found: found["ran"]["status"]["phase"] == "Degraded")
        await looked(ric)
        await settled()
        assert await cluster.requests() == {SET_STATUS: 1}

        await cluster.mark()
        ric.table.down = False
        await cluster.ready("ran", 5)
        await settled()
        assert await cluster.requests() == {SET_STATUS: 1}
        assert ric.table.calls["register"] == 5


async def test_nodes_that_change_cost_at_most_one_status_per_batch_timeout(
    cluster: Cluster, remote: Remote, ric: RicSimulator, tmp_path: Path
) -> None:
    """Two of three come and go with every look, the third with every other."""
    async with operator(cluster, remote, tmp_path / "work"):
        await cluster.nodes("ran", 3, ric.url, **BRISK)
        await cluster.ready("ran", 3)
        nodes = sorted(ric.nodes)
        await cluster.mark()
        began = asyncio.get_running_loop().time()
        for states in ("DDC", "CCD", "DDD", "CCC"):
            for node, state in zip(nodes, states, strict=True):
                ric.table.mark(node, "CONNECTED" if state == "C" else "DISCONNECTED")
            await looked(ric)
        await settled()
        spent = await cluster.requests()
        assert set(spent) == {SET_STATUS}
        assert spent[SET_STATUS] <= (asyncio.get_running_loop().time() - began) / BATCH_SECONDS
        await cluster.ready("ran", 3)


async def looked(ric: RicSimulator) -> None:
    """Return when the RIC has been asked once more for its nodes' states."""
    before = ric.table.calls["states"]

    async def asked() -> bool:
        return ric.table.calls["states"] > before

    await until(asked)


def _data(nodes: dict[str, Json]) -> dict[str, Json]:
    return {name: node["data"] for name, node in nodes.items()}
