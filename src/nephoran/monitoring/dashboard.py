"""The dashboard as Grafana reads it. Source of the shape: Grafana's dashboard JSON model, schema version 39."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count
from string import ascii_uppercase
from typing import Any, Final

from nephoran.monitoring.panels import ROWS, Panel, Row

UID: Final = "nephoran"
_WIDTH, _HEIGHT, _LOW = 24, 8, 4  # the grid's columns, and the rows of a picture and of a number
_SOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}

Json = dict[str, Any]


def dashboard() -> Json:
    """All rows; data source and job are variables."""
    return {
        "uid": UID,
        "title": "Nephoran",
        "description": "The intent operator and its runtime.",
        "tags": ["nephoran", "kubernetes"],
        "schemaVersion": 39,
        "version": 1,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-1h", "to": "now"},
        "timezone": "browser",
        "annotations": {"list": []},
        "links": [],
        "templating": {"list": _variables()},
        "panels": list(_panels()),
    }


def _variables() -> list[Json]:
    job = {"query": "label_values(steady_hot_objects_total, job)", "refId": "job"}
    return [
        {"name": "datasource", "label": "Data source", "type": "datasource", "query": "prometheus", "current": {}},
        {
            "name": "job",
            "label": "Job",
            "type": "query",
            "datasource": _SOURCE,
            "query": job,
            "refresh": 2,
            "sort": 1,
            "current": {"text": "nephoran", "value": "nephoran"},
        },
    ]


def _panels() -> Iterator[Json]:
    ids, top = count(1), 0
    for row in ROWS:
        yield _heading(row, next(ids), top)
        top += 1
        width = _WIDTH // row.across
        height = _LOW if all(panel.kind == "stat" for panel in row.panels) else _HEIGHT
        for number, panel in enumerate(row.panels):
            place = {
                "x": number % row.across * width,
                "y": top + number // row.across * height,
                "w": width,
                "h": height,
            }
            yield _picture(panel, next(ids), place)
        top += -(-len(row.panels) // row.across) * height


def _heading(row: Row, number: int, top: int) -> Json:
    place = {"x": 0, "y": top, "w": _WIDTH, "h": 1}
    return {"id": number, "type": "row", "title": row.title, "collapsed": False, "gridPos": place, "panels": []}


def _picture(panel: Panel, number: int, place: Json) -> Json:
    look = {"fillOpacity": 25 if panel.stacked else 0, "stacking": {"mode": "normal" if panel.stacked else "none"}}
    stat = panel.kind == "stat"
    targets = [
        {"refId": letter, "datasource": _SOURCE, "expr": query.expr, "legendFormat": query.legend}
        for letter, query in zip(ascii_uppercase, panel.queries, strict=False)
    ]
    options: Json = {"reduceOptions": {"calcs": ["lastNotNull"]}}
    if not stat:
        options = {"legend": {"displayMode": "list", "placement": "bottom"}, "tooltip": {"mode": "multi"}}
    return {
        "id": number,
        "type": panel.kind,
        "title": panel.title,
        "description": panel.text,
        "gridPos": place,
        "datasource": _SOURCE,
        "targets": targets,
        "fieldConfig": {
            "defaults": {"unit": panel.unit, "min": 0, **({} if stat else {"custom": look})},
            "overrides": [],
        },
        "options": options,
    }
