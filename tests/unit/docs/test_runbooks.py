"""Each alert has its runbook, each runbook its alert, and what they tell to ask exists."""

from __future__ import annotations

import re

import pytest

from nephoran.cli import cli
from nephoran.monitoring.alerts import alerts
from nephoran.monitoring.rules import Alert
from tests.unit.docs.pages import DOCS, options
from tests.unit.monitoring.test_rules import SELECTOR, families

RUNBOOKS = DOCS / "runbooks"
PAGES = {path.name: path.read_text(encoding="utf-8") for path in RUNBOOKS.iterdir()}
HEADINGS = ["What it means", "What it costs", "How to look", "How to mend"]


def queries(page: str) -> list[str]:
    """Every query of a page; an indented line goes on with the one above."""
    blocks = re.findall(r"^```promql\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    return [query for block in blocks for query in re.split(r"\n(?! )", block.strip())]


def test_each_alert_has_a_page_and_each_page_an_alert() -> None:
    """The name of the page is the one that the alert links to."""
    assert sorted(PAGES) == sorted(alert.page for alert in alerts())


@pytest.mark.parametrize("alert", alerts(), ids=[alert.name for alert in alerts()])
def test_a_page_answers_four_questions(alert: Alert) -> None:
    """What it means, what it costs, how to look, how to mend; and how to look is more than words."""
    page = PAGES[alert.page]
    assert page.startswith(f"# {alert.name}\n")
    assert re.findall(r"^## (.+)$", page, re.MULTILINE) == HEADINGS
    look = page.split("## How to look")[1].split("## How to mend")[0]
    assert re.search("^```(console|promql)$", look, re.MULTILINE)


@pytest.mark.parametrize("name", PAGES)
def test_the_queries_of_a_page_ask_for_series_that_exist(name: str) -> None:
    """By labels that they have, and of our job."""
    known = families()
    for query in queries(PAGES[name]):
        found = SELECTOR.findall(query)
        assert found, query
        for series, labels in found:
            assert series in known, query
            assert 'job="nephoran"' in labels
            assert set(re.findall(r"(\w+)(?:=|!)", labels)) - {"job"} <= known[series], query


def test_the_table_of_alerts_is_that_of_the_rules() -> None:
    """docs/monitoring.md lists every alert with its severity and page, in the order of the rules."""
    text = (DOCS / "monitoring.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| \[(\w+)\]\(runbooks/([\w.-]+)\) \| (\w+) \|", text, re.MULTILINE)
    assert rows == [(alert.name, alert.page, str(alert.severity)) for alert in alerts()]


def test_the_commands_of_the_pages_exist() -> None:
    """Options and subcommands of our own that a page names."""
    known = set().union(*(options(command) for command in cli.commands.values()))
    for page in PAGES.values():
        for option in re.findall(r"`(--[a-z-]+)", page):
            assert option in known, option
