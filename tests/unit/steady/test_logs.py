"""One reconcile id through log lines and requests."""

from __future__ import annotations

import json
import logging
import sys

import pytest

from steady.client import Request
from steady.errors import NotFound
from steady.logs import JsonFormatter
from steady.objects.keys import EVENTS
from steady.reasons import Reason
from steady.trace import Trace, caused_by, current
from tests.unit.steady.widgets import RESOURCE, key, world

pytestmark = pytest.mark.looptime


def line(text: str, *, error: bool = False) -> dict[str, str]:
    record = logging.LogRecord(
        "steady.test", logging.WARNING, __file__, 1, text, None, sys.exc_info() if error else None
    )
    decoded: dict[str, str] = json.loads(JsonFormatter().format(record))
    return decoded


def test_a_line_names_its_reconcile() -> None:
    """Within a reconcile a line carries controller, object and id; outside it does not."""
    trace = Trace("echo", "default/a")
    with caused_by(trace):
        inside = line("hello")
    assert (inside["controller"], inside["object"], inside["reconcile"]) == ("echo", "default/a", trace.id)
    assert (inside["level"], inside["logger"], inside["message"]) == ("warning", "steady.test", "hello")
    assert "reconcile" not in line("hello")


def test_a_line_has_the_traceback() -> None:
    """A line stays one line, whatever it tells."""
    try:
        raise ValueError("two\nlines")
    except ValueError:
        told = line("it\nfailed", error=True)
    assert told["error"].endswith("ValueError: two\nlines")
    assert "\n" not in JsonFormatter().format(logging.makeLogRecord({"msg": "a\nb"}))


def test_every_reconcile_has_an_id_of_its_own() -> None:
    """Two reconciles of the same key differ."""
    assert Trace("echo", "a").id != Trace("echo", "a").id


async def test_a_request_names_its_reconcile_to_the_server() -> None:
    """`Audit-ID` is what the server's audit log calls the request; each one differs, and they are counted by reason."""
    async with world() as it:
        seen = []

        async def before(request: Request) -> None:
            seen.append(request.headers.get("audit-id", ""))

        it.transport.before = before
        trace = Trace("echo", "default/a")
        with caused_by(trace):
            await it.client.page(EVENTS, reason=Reason.LIST, namespace="default")
            with pytest.raises(NotFound):
                await it.client.get(RESOURCE, key("a"), reason=Reason.FRESHNESS)
        await it.client.page(EVENTS, reason=Reason.LIST, namespace="default")
    assert seen == [f"{trace.id}.1", f"{trace.id}.2", ""]
    assert trace.spent == {"list": 1, "freshness": 1}
    assert current() is None
