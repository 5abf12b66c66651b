"""Spans of a running controller, by OpenTelemetry's own in-memory exporter, on virtual time."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import AsyncIterator

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from examples.echo import Echo, EchoStatus
from steady import ConfigMap, Context, Controller, Done, Manager, Options, Result
from steady.client.transport import Request
from steady.errors import ServerError
from steady.tasks import Scope
from tests.behaviour.house import pass_time
from tests.unit.steady.widgets import World, world

pytestmark = [pytest.mark.looptime, pytest.mark.usefixtures("rules_of_conditions")]


class Traced:
    """A world whose controller is traced; `fails` is raised by the next reconcile."""

    def __init__(self, it: World) -> None:
        self.world = it
        self.exporter = InMemorySpanExporter()
        provider = TracerProvider()
        provider.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.fails: Exception | None = None
        controller = Controller(Echo, self.reconcile, owns=[ConfigMap])
        self.manager = Manager(
            controller,
            transport=lambda: it.transport,
            clock=it.clock,
            options=Options(name="test"),
            tracer=provider.get_tracer("test"),
        )

    async def reconcile(self, echo: Echo, context: Context[EchoStatus]) -> Result[EchoStatus]:
        with context.phase("write"):
            await context.apply(ConfigMap(echo.metadata.name, {"text": echo.spec.text}))
        if self.fails:
            error, self.fails = self.fails, None
            raise error
        return Done(EchoStatus(said=echo.spec.text))

    def named(self, name: str) -> list[ReadableSpan]:
        return [span for span in self.exporter.get_finished_spans() if span.name == name]


@pytest.fixture
async def traced() -> AsyncIterator[Traced]:
    async with world() as it:
        here = Traced(it)
        async with Scope("test") as scope:
            scope.start(here.manager.serve(), "manager")
            await here.manager.started.wait()
            yield here
            here.manager.stop()
            await scope.drained()


def told(span: ReadableSpan, *names: str) -> list[object]:
    return [(span.attributes or {}).get(name) for name in names]


def parent(span: ReadableSpan) -> int | None:
    return span.parent.span_id if span.parent else None


def own_id(span: ReadableSpan) -> int:
    return span.context.span_id if span.context else 0


async def test_a_reconcile_is_a_span_with_its_phases_and_requests(traced: Traced) -> None:
    """It tells what it was of and why; the request of a phase is a child of the phase, the status one of the whole."""
    await traced.world.create("a")
    await pass_time()
    (span,) = traced.named("reconcile echo")
    explained = traced.manager.explain("echo", next(iter(traced.manager.stores[Echo.declaration.resource])).key)
    assert explained is not None
    assert explained.last is not None
    assert told(span, "steady.controller", "steady.key", "steady.cause", "steady.result", "steady.reconcile") == [
        "echo",
        "default/a",
        "created",
        "success",
        explained.last.id,
    ]
    assert span.status.status_code is StatusCode.UNSET
    (phase,) = traced.named("write")
    assert parent(phase) == own_id(span)
    (child,) = traced.named("create configmaps")
    assert told(child, "http.request.method", "http.response.status_code", "steady.reason") == ["POST", 201, "child"]
    (status,) = traced.named("patch echoes.example.com")
    assert told(status, "http.request.method", "http.response.status_code", "steady.reason") == ["PATCH", 200, "status"]
    assert parent(status) == own_id(span)


async def test_a_failed_reconcile_says_why_without_credentials(traced: Traced) -> None:
    """By the error's type and text; what a URL or a header carried is not in it."""
    traced.fails = RuntimeError("https://me:hunter2@git.example said no, token=abc123")
    await traced.world.create("a")
    await pass_time(0.5)
    span = traced.named("reconcile echo")[0]
    assert span.status.status_code is StatusCode.ERROR
    assert span.status.description == "RuntimeError: https://***@git.example said no, token=***"
    assert told(span, "error.type", "steady.result") == ["RuntimeError", "error"]
    assert "hunter2" not in span.to_json()
    assert "abc123" not in span.to_json()
    await pass_time(10.0)
    again = traced.named("reconcile echo")[1]
    assert told(again, "steady.cause", "steady.result") == ["retry after RuntimeError", "success"]


async def test_a_refused_request_is_a_failed_span(traced: Traced) -> None:
    """So is one whose answer never came."""
    refusals = 1

    async def before(request: Request) -> None:
        nonlocal refusals
        if request.method == "POST" and "configmaps" in request.path and refusals:
            refusals -= 1
            raise ServerError(503, "ServiceUnavailable", "password: pw1")

    traced.world.transport.before = before
    await traced.world.create("a")
    await pass_time(10.0)
    first, second = traced.named("create configmaps")
    assert first.status.status_code is StatusCode.ERROR
    assert told(first, "error.type") == ["ServerError"]
    assert "pw1" not in first.to_json()
    assert second.status.status_code is StatusCode.UNSET
    assert parent(first) == own_id(traced.named("write")[0])


def test_without_a_tracer_nothing_of_opentelemetry_is_imported() -> None:
    """Not by the runtime, and not by the whole operator."""
    code = (
        "import sys, steady, steady.manager, nephoran.cli.run, nephoran.controllers\n"
        "steady.Manager()\n"
        "sys.exit(any(name.startswith('opentelemetry') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0
