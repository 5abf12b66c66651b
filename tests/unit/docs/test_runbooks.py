"""Each alert has its runbook, each runbook its alert, and what they tell to ask exists."""

from __future__ import annotations

import re

import pytest

from nephoran.cli import cli
from nephoran.monitoring.alerts import alerts
from nephoran.monitoring.rules import Alert
from tests.unit.docs.pages import DOCS, blocks, options, queries
from tests.unit.monitoring.test_rules import SELECTOR

RUNBOOKS = DOCS / "runbooks"
PAGES = {path.name: path.read_text(encoding="utf-8") for path in RUNBOOKS.iterdir()}
HEADINGS = ["What it means", "What it costs", "How to look", "How to mend"]


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
def test_the_queries_of_a_page_are_of_our_job(name: str) -> None:
    """Other operators expose the same names."""
    found = [
        query for block in blocks("promql") if block.page == f"docs/runbooks/{name}" for query in queries(block.text)
    ]
    assert all('job="nephoran"' in labels for query in found for _, labels in SELECTOR.findall(query))


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
