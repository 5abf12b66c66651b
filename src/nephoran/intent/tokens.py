"""A sentence as atoms: words, numbers and marks, in the vocabulary's own spelling.

Hyphens and underscores inside a word separate atoms that stay `joined`, so `O-DU`, `o_du` and `o du` read alike and
`us-east-1` can still be taken whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from typing import Final

import msgspec

from nephoran.intent.ideographs import IDEOGRAPHS
from nephoran.intent.languages import Language, spoken
from nephoran.intent.memory import remembered
from nephoran.intent.spelling import Speller, fold
from nephoran.intent.vocabulary import ABBREVIATIONS, EVERYDAY, NUMBERS, SHORT_NAMES, TYPED, UNITS

_LETTERS: Final = r"A-Za-z0-9\u00c0-\u00d6\u00d8-\u00f6\u00f8-\u024f\u0370-\u052f\u1e00-\u1eff"
"""Of the scripts that put spaces between words: Latin, Greek, Cyrillic."""
_PIECE: Final = re.compile(
    rf"[0-9]{{1,3}}(?:,[0-9]{{3}})+(?:\.[0-9]+)?(?![{_LETTERS}_-])"  # 10,000
    rf"|[0-9]+,[0-9]{{1,2}}(?![{_LETTERS},_-])"  # 0,5
    r"|[0-9]{1,3}(?: 000)+(?![0-9])"  # 10 000
    r"|[0-9]{1,9}\.\.\.?[0-9]{1,9}"  # 2..5
    rf"|[{_LETTERS}]+(?:[-_.][{_LETTERS}]+)*"
    r"|[-=]>"  # 2 -> 4
    r"|[\u2e80-\uffff]+"  # a run without spaces, to be split
    r"|.",
    re.DOTALL,
)
_NUMERAL: Final = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9})?")
_FOREIGN_NUMERAL: Final = re.compile(r"[0-9]{1,3}(?:\.[0-9]{3})+(?:,[0-9]{1,2})?|[0-9]{1,9},[0-9]{1,2}")
"""As most of Europe writes it: 10.000 is ten thousand, 0,5 a half."""
_GROUPED: Final = re.compile(r"[0-9]{1,3}(?:,[0-9]{3}| 000)+(?:\.[0-9]+)?")
_MEASURE: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)([a-zµμ]+)")
_TIMES: Final = re.compile(r"x([0-9]{1,9})")
_RANGE: Final = re.compile(r"([0-9]{1,9})(?:-|,|\.\.\.?)([0-9]{1,9})")
_JOINTS: Final = re.compile("([-_])")
_MARKS: Final = {
    "->": "to", "=>": "to", "→": "to",
    "%": "percent", "％": "percent", "≤": "<", "≥": ">", "，": ",", "、": ",", "。": ".", "；": ";", "：": ":",
    "！": "!", "？": "?", "×": "x", "“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "「": '"', "」": '"', "’": "'",
    "‘": "'", "`": "'", "&": "and", "（": "(", "）": ")",
}  # fmt: skip
_ENDS: Final = frozenset(".!?;。！？；")
_LONGEST_IDEOGRAPH: Final = max(map(len, IDEOGRAPHS))
_FIRST_IDEOGRAPH: Final = "\u2e80"
_SPELLER: Final = Speller(TYPED)
_REMEMBERED: Final = 1024  # pieces of sentences, most of which come again


class Atom(msgspec.Struct, frozen=True, gc=False):
    """One word, number or mark. `word` is folded and translated; `sentence` counts the sentences of the text from 0.

    `joint`: the hyphen or underscore that ties it to the atom before; `glued`: nothing but that stands between the two.
    `spelled`: a number written as a word. `whole`: the number, where it is a whole one.
    """

    text: str
    word: str
    number: float | None = None
    whole: int | None = None
    joint: str = ""
    glued: bool = False
    mark: bool = False
    spelled: bool = False
    sentence: int = 0

    @property
    def joined(self) -> bool:
        """Whether it continues the word of the atom before."""
        return self.joint != ""


def tokenise(text: str) -> list[Atom]:
    """The atoms of a sanitised text, in order. Linear in its length."""
    pieces = list(_pieces(text))
    language = spoken(part for piece, _ in pieces for part in _parts(piece))
    atoms: list[Atom] = []
    sentence = 0
    for piece, glued in pieces:
        if piece == "." and atoms and atoms[-1].word in ABBREVIATIONS:
            continue
        for atom in _atoms(piece, language):
            placed = atom if sentence == 0 and glued == atom.glued else _placed(atom, glued or atom.glued, sentence)
            atoms.append(placed)
        if piece in _ENDS:
            sentence += 1
    return _added_up(atoms)


def whole_word(atoms: Sequence[Atom], index: int) -> tuple[str, int]:
    """The joined word that starts at `index`, as typed, and the index after it."""
    end = index + 1
    while end < len(atoms) and atoms[end].joint:
        end += 1
    return atoms[index].text + "".join(atom.joint + atom.text for atom in atoms[index + 1 : end]), end


def _pieces(text: str) -> Iterator[tuple[str, bool]]:
    """Words, numbers and marks, and whether each is glued to the one before."""
    glued = False
    for value in _PIECE.findall(text):
        if value == " ":
            glued = False
            continue
        for piece in _ideographs(value) if value >= _FIRST_IDEOGRAPH else (value,):
            yield piece, glued
            glued = True


@remembered("words", _REMEMBERED)
def _parts(piece: str) -> tuple[str, ...]:
    """The words of a piece, as they are looked up in a language."""
    return tuple(fold(part) for part in _JOINTS.split(piece))


def _ideographs(run: str) -> Iterator[str]:
    """The words in a run without spaces, longest first; a character that is in none of them stands alone."""
    start = 0
    while start < len(run):
        lengths = range(_LONGEST_IDEOGRAPH, 1, -1)
        end = next((start + length for length in lengths if run[start : start + length] in IDEOGRAPHS), start + 1)
        yield run[start:end]
        start = end


def _placed(atom: Atom, glued: bool, sentence: int) -> Atom:
    """`atom` where it stands."""
    told = atom.text, atom.word, atom.number, atom.whole, atom.joint
    return Atom(*told, glued, atom.mark, atom.spelled, sentence)


@remembered("readings", _REMEMBERED)
def _atoms(piece: str, language: Language | None) -> tuple[Atom, ...]:
    """What one piece reads as in `language` (None: English); never nothing."""
    folded = fold(piece)
    if folded[:1].isdigit() and (numbers := _numerals(piece, folded, language)):
        return numbers
    if folded.startswith("sub-"):  # sub-5ms
        return Atom("sub", "below"), *_atoms(piece[4:], language)
    if times := _TIMES.fullmatch(folded):
        return Atom("x", "x"), _numeral(times.group(1), glued=True)
    return tuple(_words(piece, language))


def _numerals(piece: str, folded: str, language: Language | None) -> tuple[Atom, ...]:
    """A number, a number with its unit, or two numbers; nothing if the piece is a word."""
    if _GROUPED.fullmatch(folded):
        return (_numeral(folded.replace(",", "").replace(" ", "")),)
    if language and _FOREIGN_NUMERAL.fullmatch(folded):
        return (_numeral(folded.replace(".", "").replace(",", ".")),)
    if _NUMERAL.fullmatch(folded):
        return (_numeral(folded),)
    if ends := _RANGE.fullmatch(folded):
        mark = "," if "," in folded else "-"  # 2,3 in a language that writes decimals with a point
        return _numeral(ends.group(1)), Atom(mark, mark, glued=True, mark=True), _numeral(ends.group(2), glued=True)
    if measure := _MEASURE.fullmatch(folded):
        unit = language.words.get(measure.group(2), measure.group(2)) if language else measure.group(2)
        unit = "million" if piece.endswith("M") and unit == "m" else unit
        if unit in UNITS:
            return _numeral(measure.group(1)), Atom(measure.group(2), unit, glued=True)
    return ()


def _numeral(digits: str, glued: bool = False) -> Atom:
    number = float(digits) if _NUMERAL.fullmatch(digits) else None
    return Atom(digits, digits, number=number, whole=_whole(number), glued=glued)


def _whole(number: float | None) -> int | None:
    return int(number) if number is not None and number == int(number) else None


def _words(piece: str, language: Language | None) -> Iterator[Atom]:
    if known := _MARKS.get(piece) or IDEOGRAPHS.get(piece):
        for word in known.split():
            yield _word(piece, word, "")
        return
    joint = ""
    for part in filter(None, _JOINTS.split(piece)):
        if _JOINTS.fullmatch(part) and not piece.startswith(part):
            joint = part
            continue
        for word in _understood(part, language).split() or [part]:
            yield _word(part, word, joint)
        joint = ""


def _understood(part: str, language: Language | None) -> str:
    """One word in ours, a slip put right."""
    folded = fold(part)
    if language and folded in language.words and not (part.isupper() and folded in SHORT_NAMES):
        return language.words[folded]
    return folded if folded in EVERYDAY else _SPELLER.meant(folded)


def _word(text: str, word: str, joint: str) -> Atom:
    number = float(word) if _NUMERAL.fullmatch(word) else NUMBERS.get(word)
    mark = not any(map(str.isalnum, word))
    return Atom(text, word, number, _whole(number), joint, joint != "", mark, word in NUMBERS)


def _added_up(atoms: list[Atom]) -> list[Atom]:
    """`atoms` with numbers of several words made one: "twenty-five", "one hundred and twenty", "half a dozen"."""
    if sum(atom.spelled for atom in atoms) < 2 and all(atom.word != "dozen" for atom in atoms):
        return atoms
    return _joined(_joined(atoms, _product), _sum)


def _joined(atoms: list[Atom], rule: Callable[[Atom, Atom, bool], float | None]) -> list[Atom]:
    """`atoms` with each two made one that are one number by `rule`, which is told whether a word stands between."""
    joined: list[Atom] = []
    for atom in atoms:
        back = 2 if len(joined) > 1 and joined[-1].word in {"and", "a"} else 1
        number = rule(joined[-back], atom, back == 2) if atom.spelled and len(joined) >= back else None
        if number is None:
            joined.append(atom)
            continue
        first = joined[-back]
        del joined[-back:]
        text = f"{number:g}"
        joined.append(Atom(text, text, number, _whole(number), first.joint, first.glued, False, True, first.sentence))
    return joined


def _product(left: Atom, right: Atom, apart: bool) -> float | None:
    """Two hundred, two dozen, 二十; half a dozen."""
    if apart:
        return 6 if (left.word, right.word) == ("half", "dozen") else None
    many = right.word in {"hundred", "dozen"} or (right.number == 10 and right.glued)
    return left.number * (right.number or 0) if many and left.number and left.number < 10 else None


def _sum(left: Atom, right: Atom, apart: bool) -> float | None:
    """Twenty-five, a hundred (and) twenty, 十二."""
    if not left.spelled or not left.number or not right.number or (apart and left.number < 100):
        return None
    below = 100 if left.number % 100 == 0 else 10 if left.number % 10 == 0 else 0
    return left.number + right.number if right.number < below and (left.number >= 20 or right.glued) else None
