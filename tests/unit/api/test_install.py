"""What is installed: exactly the rights that are used, a restricted pod, and files that match the code."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from nephoran.api.install import as_yaml, files, main, manifests

DEPLOY = Path(__file__).parents[3] / "deploy"


def of_kind(kind: str, **options: Any) -> list[dict[str, Any]]:
    return [each for each in manifests(**options) if each["kind"] == kind]


def test_the_files_in_deploy_are_current() -> None:
    """A change of a type is followed by `python -m nephoran.api.install --write deploy`; no other file is there.

    What is for Prometheus and Grafana is made elsewhere.
    """
    paths = [path for path in DEPLOY.rglob("*.yaml") if path.parent.name != "monitoring"]
    found = {str(path.relative_to(DEPLOY)): path.read_text("utf-8") for path in paths}
    assert found == files()


def test_writing_makes_the_files(tmp_path: Path) -> None:
    """`--write` creates the folders that it needs."""
    main(["--write", str(tmp_path / "new")])
    assert sorted(path.name for path in tmp_path.rglob("*.yaml")) == sorted(Path(name).name for name in files())


def test_printing_gives_all_manifests(capsys: pytest.CaptureFixture[str]) -> None:
    """Without options everything goes to standard output, for `kubectl apply -f -`."""
    main([])
    assert list(yaml.safe_load_all(capsys.readouterr().out)) == manifests()


def test_yaml_reads_back_as_it_was_without_anchors() -> None:
    """No alias, no lost character, no changed value."""
    text = as_yaml(manifests())
    assert list(yaml.safe_load_all(text)) == manifests()
    assert "&id" not in text


def test_what_others_need_comes_first() -> None:
    """The namespace and the CRDs stand before everything that lives in them."""
    kinds = [each["kind"] for each in manifests()]
    assert kinds[:4] == ["Namespace", "CustomResourceDefinition", "CustomResourceDefinition", "ServiceAccount"]
    assert kinds[-1] == "Deployment"


def test_rights_are_exactly_those_that_are_used() -> None:
    """Every verb by group and resource: cluster-wide, and in the operator's own namespace."""
    (cluster,), (own,) = of_kind("ClusterRole"), of_kind("Role")
    granted = {
        (group, name): set(rule["verbs"])
        for role in (cluster, own)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for name in rule["resources"]
    }
    assert granted == {
        ("nephoran.com", "networkintents"): {"get", "list", "watch", "patch"},
        ("nephoran.com", "e2nodesets"): {"get", "list", "watch", "patch"},
        ("nephoran.com", "networkintents/status"): {"patch"},
        ("nephoran.com", "e2nodesets/status"): {"patch"},
        ("", "configmaps"): {"get", "list", "watch", "create", "patch", "delete"},
        ("apps", "deployments"): {"get", "list", "watch"},
        ("events.k8s.io", "events"): {"create"},
        ("coordination.k8s.io", "leases"): {"get", "create", "update"},
    }
    assert [name for rule in own["rules"] for name in rule["resources"]] == ["leases"]


@pytest.mark.parametrize(("choice", "count"), [("auto", 2), ("on", 2), ("off", 0)])
def test_the_admission_policy_is_a_choice(choice: str, count: int) -> None:
    """One policy and one binding per kind, or none."""
    assert len(of_kind("MutatingAdmissionPolicy", admission_policy=choice)) == count
    assert len(of_kind("MutatingAdmissionPolicyBinding", admission_policy=choice)) == count


def test_the_policy_only_adds_at_create_and_never_stands_in_the_way() -> None:
    """CREATE only, one kind each, failure ignored."""
    for policy in of_kind("MutatingAdmissionPolicy"):
        (rule,) = policy["spec"]["matchConstraints"]["resourceRules"]
        assert rule["operations"] == ["CREATE"]
        assert policy["spec"]["failurePolicy"] == "Ignore"
        assert policy["metadata"]["name"] == f"finalizer.{rule['resources'][0]}.nephoran.com"


def test_every_part_goes_to_the_chosen_namespace() -> None:
    """Namespaced objects and the subjects of both bindings follow `namespace`."""
    made = manifests(namespace="elsewhere", image="registry.example/nephoran:9")
    assert made[0]["metadata"]["name"] == "elsewhere"
    assert {each["metadata"]["namespace"] for each in made if "namespace" in each["metadata"]} == {"elsewhere"}
    subjects = [subject for each in made for subject in each.get("subjects", ())]
    assert [subject["namespace"] for subject in subjects] == ["elsewhere", "elsewhere"]
    (container,) = made[-1]["spec"]["template"]["spec"]["containers"]
    assert container["image"] == "registry.example/nephoran:9"
    assert "--lease-namespace=elsewhere" in container["args"]


def test_manifests_go_to_a_volume_or_to_a_remote() -> None:
    """Without a remote a claim keeps the repository and one pod at a time writes it; with one, nothing need be kept."""
    (local,), (remote,) = of_kind("Deployment"), of_kind("Deployment", git_url="https://git.example/x.git")
    assert of_kind("PersistentVolumeClaim")
    assert not of_kind("PersistentVolumeClaim", git_url="https://git.example/x.git")
    assert local["spec"]["strategy"] == {"type": "Recreate"}
    arguments = local["spec"]["template"]["spec"]["containers"][0]["args"]
    assert "--work=/var/lib/nephoran/work" in arguments
    assert not [each for each in arguments if each.startswith("--git-url")]
    assert "--git-url=https://git.example/x.git" in remote["spec"]["template"]["spec"]["containers"][0]["args"]


def test_the_pod_asks_both_probes_on_the_port_that_it_opens() -> None:
    """Liveness and readiness go to the named port of the container."""
    (container,) = of_kind("Deployment")[0]["spec"]["template"]["spec"]["containers"]
    assert container["livenessProbe"]["httpGet"] == {"path": "/livez", "port": "probes"}
    assert container["readinessProbe"]["httpGet"] == {"path": "/readyz", "port": "probes"}
    assert container["ports"] == [{"name": "probes", "containerPort": 8081}]
    assert "--probes=0.0.0.0:8081" in container["args"]
