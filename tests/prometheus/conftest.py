"""A real Prometheus for the tests here."""

from __future__ import annotations

import pytest

from steady.testing.prometheus import Programs, PrometheusMissingError, locate


@pytest.fixture(scope="session")
def programs() -> Programs:
    """The real `prometheus` and `promtool`."""
    try:
        return Programs(locate())
    except PrometheusMissingError as missing:
        pytest.fail(f"{missing}; or leave these tests out with -m 'not prometheus'", pytrace=False)
