"""The verdicts of a load say what was promised, and the load keeps as many intents under way as it says."""

from __future__ import annotations

import msgspec
import pytest

from bench.load import Loaded, loaded
from bench.measure import Percentiles
from bench.server import EmbeddedServer

GOOD = Loaded(
    server="real",
    seconds=30.0,
    at_once=200,
    created=3_000,
    completed=3_000,
    most=200,
    wait=Percentiles(0.5, 1.9, 1.95, 2.5),
    cpu=18.5,
    requests=12.0,
    server_cpu=87.0,
    peak=60.0,
)


def test_a_run_at_the_very_limits_keeps_all_targets() -> None:
    assert all(verdict.kept for verdict in GOOD.verdicts())


@pytest.mark.parametrize(
    ("changed", "promise"),
    [
        ({"cpu": 18.6}, "controller CPU"),
        ({"requests": 12.1}, "requests"),
        ({"server_cpu": 88.0}, "server's CPU"),
        ({"wait": Percentiles(0.5, 2.0, 2.0, 2.0)}, "P95"),
        ({"most": 199}, "200+"),
        ({"completed": 2_999}, "200+"),
    ],
)
def test_a_target_that_is_missed_is_named(changed: dict[str, object], promise: str) -> None:
    missed = [it.promise for it in msgspec.structs.replace(GOOD, **changed).verdicts() if not it.kept]
    assert len(missed) == 1
    assert promise in missed[0]


def test_where_the_servers_cpu_cannot_be_read_nothing_is_said_of_it() -> None:
    blind = msgspec.structs.replace(GOOD, server_cpu=None)
    assert len(list(blind.verdicts())) == len(list(GOOD.verdicts())) - 1


async def test_a_short_load_on_the_embedded_server_loses_no_intent() -> None:
    async with EmbeddedServer() as server:
        it = await loaded(server, at_once=8, seconds=0.3)
    assert it.most == 8
    assert it.created == it.completed >= 8
    assert it.requests == pytest.approx(1.0, abs=0.2)
