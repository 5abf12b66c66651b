"""The contenders: all do the same work, on the CRD that each stands for, in turn."""

import subprocess
from pathlib import Path
from typing import Any

import pytest

from bench.peers.contenders import CONTENDERS
from bench.peers.kopf_job import Job
from bench.peers.runner import planned
from bench.peers.templates import write_templates
from bench.peers.workloads import WORKLOADS
from bench.workload import bare_repository
from nephoran.api.install import crds, manifests
from nephoran.intent.interpret import RuleInterpreter
from nephoran.intent.plan import plan
from nephoran.intent.render import IntentIdentity, render
from nephoran.knowledge import knowledge

SENTENCE = "Deploy UPF with 3 replicas and 512Mi memory"
METADATA = {"namespace": "bench", "name": "intent-7", "uid": "uid-1", "generation": 1}


def status_schema(contender: str, plural: str) -> dict[str, Any]:
    installed = CONTENDERS[contender].installed()
    crd = next(each for each in installed if each["metadata"]["name"] == f"{plural}.nephoran.com")
    schema: dict[str, Any] = crd["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["status"]
    return schema


@pytest.mark.parametrize("plural", ["networkintents", "e2nodesets"])
def test_the_ordinary_crd_differs_in_its_status_alone(plural: str) -> None:
    ours, ordinary = status_schema("ours", plural), status_schema("right", plural)
    assert ours.keys() - ordinary.keys() == {"default", "x-kubernetes-map-type"}
    assert ordinary["properties"].keys() - ours["properties"].keys() == {"kopf", "lastUpdateTime"}
    assert ordinary["properties"]["conditions"] == ours["properties"]["conditions"]
    assert ours == status_schema("right-ours", plural)


def test_ours_gets_what_is_shipped_and_no_right_more() -> None:
    assert CONTENDERS["ours"].installed() == manifests(admission_policy="off")
    assert [each for each in CONTENDERS["ours"].installed() if each["kind"] == "CustomResourceDefinition"] == crds()


def test_contenders_take_turns() -> None:
    peers = [CONTENDERS["ours"], CONTENDERS["right"]]
    runs = planned(peers, [(WORKLOADS["burst"], [20])], gits=[False], repetitions=2)
    assert [(run.contender.name, run.repetition) for run in runs] == [
        ("ours", 1),
        ("right", 1),
        ("ours", 2),
        ("right", 2),
    ]


def test_who_cannot_end_in_time_or_knows_no_sets_is_left_out() -> None:
    def names(workload: str, size: int) -> set[str]:
        runs = planned(list(CONTENDERS.values()), [(WORKLOADS[workload], [size])], gits=[False], repetitions=1)
        return {run.contender.name for run in runs}

    assert "original-sleep" in names("burst", 200)
    assert "original-sleep" not in names("burst", 2000)
    assert not {"kopf", "ordinary", "optimized"} & names("nodes", 10)
    assert "optimized" not in names("idle", 20)


def ours() -> dict[str, str]:
    images = {component: f"registry.example/{component}:1" for component in knowledge().components}
    identity = IntentIdentity("intent-7", "bench", "uid-1", 1)
    planned_functions = plan(RuleInterpreter().meaning(SENTENCE), ())
    rendering = render(identity, planned_functions, target_namespace="bench", images=images)
    return {name: content.decode().replace(rendering.digest, "DIGEST") for name, content in rendering.files.items()}


async def test_a_peer_commits_the_manifests_that_ours_renders(tmp_path: Path) -> None:
    write_templates(tmp_path / "manifests")
    remote = bare_repository(tmp_path)
    told = {"PEER_GIT": str(remote), "PEER_WORK": str(tmp_path), "PEER_MANIFESTS": str(tmp_path / "manifests")}
    job = Job(group=True, environment=told)
    status = await job.carry_out(METADATA, SENTENCE)
    assert git(remote, "rev-parse", "main") == status["gitCommitHash"]
    names = git(remote, "ls-tree", "--name-only", "main:networkintents/bench/intent-7").split()
    content = {name: git(remote, "show", f"main:networkintents/bench/intent-7/{name}") for name in names}
    assert content.pop("intent.json")
    expected = {name: text.strip() for name, text in ours().items()}
    assert {name: text.replace(status["digest"], "DIGEST") for name, text in content.items()} == expected
    await job.undo(METADATA)
    assert not git(remote, "ls-tree", "main")


def git(repository: Path, *arguments: str) -> str:
    done = subprocess.run(["git", *arguments], cwd=repository, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@pytest.mark.looptime
async def test_without_git_a_peer_ends_with_the_same_six_conditions() -> None:
    status = await Job(group=False, environment={}).carry_out(METADATA, SENTENCE)
    assert status["phase"] == "Completed"
    assert [(each["type"], each["status"]) for each in status["conditions"]] == [
        ("Processed", "True"),
        ("ResourcesPlanned", "True"),
        ("ManifestsGenerated", "True"),
        ("GitOpsCommitted", "True"),
        ("DeploymentVerified", "Unknown"),
        ("Ready", "True"),
    ]
