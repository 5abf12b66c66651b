"""What tests of the documents share: the pages, their blocks of code, and what our commands take."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import click

ROOT = Path(__file__).parents[3]
DOCS = ROOT / "docs"
PAGES = sorted([ROOT / "README.md", ROOT / "CONTRIBUTING.md", *DOCS.rglob("*.md")])


class Block(NamedTuple):
    """One block of code; `follows` is the language of the block above it if nothing but space is between."""

    page: str
    line: int
    language: str
    text: str
    follows: str

    def __str__(self) -> str:
        return f"{self.page}:{self.line}"


def blocks(*languages: str) -> list[Block]:
    """All blocks of these languages, or of all."""
    return [block for page in PAGES for block in _blocks(page) if not languages or block.language in languages]


def _blocks(page: Path) -> Iterator[Block]:
    text = page.read_text(encoding="utf-8")
    end, language = 0, ""
    for found in re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE):
        follows = language if not text[end : found.start()].strip() else ""
        end, language = found.end(), found[1]
        line = text.count("\n", 0, found.start()) + 1
        yield Block(str(page.relative_to(ROOT)), line, language, found[2], follows)


def queries(text: str) -> list[str]:
    """Every query of a block; an indented line, or one that closes a bracket, goes on with the one above."""
    return re.split(r"\n(?![ )])", text.strip())


def options(command: click.Command) -> set[str]:
    """The options of a command."""
    parameters = command.get_params(click.Context(command))
    return {name for parameter in parameters for name in (*parameter.opts, *parameter.secondary_opts)}
