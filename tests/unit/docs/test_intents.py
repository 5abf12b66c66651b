"""docs/intents.md says what the types say, and its examples are read as it says."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, get_args, get_type_hints

import msgspec
import pytest

from nephoran.intent.interpret import RuleInterpreter
from nephoran.intent.meaning import Action, Autoscale, Detail, Meaning, SliceType, to_json
from nephoran.intent.score import KEYS, score

PAGE = (Path(__file__).parents[3] / "docs" / "intents.md").read_text(encoding="utf-8")
WORDS: dict[Any, str] = {
    bool: "flag",
    bool | Autoscale: "flag or limits",
    str | None: "text",
    int | None: "whole number",
    float | None: "number",
}


def rows(heading: str) -> list[list[str]]:
    """The cells of the first table below a heading, its head left out."""
    below = PAGE.split(f"\n{heading}\n", 1)[1]
    lines = re.findall(r"(?:^\|.*\n)+", below, re.MULTILINE)[0].splitlines()[2:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def keys(heading: str) -> list[str]:
    return [row[0].strip("`") for row in rows(heading)]


def fields(kind: type[msgspec.Struct]) -> list[str]:
    return [field.encode_name for field in msgspec.structs.fields(kind)]


@pytest.mark.parametrize(
    ("heading", "kind"),
    [("## Keys", Meaning), ("## `detail`", Detail), ("### Limits of `autoscale`", Autoscale)],
    ids=["meaning", "detail", "autoscale"],
)
def test_every_key_is_documented_and_no_other(heading: str, kind: type[msgspec.Struct]) -> None:
    """The table has the fields of the struct, in its order."""
    assert keys(heading) == fields(kind)


@pytest.mark.parametrize(
    ("heading", "kind"),
    [("## `detail`", Detail), ("### Limits of `autoscale`", Autoscale)],
    ids=["detail", "autoscale"],
)
def test_the_value_of_every_key_is_of_the_documented_kind(heading: str, kind: type[msgspec.Struct]) -> None:
    """The second column says the field's type in words."""
    hints = get_type_hints(kind)
    assert {row[0].strip("`"): row[1] for row in rows(heading)} == {name: WORDS[hints[name]] for name in hints}


def test_every_action_and_slice_type_is_documented() -> None:
    """The closed lists of the first table are those of the types."""
    listed = {row[0].strip("`"): re.findall(r"`(\w+)`", row[1]) for row in rows("## Keys")}
    assert listed["action"] == list(get_args(Action))
    assert listed["slice"] == list(get_args(SliceType))


@pytest.mark.parametrize("row", rows("## `detail`"), ids=keys("## `detail`"))
def test_every_example_reads_as_documented(row: list[str]) -> None:
    """The interpreter reads the example's key as the last column says."""
    key, example, value = row[0].strip("`"), row[3], json.loads(row[4].strip("` |"))
    assert to_json(RuleInterpreter().meaning(example))["detail"][key] == value


def test_the_example_of_limits_reads_as_documented() -> None:
    """The sentence above the table of limits states exactly what its last column says."""
    found = re.search(r"^Example: \*(.+?)\*", PAGE, re.MULTILINE)
    assert found
    stated = {row[0].strip("`"): json.loads(row[3].strip("` |")) for row in rows("### Limits of `autoscale`")}
    assert to_json(RuleInterpreter().meaning(found[1]))["detail"]["autoscale"] == stated


def test_the_shown_output_is_what_the_interpreter_says() -> None:
    """The console block of the page is true to the letter."""
    found = re.search(r'^\$ nephoran interpret -o json "(.+)"\n(.+)$', PAGE, re.MULTILINE)
    assert found
    assert json.loads(found[2]) == to_json(RuleInterpreter().meaning(found[1]))


def test_the_shown_score_is_the_one_that_is_counted() -> None:
    """The console block of the score is true to the letter, and the other files are as long as it says."""
    folder = Path(__file__).parents[1] / "intent"
    counted = score((folder / "heldout.jsonl").read_text("utf-8").splitlines(), RuleInterpreter())
    shown = [f"{key:<12}{counted.accuracy_of(key):7.1%}" for key in KEYS]
    assert "\n".join([*shown, f"{counted.right} of {counted.sentences} sentences right"]) in PAGE
    for name in ("intents", "corpus"):
        lines = (folder / f"{name}.jsonl").read_text("utf-8").splitlines()
        assert re.search(rf"`{name}\.jsonl` \({len(lines)} ", PAGE)
