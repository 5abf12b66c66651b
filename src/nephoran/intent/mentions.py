"""Which functions a sentence names, and which of them it is about.

A mention is an *object* (deployed or changed), a *neighbour* (an interface's far side, a cause, a host) or *excluded*.
The word that governs it decides: the verb or preposition before it, a telling noun after it, or the list it continues.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final, Literal

from nephoran.intent.phrases import FUNCTION_NAMES, VERB_PHRASES, Hit
from nephoran.intent.request import Request, negated
from nephoran.intent.tokens import Atom
from nephoran.intent.vocabulary import (
    ADJECTIVES,
    APART,
    CAPACITIES,
    COORDINATORS,
    EXCLUDING,
    LEADS,
    LINKS,
    NEIGHBOURING,
    PLACING,
    REPLICA_UNITS,
    XAPP_QUALITIES,
)

Role = Literal["object", "neighbour", "excluded"]

_NAMED_XAPPS: Final = frozenset({"kpimon", "traffic-steering"})
_XAPPS: Final = _NAMED_XAPPS | {"xapp"}
_RICS: Final = frozenset({"near-rt-ric", "non-rt-ric"})
_RUNNING: Final = frozenset({"deploy", "scale"})
_PAIRED: Final = 3
"""Functions that a slash may tie to one telling noun ("CU/DU split")."""
_SPLITS: Final = frozenset({"split", "separation"})
_CONTINUING: Final = COORDINATORS | {
    "(",
    ")",
    ":",
    "as",
    "well",
    "first",
    "then",
    "function",
    "functions",
    "component",
    "components",
    "xapps",
    "xapp",
}
_TOGETHER: Final = frozenset({"along", "together"})
_BETWEEN: Final = ADJECTIVES | REPLICA_UNITS
_GOVERNING: Final = APART | PLACING | EXCLUDING | {"with", "using", "including", "alongside"}
_UNGOVERNING: Final = {
    "as": {"such", "well"},
    "like": {"would", "d", "i", "we"},
    "that": {"required", "sure", "ensure", "want", "need", "necessary", "important", "request"},
}
"""Preposition → what stands before it where it is none."""
_NOUNS_TOO: Final = frozenset(
    {"scale", "cap", "limit", "limits", "access", "test", "check", "use", "cut", "patch", "link"}
)


@dataclass(frozen=True, slots=True)
class Mention:
    """A function's name at atoms `start` to `end` (one past) and the part that it plays."""

    start: int
    end: int
    name: str
    role: Role = "object"


def mentions(atoms: Sequence[Atom], functions: Sequence[Hit], taken: Collection[int], asked: Request) -> list[Mention]:
    """Every mention in order, each with the part that it plays in what is asked."""
    hits = [hit for hit in functions if not _only_a_quality(atoms, hit)]
    deaf = {index for hit in hits for index in range(hit.start, hit.end)}.union(taken)
    action = asked.leaning
    found: list[Mention] = []
    for hit in hits:
        role = _role(atoms, deaf, action, hit, found)
        found.append(Mention(hit.start, hit.end, hit.name, role))
    return _without_generic(_promoted(_after_the_verb(found, asked.opening), action))


def coordinated(atoms: Sequence[Atom], taken: Collection[int], end: int, start: int) -> bool:
    """Whether what begins at `start` continues the list whose last member ends at `end` ("AMF, SMF and 3 UPF")."""
    between = [atom for index, atom in enumerate(atoms[end:start], end) if index not in taken]
    joining = _CONTINUING | _TOGETHER | {"with"} if any(atom.word in _TOGETHER for atom in between) else _CONTINUING
    return all(atom.word in joining or atom.word in _BETWEEN or atom.number is not None for atom in between) and (
        not between or any(atom.word in joining for atom in between)
    )


def _only_a_quality(atoms: Sequence[Atom], hit: Hit) -> bool:
    following = atoms[hit.end].word if hit.end < len(atoms) else ""
    if hit.name == "xapp":
        return following in XAPP_QUALITIES
    return hit.name == "traffic-steering" and following in {"policy", "policies", "rule", "rules"}


def _role(atoms: Sequence[Atom], taken: Collection[int], action: str, hit: Hit, found: Sequence[Mention]) -> Role:
    previous = found[-1] if found and atoms[found[-1].start].sentence == atoms[hit.start].sentence else None
    if _neighbouring(atoms, hit):
        return "neighbour"
    if previous and hit.start > previous.end and coordinated(atoms, taken, previous.end, hit.start):
        listed = previous.role == "excluded" and any(atom.word == ":" for atom in atoms[previous.end : hit.start])
        return "object" if listed else previous.role
    governor = _governor(atoms, taken, hit.start, previous)
    if governor is None:
        return "object"
    occupied = any(
        mention.role == "object" and atoms[mention.start].sentence == atoms[hit.start].sentence for mention in found
    )
    if hit.name in _RICS and found and found[-1].name in _XAPPS:
        occupied, action = True, "deploy"
    if occupied and _is_capacity(atoms, governor, hit.start):
        return "neighbour"
    return _governed(atoms, governor, occupied and action in _RUNNING, found)


def _neighbouring(atoms: Sequence[Atom], hit: Hit) -> bool:
    end = hit.end
    for _ in range(_PAIRED):
        if end + 1 < len(atoms) and atoms[end].word in {"/", "and"} and (other := FUNCTION_NAMES.at(atoms, end + 1)):
            end = other.end
    telling = NEIGHBOURING if all(atom.word != "and" for atom in atoms[hit.end : end]) else _SPLITS
    return end < len(atoms) and not atoms[end].joined and atoms[end].word in telling


def _governor(atoms: Sequence[Atom], taken: Collection[int], start: int, previous: Mention | None) -> int | None:
    """The nearest word before `start` that decides; None where the mention stands free."""
    sentence = atoms[start].sentence
    crossed = False
    for index in range(start - 1, -1, -1):
        atom = atoms[index]
        if atom.sentence != sentence:
            return None
        if index in taken or atom.word == "of":
            continue
        crossed = crossed or atom.word in COORDINATORS
        counted = crossed and atoms[index + 1].number is not None
        if (
            atom.word in _GOVERNING
            and not atom.joint
            and not counted
            and (index == 0 or atoms[index - 1].word not in _UNGOVERNING.get(atom.word, ()))
        ):
            return index
        opens = index == 0 or atoms[index - 1].mark or atoms[index - 1].word in LEADS
        if VERB_PHRASES.at(atoms, index) and not atom.joined and (opens or atom.word not in _NOUNS_TOO):
            return index
        if previous and index < previous.end and atom.word == ",":
            return None
    return None


def _governed(atoms: Sequence[Atom], governor: int, occupied: bool, found: Sequence[Mention]) -> Role:
    word = atoms[governor].word
    verb = VERB_PHRASES.at(atoms, governor) is not None
    if word in EXCLUDING or (verb and negated(atoms, governor)):
        return "excluded"
    if word == "for" and found and found[-1].name == "xapp" and found[-1].end == governor:
        return found[-1].role
    purpose = verb and governor > 0 and atoms[governor - 1].word == "to"
    if word in APART or (occupied and (purpose or word in PLACING)) or _links(atoms, governor):
        return "neighbour"
    return "object"


def _links(atoms: Sequence[Atom], governor: int) -> bool:
    """Whether the preposition ends a link: "connected to", "interface with"."""
    if atoms[governor].word not in {"to", "with", "into", "onto", "at", "against"}:
        return False
    return any(atom.word in LINKS for atom in atoms[max(0, governor - 3) : governor])


def _after_the_verb(found: list[Mention], verb: int | None) -> list[Mention]:
    """What the clauses before the request mention is its cause or its place, if it has an object of its own."""
    if verb is None or not any(mention.role == "object" and mention.start > verb for mention in found):
        return found
    return [
        replace(mention, role="neighbour") if mention.role == "object" and mention.start < verb else mention
        for mention in found
    ]


def _is_capacity(atoms: Sequence[Atom], governor: int, start: int) -> bool:
    """Whether what is counted is what another function can bear ("with at most 500 gNBs")."""
    return not CAPACITIES.isdisjoint(atom.word for atom in atoms[governor:start])


def _promoted(found: list[Mention], action: str) -> list[Mention]:
    """Where nothing else is changed, what is mentioned is what the sentence is about."""
    if action == "deploy" or any(mention.role == "object" for mention in found):
        return found
    return [replace(mention, role="object") if mention.role == "neighbour" else mention for mention in found]


def _without_generic(found: list[Mention]) -> list[Mention]:
    named = any(mention.name in _NAMED_XAPPS and mention.role == "object" for mention in found)
    return [mention for mention in found if not (named and mention.name == "xapp")]
