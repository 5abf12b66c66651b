"""What an object's conditions say after one failure and another: always the last one's word."""

from __future__ import annotations

import pytest

from examples.echo import Echo, EchoStatus
from steady import Context, Controller, Done, Failed, Result
from steady.errors import Forbidden, Invalid, ServerError
from tests.behaviour.house import condition, pass_time, running
from tests.kstatus import kstatus
from tests.unit.steady.widgets import World, world

pytestmark = [pytest.mark.looptime, pytest.mark.usefixtures("rules_of_conditions")]


def failing(*failures: Exception) -> Controller[Echo, EchoStatus]:
    """A controller that fails by one after another, without hope by what is Invalid; then it has done its work."""
    left = list(failures)

    async def reconcile(echo: Echo, context: Context[EchoStatus]) -> Result[EchoStatus]:
        if left and isinstance(left[0], Invalid):
            return Failed(EchoStatus(), left.pop(0), terminal=True)
        if left:
            raise left.pop(0)
        return Done(EchoStatus(said=echo.spec.text))

    return Controller(Echo, reconcile)


async def told(it: World) -> tuple[str, tuple[str, str] | None]:
    """What tools see, and Ready."""
    echo = await it.get("a")
    return kstatus(echo), condition(echo, "Ready")


async def test_ready_has_the_reason_of_the_last_failure() -> None:
    """Another error than before is another reason, and success is the last word."""
    failures = ServerError(503, "ServiceUnavailable", "busy"), Forbidden(403, "Forbidden", "no")
    async with world() as it, running(it.server, failing(*failures), clock=it.clock):
        await it.create("a")
        await pass_time(0.1)
        assert await told(it) == ("InProgress", ("False", "ServiceUnavailable"))
        await it.edit("a", {"spec": {"text": "bye"}})
        await pass_time(0.1)
        assert await told(it) == ("InProgress", ("False", "Forbidden"))
        await pass_time(120.0)
        assert await told(it) == ("Current", ("True", "Reconciled"))


async def test_hopelessness_ends_with_the_spec_that_it_was_of() -> None:
    """Edited, the object is tried again: what fails then, and may pass, is no reason to call it Failed."""
    failures = Invalid(422, "Invalid", "wrong"), ServerError(503, "ServiceUnavailable", "busy")
    async with world() as it, running(it.server, failing(*failures), clock=it.clock):
        await it.create("a")
        await pass_time(600.0)
        assert await told(it) == ("Failed", ("False", "Invalid"))
        await it.edit("a", {"spec": {"text": "bye"}})
        await pass_time(0.1)
        assert await told(it) == ("InProgress", ("False", "ServiceUnavailable"))
        await pass_time(600.0)
        assert await told(it) == ("Current", ("True", "Reconciled"))
