"""What is rendered for real sentences, judged by a real API server: accepted, restricted, and read as it was meant."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import pytest_asyncio
import yaml

from nephoran.api.install import as_yaml, crds
from nephoran.intent.meaning import Detail, Meaning, to_json
from nephoran.intent.plan import Adjustment, Plan, modifies, plan, provides, targets
from nephoran.intent.render import IntentIdentity, Rendering, render
from nephoran.knowledge import knowledge
from steady.testing.controlplane import ControlPlane

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="session")]

SENTENCES = Path(__file__).parents[1] / "unit" / "intent"
COMPONENTS = tuple(knowledge().components)
IMAGES = {name: f"images.example/{name}:1" for name in COMPONENTS}
NAMESPACE = "manifests"
RESTRICTED = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "warn")}
TRICKS = [
    "\n---\nkind: Secret\n",
    "*a &b !!c",
    "{{ .x }}",
    "'\" \t\x85\u2028\ufeff",
    "1e3",
    "0o17",
    "y",
    "{\n\r\t}",
    "😀 立即",
]


def read(name: str) -> list[Meaning]:
    """The sentences of a file that mean something, with the meaning that people gave them."""
    lines = (SENTENCES / name).read_text(encoding="utf-8").split("\n")
    return [msgspec.json.decode(line, type=Meaning) for line in lines if '"action"' in line]


def meanings() -> list[Meaning]:
    """Every collected sentence, and one of our own of each kind: action and keys stated."""
    shapes = {
        (it.action, it.slice, bool(it.replicas), *to_json(it).get("detail", {})): it for it in read("corpus.jsonl")
    }
    return [*read("intents.jsonl"), *shapes.values()]


def directory(name: str, planned: Plan) -> Rendering:
    """What an intent of that name renders, with an image for everything."""
    return render(IntentIdentity(name, NAMESPACE, "u", 1), planned, target_namespace=NAMESPACE, images=IMAGES)


def deployed() -> Iterator[Rendering]:
    """The directories of all that deploys, under all that modifies it, and of everything at once."""
    told = meanings()
    adjusting = [Adjustment(f"a{index}", "u", 1, it) for index, it in enumerate(told) if modifies(it)]
    everything = Meaning("all", "deploy", COMPONENTS, slice="urllc", detail=Detail(ha=True, autoscale=True, gpu=True))
    policy = Meaning("Enable encryption", "configure", (), detail=Detail(encryption=True))
    deploying = (it for it in told if provides(it) or (it.slice and not modifies(it)))
    for index, it in enumerate([*deploying, everything, policy]):
        acting = [one for one in adjusting if targets(one.meaning) & provides(it)]
        for name, planned in (("base", plan(it)), ("adjusted", plan(it, acting))):
            yield render(
                IntentIdentity(f"{name}.{index}", NAMESPACE, "u", 1), planned, target_namespace=NAMESPACE, images=IMAGES
            )


def tricked() -> Iterator[Rendering]:
    """Directories of an intent whose text and site are meant to be taken for something else."""
    for index, text in enumerate(TRICKS):
        planned = plan(Meaning(text, "deploy", ("upf",), detail=Detail(site=text, monitoring=True)))
        yield render(
            IntentIdentity(f"{index}e3", NAMESPACE, "u", 1), planned, target_namespace=NAMESPACE, images=IMAGES
        )


def stream(renderings: list[Rendering]) -> str:
    """All objects of all directories, as one YAML stream."""
    files = [content for it in renderings for name, content in it.files.items() if name != "kustomization.yaml"]
    return "---\n".join(content.decode() for content in files)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def plane(control_plane: ControlPlane) -> ControlPlane:
    """The server with our kinds and a namespace that takes only restricted pods."""
    home = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": NAMESPACE, "labels": RESTRICTED}}
    applied = await control_plane.kubectl("apply", "-f", "-", stdin=as_yaml([*crds(), home]))
    assert applied.code == 0, applied.err
    waited = await control_plane.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")
    assert waited.code == 0, waited.err
    return control_plane


async def accepted(plane: ControlPlane, content: str) -> list[dict[str, Any]]:
    """The objects as the server would store them; fails with its words if it refuses or warns of one."""
    options = ("--dry-run=server", "--validate=strict", "-o", "json")
    answer = await plane.kubectl("apply", *options, "-f", "-", stdin=content)
    assert (answer.code, answer.err) == (0, "")
    found: list[dict[str, Any]] = json.loads(answer.out)["items"]
    return found


async def test_every_manifest_of_every_sentence_is_accepted(plane: ControlPlane) -> None:
    """Strict server-side validation takes each object of each sentence, base and adjusted, without a warning."""
    content = stream(list(deployed()))
    sent = list(yaml.safe_load_all(content))
    stored = await accepted(plane, content)
    assert [(it["kind"], it["metadata"]["name"]) for it in stored] == [
        (it["kind"], it["metadata"]["name"]) for it in sent
    ]
    assert {it["kind"] for it in stored} == {
        *("Deployment", "Service", "ConfigMap", "NetworkPolicy", "HorizontalPodAutoscaler", "E2NodeSet")
    }


async def test_every_pod_may_run_in_a_restricted_namespace(plane: ControlPlane) -> None:
    """The pod of each component passes the admission of Pod Security's strictest standard."""
    planned = plan(Meaning("all", "deploy", COMPONENTS, detail=Detail(ha=True)))
    told = directory("all", planned)
    deployments = [yaml.safe_load(told.files[name]) for name in told.files if name.startswith("deployment-")]
    pods = [
        {"apiVersion": "v1", "kind": "Pod", **it["spec"]["template"]}
        | {"metadata": {"name": it["metadata"]["name"], "namespace": NAMESPACE}}
        for it in deployments
    ]
    assert len(await accepted(plane, yaml.safe_dump_all(pods))) == len(COMPONENTS) - 1


async def test_the_server_reads_every_text_as_it_was_meant(plane: ControlPlane) -> None:
    """Texts that YAML readers take for other things, or for other documents, arrive as the same texts."""
    content = stream(list(tricked()))
    sent, stored = list(yaml.safe_load_all(content)), await accepted(plane, content)
    assert [it["metadata"]["labels"] for it in stored] == [it["metadata"]["labels"] for it in sent]
    assert [it["data"] for it in stored if it["kind"] == "ConfigMap"] == [it["data"] for it in sent if "data" in it]
    assert {it["data"]["intent"] for it in stored if it["kind"] == "ConfigMap"} == set(TRICKS)
