"""What holds in every behaviour test, whatever it is about."""

import pytest


@pytest.fixture(autouse=True)
def always(rules_of_conditions: None) -> None:
    """The rules of conditions."""
