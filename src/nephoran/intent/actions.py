"""What is asked: the verb that decides, and the action that it and its object make together."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise, zip_longest
from typing import Final, Literal, cast

from nephoran.intent.meaning import Action, Detail, SliceType
from nephoran.intent.mentions import Mention
from nephoran.intent.phrases import Hit, Lexicon
from nephoran.intent.tokens import Atom
from nephoran.intent.vocabulary import (
    ADJECTIVES,
    CLAUSES,
    COMPONENTS,
    LEADS,
    MEANT,
    NEGATIONS,
    NOUNS,
    PERFORMANCE_WORDS,
    POLICY_WORDS,
    PREPOSITIONS,
    PURPOSE,
    REPLICA_UNITS,
    SCALED_WORDS,
    SLICE_QUALITIES,
    SLICE_WORDS,
    SLICES,
    VERBS,
    WISHES,
    WITHIN,
    Mood,
)

_VERBS: Final = Lexicon(VERBS)
_NOUNS: Final = Lexicon(NOUNS)
_COMPONENTS: Final = Lexicon(COMPONENTS)
_SLICES: Final = Lexicon(SLICES)
_MEANT: Final = Lexicon(MEANT)
_WISHING: Final = WISHES | {"request"}
_HELPING: Final = {"do": {"not", "you", "we"}, "let": {"us", "'"}, "go": {"ahead", "on"}}
"""Verb → what follows it where another verb says what is asked."""
_COMPONENT_WORDS: Final = frozenset(phrase[-1] for phrase in COMPONENTS)
_ENDING: Final = PREPOSITIONS | CLAUSES
_POLICIES: Final = frozenset(
    {"policy", "policies", "qos", "rule", "rules", "interface", "interfaces", "connection", "connections", "link"}
)
_RUNNING: Final = frozenset({"deploy", "setup", "implement", None})
_INSTANCES: Final = REPLICA_UNITS | ADJECTIVES | SCALED_WORDS | {"number", "it", "them", ",", "up", "down", "out"}
_SCALING: Final = frozenset({"scale", "change", "add", "set"})
_UPKEEP: Final = frozenset({"maintenance", "upgrade", "upgrades", "patching", "patch", "patches", "hotfix", "hotfixes"})
_AUTOSCALE: Final = frozenset({"autoscaling", "autoscale", "autoscaler", "hpa"})
_SOFTWARE: Final = frozenset({"version", "software", "image", "images", "firmware", "release", "latest"})
_MORE: Final = frozenset({"more", "additional", "extra", "overloaded", "fewer"})
_BETTER: Final = frozenset({"faster", "quicker", "efficient", "cheaper", "leaner", "greener", "responsive", "smoother"})
_LARGER: Final = frozenset({"bigger", "larger", "smaller", "stronger"})
_AWAY: Final = frozenset({"out", "offline", "down", "maintenance", "service"})
_QUESTIONS: Final = frozenset({"what", "how", "why", "who", "which", "where", "is", "are", "does", "did", "has", "was"})
_REPORTS: Final = frozenset({"deployed", "installed", "created", "launched", "started", "works", "running"})
_BEING: Final = frozenset({"is", "are", "was", "were"})
_OBLIGING: Final = frozenset({"be", "should", "must", "need", "needs", "needed", "required", "wanted", "please"})


@dataclass(frozen=True, slots=True)
class Request:
    """The deciding verb's mood and the words of its object, up to the first preposition.

    `opening`: the index of the verb, where it opens a clause.
    """

    mood: Mood | None
    head: tuple[str, ...] = ()
    component: bool = False
    negated: bool = False
    question: bool = False
    opening: int | None = None


def request(atoms: Sequence[Atom], taken: Collection[int]) -> Request:
    """What the sentence asks for, before its functions are known."""
    verb = _deciding(atoms, taken)
    if verb is None:
        return Request(None, question=atoms[0].word in _QUESTIONS)
    head, distance = _head(atoms, verb.end), _distance(atoms, taken, verb)
    return Request(
        mood=cast(Mood, verb.name),
        head=tuple(atom.word for atom in head),
        component=any(True for _ in _COMPONENTS.hits(head)),
        negated=negated(atoms, verb.start),
        opening=verb.start if distance == 0 else None,
        question=atoms[0].word in _QUESTIONS and distance > 0,
    )


def negated(atoms: Sequence[Atom], verb: int) -> bool:
    """Whether the verb at `verb` is what shall not be done."""
    return verb > 0 and atoms[verb - 1].word in NEGATIONS


def leaning(asked: Request) -> Literal["deploy", "scale", "configure"]:
    """What the request is about to become, as far as its verb and object tell."""
    if asked.mood in _RUNNING:
        return "configure" if _behaviour(asked) else "deploy"
    return "scale" if asked.mood in _SCALING else "configure"


def counts_instances(asked: Request) -> bool:
    """Whether a mere number may be a number of instances: nothing else is said to be set, raised or lowered."""
    return asked.component or _INSTANCES.issuperset(asked.head) or asked.mood not in _SCALING | {"configure", None}


def action(
    atoms: Sequence[Atom],
    asked: Request,
    named: Sequence[Mention],
    told: bool,
    stated: Detail,
    sized: bool,
    type_: SliceType | None,
) -> Action | None:
    """The action, from the verb and what it is done to; None where nothing tells.

    `told`: anything but names is stated; `sized`: a size is.
    """
    objects = any(mention.role == "object" for mention in named)
    head = set(asked.head)
    if asked.mood is None:
        return _unasked(atoms, objects, told, sized, type_)
    if stated.autoscale and objects and asked.mood in {"configure", "set"}:
        return "scale"
    if stated.version and not sized and asked.mood in {"change", "set", "bring", "take"}:
        return "maintenance"
    if asked.mood in {"deploy", "setup", "implement", "configure", "set", "do", "schedule", "change", "add"}:
        if _UPKEEP & head and not (asked.mood == "deploy" and asked.component):
            return "maintenance"
        if _autoscales(asked.head) and (not asked.component or asked.mood in {"configure", "set", "implement"}):
            return "scale"
        if _of_slices(asked.head, type_):
            return _slicing(asked.mood, objects)
    return _plain(atoms, asked, objects, sized)


def slice_type(atoms: Sequence[Atom], taken: Collection[int]) -> SliceType | None:
    """The slice type named, or plainly meant by what the slice is for."""
    for hit in _SLICES.hits(atoms, taken):
        return cast(SliceType, hit.name)
    words = {atom.word for atom in atoms}
    meant = {hit.name for hit in _MEANT.hits(atoms, taken)}
    if words.isdisjoint(SLICE_WORDS | {"slicing"}):
        return "mmtc" if "mmtc" in meant and not words.isdisjoint({"massive", "million", "millions"}) else None
    ranked = (type_ for type_ in dict.fromkeys(MEANT.values()) if type_ in meant)
    return cast("SliceType | None", next(ranked, None))


def _deciding(atoms: Sequence[Atom], taken: Collection[int]) -> Hit | None:
    covered = {index for hit in _COMPONENTS.hits(atoms, taken) for index in range(hit.start, hit.end)}
    hits = [hit for hit in _VERBS.hits(atoms, covered.union(taken)) if not _part_of_a_name(atoms, hit)]
    return min(hits, key=lambda hit: (_distance(atoms, taken, hit), hit.start), default=None)


def _part_of_a_name(atoms: Sequence[Atom], hit: Hit) -> bool:
    before = atoms[hit.start - 1].word if hit.start else ""
    after = atoms[hit.end].word if hit.end < len(atoms) else ""
    wish = atoms[hit.start].word in _WISHING and after in {"to", "you", ":"}
    wish = wish or after in _HELPING.get(atoms[hit.start].word, ())
    told = before in _BEING and atoms[hit.start].word.endswith("ing")
    return told or atoms[hit.start].joined or before in WITHIN or wish or (hit.end < len(atoms) and atoms[hit.end].joined)


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


def _head(atoms: Sequence[Atom], start: int) -> Sequence[Atom]:
    end = start
    while (
        end < len(atoms)
        and atoms[end].sentence == atoms[start].sentence
        and (atoms[end].word not in _ENDING or atoms[end].joint)
    ):
        end += 1
    return atoms[start:end]


def _autoscales(head: Sequence[str]) -> bool:
    scaling = any(first == "auto" and second.startswith("scal") for first, second in pairwise(head))
    automatic = "automatic" in head and "scaling" in head
    return scaling or automatic or not _AUTOSCALE.isdisjoint(head) or head[:1] == ("scaling",)


def _of_slices(head: Sequence[str], type_: SliceType | None) -> bool:
    for word, following in zip_longest(head, head[1:], fillvalue=""):
        if word in SLICE_WORDS or (word == "slicing" and type_):
            return following not in SLICE_QUALITIES
    return False


def _slicing(mood: Mood, objects: bool) -> Action:
    if not objects:
        return "scale" if mood == "set" else "slice"
    return "configure" if mood in {"configure", "set"} else "deploy"


def _plain(atoms: Sequence[Atom], asked: Request, objects: bool, sized: bool) -> Action | None:
    head = set(asked.head)
    match asked.mood:
        case "scale" | "optimize" | "maintenance":
            done: Action | None = asked.mood
        case "configure":
            done = "scale" if sized and REPLICA_UNITS & head else "configure"
        case "deploy":
            done = "configure" if _behaviour(asked) else _started(atoms)
        case "setup" | "implement":
            done = _set_up(asked, objects)
        case "set":
            done = "scale" if sized or SCALED_WORDS & head else "configure"
        case "add" if asked.component and not sized and not (SCALED_WORDS | POLICY_WORDS | _MORE) & head:
            done = "deploy"
        case "add" if not (asked.component or sized or (SCALED_WORDS | _MORE) & head):
            done = "configure" if objects else None
        case "change" | "add":
            done = _changed(asked, sized)
        case "update":
            done = _updated(atoms, head, sized)
        case "make":
            done = _made(asked, sized)
        case "take":
            done = "scale" if sized else "maintenance" if _AWAY & head else None
        case "bring":
            done = "optimize" if PERFORMANCE_WORDS & head else "scale" if _rises(atoms) else "deploy"
        case "schedule" | "do":
            done = _lent(atoms) or ("maintenance" if asked.mood == "schedule" else None)
            done = done or ("configure" if POLICY_WORDS & head else "scale" if sized else None)
        case _:
            done = "configure" if asked.mood == "connect" else None
    return done


def _started(atoms: Sequence[Atom]) -> Action:
    words = {atom.word for atom in atoms}
    return "maintenance" if {"start", "again"} <= words else "deploy"


def _behaviour(asked: Request) -> bool:
    """Whether what shall be set up is a behaviour and not something that runs."""
    if asked.mood == "deploy":
        return not asked.component and not _POLICIES.isdisjoint(asked.head)
    return not POLICY_WORDS.isdisjoint(asked.head) and not (asked.component and asked.head[-1] not in POLICY_WORDS)


def _set_up(asked: Request, objects: bool) -> Action:
    if _MORE.intersection(asked.head) and objects:
        return "scale"
    if _behaviour(asked):
        return "configure"
    return "deploy" if asked.component or asked.mood == "setup" else "configure"


def _made(asked: Request, sized: bool) -> Action:
    """What "make an AMF", "make the AMF highly available" and "make it 5" ask for."""
    if asked.head[:1] == ("it",) and sized:
        return "scale"
    if not asked.component or _COMPONENT_WORDS.issuperset(asked.head[-1:]):
        return "deploy"
    head = set(asked.head)
    return "optimize" if _BETTER & head else "scale" if _LARGER & head else "configure"


def _changed(asked: Request, sized: bool) -> Action:
    head = set(asked.head)
    if not sized and PERFORMANCE_WORDS & head and not SCALED_WORDS & head:
        return "optimize"
    if not sized and POLICY_WORDS & head and not SCALED_WORDS & head:
        return "configure"
    return "scale"


def _updated(atoms: Sequence[Atom], head: set[str], sized: bool) -> Action:
    words = {atom.word for atom in atoms}
    versioned = any(word[:1] == "v" and word[1:2].isdigit() for word in words)
    if _SOFTWARE & words or versioned:
        return "maintenance"
    return "scale" if sized or SCALED_WORDS & head else "configure"


def _lent(atoms: Sequence[Atom]) -> Action | None:
    free = (hit for hit in _NOUNS.hits(atoms) if hit.start == 0 or atoms[hit.start - 1].word not in WITHIN)
    return cast("Action | None", next((hit.name for hit in free), None))


def _unasked(
    atoms: Sequence[Atom], objects: bool, told: bool, sized: bool, type_: SliceType | None
) -> Action | None:
    if noun := _lent(atoms):
        return noun
    words = {atom.word for atom in atoms}
    if _REPORTS & words and not _OBLIGING & words and atoms[0].word not in {"have", "get"}:
        return None
    if objects:
        changed = _MORE & words or "number" in words or (sized and "have" in words and _OBLIGING & words)
        return "scale" if changed or _rises(atoms) else "deploy" if told or _OBLIGING & words else None
    return "slice" if (type_ or told) and SLICE_WORDS & words else None


def _rises(atoms: Sequence[Atom]) -> bool:
    return any(first.word == "to" and second.number is not None for first, second in pairwise(atoms))
