"""Finding the vocabulary's phrases among the atoms: longest first, left to right, each atom once."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Final

import msgspec

from nephoran.intent.tokens import Atom
from nephoran.intent.vocabulary import COMPONENTS, VERBS, Phrase


class Hit(msgspec.Struct, frozen=True, gc=False):
    """A phrase of the vocabulary at atoms `start` to `end` (one past), by the name that the vocabulary gives it."""

    start: int
    end: int
    name: str


class Lexicon:
    """Phrases by their first atom, ready to be looked for in linear time."""

    def __init__(self, phrases: Mapping[Phrase, str]) -> None:
        self._phrases: dict[str, list[tuple[Phrase, str]]] = {}
        for phrase in sorted(phrases, key=len, reverse=True):
            self._phrases.setdefault(phrase[0], []).append((phrase, phrases[phrase]))

    def hits(self, atoms: Sequence[Atom], taken: Collection[int] = ()) -> Iterator[Hit]:
        """Every phrase in the atoms that are not taken, in order, without overlap."""
        end = 0
        for index, atom in enumerate(atoms):
            if index < end or atom.word not in self._phrases or index in taken:
                continue
            if hit := self.at(atoms, index):
                yield hit
                end = hit.end

    def at(self, atoms: Sequence[Atom], index: int) -> Hit | None:
        """The longest phrase that begins at `index`."""
        for phrase, name in self._phrases.get(atoms[index].word, ()):
            end = index + len(phrase)
            if len(phrase) == 1 or tuple(atom.word for atom in atoms[index:end]) == phrase:
                return Hit(index, end, name)
        return None


FUNCTION_NAMES: Final = Lexicon(COMPONENTS)
VERB_PHRASES: Final = Lexicon(VERBS)
