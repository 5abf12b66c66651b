"""A manifest as a YAML document: keys in order, block style, texts that every reader of YAML 1.1 or 1.2 reads alike.

The layout is ours, for it is most of what rendering costs and needs only maps, lists and scalars; how one text is
written is the library's word, remembered, as most texts come again.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any

import yaml

_TEXT = "tag:yaml.org,2002:str"
_WIDTH = 1 << 16  # columns: nothing is folded
_REMEMBERED = 100  # characters: longer texts are sentences and settings, which do not come again
_DIGITS = re.compile(r"[-+.0-9]")
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "~", ".inf", ".nan"})


def document(value: dict[str, Any]) -> bytes:
    """`value`, of maps, lists, texts, whole numbers and truths, as YAML."""
    return f"{_block(value, '')}\n".encode()


def _block(value: Any, margin: str) -> str:
    """A map or list that is not empty: its first line begins where the writer stands, all others at `margin`."""
    if isinstance(value, dict):
        return f"\n{margin}".join(f"{_text(key)}:{_entry(it, margin)}" for key, it in sorted(value.items()))
    return f"\n{margin}".join(f"- {_item(it, margin)}" for it in value)


def _entry(value: Any, margin: str) -> str:
    if not (value and isinstance(value, dict | list)):
        return f" {_scalar(value, margin)}"
    inner = f"{margin}  " if isinstance(value, dict) else margin
    return f"\n{inner}{_block(value, inner)}"


def _item(value: Any, margin: str) -> str:
    return _block(value, f"{margin}  ") if value and isinstance(value, dict | list) else _scalar(value, margin)


def _scalar(value: Any, margin: str) -> str:
    if isinstance(value, str):
        return _literal(value, f"{margin}  ") if _readable_as_lines(value) else _text(value)
    return str(value).lower()  # a number, a truth, or an empty map or list


def _readable_as_lines(text: str) -> bool:
    """Whether `text` is indented JSON, which people want to see as it is."""
    if not text.startswith("{\n") or " \n" in text or text.endswith((" ", "\n\n")):
        return False
    return text.isascii() and text.replace("\n", "").isprintable()


def _literal(text: str, margin: str) -> str:
    lines = (f"{margin}{line}" if line else "" for line in text.removesuffix("\n").split("\n"))
    return ("|\n" if text.endswith("\n") else "|-\n") + "\n".join(lines)


def _text(text: str) -> str:
    return _remembered(text) if len(text) <= _REMEMBERED else _written(text)


def _written(text: str) -> str:
    """YAML 1.1 and 1.2 disagree on what `1e3`, `0o7` or `y` is; in quotes all agree that it is text."""
    ambiguous = _DIGITS.match(text) or text.lower() in _WORDS or not text.isprintable()
    node = yaml.ScalarNode(_TEXT, text, style='"' if ambiguous else None)
    written: str = yaml.serialize(node, Dumper=yaml.CSafeDumper, allow_unicode=True, width=_WIDTH)
    return written.removesuffix("...\n").removesuffix("\n")


_remembered = lru_cache(maxsize=4096)(_written)
