"""The files of an intent: the same plan gives the same bytes, and no text becomes an object."""

import re
import subprocess
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from nephoran.intent.interpret import RuleInterpreter
from nephoran.intent.manifests import Place, label_value
from nephoran.intent.meaning import Autoscale, Detail, Meaning
from nephoran.intent.plan import Adjustment, plan
from nephoran.intent.render import IntentIdentity, Rendering, render
from nephoran.knowledge import knowledge

IDENTITY = IntentIdentity("core", "net", "uid-1", 1)
COMPONENTS = tuple(name for name, fact in knowledge().components.items() if fact.manifest == "Deployment")
IMAGES = {name: f"images.example/{name}:1" for name in COMPONENTS}
HERE: dict[str, Any] = {"target_namespace": "net", "images": IMAGES}
HOSTILE = "\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: x}\n"
NAME = r"[a-z]([-a-z0-9]{0,61}[a-z0-9])?"


def rendered(meaning: Meaning, *, images: dict[str, str] | None = None, namespace: str = "net") -> Rendering:
    return render(IDENTITY, plan(meaning), target_namespace=namespace, images=IMAGES if images is None else images)


def objects(rendering: Rendering) -> dict[str, Any]:
    return {name: yaml.safe_load(content) for name, content in rendering.files.items()}


def deploy(*components: str, detail: Detail | None = None, text: str = "Deploy") -> Meaning:
    return Meaning(text, "deploy", components, detail=detail or Detail())


def test_a_function_has_its_four_files_and_a_list_of_them() -> None:
    """Deployment, Service, ConfigMap and NetworkPolicy, and a kustomization that lists them."""
    files = objects(rendered(deploy("amf")))
    listed = ["configmap-amf.yaml", "deployment-amf.yaml", "networkpolicy-amf.yaml", "service-amf.yaml"]
    assert list(files) == sorted([*listed, "kustomization.yaml"])
    assert files["kustomization.yaml"]["resources"] == listed


def test_everything_that_a_plan_may_hold_has_its_file() -> None:
    """Autoscaler, slice and E2 nodes where asked for."""
    meaning = Meaning("t", "deploy", ("upf", "e2-node"), {"e2-node": 7}, slice="embb", detail=Detail(autoscale=True))
    files = objects(rendered(meaning))
    assert {"hpa-upf.yaml", "slice-configuration.yaml", "e2nodeset.yaml"} <= files.keys()
    assert files["e2nodeset.yaml"]["spec"]["replicas"] == 7


def test_every_object_says_whose_it_is_and_of_which_directory() -> None:
    """Namespace, labels of the Go operator and of Kubernetes, and the digest, on each object."""
    rendering = rendered(deploy("amf", "smf"))
    for name, manifest in objects(rendering).items():
        if name == "kustomization.yaml":
            continue
        metadata = manifest["metadata"]
        assert metadata["namespace"] == "net"
        assert metadata["annotations"] == {"nephoran.com/digest": rendering.digest}
        expected = {"nephoran.com/managed": "true", "nephoran.com/network-intent": "core", "networkintent": "core"}
        assert expected.items() <= metadata["labels"].items()
        component = name.partition("-")[2].removesuffix(".yaml")
        assert (metadata["labels"]["networkfunction"], metadata["labels"]["app"]) == (component, component)


def test_the_digest_tells_directories_apart_and_nothing_else() -> None:
    """The same plan has the same bytes and digest; another number, image or sentence has another digest."""
    base = rendered(deploy("amf"))
    assert rendered(deploy("amf")) == base
    others = [
        rendered(Meaning("Deploy", "deploy", ("amf",), {"amf": 2})),
        rendered(deploy("amf"), images={"amf": "images.example/amf:2"}),
        rendered(deploy("amf", text="Please deploy")),
    ]
    assert len({base.digest, *(other.digest for other in others)}) == 4


def test_a_new_number_does_not_roll_the_pods() -> None:
    """Neither digest nor sentence is in the pod template: a scale starts or stops pods and restarts none."""
    more = Adjustment("more", "u", 1, Meaning("Scale", "scale", ("amf",), {"amf": 5}))
    base = objects(rendered(deploy("amf")))["deployment-amf.yaml"]["spec"]
    scaled = render(IDENTITY, plan(deploy("amf"), [more]), target_namespace="net", images=IMAGES)
    changed = objects(scaled)["deployment-amf.yaml"]["spec"]
    assert (base["replicas"], changed["replicas"]) == (1, 5)
    assert base["template"] == changed["template"]


def test_a_new_setting_rolls_the_pods() -> None:
    """A configuration that changed reaches the function, which reads it at its start."""
    plain, latency = (
        objects(rendered(deploy("amf", detail=detail)))["deployment-amf.yaml"]["spec"]["template"]
        for detail in (Detail(), Detail(latency_ms=5.0))
    )
    assert plain["metadata"]["annotations"] != latency["metadata"]["annotations"]


def test_a_function_without_an_image_is_not_rendered_to_run() -> None:
    """No Deployment and no autoscaler that could never pull; the rest stands, and the function is named."""
    rendering = rendered(deploy("amf", "smf", detail=Detail(autoscale=True)), images={"amf": IMAGES["amf"]})
    assert rendering.missing_images == ("smf",)
    assert rendering.deployments == ("core-amf",)
    assert {"deployment-smf.yaml", "hpa-smf.yaml"}.isdisjoint(rendering.files)
    assert {"service-smf.yaml", "configmap-smf.yaml", "networkpolicy-smf.yaml"} <= rendering.files.keys()


def test_only_the_operator_s_images_are_used() -> None:
    """A sentence cannot name one."""
    manifest = objects(rendered(deploy("amf", text="Deploy AMF from evil.example/amf:latest")))["deployment-amf.yaml"]
    assert [it["image"] for it in manifest["spec"]["template"]["spec"]["containers"]] == [IMAGES["amf"]]


def test_an_autoscaled_deployment_leaves_its_number_to_the_autoscaler() -> None:
    """Two owners of one field would fight."""
    detail = Detail(autoscale=Autoscale(min=2, max=10, cpu=70))
    files = objects(rendered(deploy("upf", detail=detail)))
    assert "replicas" not in files["deployment-upf.yaml"]["spec"]
    spec = files["hpa-upf.yaml"]["spec"]
    assert (spec["minReplicas"], spec["maxReplicas"]) == (2, 10)
    assert spec["metrics"][0]["resource"]["target"]["averageUtilization"] == 70
    assert spec["scaleTargetRef"]["name"] == files["deployment-upf.yaml"]["metadata"]["name"]


@pytest.mark.parametrize("component", COMPONENTS)
def test_pods_are_restricted_sized_and_probed(component: str) -> None:
    """Every function runs without privileges, within limits, watched on a port that it has."""
    manifest = objects(rendered(deploy(component)))[f"deployment-{component}.yaml"]
    pod = manifest["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    assert pod["automountServiceAccountToken"] is False
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }
    names = {port["name"] for port in container["ports"]}
    assert all(
        container[probe]["httpGet"]["port"] in names for probe in ("startupProbe", "livenessProbe", "readinessProbe")
    )
    assert container["resources"]["requests"].keys() == container["resources"]["limits"].keys()


@pytest.mark.parametrize(
    ("sentence", "files"),
    [
        ("Deploy AMF with 3 replicas", ["deployment-amf", "service-amf", "configmap-amf", "networkpolicy-amf"]),
        ("Deploy UPF with autoscaling between 2 and 6 replicas", ["deployment-upf", "hpa-upf"]),
        ("Deploy NRF with HPA (2..5 pods, 80 % CPU)", ["hpa-nrf"]),
        ("Create a URLLC slice with 1 ms latency", ["slice-configuration"]),
        ("Deploy UPF for the eMBB slice", ["deployment-upf", "slice-configuration"]),
        ("Deploy 5 E2 nodes", ["e2nodeset"]),
        ("Deploy Near-RT RIC with 10 E2 node simulators", ["deployment-near-rt-ric", "e2nodeset"]),
        ("Enforce zero trust between all core functions", ["policy-configuration"]),
    ],
)
def test_what_a_sentence_asks_for_is_rendered(sentence: str, files: list[str]) -> None:
    """From the words to the files of every kind."""
    told = rendered(RuleInterpreter().meaning(sentence))
    assert {f"{name}.yaml" for name in files} <= told.files.keys()
    asked = {name.partition("-")[0] for name in files}
    optional = {name for name in told.files if name.startswith(("hpa", "slice", "e2nodeset", "policy"))}
    assert {name.removesuffix(".yaml").partition("-")[0] for name in optional} <= asked


def test_two_intents_with_the_same_function_have_no_object_in_common() -> None:
    """In one namespace: each object is called after its intent, so neither overwrites the other's."""
    meaning = deploy("amf", "smf", "e2-node", detail=Detail(autoscale=True))
    names = [
        {
            (it["kind"], it["metadata"]["name"])
            for it in objects(render(IntentIdentity(intent, "net", "u", 1), plan(meaning), **HERE)).values()
            if "metadata" in it
        }
        for intent in ("core", "edge")
    ]
    assert len(names[0]) == len(names[1]) == 11
    assert names[0].isdisjoint(names[1])


def test_services_lead_to_the_pods_of_this_intent_only() -> None:
    """Selectors are the pod's own labels and differ between two intents with the same function."""
    files = objects(rendered(deploy("amf")))
    selector = files["service-amf.yaml"]["spec"]["selector"]
    labels = files["deployment-amf.yaml"]["spec"]["template"]["metadata"]["labels"]
    other = render(IntentIdentity("edge", "net", "u", 1), plan(deploy("amf")), target_namespace="net", images=IMAGES)
    assert selector.items() <= labels.items()
    assert selector == files["deployment-amf.yaml"]["spec"]["selector"]["matchLabels"]
    assert selector != objects(other)["service-amf.yaml"]["spec"]["selector"]


def allows(policy: dict[str, Any], direction: str, side: str, component: str, port: int, protocol: str) -> bool:
    """Whether `policy` lets pods of `component` in the same namespace through."""
    wanted = {"port": port, "protocol": protocol}
    return any(
        component in peer["podSelector"]["matchExpressions"][0]["values"]
        for rule in policy["spec"][direction]
        if wanted in rule.get("ports", [])
        for peer in rule[side]
        if "podSelector" in peer
    )


def test_policies_let_every_interface_through_at_both_ends() -> None:
    """Wherever the facts know an interface between two functions, one may leave and the other let in, on its port."""
    files = objects(rendered(deploy(*COMPONENTS)))
    for name, it in knowledge().interfaces.items():
        for client, server, port in [(c, s, p) for c in it.clients for s in it.servers for p in it.ports]:
            if "e2-node" in {client, server}:
                continue
            fact = knowledge().ports[port]
            out, into = files[f"networkpolicy-{client}.yaml"], files[f"networkpolicy-{server}.yaml"]
            assert allows(out, "egress", "to", server, fact.number, fact.protocol), f"{name}: {client} to {server}"
            assert allows(into, "ingress", "from", client, fact.number, fact.protocol), f"{name}: {client} to {server}"


def test_policies_let_nothing_else_in() -> None:
    """A UPF is no business of an AUSF; names resolve; only a watched function is open to other namespaces."""
    files = objects(rendered(deploy("upf", "ausf")))
    upf = files["networkpolicy-upf.yaml"]
    assert not allows(upf, "ingress", "from", "ausf", 8805, "UDP")
    assert not any({"namespaceSelector": {}} in rule["from"] for rule in upf["spec"]["ingress"])
    assert any({"port": 53, "protocol": "UDP"} in rule.get("ports", []) for rule in upf["spec"]["egress"])
    watched = objects(rendered(deploy("upf", detail=Detail(monitoring=True))))["networkpolicy-upf.yaml"]["spec"][
        "ingress"
    ]
    assert {"ports": [{"port": 9090, "protocol": "TCP"}], "from": [{"namespaceSelector": {}}]} in watched


def test_the_way_out_leaves_out_where_clouds_keep_credentials() -> None:
    """N6 leads everywhere but to link-local addresses; other functions have no way out at all."""
    files = objects(rendered(deploy("upf", "amf")))
    blocks = [
        peer["ipBlock"]
        for rule in files["networkpolicy-upf.yaml"]["spec"]["egress"]
        for peer in rule["to"]
        if "ipBlock" in peer
    ]
    assert blocks == [
        {"cidr": "0.0.0.0/0", "except": ["169.254.0.0/16"]},
        {"cidr": "::/0", "except": ["fe80::/10"]},
    ]
    assert "ipBlock" not in str(files["networkpolicy-amf.yaml"])


def test_e2_nodes_register_with_the_ric_of_the_same_intent() -> None:
    """Only if that RIC really runs; otherwise with the operator's own."""
    together = deploy("near-rt-ric", "e2-node")
    spec = objects(rendered(together))["e2nodeset.yaml"]["spec"]
    assert spec["ricConfiguration"]["ricEndpoint"] == "http://core-near-rt-ric.net.svc:38080"
    assert "ricConfiguration" not in objects(rendered(together, images={}))["e2nodeset.yaml"]["spec"]
    assert "ricConfiguration" not in objects(rendered(deploy("e2-node")))["e2nodeset.yaml"]["spec"]


def test_settings_are_readable_in_any_script() -> None:
    """A site is shown as it was written, line by line."""
    content = rendered(deploy("amf", detail=Detail(site="Zürich-1"))).files["configmap-amf.yaml"].decode()
    assert '      "site": "Zürich-1"\n' in content


def test_the_sentence_is_kept_word_for_word() -> None:
    """The ConfigMap holds what the user wrote."""
    text = "Deploy AMF — «so schnell wie möglich» 立即 😀"
    assert objects(rendered(deploy("amf", text=text)))["configmap-amf.yaml"]["data"]["intent"] == text


def test_a_slice_and_a_policy_leave_something_real() -> None:
    """An intent without a function renders what was asked for as configuration."""
    told = objects(rendered(Meaning("Create", "slice", (), slice="mmtc", detail=Detail(site="edge01"))))
    assert '"sst": 3' in told["slice-configuration.yaml"]["data"]["slice.json"]
    assert told["slice-configuration.yaml"]["metadata"]["labels"]["nephoran.com/site"] == "edge01"
    kept = objects(rendered(Meaning("Enable", "configure", (), detail=Detail(encryption=True))))
    assert '"encryption": true' in kept["policy-configuration.yaml"]["data"]["policy.json"]


PARTS = [
    *knowledge().components,
    *(f"{component}-config" for component in COMPONENTS),
    "slice-config",
    "policy",
]


def test_no_part_of_a_name_ends_like_another() -> None:
    """Otherwise intents `a` and `a-b` could give two objects the same name."""
    assert not [(one, other) for one, other in permutations(PARTS, 2) if one.endswith(f"-{other}")]


names = st.from_regex(r"[a-z0-9]([-a-z0-9.]{0,80}[a-z0-9])?", fullmatch=True)


@given(names, st.sampled_from(PARTS), st.sampled_from(["net", "other"]))
def test_every_name_is_one_that_a_service_may_have(intent: str, part: str, namespace: str) -> None:
    """Whatever an intent is called, its objects have names within RFC 1035, and its labels values within 63."""
    place = Place(IntentIdentity(intent, "net", "u", 1), namespace)
    assert re.fullmatch(NAME, place.name(part))
    assert len(label_value(intent)) <= 63


@pytest.mark.parametrize("other", ["a-b", "a.b", "A-B", "a--b"])
def test_different_intents_have_different_names(other: str) -> None:
    """Not even those that differ only in what a name cannot hold, or in where they live."""
    here = Place(IntentIdentity("a.b.c", "net", "u", 1), "net").name("amf")
    there = Place(IntentIdentity("a.b.c", "far", "u", 1), "net").name("amf")
    assert len({here, there, Place(IntentIdentity(other, "net", "u", 1), "net").name("amf")}) == 3


texts = st.text(max_size=80) | st.sampled_from(
    [
        HOSTILE,
        "*alias",
        "&anchor x",
        "!!python/object:x",
        "{{ .Values }}",
        "'\"",
        "1e3",
        "0o7",
        "y",
        "{\n\r}",
        "- a\n- b",
    ]
)


@settings(max_examples=60, deadline=None)
@given(texts, texts)
def test_no_text_becomes_an_object(text: str, site: str) -> None:
    """Whatever a sentence holds, each file is one object of the same kind, and the text comes back whole."""
    kinds = {name: it["kind"] for name, it in objects(rendered(deploy("amf"))).items()}
    told = rendered(deploy("amf", text=text, detail=Detail(site=site)))
    documents = {name: list(yaml.safe_load_all(content)) for name, content in told.files.items()}
    assert {name: [it["kind"] for it in found] for name, found in documents.items()} == {
        name: [kind] for name, kind in kinds.items()
    }
    ((config,),) = [found for name, found in documents.items() if name == "configmap-amf.yaml"]
    assert config["data"]["intent"] == text.encode("utf-8", "replace").decode()


def test_a_lone_surrogate_is_replaced() -> None:
    """JSON can carry what UTF-8 cannot."""
    assert objects(rendered(deploy("amf", text="a\ud800b")))["configmap-amf.yaml"]["data"]["intent"] == "a?b"


@pytest.mark.parametrize(
    "text", ["1e3", "0o17", "0x1F", "y", "N", "on", "1_000", "12:30:45", ".5", "~", "2024-01-01", "+1"]
)
def test_what_yaml_readers_disagree_on_is_in_quotes(text: str) -> None:
    """A label that looks like a number in some version of YAML stays a text in all of them."""
    content = rendered(deploy("amf", detail=Detail(site=text))).files["service-amf.yaml"].decode()
    value = next(line for line in content.splitlines() if "nephoran.com/site" in line).partition(": ")[2]
    assert value.startswith(('"', "i-"))


def test_kustomize_accepts_the_directory(tmp_path: Path) -> None:
    """`kubectl kustomize` builds what the directory lists, object by object."""
    told = rendered(deploy("amf", "upf", text=HOSTILE, detail=Detail(autoscale=True)))
    for name, content in told.files.items():
        (tmp_path / name).write_bytes(content)
    built = subprocess.run(["kubectl", "kustomize", tmp_path], capture_output=True, check=True, timeout=30).stdout
    assert len(list(yaml.safe_load_all(built))) == len(told.files) - 1
