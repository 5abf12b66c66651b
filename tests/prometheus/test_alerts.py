"""Each alert fires when it should and not before, and stays silent in what comes close. Judged by promtool."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from nephoran.monitoring.alerts import alerts
from nephoran.monitoring.files import rule_file
from nephoran.monitoring.rules import DEFAULTS, Alert
from steady.testing.prometheus import Programs
from tests.prometheus.cases import CASES, Case, Series

pytestmark = pytest.mark.prometheus

ALERTS = {alert.name: alert for alert in alerts()}


@pytest.fixture
def workshop(tmp_path: Path) -> Path:
    """A folder with the rules."""
    (tmp_path / "rules.yaml").write_text(yaml.safe_dump(rule_file()), encoding="utf-8")
    return tmp_path


def expected(alert: Alert, case: Case) -> dict[str, Any]:
    """Labels and texts of the alert that fires."""

    def filled(text: str) -> str:
        text = re.sub(r"{{ \$labels\.(\w+) }}", lambda found: case.labels[found[1]], text)
        return re.sub(r"{{ \$value[^}]*}}", case.value, text)

    rule = alert.rule(DEFAULTS)
    texts = {name: filled(text) for name, text in rule["annotations"].items()}
    return {"exp_labels": {**rule["labels"], **case.labels}, "exp_annotations": texts}


def scenario(alert: str, name: str, series: Series, expectations: Sequence[tuple[int, list[Any]]]) -> dict[str, Any]:
    """One test as promtool reads it."""
    return {
        "name": f"{alert}: {name}",
        "interval": "1m",
        "input_series": [{"series": _with_job(each), "values": values} for each, values in series.items()],
        "alert_rule_test": [
            {"alertname": alert, "eval_time": f"{minute}m", "exp_alerts": found} for minute, found in expectations
        ],
    }


def _with_job(series: str) -> str:
    name, _, labels = series.partition("{")
    return f'{name}{{job="nephoran", {labels or "}"}'


def judged(programs: Programs, workshop: Path, tests: Iterator[dict[str, Any]]) -> tuple[int, str]:
    """What promtool says of `tests`."""
    whole = {"rule_files": ["rules.yaml"], "evaluation_interval": "1m", "tests": list(tests)}
    (workshop / "tests.yaml").write_text(yaml.safe_dump(whole), encoding="utf-8")
    done = programs.check("test", "rules", "tests.yaml", folder=workshop)
    return done.returncode, done.stdout + done.stderr


def test_every_alert_has_its_cases() -> None:
    """One of each, and none for an alert that is no more."""
    assert sorted(case.alert for case in CASES) == sorted(ALERTS)
    assert all(case.firing and case.silent for case in CASES)


def test_prometheus_accepts_the_rules(programs: Programs, workshop: Path) -> None:
    """Every expression and template, and no name twice."""
    done = programs.check("check", "rules", "rules.yaml", folder=workshop)
    assert done.returncode == 0, done.stderr
    assert f"{len(ALERTS) + 5} rules found" in done.stdout


@pytest.mark.parametrize("case", CASES, ids=[case.alert for case in CASES])
def test_an_alert_fires_when_it_should_and_not_before(programs: Programs, workshop: Path, case: Case) -> None:
    """With exactly the labels and texts that somebody on call reads."""
    fired = [expected(ALERTS[case.alert], case)]
    tests = [scenario(case.alert, "fires", case.firing, [(case.early, []), (case.at, fired)])]
    code, said = judged(programs, workshop, iter(tests))
    assert code == 0, said


@pytest.mark.parametrize("case", CASES, ids=[case.alert for case in CASES])
def test_an_alert_is_silent_in_a_near_miss(programs: Programs, workshop: Path, case: Case) -> None:
    """At any minute of an hour."""
    minutes: list[tuple[int, list[Any]]] = [(minute, []) for minute in range(1, 60)]
    tests = (scenario(case.alert, name, series, minutes) for name, series in case.silent.items())
    code, said = judged(programs, workshop, tests)
    assert code == 0, said


def test_these_tests_can_fail(programs: Programs, workshop: Path) -> None:
    """An alert that is expected where it does not fire is reported, and so is one that fires unexpectedly."""
    case = CASES[0]
    silent = next(iter(case.silent.values()))
    unmet = scenario(case.alert, "unmet", silent, [(case.at, [expected(ALERTS[case.alert], case)])])
    unasked = scenario(case.alert, "unasked", case.firing, [(case.at, [])])
    for test in (unmet, unasked):
        code, said = judged(programs, workshop, iter([test]))
        assert code == 1
        assert "FAILED" in said
