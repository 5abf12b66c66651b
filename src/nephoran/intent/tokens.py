"""A sentence as atoms: words, numbers and marks, in the vocabulary's own spelling.

Hyphens and underscores inside a word separate atoms that stay `joined`, so `O-DU`, `o_du` and `o du` read alike and
`us-east-1` can still be taken whole.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from nephoran.intent.languages import IDEOGRAPHS, LANGUAGES
from nephoran.intent.vocabulary import NUMBERS, SHORT_NAMES, UNITS

_LATIN: Final = r"A-Za-z0-9\u00c0-\u024f"
_PIECE: Final = re.compile(
    rf"(?P<number>[0-9]{{1,3}}(?:,[0-9]{{3}})+(?:\.[0-9]+)?(?![{_LATIN}_-]))"
    rf"|(?P<word>[{_LATIN}]+(?:[-_.][{_LATIN}]+)*)"
    r"|(?P<space>\s)"
    r"|(?P<other>.)",
    re.DOTALL,
)
_NUMERAL: Final = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?")
_MEASURE: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)([a-z]+)")
_TIMES: Final = re.compile(r"x([0-9]{1,9})")
_RANGE: Final = re.compile(r"[0-9]{1,9}-[0-9]{1,9}")
_JOINTS: Final = re.compile("([-_])")
_MARKS: Final = {
    "%": "percent", "％": "percent", "≤": "<", "≥": ">", "，": ",", "、": ",", "。": ".", "；": ";", "：": ":",
    "！": "!", "？": "?", "×": "x", "“": '"', "”": '"', "’": "'", "‘": "'", "`": "'", "&": "and",
}  # fmt: skip
_ENDS: Final = frozenset(".!?;")
_LONGEST_IDEOGRAPH: Final = max(map(len, IDEOGRAPHS))


@dataclass(frozen=True, slots=True)
class Atom:
    """One word, number or mark. `word` is folded and translated; `sentence` counts the sentences of the text from 0.

    `joint`: the hyphen or underscore that ties it to the atom before; `glued`: nothing but that stands between the two.
    """

    text: str
    word: str
    number: float | None = None
    joint: str = ""
    glued: bool = False
    mark: bool = False
    sentence: int = 0

    @property
    def joined(self) -> bool:
        """Whether it continues the word of the atom before."""
        return self.joint != ""

    @property
    def whole(self) -> int | None:
        """The number, where it is a whole one."""
        return int(self.number) if self.number is not None and self.number == int(self.number) else None


def tokenise(text: str) -> list[Atom]:
    """The atoms of a sanitised text, in order. Linear in its length."""
    pieces = list(_pieces(text))
    translation = _translation({fold(piece) for piece, _ in pieces})
    atoms: list[Atom] = []
    sentence = 0
    for piece, glued in pieces:
        atoms.extend(_atoms(piece, glued, sentence, translation))
        if _MARKS.get(piece, piece) in _ENDS:
            sentence += 1
    return atoms


def whole_word(atoms: Sequence[Atom], index: int) -> tuple[str, int]:
    """The joined word that starts at `index`, as typed, and the index after it."""
    end = index + 1
    while end < len(atoms) and atoms[end].joined:
        end += 1
    return atoms[index].text + "".join(atom.joint + atom.text for atom in atoms[index + 1 : end]), end


def fold(text: str) -> str:
    """Lower case without accents: `Déployer` becomes `deployer`."""
    plain = text.casefold()
    if plain.isascii():
        return plain
    return "".join(char for char in unicodedata.normalize("NFKD", plain) if not unicodedata.combining(char))


def _pieces(text: str) -> Iterator[tuple[str, bool]]:
    position, glued = 0, False
    while match := _PIECE.match(text, position):
        value = _ideograph(text, position) if match.lastgroup == "other" else match.group()
        position += len(value)
        if match.lastgroup != "space":
            yield value, glued
        glued = match.lastgroup != "space"


def _ideograph(text: str, position: int) -> str:
    for length in range(_LONGEST_IDEOGRAPH, 1, -1):
        if text[position : position + length] in IDEOGRAPHS:
            return text[position : position + length]
    return text[position]


def _translation(words: set[str]) -> Mapping[str, str]:
    for language in LANGUAGES:
        if not words.isdisjoint(language.signs):
            return language.words
    return {}


def _atoms(piece: str, glued: bool, sentence: int, translation: Mapping[str, str]) -> Iterator[Atom]:
    folded = fold(piece)
    if _RANGE.fullmatch(folded):
        first, last = folded.split("-")
        yield _number(first, glued, sentence)
        yield Atom("-", "-", glued=True, mark=True, sentence=sentence)
        yield _number(last, True, sentence)
    elif _NUMERAL.fullmatch(digits := folded.replace(",", "")):
        yield _number(digits, glued, sentence)
    elif (measure := _MEASURE.fullmatch(folded)) and measure.group(2) in UNITS:
        yield _number(measure.group(1), glued, sentence)
        yield Atom(measure.group(2), measure.group(2), glued=True, sentence=sentence)
    elif times := _TIMES.fullmatch(folded):
        yield Atom("x", "x", glued=glued, sentence=sentence)
        yield _number(times.group(1), True, sentence)
    else:
        yield from _words(piece, glued, sentence, translation)


def _number(digits: str, glued: bool, sentence: int) -> Atom:
    return Atom(digits, digits, number=float(digits), glued=glued, sentence=sentence)


def _words(piece: str, glued: bool, sentence: int, translation: Mapping[str, str]) -> Iterator[Atom]:
    if known := _MARKS.get(piece) or IDEOGRAPHS.get(piece):
        for word in known.split():
            yield _word(piece, word, "", glued, sentence)
        return
    joint = ""
    for part in filter(None, _JOINTS.split(piece)):
        if _JOINTS.fullmatch(part) and not piece.startswith(part):
            joint = part
            continue
        folded = fold(part)
        acronym = part.isupper() and folded in SHORT_NAMES
        for word in (folded if acronym else translation.get(folded, folded)).split():
            yield _word(part, word, joint, glued or joint != "", sentence)
        joint = ""


def _word(text: str, word: str, joint: str, glued: bool, sentence: int) -> Atom:
    number = float(word) if _NUMERAL.fullmatch(word) else NUMBERS.get(word)
    return Atom(text, word, number, joint, glued, not any(map(str.isalnum, word)), sentence)
