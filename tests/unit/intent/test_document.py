"""A manifest as YAML: whatever it holds, readers read it back."""

from typing import Any

import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from nephoran.intent.document import Constant, document, encoded

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


PLAIN = st.from_regex(r"[A-Za-z0-9](?:[A-Za-z0-9 ,._/()+-]*[A-Za-z0-9._/)])?", fullmatch=True)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(PLAIN | st.sampled_from(["y", "No", "1e3", "0o17", "2024-01-01", "a - b", "a.", "Deploy AMF, now (3)"]))
def test_a_plain_text_is_written_as_the_library_writes_it(text: str) -> None:
    """The short way round the library gives the library's bytes."""
    quoted = text[0].isdigit() or text.lower() in {"y", "n", "yes", "no", "on", "off", "true", "false", "null"}
    written = yaml.dump(text, Dumper=yaml.CSafeDumper, width=1 << 16, default_style='"' if quoted else None)
    assert document({"a": text}).decode().removeprefix("a: ") == written.removesuffix("...\n")


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.dictionaries(st.from_regex(r"[a-z]{1,8}", fullmatch=True), VALUES, min_size=1, max_size=3))
def test_a_constant_part_is_written_as_if_it_stood_there(value: dict[str, Any]) -> None:
    """At any depth, as a map or a list, once or again: the same YAML and the same JSON."""
    constant, listed = Constant(value), Constant([value])
    for _ in range(2):
        assert document({"a": constant}) == document({"a": value})
        assert document({"a": {"b": constant, "c": listed}}) == document({"a": {"b": value, "c": [value]}})
    assert encoded({"a": constant, "b": [listed]}) == encoded({"a": value, "b": [[value]]})


def test_indented_json_is_shown_line_by_line() -> None:
    """Settings in a ConfigMap can be read by people."""
    assert document({"data": {"c": '{\n  "a": 1\n}\n'}}).decode() == 'data:\n  c: |\n    {\n      "a": 1\n    }\n'
