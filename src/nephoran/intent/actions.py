"""What a request does: the action that its verb and its object make together."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise, zip_longest
from typing import Final, cast

from nephoran.intent.meaning import Action, Detail, SliceType
from nephoran.intent.phrases import Lexicon
from nephoran.intent.request import Request
from nephoran.intent.tokens import Atom
from nephoran.intent.vocabulary import (
    COMPONENTS,
    MEANT,
    NOUNS,
    PERFORMANCE_WORDS,
    POLICY_WORDS,
    REPLICA_UNITS,
    SCALED_WORDS,
    SLICE_QUALITIES,
    SLICE_WORDS,
    SLICES,
    WITHIN,
    Mood,
)

_NOUNS: Final = Lexicon(NOUNS)
_SLICES: Final = Lexicon(SLICES)
_MEANT: Final = Lexicon(MEANT)
_ABOUT_SLICES: Final = SLICE_WORDS | {"slicing"}
_MANY: Final = frozenset({"massive", "million", "millions"})
_COMPONENT_WORDS: Final = frozenset(phrase[-1] for phrase in COMPONENTS)
_UPKEEP: Final = frozenset(
    {"maintenance", "upgrade", "upgrades", "patching", "patch", "patches", "hotfix", "update", "updates"}
)
_BEHAVIOUR: Final = POLICY_WORDS - {"limit", "limits"}
_AUTOSCALE: Final = frozenset({"autoscaling", "autoscale", "autoscaler", "hpa"})
_SOFTWARE: Final = frozenset({"version", "software", "image", "images", "firmware", "release", "latest"})
_MORE: Final = frozenset({"more", "additional", "extra", "overloaded", "fewer"})
_BETTER: Final = frozenset({"faster", "quicker", "efficient", "cheaper", "leaner", "greener", "responsive", "smoother"})
_LARGER: Final = frozenset({"bigger", "larger", "smaller", "stronger"})
_AWAY: Final = frozenset({"out", "offline", "down", "maintenance", "service"})
_REPORTS: Final = frozenset({"deployed", "installed", "created", "launched", "started", "works", "running"})
_OBLIGING: Final = frozenset({"be", "should", "must", "need", "needs", "needed", "required", "wanted", "please"})
_TAKING_NOUNS: Final = frozenset(
    {"deploy", "setup", "implement", "configure", "set", "do", "schedule", "change", "add"}
)
"""Moods whose object may be what is asked for: "schedule maintenance", "enable autoscaling", "create a slice"."""


@dataclass(frozen=True, slots=True)
class Case:
    """What is known of a sentence when its action is sought.

    `taken`: atoms that name a place; `objects`: a function is changed or deployed; `told`: anything but names is
    stated; `sized`: a size is.
    """

    atoms: Sequence[Atom]
    taken: Collection[int]
    asked: Request
    stated: Detail
    type: SliceType | None
    objects: bool
    told: bool
    sized: bool

    @property
    def head(self) -> frozenset[str]:
        """The words of the verb's object."""
        return frozenset(self.asked.head)

    @property
    def words(self) -> frozenset[str]:
        """All words."""
        return frozenset(atom.word for atom in self.atoms)


def action(case: Case) -> Action | None:
    """The action, from the verb and what it is done to; None where nothing tells."""
    mood = case.asked.mood
    if mood is None:
        return _unasked(case)
    if case.stated.autoscale and case.objects and mood in {"configure", "set"}:
        return "scale"
    if case.stated.version and not case.sized and mood in {"change", "set", "bring", "take"}:
        return "maintenance"
    noun = _by_its_object(case) if mood in _TAKING_NOUNS else None
    return noun or _BY_MOOD[mood](case)


def slice_type(atoms: Sequence[Atom], taken: Collection[int]) -> SliceType | None:
    """The slice type named, or plainly meant by what the slice is for."""
    for hit in _SLICES.hits(atoms, taken):
        return cast(SliceType, hit.name)
    words = {atom.word for atom in atoms}
    meant = {hit.name for hit in _MEANT.hits(atoms, taken)}
    if words.isdisjoint(_ABOUT_SLICES):
        return "mmtc" if "mmtc" in meant and not words.isdisjoint(_MANY) else None
    ranked = (type_ for type_ in dict.fromkeys(MEANT.values()) if type_ in meant)
    return cast("SliceType | None", next(ranked, None))


def _by_its_object(case: Case) -> Action | None:
    asked = case.asked
    if not _UPKEEP.isdisjoint(asked.head) and not (asked.mood == "deploy" and asked.component):
        return "maintenance"
    if _autoscales(asked.head) and (not asked.component or asked.mood in {"configure", "set", "implement"}):
        return "scale"
    if not _of_slices(asked.head, case.type):
        return None
    if not case.objects:
        return "scale" if asked.mood == "set" else "slice"
    return "configure" if asked.mood in {"configure", "set"} else "deploy"


def _autoscales(head: Sequence[str]) -> bool:
    scaling = any(first == "auto" and second.startswith("scal") for first, second in pairwise(head))
    automatic = "automatic" in head and "scaling" in head
    return scaling or automatic or not _AUTOSCALE.isdisjoint(head) or head[:1] == ("scaling",)


def _of_slices(head: Sequence[str], type_: SliceType | None) -> bool:
    for word, following in zip_longest(head, head[1:], fillvalue=""):
        if word in SLICE_WORDS or (word == "slicing" and type_):
            return following not in SLICE_QUALITIES
    return False


def _by_the_verb(case: Case) -> Action:
    """Verbs that ask for the same whatever they are done to."""
    return cast(Action, case.asked.mood)


def _deployed(case: Case) -> Action:
    if case.asked.behaviour:
        return "configure"
    return "maintenance" if {"start", "again"} <= case.words else "deploy"


def _set_up(case: Case) -> Action:
    if _MORE & case.head and case.objects:
        return "scale"
    if case.asked.behaviour:
        return "configure"
    return "deploy" if case.asked.component or case.asked.mood == "setup" else "configure"


def _configured(case: Case) -> Action:
    return "scale" if case.sized and REPLICA_UNITS & case.head else "configure"


def _set(case: Case) -> Action:
    if not case.sized and _BEHAVIOUR & case.head:
        return "configure"
    return "scale" if case.sized or SCALED_WORDS & case.head else "configure"


def _added(case: Case) -> Action | None:
    """An instance more, a function more, or something added to a function."""
    if case.sized or (SCALED_WORDS | _MORE) & case.head:
        return _changed(case)
    if not case.asked.component:
        return "configure" if case.objects else None
    return _changed(case) if POLICY_WORDS & case.head else "deploy"


def _changed(case: Case) -> Action:
    if case.sized or SCALED_WORDS & case.head:
        return "scale"
    if PERFORMANCE_WORDS & case.head:
        return "optimize"
    return "configure" if POLICY_WORDS & case.head else "scale"


def _updated(case: Case) -> Action:
    versioned = any(word[:1] == "v" and word[1:2].isdigit() for word in case.words)
    return "maintenance" if versioned or _SOFTWARE & case.words else _set(case)


def _made(case: Case) -> Action:
    """What "make an AMF", "make the AMF highly available" and "make it 5" ask for."""
    head = case.asked.head
    if head[:1] == ("it",) and case.sized:
        return "scale"
    if not case.asked.component or head[-1] in _COMPONENT_WORDS:
        return "deploy"
    return "optimize" if _BETTER & case.head else "scale" if _LARGER & case.head else "configure"


def _taken(case: Case) -> Action | None:
    if case.sized:
        return "scale"
    return "maintenance" if _AWAY & case.head else "configure" if POLICY_WORDS & case.head else None


def _brought(case: Case) -> Action:
    if PERFORMANCE_WORDS & case.head:
        return "optimize"
    return "scale" if _rises(case.atoms) else "maintenance" if "back" in case.head else "deploy"


def _done(case: Case) -> Action | None:
    if noun := _noun(case):
        return noun
    if case.asked.mood == "schedule":
        return "maintenance"
    if POLICY_WORDS & case.head:
        return "configure"
    return None if not case.sized else "scale" if _rises(case.atoms) else "deploy"


def _noun(case: Case) -> Action | None:
    """What a noun asks for, where no verb does: "rollout of …"."""
    hits = _NOUNS.hits(case.atoms, case.taken)
    free = (hit for hit in hits if hit.start == 0 or case.atoms[hit.start - 1].word not in WITHIN)
    return cast("Action | None", next((hit.name for hit in free), None))


def _unasked(case: Case) -> Action | None:
    """What a sentence without a verb asks for: "two more SMFs", "AMF with 3 replicas"."""
    if noun := _noun(case):
        return noun
    words, obliging = case.words, _OBLIGING & case.words
    if _REPORTS & words and not obliging and case.atoms[0].word not in {"have", "get"}:
        return None
    if not case.objects:
        return "slice" if (case.type or case.told) and SLICE_WORDS & words else None
    if _MORE & words or "number" in words or (case.sized and "have" in words and obliging) or _rises(case.atoms):
        return "scale"
    return "deploy" if case.told or obliging else None


def _rises(atoms: Sequence[Atom]) -> bool:
    return any(first.word in {"to", "at"} and second.number is not None for first, second in pairwise(atoms))


_BY_MOOD: Final[Mapping[Mood, Callable[[Case], Action | None]]] = {
    "deploy": _deployed,
    "setup": _set_up,
    "implement": _set_up,
    "scale": _by_the_verb,
    "change": _changed,
    "add": _added,
    "set": _set,
    "make": _made,
    "take": _taken,
    "bring": _brought,
    "configure": _configured,
    "connect": _configured,
    "optimize": _by_the_verb,
    "maintenance": _by_the_verb,
    "update": _updated,
    "schedule": _done,
    "do": _done,
}
