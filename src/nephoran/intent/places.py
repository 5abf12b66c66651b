"""Where: the namespace, site and region that a sentence names, and the atoms that say so."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from nephoran.intent.tokens import Atom, whole_word
from nephoran.intent.vocabulary import (
    AFTER_COUNT,
    COMMON_PARTS,
    ENVIRONMENTS,
    KNOWN_NAMESPACES,
    NOT_NAMESPACES,
    PERFORMANCE_WORDS,
    POLICY_WORDS,
    SITE_WORDS,
)
from steady.backoff import ErrorType

_LABEL: Final = re.compile(r"[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?")
_SITE: Final = re.compile(rf"(?:{'|'.join(sorted(SITE_WORDS))})(?:-?site)?-?[0-9]+[a-z]?")
_SITE_STARTS: Final = (*SITE_WORDS, "location")
_REGION: Final = re.compile(
    r"[a-z]{2,12}-(?:gov-)?(?:north|south|east|west|central)(?:east|west)?(?:-?[0-9])?(?:-?[a-z])?"
)
_BEFORE: Final = frozenset(
    {"in", "into", "to", "from", "within", "under", "of", "for", "on", "using", "at", "inside", "-"}
)
_KEYWORDS: Final = frozenset({"namespace", "namespaces", "ns"})
_LEADING: Final = _BEFORE - {"of", "for", "using", "-"}
_DETERMINERS: Final = frozenset(
    {"the", "a", "an", "target", "kubernetes", "k8s", "our", "my", "existing", "dedicated", "new"}
)
_PLACE_KINDS: Final = _DETERMINERS | {"site", "region", "edge", "location", "zone", "cluster"}
_PLACING: Final = _BEFORE - {"of", "-"}
_NAMING: Final = frozenset({":", "=", '"', "'", "named", "called", "of", "nombres", "noms", "name", "is"})
_CALLING: Final = _NAMING - {"of", "is"}
_NO_NAMES: Final = NOT_NAMESPACES - ENVIRONMENTS
_TIMES: Final = AFTER_COUNT | PERFORMANCE_WORDS
_PATHS: Final = frozenset({"/", "\\", "~", "$", "{", "<", "*"})


_PATH_STARTS: Final = _PATHS | {".", "-"}
_PATH_ENDS: Final = _PATHS | {"."}


class NotANamespace(Exception):
    """A sentence names a namespace that cannot be one."""

    error_type = ErrorType.VALIDATION

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name


@dataclass(frozen=True, slots=True)
class Places:
    """What the sentence says about where. `taken`: the atoms that say it, deaf for all other rules."""

    namespace: str | None
    site: str | None
    region: str | None
    taken: frozenset[int]


@dataclass(frozen=True, slots=True)
class _Place:
    name: str
    atoms: range


def places(atoms: Sequence[Atom]) -> Places:
    """The places named. Raises `NotANamespace` where "in namespace X" names what no namespace can be called."""
    namespace = next(_named_namespaces(atoms), None) or next(_bare_namespaces(atoms), None)
    used = frozenset(namespace.atoms) if namespace else frozenset()
    site = next((place for place in _sites(atoms) if used.isdisjoint(place.atoms)), None)
    region = next((place for place in _regions(atoms) if used.isdisjoint(place.atoms)), None)
    taken = used.union(*(place.atoms for place in (site, region) if place))
    return Places(_name(namespace), _name(site), _name(region), taken)


def _name(place: _Place | None) -> str | None:
    return place.name if place else None


def _named_namespaces(atoms: Sequence[Atom]) -> Iterator[_Place]:
    for index, atom in enumerate(atoms):
        if atom.word in _KEYWORDS and not atom.joint and _keyword(atoms, index):
            place = _after_keyword(atoms, index) or _before_keyword(atoms, index)
            if place:
                yield place
        elif atom.word == "n" and index > 0 and atoms[index - 1].word == "-" and atom.glued and index + 1 < len(atoms):
            yield _label(atoms, index - 1, index + 1)


def _keyword(atoms: Sequence[Atom], index: int) -> bool:
    if index + 1 < len(atoms) and atoms[index + 1].joint:  # namespace-scoped
        return False
    if atoms[index].word != "ns" or index == 0 or atoms[index - 1].number is None:
        return True
    following = atoms[index + 1] if index + 1 < len(atoms) else None  # 2 ns may be nanoseconds
    spaced = not atoms[index].glued and following is not None and not following.mark
    return spaced and following is not None and following.word not in _TIMES


def _after_keyword(atoms: Sequence[Atom], index: int) -> _Place | None:
    first = _back_over_determiners(atoms, index)
    start = index + 1
    while start < len(atoms) and atoms[start].word in _NAMING:
        start += 1
    if start >= len(atoms):
        return None
    placed = first < 0 or atoms[first].word in _BEFORE
    if not (placed or start > index + 1 or atoms[index].word == "ns" or _stands_alone(atoms, start)):
        return None
    if _is_path(atoms, start):
        raise NotANamespace(atoms[start].text + atoms[start + 1].text)
    if atoms[start].mark or atoms[start].word in _NO_NAMES or atoms[start].word in AFTER_COUNT:
        return None
    return _label(atoms, max(first, 0) if placed else index, start)


def _stands_alone(atoms: Sequence[Atom], start: int) -> bool:
    """Whether nothing says that the word names a namespace, but nothing else would end there ("…, namespace core")."""
    end = whole_word(atoms, start)[1]
    ends = end == len(atoms) or atoms[end].mark or atoms[end].word in AFTER_COUNT
    return ends and atoms[start].word not in POLICY_WORDS


def _is_path(atoms: Sequence[Atom], start: int) -> bool:
    following = atoms[start + 1] if start + 1 < len(atoms) else None
    return atoms[start].mark and following is not None and following.glued and atoms[start].word in _PATH_STARTS


def _before_keyword(atoms: Sequence[Atom], index: int) -> _Place | None:
    start = index - 1
    while start > 0 and atoms[start].word in {'"', "'"}:
        start -= 1
    while start > 0 and atoms[start].joined:
        start -= 1
    if start < 0 or atoms[start].mark or atoms[start].word in _NO_NAMES:
        return None
    quoted = start - 1 if start and atoms[start - 1].word in {'"', "'"} else start
    first = _back_over_determiners(atoms, quoted)
    opens = first < 0 and not (index + 1 < len(atoms) and atoms[index + 1].word in POLICY_WORDS)
    if not opens and atoms[first].word not in _LEADING:
        return None
    place = _label(atoms, max(first, 0), start)
    return _Place(place.name, range(max(first, 0), index + 1))


def _back_over_determiners(atoms: Sequence[Atom], index: int) -> int:
    first = index - 1
    while first >= 0 and atoms[first].word in _DETERMINERS:
        first -= 1
    return first


def _label(atoms: Sequence[Atom], first: int, start: int) -> _Place:
    name, end = whole_word(atoms, start)
    if end + 1 < len(atoms) and atoms[end].glued and atoms[end].word in _PATH_ENDS and atoms[end + 1].glued:
        raise NotANamespace(name + atoms[end].text + atoms[end + 1].text)
    if not _LABEL.fullmatch(name.lower()):
        raise NotANamespace(name)
    return _Place(name.lower(), range(first, end))


def _bare_namespaces(atoms: Sequence[Atom]) -> Iterator[_Place]:
    for index in range(len(atoms) - 1):
        into = atoms[index].word in {"to", "into", "onto"} and atoms[index + 1].word.startswith("ric")
        if not (into or atoms[index].word in {"in", "within"}) or atoms[index + 1].mark:
            continue
        name, end = whole_word(atoms, index + 1)
        ends = end == len(atoms) or atoms[end].mark or atoms[end].word in AFTER_COUNT
        if ends and _LABEL.fullmatch(name) and (name in KNOWN_NAMESPACES or _uncommon(atoms[index + 1 : end])):
            yield _Place(name, range(index, end))


def _uncommon(parts: Sequence[Atom]) -> bool:
    """Whether an identifier is nobody's common noun: several parts or a digit, none of the parts in everyday use."""
    if any(part.word in COMMON_PARTS or (part.word in ENVIRONMENTS and len(parts) == 1) for part in parts):
        return False
    if _SITE.fullmatch("-".join(part.text for part in parts)) or not parts[0].text[0].isalpha():
        return len(parts) > 1 and parts[0].word in {"5g", "5gc"}
    return len(parts) > 1 or any(char.isdigit() for char in parts[0].word)


def _sites(atoms: Sequence[Atom]) -> Iterator[_Place]:
    for index, atom in enumerate(atoms):
        if atom.joint or not atom.word.startswith(_SITE_STARTS):
            continue
        name, end = whole_word(atoms, index)
        if _SITE.fullmatch(name.lower()):
            yield _Place(name.lower(), range(_with_preposition(atoms, index), end))
        elif atom.word in {"site", "location"} and end < len(atoms):
            yield from _told(atoms, index, end)


def _told(atoms: Sequence[Atom], index: int, start: int) -> Iterator[_Place]:
    while start < len(atoms) - 1 and atoms[start].word in _CALLING:
        start += 1
    name, end = whole_word(atoms, start)
    if not atoms[start].mark and atoms[start].number is None and any(map(str.isdigit, name)):
        yield _Place(name.lower(), range(_with_preposition(atoms, index), end))


def _regions(atoms: Sequence[Atom]) -> Iterator[_Place]:
    for index in range(len(atoms) - 1):
        if atoms[index].joint or atoms[index + 1].joint != "-":
            continue
        name, end = whole_word(atoms, index)
        if _REGION.fullmatch(name.lower()):
            yield _Place(name.lower(), range(_with_preposition(atoms, index), end))


def _with_preposition(atoms: Sequence[Atom], index: int) -> int:
    first = index - 1
    while first > 0 and atoms[first].word in _PLACE_KINDS:
        first -= 1
    return first if first >= 0 and atoms[first].word in _PLACING else index
