"""Patches as pure functions."""

from __future__ import annotations

import pytest

from steady.apiserver import patch
from steady.apiserver.failures import Failure


def test_a_merge_patch_changes_only_what_it_names() -> None:
    """Null removes, maps merge, the rest is replaced; the original stays."""
    original = {"a": {"b": 1, "c": [1]}, "d": 2}
    assert patch.merge(original, {"a": {"b": None, "c": [2]}}) == {"a": {"c": [2]}, "d": 2}
    assert original == {"a": {"b": 1, "c": [1]}, "d": 2}


@pytest.mark.parametrize(
    ("steps", "result"),
    [
        ([{"op": "add", "path": "/list/-", "value": 3}], {"list": [1, 2, 3]}),
        ([{"op": "add", "path": "/list/0", "value": 0}], {"list": [0, 1, 2]}),
        ([{"op": "remove", "path": "/list/0"}], {"list": [2]}),
        ([{"op": "replace", "path": "/list", "value": []}], {"list": []}),
        ([{"op": "move", "from": "/list", "path": "/a~1b"}], {"a/b": [1, 2]}),
        ([{"op": "copy", "from": "/list/1", "path": "/x"}], {"list": [1, 2], "x": 2}),
        ([{"op": "test", "path": "/list/0", "value": 1}], {"list": [1, 2]}),
    ],
)
def test_json_patch_operations(steps: list[object], result: object) -> None:
    """Each operation of RFC 6902 does what it says."""
    assert patch.operations({"list": [1, 2]}, steps) == result


@pytest.mark.parametrize(
    "step",
    [
        {"op": "test", "path": "/list/0", "value": 9},
        {"op": "remove", "path": "/nope"},
        {"op": "replace", "path": "/list/7", "value": 1},
        {"op": "add", "path": "/nope/x", "value": 1},
    ],
)
def test_a_step_that_cannot_be_done_is_422(step: object) -> None:
    """A failed test and a missing path fail the whole patch."""
    with pytest.raises(Failure) as caught:
        patch.operations({"list": [1, 2]}, [step])
    assert caught.value.code == 422


def test_a_strategic_patch_merges_named_entries() -> None:
    """Containers merge by name, ports by number, `$patch: delete` removes, other lists are replaced."""
    original = {"containers": [{"name": "a", "image": "1", "args": ["x"]}, {"name": "b"}]}
    change = {"containers": [{"name": "a", "image": "2", "args": ["y"]}, {"name": "b", "$patch": "delete"}]}
    assert patch.strategic(original, change) == {"containers": [{"name": "a", "image": "2", "args": ["y"]}]}
