"""Where an intent lives: no name can lead anywhere else."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nephoran.repository.errors import UnsafePath
from nephoran.repository.paths import check_directory, check_files, checked_base
from steady.errors import ConfigurationError

TRICKS = (
    "..",
    ".",
    "",
    ".git",
    "a/b",
    "a\\b",
    "-x",
    "a\n",
    "a\x00",
    "A",
    "git~1",
    "ａ",
    "a" * 256,
    "a..b",
    ".git/hooks",
)
TEXT = st.one_of(st.text(max_size=300), st.sampled_from(TRICKS), st.from_regex(r"[a-z0-9./~-]{1,20}"))


@pytest.mark.parametrize("name", TRICKS)
def test_a_trick_is_neither_a_namespace_nor_a_name(name: str) -> None:
    """Whatever is no DNS name is refused before it becomes a path."""
    with pytest.raises(UnsafePath):
        check_directory("ran", name)
    with pytest.raises(UnsafePath):
        check_directory(name, "a")


@pytest.mark.parametrize("name", [trick for trick in TRICKS if trick not in {"A", "a..b"}])
def test_a_trick_is_no_file_name(name: str) -> None:
    """A file is one visible name, never a path, never a part of git's own files."""
    with pytest.raises(UnsafePath):
        check_files([name])


@given(TEXT, TEXT)
def test_what_is_accepted_is_two_plain_lower_case_parts(namespace: str, name: str) -> None:
    """Property: an accepted pair cannot be told from two DNS names."""
    try:
        check_directory(namespace, name)
    except UnsafePath:
        return
    assert "." not in namespace
    assert re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?/[a-z0-9]([a-z0-9.-]*[a-z0-9])?", f"{namespace}/{name}")
    assert ".." not in name


@pytest.mark.parametrize("files", [["a.yaml", "A.yaml"], ["intent.json"], ["INTENT.JSON"]])
def test_files_that_would_hide_each_other_are_refused(files: list[str]) -> None:
    """Names that differ by case only are one file on some systems; the record is ours."""
    with pytest.raises(UnsafePath, match="clashes"):
        check_files(files)


def test_ordinary_names_are_accepted() -> None:
    """What Kubernetes accepts as a name, and what a renderer calls its files, passes."""
    check_directory("5g-core", "amf.site-1")
    check_files(["deployment-amf.yaml", "Kustomization", "README.md", "x_1.json"])


@pytest.mark.parametrize("base", ["../up", "a/../b", ".git", "a//.b", "a b"])
def test_a_base_outside_the_tree_is_a_configuration_error(base: str) -> None:
    """The base is the owner's option: the error names it."""
    with pytest.raises(ConfigurationError, match="git base"):
        checked_base(base)


def test_a_base_may_be_deep_or_empty() -> None:
    """`clusters/a/intents` is three folders; an empty base is the root."""
    assert checked_base("/clusters/a/intents/") == ("clusters", "a", "intents")
    assert checked_base("") == ()
