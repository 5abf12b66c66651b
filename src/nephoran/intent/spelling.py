"""How a word is written: case, accents and slips of the finger put aside."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Iterator
from typing import Final

_WHOLE_LETTERS: Final = str.maketrans({"ł": "l", "đ": "d", "ø": "o", "ı": "i", "æ": "ae", "œ": "oe"})
"""Letters that Unicode does not take for an accented one."""
_SHORT: Final = 5
"""Letters of a word so short that a wrong one in it makes another word ("scale", "stale")."""


def fold(text: str) -> str:
    """Lower case without accents: `Déployer` becomes `deployer`."""
    plain = text.casefold()
    if plain.isascii():
        return plain
    spread = unicodedata.normalize("NFKD", plain.translate(_WHOLE_LETTERS))
    return "".join(char for char in spread if not unicodedata.combining(char)) or plain


class Speller:
    """Words that are known by one slip too: a letter too many, too few, wrong, or two in the wrong order."""

    def __init__(self, words: Iterable[str]) -> None:
        self._known = frozenset(words)
        self._near: dict[str, set[str]] = {}
        for word in self._known:
            for shorter in _shorter(word):
                self._near.setdefault(shorter, set()).add(word)

    def meant(self, word: str) -> str:
        """The one known word that is a slip away from `word`; `word` itself where it is known or nothing is near."""
        if len(word) < _SHORT - 1 or word in self._known:
            return word
        near = {known for shorter in _shorter(word) for known in self._near.get(shorter, ()) if _slipped(word, known)}
        return near.pop() if len(near) == 1 else word


def _shorter(word: str) -> Iterator[str]:
    yield word
    for index in range(1, len(word)):
        yield word[:index] + word[index + 1 :]


def _slipped(word: str, known: str) -> bool:
    """Whether the two share a first letter and differ by one slip that is no inflection."""
    if abs(len(word) - len(known)) == 1:
        longer, shorter = sorted((word, known), key=len, reverse=True)
        return longer[:-1] != shorter and any(longer[:at] + longer[at + 1 :] == shorter for at in range(1, len(longer)))
    if len(word) != len(known):
        return False
    wrong = [at for at, (one, other) in enumerate(zip(word, known, strict=True)) if one != other]
    if len(wrong) == 2:
        return wrong[0] + 1 == wrong[1] and sorted(word) == sorted(known)
    return len(wrong) == 1 and len(word) > _SHORT
