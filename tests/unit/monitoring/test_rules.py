"""Rules as data: what stands in deploy/monitoring is what the code says, and no rule keeps an object's name."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from examples.echo import controller
from nephoran.api.names import SYSTEM_NAMESPACE
from nephoran.e2.fleet import Fleet
from nephoran.e2.simulator import MemoryRic
from nephoran.metrics import OperatorMetrics
from nephoran.monitoring.alerts import GROUPS, alerts
from nephoran.monitoring.files import files, main, prometheus_rule, rule_file
from nephoran.monitoring.panels import ROWS
from nephoran.monitoring.rules import Options, Recording, Severity
from nephoran.repository.drift import Drift
from steady import BatchConfig
from steady.clock import SystemClock
from steady.errors import ConfigurationError
from steady.metrics.children import Children
from steady.metrics.families import DURATIONS
from steady.queue import Priority
from steady.status.statistics import Tally

DEPLOY = Path(__file__).parents[3] / "deploy" / "monitoring"
RULES = [rule for group in GROUPS for rule in group.rules]
EXPRESSIONS = [rule.expr for rule in RULES] + [
    query.expr for row in ROWS for panel in row.panels for query in panel.queries
]
SELECTOR = re.compile(r"\b([a-z_:0-9]+){([^}]*)}")
RECORDED = {rule.record for rule in RULES if isinstance(rule, Recording)}


def alert(name: str) -> str:
    """An alert's expression."""
    (found,) = [it.expr for it in alerts() if it.name == name]
    return found


def families() -> dict[str, set[str]]:
    """Every family that the operator declares, and the scraper's own, by the names of its series, with its labels."""
    found: dict[str, set[str]] = {"up": set()}
    metrics = OperatorMetrics()
    metrics.follow(Fleet(lambda _: MemoryRic(), SystemClock()), {})
    metrics.memories()
    metrics.watch(Drift())
    runtime = metrics.runtime
    runtime.statuses({"kind": Tally()}, [priority.name.lower() for priority in Priority])
    registry = runtime.registry
    for collector in set(registry._collector_to_names):
        labels = set(collector.labels if isinstance(collector, Children) else getattr(collector, "_labelnames", ()))
        for name in registry._collector_to_names[collector]:
            found[name] = labels
    for metric in registry.collect():
        for sample in metric.samples:
            found.setdefault(sample.name, set()).update(set(sample.labels) - {"le"})
    return found


def test_the_files_in_deploy_are_current() -> None:
    """A change of rules or panels is followed by `python -m nephoran.monitoring.files --write deploy/monitoring`."""
    found = {path.name: path.read_text(encoding="utf-8") for path in DEPLOY.iterdir()}
    assert found == files()


def test_writing_makes_the_files(tmp_path: Path) -> None:
    """`--write` creates the folder that it needs."""
    main(["--write", str(tmp_path / "new")])
    assert {path.name for path in (tmp_path / "new").iterdir()} == set(files())


def test_every_series_exists_and_is_asked_for_by_labels_that_it_has() -> None:
    """A typing error would be an alert that never fires."""
    known = families()
    for expr in EXPRESSIONS:
        for name, labels in SELECTOR.findall(expr):
            assert name in known, expr
            assert set(re.findall(r"(\w+)(?:=|!)", labels)) - {"job"} <= known[name], expr


def test_every_series_is_asked_for_by_its_job() -> None:
    """Other operators expose the same names, those of controller-runtime above all; what is recorded has one job."""
    known = families()
    for expr in EXPRESSIONS:
        assert all('job="$job"' in labels for _, labels in SELECTOR.findall(expr)), expr
        bare = set(re.findall(r"[a-z_:0-9]+", SELECTOR.sub("", expr)))
        assert not bare & known.keys() - RECORDED, expr


def test_no_expression_keeps_an_objects_name() -> None:
    """One alert per intent would be one page per intent."""
    for expr in EXPRESSIONS:
        kept = {label for labels in re.findall(r"\bby \(([^)]*)\)", expr) for label in re.split(r",\s*", labels)}
        assert not kept & {"namespace", "object", "uid", "node", "endpoint"}
        assert "without" not in expr


def test_the_seeds_two_alerts_are_put_right() -> None:
    """A quantile of the fleet against a bound that the buckets have, and a ratio whose sides have the same labels."""
    recorded = {rule.record: rule.expr for rule in RULES if isinstance(rule, Recording)}
    latency, threshold = alert("HighReconcileLatency").split(" > ")
    assert recorded[latency] == (
        "histogram_quantile(0.95, sum by (le, controller) "
        '(rate(controller_reconcile_duration_seconds_bucket{job="$job", phase="main"}[5m])))'
    )
    assert float(threshold) in DURATIONS
    ratio, threshold = alert("HighErrorRate").split(" > ")
    assert recorded[ratio] == (
        'sum by (controller) (rate(controller_reconcile_total{job="$job", result=~"error|timeout"}[5m])) '
        '/ sum by (controller) (rate(controller_reconcile_total{job="$job"}[5m]))'
    )
    assert threshold == "0.1"


def test_thresholds_follow_what_they_are_about() -> None:
    """A reconcile's deadline, the room for statuses, and the memory that the Deployment allows."""
    assert float(alert("ReconcileStuck").split(" > ")[1]) > controller.deadline
    assert int(alert("StatusQueueFilling").split(" > ")[1]) == BatchConfig().max_queue_size / 2
    install = yaml.safe_load_all((DEPLOY.parent / "install.yaml").read_text(encoding="utf-8"))
    (deployment,) = [it for it in install if it["kind"] == "Deployment"]
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    limit = int(container["resources"]["limits"]["memory"].removesuffix("Mi")) * 2**20
    assert int(alert("HighMemory").split(" > ")[1]) == int(0.8 * limit)


def test_every_alert_says_what_it_is_about() -> None:
    """A severity, a line, a sentence, and where to read on."""
    for it in alerts():
        rule = it.rule(Options(job="oran", runbooks="https://docs.example/runbooks/"))
        assert rule["labels"] == {"job": "oran", "severity": it.severity}
        assert it.severity in Severity
        notes = rule["annotations"]
        assert notes["runbook_url"] == f"https://docs.example/runbooks/{it.page}"
        assert notes["summary"]
        assert not notes["summary"].endswith(".")
        assert notes["description"].endswith(".")
        assert "$job" not in str(rule)


@pytest.mark.parametrize("job", ['a"b', "", "a\\b", "a b"])
def test_a_job_that_would_break_the_expressions_is_refused(job: str) -> None:
    """With the value that is wrong."""
    with pytest.raises(ConfigurationError, match="job"):
        Options(job=job)


def test_the_manifest_holds_the_same_rules() -> None:
    """For those who run the Prometheus Operator."""
    made = prometheus_rule()
    assert (made["apiVersion"], made["kind"]) == ("monitoring.coreos.com/v1", "PrometheusRule")
    assert made["metadata"]["namespace"] == SYSTEM_NAMESPACE
    assert made["spec"] == rule_file()
    assert prometheus_rule(namespace="elsewhere")["metadata"]["namespace"] == "elsewhere"
