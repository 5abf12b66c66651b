"""A sentence while its details are read: its words, and what has been read so far."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Any, Final

from nephoran.intent.tokens import Atom

_NEAR: Final = 5
"""Words that a number and what it counts may be apart."""


class Reading:
    """The atoms and what they state. `numbers`: indexes of numbers that stand for themselves, in order."""

    def __init__(self, atoms: Sequence[Atom], taken: Collection[int]) -> None:
        self.atoms = atoms
        self.words = [atom.word for atom in atoms]
        self.numbers = [index for index, atom in enumerate(atoms) if atom.number is not None and not atom.joint]
        self.taken = set(taken)
        self.stated: dict[str, Any] = {}

    def state(self, name: str, value: object, *indexes: int) -> None:
        """The first statement of a detail counts; its atoms are no longer free for others."""
        self.stated.setdefault(name, value)
        self.taken.update(indexes)

    def word(self, index: int) -> str:
        """The word at `index`; empty outside the sentence."""
        return self.words[index] if 0 <= index < len(self.words) else ""

    def whole(self, index: int) -> int | None:
        """The whole number at `index`."""
        return self.atoms[index].whole if 0 <= index < len(self.atoms) else None

    def free(self) -> list[int]:
        """The indexes of numbers that state nothing yet."""
        return [index for index in self.numbers if index not in self.taken]

    def after(self, index: int, reach: int = _NEAR) -> list[str]:
        """The words after `index` up to the next number or the sentence's end."""
        return self._run(range(index + 1, min(index + 1 + reach, len(self.atoms))), index)

    def before(self, index: int, reach: int = _NEAR) -> list[str]:
        """The words before `index` back to the last number or the sentence's begin, nearest first."""
        return self._run(range(index - 1, max(index - 1 - reach, -1), -1), index)

    def near(self, index: int) -> set[str]:
        """The words on either side of `index`."""
        return {*self.before(index), *self.after(index)}

    def _run(self, indexes: range, start: int) -> list[str]:
        words: list[str] = []
        sentence = self.atoms[start].sentence
        for index in indexes:
            atom = self.atoms[index]
            if atom.sentence != sentence or (atom.number is not None and not atom.joint):
                break
            words.append(atom.word)
        return words
