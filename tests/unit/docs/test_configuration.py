"""docs/reference/configuration.md is what the types say."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from nephoran.configuration import Configuration, page
from steady.configuration import load, settings

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "configuration.md"
SETTINGS = settings(Configuration())


def test_the_page_is_current() -> None:
    """After a change of the types: `nephoran config reference > docs/reference/configuration.md`."""
    assert PAGE.read_text(encoding="utf-8") == page()


def test_every_key_says_what_it_means() -> None:
    """In a sentence that ends."""
    assert [name for name, setting in SETTINGS.items() if not setting.description.endswith(".")] == []


def test_every_number_has_both_bounds() -> None:
    """So that a slip of a few zeros is found."""
    numbers = {name: setting.allowed for name, setting in SETTINGS.items() if "number" in setting.allowed}
    assert [name for name, words in numbers.items() if not re.search(r"from .* to|above .* at most", words)] == []


def test_every_default_is_allowed() -> None:
    """Given as a file, the defaults pass."""
    for setting in SETTINGS.values():
        assert setting.converted(setting.shown(setting.default), text=False) == setting.default


def test_the_example_of_the_page_is_right(tmp_path: Path) -> None:
    """Every key of it is one, with an allowed value."""
    (shown,) = re.findall(r"^```yaml\n(.*?)^```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    file = tmp_path / "example.yaml"
    file.write_text(shown, encoding="utf-8")
    delays = load(Configuration(), file).value.backoff.transient
    assert delays.max_delay == yaml.safe_load(shown)["backoff"]["transient"]["max_delay"]
