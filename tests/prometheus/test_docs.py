"""What the documents tell to configure and to ask is accepted by Prometheus itself."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from nephoran.monitoring.files import files
from steady.testing.prometheus import Programs
from tests.unit.docs.pages import DOCS, blocks, queries

pytestmark = pytest.mark.prometheus


def test_the_queries_of_all_pages_parse(programs: Programs, tmp_path: Path) -> None:
    """Each as a rule, which promtool reads."""
    found = [query for block in blocks("promql") for query in queries(block.text)]
    rules = [{"record": f"query_{number}", "expr": query} for number, query in enumerate(found)]
    (tmp_path / "queries.yaml").write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}))
    done = programs.check("check", "rules", "queries.yaml", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"{len(found)} rules found" in done.stdout


def shown() -> tuple[dict[str, Any], dict[str, Any]]:
    """The guide's configuration of Prometheus, and its PodMonitor."""
    text = (DOCS / "monitoring.md").read_text(encoding="utf-8")
    prometheus, pod_monitor = re.findall(r"^```yaml\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
    return yaml.safe_load(prometheus), yaml.safe_load(pod_monitor)


def shipped() -> dict[str, Any]:
    """The Deployment that both are to find."""
    install = (DOCS.parent / "deploy" / "install.yaml").read_text(encoding="utf-8")
    (deployment,) = [it for it in yaml.safe_load_all(install) if it["kind"] == "Deployment"]
    found: dict[str, Any] = deployment
    return found


def test_the_configuration_that_the_guide_shows_is_accepted(programs: Programs, tmp_path: Path) -> None:
    """With the rules that it names beside it; Debian's Prometheus is built without discovery in Kubernetes."""
    whole, _ = shown()
    (job,) = whole["scrape_configs"]
    assert job.pop("kubernetes_sd_configs") == [{"role": "pod", "namespaces": {"names": ["nephoran-system"]}}]
    job["static_configs"] = [{"targets": ["127.0.0.1:8081"]}]
    (tmp_path / "prometheus.yaml").write_text(yaml.safe_dump(whole))
    (tmp_path / "rules.yaml").write_text(files()["rules.yaml"])
    done = programs.check("check", "config", "prometheus.yaml", folder=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


def test_both_ways_to_scrape_find_the_pod_that_is_shipped() -> None:
    """By its label and the name of its port, under the job that the rules are made for."""
    whole, monitor = shown()
    (job,) = whole["scrape_configs"]
    deployment = shipped()
    labels = deployment["spec"]["template"]["metadata"]["labels"]
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    ports = {port["name"] for port in container["ports"]}
    assert job["job_name"] == labels["app.kubernetes.io/name"] == "nephoran"
    (kept,) = job["relabel_configs"]
    assert kept["source_labels"] == [
        "__meta_kubernetes_pod_label_app_kubernetes_io_name",
        "__meta_kubernetes_pod_container_port_name",
    ]
    assert kept["regex"] in {f"{labels['app.kubernetes.io/name']};{port}" for port in ports}
    assert monitor["metadata"]["namespace"] == deployment["metadata"]["namespace"]
    assert monitor["spec"]["selector"]["matchLabels"].items() <= labels.items()
    assert labels[monitor["spec"]["jobLabel"]] == "nephoran"
    assert {endpoint["port"] for endpoint in monitor["spec"]["podMetricsEndpoints"]} <= ports
