"""What every test may use."""

from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.behaviour.house import witnessed

pytest_plugins = ["steady.testing.plugin"]

# Machines differ in speed: no test is decided by the time that it took.
settings.register_profile("patient", deadline=None)
settings.load_profile("patient")


@pytest.fixture
def rules_of_conditions() -> Iterator[None]:
    """No status that an operator writes, at the end or on the way, breaks a rule (`tests.kstatus.broken`)."""
    with witnessed() as found:
        yield
    assert found == []
