"""A manifest as a YAML document: keys in order, block style, texts that every reader of YAML 1.1 or 1.2 reads alike.

The layout is ours, for it is most of what rendering costs and needs only maps, lists and scalars; how one text is
written is the library's word, remembered, as most texts come again.
"""

from __future__ import annotations

import re
from typing import Any

import msgspec
import yaml

from nephoran.intent.memory import remembered

_TEXT = "tag:yaml.org,2002:str"
_WIDTH = 1 << 16  # columns: nothing is folded
_DIGITS = re.compile(r"[-+.0-9]")
_SIMPLE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9 ,._/()+-]*[A-Za-z0-9._/)])?")
"""What the library writes as it is, or in quotes where it is ambiguous; it takes ten times as long to find out."""
_WORDS = frozenset({"y", "n", "yes", "no", "on", "off", "true", "false", "null", "~", ".inf", ".nan"})


class Constant:
    """A map or list, not empty, that many manifests hold and none changes: laid out once, encoded once."""

    __slots__ = ("_json", "_lines", "is_map", "value")

    def __init__(self, value: dict[str, Any] | list[Any]) -> None:
        self.value = value
        self.is_map = isinstance(value, dict)
        self._lines = ""
        self._json: msgspec.Raw | None = None

    def lines(self, start: str) -> str:
        """Its layout, each line after `start`."""
        self._lines = self._lines or _block(self.value, "\n")
        return start + self._lines.replace("\n", start)

    def json(self) -> msgspec.Raw:
        """Its JSON."""
        self._json = self._json or msgspec.Raw(encoded(self.value))
        return self._json


def document(value: dict[str, Any]) -> bytes:
    """`value`, of maps, lists, texts, whole numbers, truths and constants of them, as YAML."""
    return (_block(value, "\n") + "\n").encode()


def encoded(value: Any) -> bytes:
    """`value` as JSON, keys in order: the same content gives the same bytes."""
    return msgspec.json.encode(value, order="deterministic", enc_hook=Constant.json)


def _block(value: dict[str, Any] | list[Any], start: str) -> str:
    """A map or list that is not empty: its first line where the writer stands, each other one after `start`."""
    inner = f"{start}  "
    if isinstance(value, list):
        return start.join([f"- {_item(it, inner)}" for it in value])
    lines = []
    for key in sorted(value):
        it = value[key]
        if isinstance(it, str):
            lines.append(f"{_text(key)}: {_written(it, inner)}")
        elif isinstance(it, Constant):
            lines.append(f"{_text(key)}:{it.lines(inner if it.is_map else start)}")
        elif it and isinstance(it, dict | list):
            below = inner if isinstance(it, dict) else start
            lines.append(f"{_text(key)}:{below}{_block(it, below)}")
        else:
            lines.append(f"{_text(key)}: {_plain(it)}")
    return start.join(lines)


def _item(value: Any, start: str) -> str:
    if isinstance(value, str):
        return _written(value, start)
    return _block(value, start) if value and isinstance(value, dict | list) else _plain(value)


def _plain(value: Any) -> str:
    """A number, a truth, or an empty map or list."""
    return str(value).lower()


def _written(text: str, start: str) -> str:
    """Indented JSON as people want to see it, each line after `start`; any other text in one line."""
    if text.startswith("{\n") and _readable_as_lines(text):
        lines = text.removesuffix("\n").replace("\n", start)
        return f"|{start}{lines}" if text.endswith("\n") else f"|-{start}{lines}"
    return _text(text)


def _readable_as_lines(text: str) -> bool:
    if " \n" in text or "\n\n" in text or text.endswith(" "):
        return False
    return text.replace("\n", "").isprintable()


@remembered("texts", 1024)
def _text(text: str) -> str:
    """`text` as every reader of YAML 1.1 or 1.2 reads it: they disagree on what `1e3`, `0o7` or `y` is, unquoted."""
    ambiguous = _DIGITS.match(text) or text.lower() in _WORDS
    if _SIMPLE.fullmatch(text):
        return f'"{text}"' if ambiguous else text
    node = yaml.ScalarNode(_TEXT, text, style='"' if ambiguous or not text.isprintable() else None)
    written: str = yaml.serialize(node, Dumper=yaml.CSafeDumper, allow_unicode=True, width=_WIDTH)
    return written.removesuffix("...\n").removesuffix("\n")
