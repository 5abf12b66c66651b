"""What is asked: the verb that decides, and the words of its object."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final, Literal, cast

from nephoran.intent.phrases import VERB_PHRASES, Hit
from nephoran.intent.tokens import Atom
from nephoran.intent.vocabulary import (
    ADJECTIVES,
    CLAUSES,
    LEADS,
    NEGATIONS,
    POLICY_WORDS,
    PREPOSITIONS,
    PURPOSE,
    REPLICA_UNITS,
    SCALED_WORDS,
    WISHES,
    WITHIN,
    Mood,
)

_WISHING: Final = WISHES | {"request"}
_HELPING: Final = {"do": {"not", "you", "we"}, "let": {"us", "'"}, "go": {"ahead", "on"}, "make": {"sure"}}
"""Verb → what follows it where another verb says what is asked."""
_BEING: Final = frozenset({"is", "are", "was", "were"})
_QUESTIONS: Final = _BEING | {"what", "how", "why", "who", "which", "where", "does", "did", "has"}
_POLITE: Final = frozenset({"please", "the"})
_ENDING: Final = PREPOSITIONS | CLAUSES
_POLICIES: Final = frozenset(
    {"policy", "policies", "qos", "rule", "rules", "interface", "interfaces", "connection", "connections", "link"}
)
_INSTANCES: Final = REPLICA_UNITS | ADJECTIVES | SCALED_WORDS | {"number", "it", "them", ",", "up", "down", "out"}
_RUNNING: Final = frozenset({"deploy", "setup", "implement", None})
_SCALING: Final = frozenset({"scale", "change", "add", "set"})
_MEASURING: Final = _SCALING | {"configure", None}


@dataclass(frozen=True, slots=True)
class Request:
    """The deciding verb's mood and the words of its object, up to the first preposition.

    `component`: the object is a function, or has one. `opening`: the index of the verb, where it opens a clause.
    """

    mood: Mood | None
    head: tuple[str, ...] = ()
    component: bool = False
    negated: bool = False
    question: bool = False
    opening: int | None = None

    @property
    def behaviour(self) -> bool:
        """Whether what shall be set up is a behaviour and not something that runs."""
        if self.mood == "deploy":
            return not self.component and not _POLICIES.isdisjoint(self.head)
        named = self.component and self.head[-1] not in POLICY_WORDS
        return not named and not POLICY_WORDS.isdisjoint(self.head)

    @property
    def leaning(self) -> Literal["deploy", "scale", "configure"]:
        """What it is about to become, as far as verb and object tell."""
        if self.mood in _RUNNING:
            return "configure" if self.behaviour else "deploy"
        return "scale" if self.mood in _SCALING else "configure"

    @property
    def counts(self) -> bool:
        """Whether a mere number may be one of instances: nothing else is said to be set, raised or lowered."""
        return self.component or self.mood not in _MEASURING or _INSTANCES.issuperset(self.head)


def request(atoms: Sequence[Atom], functions: Sequence[Hit], taken: Collection[int]) -> Request:
    """What the sentence asks for. `functions`: where functions are named; `taken`: atoms that mean something else."""
    asking = atoms[0].word in _QUESTIONS
    covered = {index for hit in functions for index in range(hit.start, hit.end)}.union(taken)
    verbs = [hit for hit in VERB_PHRASES.hits(atoms, covered) if not _part_of_a_name(atoms, hit)]
    if not verbs:
        return Request(None, question=asking)
    distance, verb = min(((_distance(atoms, taken, hit), hit) for hit in verbs), key=lambda pair: pair[0])
    begin, end = _object(atoms, verb)
    return Request(
        mood=cast(Mood, verb.name),
        head=tuple(atom.word for atom in atoms[begin:end]),
        component=any(begin <= hit.start and hit.end <= end for hit in functions),
        negated=negated(atoms, verb.start),
        question=asking and distance > 0,
        opening=verb.start if distance == 0 else None,
    )


def negated(atoms: Sequence[Atom], verb: int) -> bool:
    """Whether the verb at `verb` is what shall not be done."""
    return verb > 0 and atoms[verb - 1].word in NEGATIONS


def _part_of_a_name(atoms: Sequence[Atom], hit: Hit) -> bool:
    """Whether the verb asks for nothing: it is half of a word, helps another verb, or tells what is."""
    first = atoms[hit.start]
    before = atoms[hit.start - 1].word if hit.start else ""
    after = atoms[hit.end] if hit.end < len(atoms) else None
    if first.joint or (after and after.joint) or before in WITHIN:
        return True
    if before in _BEING and first.word.endswith("ing"):
        return True
    if after is None:
        return False
    return after.word in _HELPING.get(first.word, ()) or (first.word in _WISHING and after.word in {"to", "you", ":"})


def _distance(atoms: Sequence[Atom], taken: Collection[int], hit: Hit) -> int:
    """How far the verb is from being the request itself: it opens a clause (0), is inside one (1), tells why (2).

    A place before it counts for nothing; a verb that is negated is farthest (3).
    """
    start = hit.start
    while start and start - 1 in taken:
        start -= 1
    if start == 0:
        return 0
    before = atoms[start - 1]
    if before.word == "to" and start > 1 and atoms[start - 2].word in WISHES:
        return 0
    if negated(atoms, hit.start):
        return 3
    if before.mark or before.word in LEADS:
        return 0
    return 2 if before.word in PURPOSE else 1


def _object(atoms: Sequence[Atom], verb: Hit) -> tuple[int, int]:
    """Where the words of the verb's object begin and end: after it, or before it in languages where it stands last."""
    end = _end_of_object(atoms, verb.end, verb.start)
    if any(atom.word not in _POLITE and not atom.mark for atom in atoms[verb.end : end]):
        return verb.end, end
    begin = verb.start
    while begin and atoms[begin - 1].sentence == atoms[verb.start].sentence:
        begin -= 1
    return begin, min(_end_of_object(atoms, begin, verb.start), verb.start)


def _end_of_object(atoms: Sequence[Atom], start: int, of: int) -> int:
    end = start
    while (
        end < len(atoms)
        and atoms[end].sentence == atoms[of].sentence
        and (atoms[end].word not in _ENDING or atoms[end].joint)
    ):
        end += 1
    return end
