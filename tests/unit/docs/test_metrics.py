"""docs/reference/metrics.md is what is declared."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from nephoran.cli.monitoring import page
from steady import Metrics
from steady.metrics.aliases import SOURCES
from steady.metrics.reference import reference
from tests.unit.monitoring.test_rules import families

PAGE = (Path(__file__).parents[3] / "docs" / "reference" / "metrics.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `(\w+)` \| (\w+) \| (.*?) \| (.+) \|$", PAGE, re.MULTILINE)


def test_the_page_is_current() -> None:
    """After a change of a family: `nephoran monitoring metrics > docs/reference/metrics.md`."""
    assert page() == PAGE


def test_every_series_of_the_operator_belongs_to_a_family_of_the_page() -> None:
    """Those of the library and of the scraper aside."""
    listed = {name.removesuffix("_total") for name, *_ in ROWS}
    found = {re.sub(r"_(?:bucket|count|sum|created|total)$", "", name) for name in families()}
    assert {name for name in found - listed if not name.startswith(("process_", "python_"))} == {"up"}


def test_every_family_says_what_it_means() -> None:
    """In a sentence that ends, and no label names an object."""
    assert [name for name, _, _, meaning in ROWS if not meaning.endswith(".")] == []
    assert not {label for _, _, labels, _ in ROWS for label in re.findall(r"`(\w+)`", labels)} & {"namespace", "uid"}


def test_every_name_of_controller_runtime_says_what_it_is_made_from() -> None:
    """A family of ours that there is."""
    names = {name for name, *_ in ROWS}
    assert {name for name in names if name.startswith("controller_runtime_")} == SOURCES.keys()
    assert set(SOURCES.values()) <= names


def test_a_family_without_a_section_is_an_error() -> None:
    """A new prefix does not fall off the page unseen."""
    with pytest.raises(ValueError, match=r"no section for .*workqueue_depth"):
        reference(Metrics().registry, {"Ours": ("steady_", "controller_", "rest_", "leader_")})
