"""What the page on the status batcher shows does what it says, and its tables are those of the code."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from types import ModuleType

import msgspec
import pytest

from steady import BackoffManager
from steady.status import BatchConfig, Outcome, Update
from tests.unit.steady.batching import Fault, batching

pytestmark = pytest.mark.looptime

PAGE = (Path(__file__).parents[3] / "docs" / "status.md").read_text(encoding="utf-8")


def tell() -> Callable[..., Awaitable[Outcome]]:
    """The function that the page shows."""
    (block,) = re.findall(r"^```python\n(.*?)^```", PAGE, re.DOTALL | re.MULTILINE)
    module = ModuleType("shown")
    exec(compile(block, "status.md", "exec"), module.__dict__)
    found: Callable[..., Awaitable[Outcome]] = module.tell
    return found


async def test_the_shown_function_tells_until_it_is_known() -> None:
    """Two failures, then it lands."""
    async with batching() as it:
        it.door.faults.extend([Fault.BROKEN, Fault.LOST])
        outcome = await tell()(it.batcher, BackoffManager(), it.stores["echoes"], it.obj("a"), Update({"said": "hi"}))
        assert outcome is Outcome.LANDED
        assert await it.said("a") == "hi"
        assert len(it.names) == 3


async def test_the_shown_function_ends_where_trying_is_of_no_use() -> None:
    """A status that breaks its schema."""
    async with batching() as it:
        it.door.faults.extend([Fault.INVALID] * 100)
        outcome = await tell()(it.batcher, BackoffManager(), it.stores["echoes"], it.obj("a"), Update({"said": "hi"}))
        assert outcome is Outcome.FAILED
        assert len(it.names) < 10


def test_the_table_of_options_names_every_one_with_its_default() -> None:
    """As the code has them."""
    table = dict(re.findall(r"^\| `(\w+)` \| ([\w,.]+)(?: s)? \|", PAGE, re.MULTILINE))
    defaults = {field.name: field.default for field in msgspec.structs.fields(BatchConfig)}
    shown = {name: table[name].replace(",", "").lower() for name in defaults}
    assert shown == {
        name: f"{value:g}" if type(value) is not bool else str(value).lower() for name, value in defaults.items()
    }


def test_the_table_of_outcomes_names_every_one() -> None:
    """In the order of the code."""
    assert re.findall(r"^\| `(LANDED|SUPERSEDED|GONE|FAILED)`", PAGE, re.MULTILINE) == [one.name for one in Outcome]
