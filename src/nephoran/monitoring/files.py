"""Rules and dashboard as files and manifests.

`deploy/monitoring/` holds the result for the defaults; after a change of the rules or panels, write it anew:

    python -m nephoran.monitoring.files --write deploy/monitoring
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from nephoran.api.install import as_yaml
from nephoran.api.names import SYSTEM_NAMESPACE
from nephoran.monitoring.alerts import GROUPS
from nephoran.monitoring.dashboard import dashboard
from nephoran.monitoring.rules import DEFAULTS, Options

_HEADING = "# Made by `python -m nephoran.monitoring.files --write deploy/monitoring`; edit the code, not this file.\n"
_LABELS = {"app.kubernetes.io/name": "nephoran"}

Manifest = dict[str, Any]


def rule_file(options: Options = DEFAULTS) -> Manifest:
    """What Prometheus' `rule_files` names."""
    return {"groups": [group.group(options) for group in GROUPS]}


def prometheus_rule(options: Options = DEFAULTS, namespace: str = SYSTEM_NAMESPACE) -> Manifest:
    """The same for the Prometheus Operator."""
    return {
        "apiVersion": "monitoring.coreos.com/v1",
        "kind": "PrometheusRule",
        "metadata": {"name": "nephoran", "namespace": namespace, "labels": _LABELS},
        "spec": rule_file(options),
    }


def config_map(namespace: str = SYSTEM_NAMESPACE) -> Manifest:
    """The dashboard for Grafana's sidecar, which looks for the label `grafana_dashboard`."""
    return {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {
            "name": "nephoran-dashboard",
            "namespace": namespace,
            "labels": {**_LABELS, "grafana_dashboard": "1"},
        },
        "data": {"nephoran.json": as_json(dashboard())},
    }


def as_json(value: Any) -> str:
    """Indented, for people and for what shows differences."""
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def files() -> dict[str, str]:
    """What `deploy/monitoring/` holds: the text of each file by its name."""
    return {
        "rules.yaml": _HEADING + as_yaml([rule_file()]),
        "prometheusrule.yaml": _HEADING + as_yaml([prometheus_rule()]),
        "dashboard.json": as_json(dashboard()),
        "dashboard-configmap.yaml": _HEADING + as_yaml([config_map()]),
    }


def main(arguments: Sequence[str] | None = None) -> None:
    """Write the files of `deploy/monitoring/` into a folder."""
    parser = argparse.ArgumentParser(prog="python -m nephoran.monitoring.files", description=main.__doc__)
    parser.add_argument("--write", metavar="FOLDER", type=Path, required=True)
    folder: Path = parser.parse_args(arguments).write
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
