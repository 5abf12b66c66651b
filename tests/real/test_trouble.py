"""What is missing or wrong around the operator: it says so, waits, and heals when it is put right."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from copy import deepcopy
from pathlib import Path

import aiohttp
import pytest

from nephoran.api.install import Manifest, crds
from nephoran.api.names import LEASE, SYSTEM_NAMESPACE
from nephoran.e2.simulator import RicSimulator
from steady.testing.controlplane import ADMIN
from tests.contract.api import until
from tests.real.cluster import IMAGES, Cluster, Remote, installed
from tests.real.process import Nephoran, free_port, nephoran

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="session")]

HEAL_SECONDS = 60.0
TAKE_OVER_SECONDS = 5.0
"""A candidate looks every 2 to 2.4 s at a Lease that was released; a killed leader's would take 15 s."""
ROLE = "/apis/rbac.authorization.k8s.io/v1/clusterroles/nephoran"
LEASES = f"/apis/coordination.k8s.io/v1/namespaces/{SYSTEM_NAMESPACE}/leases/{LEASE}"


def operator(cluster: Cluster, remote: Remote, work: Path, *more: str) -> AbstractAsyncContextManager[Nephoran]:
    """`nephoran run` as its ServiceAccount, in this test's namespace."""
    return nephoran(
        "run",
        f"--kubeconfig={cluster.plane.kubeconfig('operator')}",
        f"--namespace={cluster.namespace}",
        f"--git-url={remote.path}",
        f"--work={work}",
        "--allow-address=127.0.0.0/8",
        *(f"--image={component}={image}" for component, image in IMAGES.items()),
        *(more or ("--no-lease", "--probes=127.0.0.1:0")),
    )


@asynccontextmanager
async def without(cluster: Cluster, resource: str, verb: str) -> AsyncIterator[None]:
    """The operator's ClusterRole lacks one verb on one resource."""
    (whole,) = [each for each in installed() if each["kind"] == "ClusterRole"]
    lesser = deepcopy(whole)
    lesser["rules"] = [part for rule in whole["rules"] for part in _less(rule, resource, verb)]
    assert (await cluster.api.put(ROLE, lesser)).status == 200
    try:
        yield
    finally:
        assert (await cluster.api.put(ROLE, whole)).status == 200


def _less(rule: Manifest, resource: str, verb: str) -> Iterable[Manifest]:
    for each in rule["resources"]:
        verbs = [one for one in rule["verbs"] if (each, one) != (resource, verb)]
        if verbs:
            yield {"apiGroups": rule["apiGroups"], "resources": [each], "verbs": verbs}


async def readiness(port: int) -> tuple[int, str]:
    """What `/readyz` answers; 0 while nobody listens."""
    try:
        async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{port}/readyz") as answer:
            return answer.status, await answer.text()
    except aiohttp.ClientConnectorError:
        return 0, ""


async def holder(cluster: Cluster) -> str:
    """Who holds the lease, as the server knows it."""
    answer = await cluster.api.get(LEASES)
    return answer.json["spec"].get("holderIdentity", "") if answer.status == 200 else ""


async def test_a_missing_definition_is_waited_for(
    cluster: Cluster, remote: Remote, ric: RicSimulator, tmp_path: Path
) -> None:
    """Without the CRD it says what is not served and is not ready; when the CRD appears it goes on by itself."""
    (definition,) = [crd for crd in crds() if crd["spec"]["names"]["kind"] == "E2NodeSet"]
    await cluster.remove([definition])
    port = free_port()
    try:
        async with operator(cluster, remote, tmp_path / "work", "--no-lease", f"--probes=127.0.0.1:{port}") as running:
            await running.said("e2nodesets.nephoran.com is not served: is its CustomResourceDefinition installed?")
            status, text = await readiness(port)
            assert status == 503
            assert "e2nodesets.nephoran.com" in text
            await cluster.install([definition])
            await cluster.serving("e2nodesets")
            await cluster.nodes("ran", 3, ric.url)
            await cluster.ready("ran", 3)
            assert (await readiness(port))[0] == 200
            assert sum("is not served" in line for line in running.lines) == 1
    finally:
        await cluster.install([definition])
        await cluster.serving("e2nodesets")


async def test_a_missing_right_to_follow_is_named_and_heals(cluster: Cluster, remote: Remote, tmp_path: Path) -> None:
    """Without the right to watch it names verb and resource and is not ready; within a minute of its return it is."""
    port = free_port()
    async with operator(cluster, remote, tmp_path / "work", "--no-lease", f"--probes=127.0.0.1:{port}") as running:
        async with without(cluster, "networkintents", "watch"):
            await cluster.intend("amf", "Deploy AMF")
            await running.said('cannot watch resource "networkintents" in API group "nephoran.com"')
            status, text = await readiness(port)
            assert status == 503
            assert 'cannot watch resource "networkintents"' in text
        await cluster.completed(1, HEAL_SECONDS)
        assert (await readiness(port))[0] == 200


async def test_a_missing_right_to_write_is_named_and_heals(cluster: Cluster, remote: Remote, tmp_path: Path) -> None:
    """A status that may not be written names verb and resource; within a minute of the right's return it is written."""
    async with operator(cluster, remote, tmp_path / "work") as running:
        async with without(cluster, "networkintents/status", "patch"):
            await cluster.intend("amf", "Deploy AMF")
            await running.said('cannot patch resource "networkintents/status" in API group "nephoran.com"')
        await cluster.completed(1, HEAL_SECONDS)
    assert len(remote.log()) == 1


async def test_wrong_connections_end_with_one_line(cluster: Cluster, tmp_path: Path) -> None:
    """No kubeconfig, no server, wrong credentials, another authority: one line that says which, and an exit code."""
    good = cluster.plane.kubeconfig(ADMIN.key).read_text(encoding="utf-8")
    nowhere = f"https://127.0.0.1:{free_port()}"
    authority = f'"certificate-authority": "{cluster.plane.ca_path}"'
    wrong = {
        "broken": (2, "not YAML", "{"),
        "away": (1, nowhere.removeprefix("https://"), good.replace(cluster.plane.url, nowhere)),
        "stranger": (1, "credentials", good.replace(cluster.plane.tokens[ADMIN.key], "not-a-token")),
        "distrustful": (1, "certificate", good.replace(authority, '"namespace": ""')),
    }
    missing = tmp_path / "missing"
    expected = {missing: (2, str(missing))}
    for name, (code, text, content) in wrong.items():
        path = tmp_path / name
        path.write_text(content, encoding="utf-8")
        expected[path] = (code, text)
    for path, (code, text) in expected.items():
        async with nephoran("run", f"--kubeconfig={path}", f"--work={tmp_path / 'work'}") as ending:
            assert await ending.ended() == code, ending.lines
        assert len(ending.lines) == 1, ending.lines
        assert ending.lines[0].startswith("nephoran: ")
        assert text in ending.lines[0]


async def test_one_of_two_leads_and_hands_over_when_it_is_stopped(
    cluster: Cluster, remote: Remote, tmp_path: Path
) -> None:
    """The second waits; SIGTERM ends the first with code 0 and releases the lease, and the second goes on at once."""
    lease = (f"--lease-namespace={SYSTEM_NAMESPACE}", "--probes=127.0.0.1:0")
    async with operator(cluster, remote, tmp_path / "first", *lease) as first:
        await first.said(" leads ")
        leader = await holder(cluster)
        async with operator(cluster, remote, tmp_path / "second", *lease) as second:

            async def both_asked() -> bool:
                asked = [entry for entry in await cluster.asked() if entry.resource == "leases"]
                return len([entry for entry in asked if entry.verb == "get"]) > 1

            await until(both_asked)
            await cluster.intend("amf", "Deploy AMF")
            await cluster.completed(1)
            assert await holder(cluster) == leader
            assert not any(" leads " in line for line in second.lines)

            first.terminate()
            assert await first.ended() == 0
            released = asyncio.get_running_loop().time()
            await second.said(" leads ")
            assert asyncio.get_running_loop().time() - released < TAKE_OVER_SECONDS
            assert await holder(cluster) not in {leader, ""}
            await cluster.intend("smf", "Deploy SMF")
            await cluster.completed(2)
    assert len(remote.log()) == 2
