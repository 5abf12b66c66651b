"""The pictures show every frame as wide as what it used."""

from __future__ import annotations

import asyncio
from xml.etree import ElementTree as ET

import pytest

from bench.flame import Frame, place, svg
from bench.profile import sampled, traced


def _sample() -> Frame:
    root = Frame("all")
    root.add(["steady/queue.py:add", "json/<x>.py:dumps"], 3.0)
    root.add(["steady/queue.py:add"], 1.0)
    root.add(["nephoran/plan.py:plan"], 4.0)
    return root


def test_a_frame_counts_all_that_it_called() -> None:
    root = _sample()
    assert root.value == 8.0
    assert root.children["steady/queue.py:add"].value == 4.0
    assert root.depth == 3


def test_a_frame_is_as_wide_as_its_part_and_stands_below_its_caller() -> None:
    space = "{http://www.w3.org/2000/svg}"
    picture = ET.fromstring(svg(_sample(), "a & b", "s"))
    found = {
        group.findtext(f"{space}title", "").partition(": ")[0]: rect.attrib
        for group in picture.iter(f"{space}g")
        if (rect := group.find(f"{space}rect")) is not None
    }
    assert float(found["steady/queue.py:add"]["width"]) == 800.0
    assert float(found["json/<x>.py:dumps"]["width"]) == 600.0
    rows = [float(found[name]["y"]) for name in ("all", "steady/queue.py:add", "json/<x>.py:dumps")]
    assert rows == sorted(set(rows))
    assert found["nephoran/plan.py:plan"]["x"] != found["steady/queue.py:add"]["x"]


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/somewhere/src/steady/queue/queue.py", "steady/queue/queue.py:add"),
        ("/usr/lib/python3/asyncio/events.py", "asyncio/events.py:add"),
        ("", ":add"),
    ],
)
def test_a_place_is_named_below_its_package(path: str, name: str) -> None:
    assert place(path, "add") == name


def test_the_cpu_profile_finds_the_operator_at_work() -> None:
    _, root = sampled(20)
    assert root.value > 0
    assert any(name.startswith("nephoran/") for name in _names(root))


def test_the_memory_profile_finds_what_the_cache_holds() -> None:
    root = asyncio.run(traced(5))
    assert 0 < root.value < 100
    assert any(name.startswith("steady/cache/") for name in _names(root))


def _names(frame: Frame) -> set[str]:
    return {frame.name}.union(*(_names(child) for child in frame.children.values()))
