"""Every structural rule of Kubernetes finds its breach and names the place."""

from __future__ import annotations

from typing import Any

import pytest

from steady.schema import problems
from tests.unit.schema.breaches import ACCEPTED, KEYS, LET_THROUGH, REFUSED


@pytest.mark.parametrize(("schema", "problem"), REFUSED + LET_THROUGH + KEYS, ids=str)
def test_each_breach_is_named(schema: dict[str, Any], problem: str) -> None:
    """One breach, one problem, with its place."""
    found = problems(schema)
    assert len(found) == 1
    assert problem in found[0]


@pytest.mark.parametrize("schema", ACCEPTED, ids=str)
def test_what_the_server_accepts_is_no_problem(schema: dict[str, Any]) -> None:
    """The allowed exceptions stay allowed."""
    assert problems(schema) == []
