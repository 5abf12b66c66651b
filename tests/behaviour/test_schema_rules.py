"""Our judgement of a schema is that of a real API server."""

from __future__ import annotations

from collections.abc import AsyncIterator

import aiohttp
import pytest
import pytest_asyncio

from steady.objects.keys import CRDS
from steady.testing.target import Target
from tests.contract.api import Api
from tests.unit.schema.breaches import ACCEPTED, KEYS, LET_THROUGH, REFUSED, Schema

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="session")]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def api(real_server: Target) -> AsyncIterator[Api]:
    """The real server."""
    async with aiohttp.ClientSession() as session:
        yield Api(real_server, session)


async def refused(api: Api, schema: Schema) -> bool:
    """Whether the server would not install a kind whose spec has `schema`."""
    root = {"type": "object", "properties": {"spec": schema}}
    body = {
        "apiVersion": CRDS.api_version,
        "kind": CRDS.kind,
        "metadata": {"name": "odds.rules.example.com"},
        "spec": {
            "group": "rules.example.com",
            "names": {"kind": "Odd", "plural": "odds"},
            "scope": "Namespaced",
            "versions": [{"name": "v1", "served": True, "storage": True, "schema": {"openAPIV3Schema": root}}],
        },
    }
    answer = await api.post(CRDS.path(), body, dryRun="All")
    assert answer.status in {201, 422}, answer.text
    return answer.status == 422


async def test_what_we_call_a_breach_the_server_refuses(api: Api) -> None:
    """No rule of ours is invented."""
    assert [schema for schema, _ in REFUSED + KEYS if not await refused(api, schema)] == []


async def test_what_we_call_a_mistake_the_server_lets_through(api: Api) -> None:
    """Where we are stricter is written down, and nowhere else."""
    assert [schema for schema, _ in LET_THROUGH if await refused(api, schema)] == []


async def test_what_we_allow_the_server_accepts(api: Api) -> None:
    """No exception of ours is invented."""
    assert [schema for schema in ACCEPTED if await refused(api, schema)] == []
