"""Health over HTTP, asked and answered as the Kubernetes API server's."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiohttp
import pytest

from steady.metrics import Metrics
from steady.probes import Probes


class Patient:
    """A process with two checks, and somebody who asks after it."""

    def __init__(self, session: aiohttp.ClientSession, troubles: dict[str, str]) -> None:
        self.session = session
        self.troubles = troubles

    async def ask(self, path: str, method: str = "GET") -> tuple[int, list[str]]:
        """Status and lines."""
        async with self.session.request(method, path) as answer:
            return answer.status, (await answer.text()).splitlines()


@pytest.fixture
async def patient() -> AsyncIterator[Patient]:
    async with asking({"caches": "", "leadership": ""}) as it:
        yield it


@asynccontextmanager
async def asking(troubles: dict[str, str]) -> AsyncIterator[Patient]:
    checks = {name: lambda name=name: troubles[name] for name in troubles}
    async with Probes(checks, Metrics()) as probes, aiohttp.ClientSession(f"http://127.0.0.1:{probes.port}") as session:
        yield Patient(session, troubles)


async def test_a_healthy_process_says_ok_and_no_more(patient: Patient) -> None:
    """Both probes, for machines."""
    assert await patient.ask("/livez") == (200, ["ok"])
    assert await patient.ask("/readyz") == (200, ["ok"])


async def test_verbose_lists_every_check(patient: Patient) -> None:
    """For people; the same code."""
    assert await patient.ask("/readyz?verbose") == (200, ["[+]caches ok", "[+]leadership ok", "readyz check passed"])
    assert await patient.ask("/livez?verbose") == (200, ["[+]ping ok", "livez check passed"])


async def test_one_failed_check_makes_it_unready_but_not_dead(patient: Patient) -> None:
    """The answer says which and why, also unasked."""
    patient.troubles["caches"] = "not yet listed"
    lines = ["[-]caches failed: not yet listed", "[+]leadership ok", "readyz check failed"]
    assert await patient.ask("/readyz") == (503, lines)
    assert await patient.ask("/readyz?verbose") == (503, lines)
    assert await patient.ask("/livez") == (200, ["ok"])


async def test_an_excluded_check_is_not_asked(patient: Patient) -> None:
    """Any number may be left out; a name that is none of them is warned of."""
    patient.troubles |= {"caches": "not yet listed", "leadership": "lost"}
    assert (await patient.ask("/readyz?exclude=caches"))[0] == 503
    assert await patient.ask("/readyz?exclude=caches&exclude=leadership") == (200, ["ok"])
    assert await patient.ask("/readyz?exclude=caches&exclude=leadership&exclude=x&verbose") == (
        200,
        [
            "[+]caches excluded: ok",
            "[+]leadership excluded: ok",
            "warn: nothing to exclude is called 'x'",
            "readyz check passed",
        ],
    )


@pytest.mark.parametrize("path", ["/livez", "/readyz", "/metrics"])
async def test_head_has_the_code_and_no_body(patient: Patient, path: str) -> None:
    """As HTTP wants it."""
    assert await patient.ask(path, "HEAD") == (200, [])
    patient.troubles["caches"] = "not yet listed"
    assert await patient.ask(path, "HEAD") == (503 if path == "/readyz" else 200, [])


async def test_other_paths_and_methods_are_refused(patient: Patient) -> None:
    """There is nothing else, and nothing to change."""
    assert (await patient.ask("/healthz"))[0] == 404
    assert (await patient.ask("/readyz/caches"))[0] == 404
    assert (await patient.ask("/readyz", "POST"))[0] == 405


async def test_metrics_stand_on_the_same_port(patient: Patient) -> None:
    """As the text that Prometheus scrapes, in the version that it asks for."""
    async with patient.session.get("/metrics") as answer:
        assert answer.content_type == "text/plain"
        assert "steady_event_loop_lag_seconds_count" in await answer.text()


async def test_a_scraper_that_hangs_up_is_no_error(caplog: pytest.LogCaptureFixture) -> None:
    """One that gives up half-way leaves no traceback in the log, and others are served on."""
    metrics = Metrics()
    for number in range(20_000):
        metrics.avoided(f"kind-{number}", "unchanged")
    async with Probes({}, metrics) as probes:
        reader, writer = await asyncio.open_connection("127.0.0.1", probes.port)
        writer.write(b"GET /metrics HTTP/1.1\r\nHost: a\r\n\r\n")
        await reader.readuntil(b"# TYPE")
        writer.transport.abort()
        async with aiohttp.ClientSession() as session, session.get(f"http://127.0.0.1:{probes.port}/metrics") as answer:
            assert (await answer.text()).count("steady_writes_avoided_total{") == 20_000
    assert not caplog.records


async def test_nobody_else_can_ask_unless_configured() -> None:
    """Loopback is the default, a free port is taken for port 0, and it is free again at the end."""
    async with Probes({}, Metrics()) as probes:
        assert probes.port > 0
        assert probes._runner is not None
        assert [address[0] for address in probes._runner.addresses] == ["127.0.0.1"]
        port = probes.port
    async with Probes({}, Metrics(), port=port) as again:
        assert again.port == port
