"""Finding the vocabulary's phrases among the atoms: longest first, left to right, each atom once."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from nephoran.intent.tokens import Atom
from nephoran.intent.vocabulary import Phrase


@dataclass(frozen=True, slots=True)
class Hit:
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
        index = 0
        while index < len(atoms):
            hit = None if index in taken else self.at(atoms, index)
            if hit:
                yield hit
            index = hit.end if hit else index + 1

    def at(self, atoms: Sequence[Atom], index: int) -> Hit | None:
        """The longest phrase that begins at `index`."""
        for phrase, name in self._phrases.get(atoms[index].word, ()):
            end = index + len(phrase)
            if tuple(atom.word for atom in atoms[index:end]) == phrase:
                return Hit(index, end, name)
        return None
