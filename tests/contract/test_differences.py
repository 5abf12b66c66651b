"""Both servers give the same answers to whatever they are asked.

`DIFFERENCES=5000` looks for more than the few seconds of an ordinary run can find.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from steady.testing.target import Target
from tests.contract.api import DEADLINE_SECONDS, Api
from tests.contract.operations import CONFIG_MAPS, WIDGETS, Side, Step, steps
from tests.contract.widgets import CRDS, GROUP, crd, install

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.real]
EXAMPLES = int(os.environ.get("DIFFERENCES", "60"))
_numbers = itertools.count()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def apis(embedded_server: Target, real_server: Target) -> AsyncIterator[tuple[Api, Api]]:
    """The embedded and the real server, both with the kind Widget."""
    limit = aiohttp.ClientTimeout(total=None, sock_connect=10, sock_read=DEADLINE_SECONDS)
    async with aiohttp.ClientSession(timeout=limit) as session:
        pair = Api(embedded_server, session), Api(real_server, session)
        for api in pair:
            if (await api.get(f"{CRDS}/widgets.{GROUP}")).status != 200:
                await install(api, crd())
        yield pair


@given(asked=st.lists(steps, min_size=1, max_size=12))
@settings(
    max_examples=EXAMPLES,
    derandomize="DIFFERENCES" not in os.environ,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
async def test_both_servers_answer_alike(apis: tuple[Api, Api], asked: list[Step]) -> None:
    """Codes, reasons, messages, objects and events are the same, whatever is asked in whatever order."""
    namespace = f"differences-{next(_numbers)}"
    sides = [Side(api, namespace) for api in apis]
    for api in apis:
        created = await api.post("/api/v1/namespaces", {"metadata": {"name": namespace}})
        assert created.status == 201, created.text
    versions = [await side.version() for side in sides]
    for step in asked:
        embedded, real = [await side.take(step) for side in sides]
        assert embedded == real
    for plural in (WIDGETS, CONFIG_MAPS):
        embedded, real = [await side.events(plural, at) for side, at in zip(sides, versions, strict=True)]
        assert embedded == real
