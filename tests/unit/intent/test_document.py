"""A manifest as YAML: whatever it holds, readers read it back."""

from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from nephoran.intent.document import document

AWKWARD = [
    "",
    "- x",
    "a: b",
    "x #y",
    " lead",
    "trail ",
    "y",
    "1e3",
    "---",
    "...",
    "|",
    "? q",
    "*a",
    "\t",
    '{\n  "a": 1\n}\n',
]
TEXTS = st.sampled_from(AWKWARD) | st.text(st.characters(exclude_categories=["Cs"]), max_size=150)
KEYS = st.text(st.characters(exclude_categories=["Cs"]), max_size=100)
VALUES: st.SearchStrategy[Any] = st.recursive(
    TEXTS | st.integers() | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=12,
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.dictionaries(KEYS, VALUES, min_size=1, max_size=3))
def test_what_is_written_reads_back_as_it_was(value: dict[str, Any]) -> None:
    """Maps, lists and scalars nested in any way, with texts that mean something in YAML."""
    assert yaml.load(document(value), Loader=yaml.CSafeLoader) == value


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), VALUES, min_size=1, max_size=3))
def test_a_document_is_the_same_whatever_the_order_of_keys(value: dict[str, Any]) -> None:
    """The same content gives the same bytes."""
    assert document(dict(reversed(value.items()))) == document(value)


def test_indented_json_is_shown_line_by_line() -> None:
    """Settings in a ConfigMap can be read by people."""
    assert document({"data": {"c": '{\n  "a": 1\n}\n'}}).decode() == 'data:\n  c: |\n    {\n      "a": 1\n    }\n'
