"""The dashboard has the shape that Grafana documents, and the seed's queries, put right."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest

from nephoran.monitoring.dashboard import dashboard
from nephoran.monitoring.files import config_map

DASHBOARD = dashboard()
PANELS: list[dict[str, Any]] = DASHBOARD["panels"]
PICTURES = [panel for panel in PANELS if panel["type"] != "row"]
QUERIES = [target["expr"] for panel in PICTURES for target in panel["targets"]]
# Of https://grafana.com/docs/grafana/latest/panels-visualizations/configure-standard-options/, those in use.
UNITS = {"none", "short", "percentunit", "s", "bytes", "ops", "reqps"}


def cells(panel: dict[str, Any]) -> set[tuple[int, int]]:
    """The squares of the grid that a panel covers."""
    place = panel["gridPos"]
    return set(
        itertools.product(range(place["x"], place["x"] + place["w"]), range(place["y"], place["y"] + place["h"]))
    )


def test_it_is_a_dashboard() -> None:
    """The keys of the JSON model, and nothing that only one Grafana would know."""
    assert DASHBOARD["schemaVersion"] >= 36
    assert DASHBOARD["title"]
    assert DASHBOARD["uid"]
    assert "id" not in DASHBOARD
    assert set(DASHBOARD["time"]) == {"from", "to"}
    assert json.loads(json.dumps(DASHBOARD)) == DASHBOARD


def test_data_source_and_job_are_variables() -> None:
    """It can be imported anywhere; the first choice is what the shipped rules are made for."""
    source, job = DASHBOARD["templating"]["list"]
    assert (source["name"], source["type"], source["query"]) == ("datasource", "datasource", "prometheus")
    assert (job["name"], job["type"], job["current"]["value"]) == ("job", "query", "nephoran")
    # A series without labels is there from the first moment, with a Lease or without.
    assert job["query"]["query"] == "label_values(steady_hot_objects_total, job)"
    for panel in PICTURES:
        for holder in (panel, *panel["targets"]):
            assert holder["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
    assert all('job="$job"' in query for query in QUERIES)


def test_no_two_panels_overlap_and_none_leaves_the_grid() -> None:
    """Twenty-four columns; ids are unique."""
    taken: set[tuple[int, int]] = set()
    for panel in PANELS:
        assert not taken & cells(panel), panel["title"]
        taken |= cells(panel)
    assert max(x for x, _ in taken) < 24
    assert len({panel["id"] for panel in PANELS}) == len(PANELS)


def test_rows_stand_above_their_panels() -> None:
    """Each heading is one line high, as wide as the grid, and is followed by pictures."""
    assert PANELS[0]["type"] == "row"
    for heading, below in itertools.pairwise(PANELS):
        if heading["type"] == "row":
            assert (heading["gridPos"]["x"], heading["gridPos"]["w"], heading["gridPos"]["h"]) == (0, 24, 1)
            assert below["gridPos"]["y"] == heading["gridPos"]["y"] + 1
            assert below["type"] != "row"


@pytest.mark.parametrize("panel", PICTURES, ids=[panel["title"] for panel in PICTURES])
def test_every_panel_says_what_it_shows(panel: dict[str, Any]) -> None:
    """A known type and unit, a description, and a legend for each of its queries."""
    assert panel["type"] in {"timeseries", "stat"}
    assert panel["title"]
    assert panel["description"].endswith(".")
    assert panel["fieldConfig"]["defaults"]["unit"] in UNITS
    assert panel["fieldConfig"]["overrides"] == []
    letters = [target["refId"] for target in panel["targets"]]
    assert letters == ["A", "B", "C"][: len(letters)]
    assert letters
    assert all(target["legendFormat"] for target in panel["targets"])


@pytest.mark.parametrize(
    "query",
    [
        (
            "histogram_quantile(0.95, sum by (le, controller) "
            '(rate(controller_reconcile_duration_seconds_bucket{job="$job", phase="main"}[5m])))'
        ),
        'sum by (controller, error_type) (rate(controller_reconcile_errors_total{job="$job"}[5m]))',
        'sum by (controller, backoff_strategy) (rate(controller_reconcile_requeue_total{job="$job"}[5m]))',
        'sum by (controller, operation, result) (rate(controller_api_call_total{job="$job"}[5m]))',
    ],
)
def test_the_seeds_four_queries_are_there_put_right(query: str) -> None:
    """Theirs put `by` behind a function, which does not parse, and had no `le`."""
    assert query in QUERIES


def test_the_config_map_is_found_by_grafanas_sidecar() -> None:
    """By its label; it holds the same JSON."""
    made = config_map("somewhere")
    assert made["metadata"]["labels"]["grafana_dashboard"] == "1"
    assert made["metadata"]["namespace"] == "somewhere"
    assert json.loads(made["data"]["nephoran.json"]) == DASHBOARD
