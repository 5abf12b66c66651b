"""How many of each function: the numbers that count instances, and the functions that they count."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from nephoran.intent.mentions import Mention, coordinated
from nephoran.intent.phrases import VERB_PHRASES
from nephoran.intent.request import Request
from nephoran.intent.tokens import Atom
from nephoran.intent.vocabulary import ADJECTIVES, AFTER_COUNT, EACH, REPLICA_UNITS

_ASSIGNMENTS = frozenset({"to", "=", ":", "x", "at", "of", "is", "be", "it", "them", "("})
_RELATIVE = frozenset({"more", "additional", "extra", "further", "fewer"})
_TYING = _ASSIGNMENTS | REPLICA_UNITS | {"count", "qty", "quantity", "number"}
_E2_UNITS = REPLICA_UNITS | {"node", "nodes"}
_AFTER = AFTER_COUNT | EACH
_SPANS = frozenset({"second", "minute", "hour", "day", "week", "month", "year", "s", "ms", "user", "ue", "cell"})
_REACH = 4
"""Words that may stand between a number and what it counts."""


@dataclass(frozen=True, slots=True)
class _Count:
    """A number that counts instances: where, how many, and the one past its unit (or itself)."""

    index: int
    value: int
    end: int
    bare: bool


def replicas(atoms: Sequence[Atom], taken: Collection[int], named: Sequence[Mention], asked: Request) -> dict[str, int]:
    """The stated number of instances by function. `taken`: atoms that mean something else.

    What the request itself states comes before what a clause ahead of it tells ("it is at 3 replicas, make it 6").
    """
    objects = [mention for mention in named if mention.role == "object"]
    if not objects:
        return {}
    stated: dict[int, int] = {}
    begin = asked.opening or 0
    for index in (*range(begin, len(atoms)), *range(begin)):
        atom = atoms[index]
        if atom.whole is None or index in taken or atom.joint or not _countable(atoms, index):
            continue
        mention = _assigned(atoms, index, objects)
        if mention is None:
            mention = _counted_next(atoms, index, objects)
        if mention is not None:
            stated[mention] = stated.get(mention, atom.whole) if index < begin else atom.whole
        elif (count := _count(atoms, index, objects)) and (asked.counts or not count.bare):
            for position in _counted(atoms, taken, count, objects, stated):
                stated.setdefault(position, count.value)
    return {objects[position].name: value for position, value in sorted(stated.items())}


def _countable(atoms: Sequence[Atom], index: int) -> bool:
    """Not negative, not a difference ("2 more"), not where a change starts ("from 3 to 6")."""
    before = atoms[index - 1] if index else None
    if before and before.word == "-" and atoms[index].glued:
        return False
    if _of_a_clock(atoms, index):
        return False
    after = {atom.word for atom in atoms[index + 1 : index + 3]}
    if (before and before.word in {"by", "from"}) or _RELATIVE & after or _begins_a_change(atoms, index):
        return False
    return not (index + 1 < len(atoms) and atoms[index + 1].word == "percent")


def _begins_a_change(atoms: Sequence[Atom], index: int) -> bool:
    """Whether another number follows that it shall become: "2 to 4", "2 replicas to 4 replicas"."""
    to = index + 2 if index + 1 < len(atoms) and atoms[index + 1].word in REPLICA_UNITS else index + 1
    last = to + 1
    if last >= len(atoms) or atoms[to].word != "to" or atoms[last].whole is None:
        return False
    return _ends(atoms, last + 1) or atoms[last + 1].word in REPLICA_UNITS


def _of_a_clock(atoms: Sequence[Atom], index: int) -> bool:
    """Whether the number is part of a time such as 02:00."""
    before = index > 1 and atoms[index - 1].word == ":" and atoms[index - 2].number is not None
    after = index + 2 < len(atoms) and atoms[index + 1].word == ":" and atoms[index + 2].number is not None
    return (before and atoms[index].glued) or (after and atoms[index + 1].glued)


def _assigned(atoms: Sequence[Atom], index: int, objects: Sequence[Mention]) -> int | None:
    """The function to which the number is tied ("amf=3", "AMF x3"), by its place in `objects`."""
    if index < 2 or atoms[index - 1].word not in {"=", "x"}:
        return None
    return next((position for position, mention in enumerate(objects) if mention.end == index - 1), None)


def _counted_next(atoms: Sequence[Atom], index: int, objects: Sequence[Mention]) -> int | None:
    """The function right after the number ("3 UPF", "two redundant AMF"), by its place in `objects`."""
    starts = {mention.start: position for position, mention in enumerate(objects)}
    for position in range(index + 1, min(index + 1 + _REACH, len(atoms))):
        if position in starts:
            return starts[position]
        if atoms[position].word not in ADJECTIVES:
            return None
    return None


def _count(atoms: Sequence[Atom], index: int, objects: Sequence[Mention]) -> _Count | None:
    """What the number counts by the unit after it, or bare ("AMF to 5", "AMF 3x")."""
    value = atoms[index].whole or 0
    units = _E2_UNITS if any(mention.name == "e2-node" for mention in objects) else REPLICA_UNITS
    for position in range(index + 1, min(index + 1 + _REACH, len(atoms))):
        if atoms[position].word in units:
            return _Count(index, value, position + 1, bare=False)
        if atoms[position].word not in ADJECTIVES:
            break
    end = index + 2 if index + 1 < len(atoms) and atoms[index + 1].word == "x" else index + 1
    if index == 0 or not _ends(atoms, end):
        return None
    tied = atoms[index - 1].word in _TYING or any(mention.end == index for mention in objects)
    return _Count(index, value, end, bare=True) if tied else None


def _ends(atoms: Sequence[Atom], index: int) -> bool:
    """Whether a bare number may end before `index`."""
    if index == len(atoms):
        return True
    if atoms[index].mark:
        return atoms[index].word not in {":", "-", "<"} or _is_option(atoms, index)
    if verb := VERB_PHRASES.at(atoms, index):
        return verb.end == len(atoms) or atoms[verb.end].mark or atoms[verb.end].word == "please"
    return atoms[index].word in _AFTER and not _is_rate(atoms, index)


def _is_rate(atoms: Sequence[Atom], index: int) -> bool:
    """Whether "per second" or the like begins at `index`."""
    return atoms[index].word == "per" and index + 1 < len(atoms) and atoms[index + 1].word in _SPANS


def _is_option(atoms: Sequence[Atom], index: int) -> bool:
    """Whether a command line's next option begins at `index` ("--replicas 3 --namespace core", "-n core")."""
    if atoms[index].word != "-" or atoms[index].glued or index + 1 == len(atoms):
        return False
    return atoms[index + 1].number is None


def _counted(
    atoms: Sequence[Atom], taken: Collection[int], count: _Count, objects: Sequence[Mention], stated: Collection[int]
) -> Sequence[int]:
    nearby = {atom.word for atom in atoms[count.end : count.end + 2]} | {
        atom.word for atom in atoms[max(0, count.index - 2) : count.index]
    }
    if EACH & nearby:
        group = _preceding(atoms, taken, count, objects, stated)
        return group if len(group) > 1 else range(len(objects))
    following = _following(atoms, taken, count, objects)
    if following:
        return following
    preceding = _preceding(atoms, taken, count, objects, stated)
    if preceding:
        return preceding
    later = any(
        mention.start > count.index and atoms[mention.start].sentence == atoms[count.index].sentence
        for mention in objects
    )
    return range(len(objects)) if not stated or not later else ()


def _following(atoms: Sequence[Atom], taken: Collection[int], count: _Count, objects: Sequence[Mention]) -> list[int]:
    """The list after "3 replicas of" or "to 5 for"."""
    if count.end >= len(atoms) or atoms[count.end].word not in {"of", "for"}:
        return []
    return _list(
        atoms,
        taken,
        [position for position, mention in enumerate(objects) if mention.start > count.end],
        objects,
        count.end + 1,
    )


def _list(
    atoms: Sequence[Atom], taken: Collection[int], later: Sequence[int], objects: Sequence[Mention], start: int
) -> list[int]:
    members: list[int] = []
    for position in later:
        begins = objects[position].start
        near = (
            not members
            and begins - start <= _REACH
            and all(atom.word in ADJECTIVES | EACH for atom in atoms[start:begins])
        )
        if not near and not (members and coordinated(atoms, taken, objects[members[-1]].end, begins)):
            break
        members.append(position)
    return members


def _preceding(
    atoms: Sequence[Atom], taken: Collection[int], count: _Count, objects: Sequence[Mention], stated: Collection[int]
) -> list[int]:
    """The list that ends nearest before the number, as far back as its members have no number of their own."""
    sentence = atoms[count.index].sentence
    before = [position for position, mention in enumerate(objects) if mention.end <= count.index]
    before = [position for position in before if atoms[objects[position].start].sentence == sentence]
    members: list[int] = []
    for position in reversed(before):
        if position in stated or (
            members and not coordinated(atoms, taken, objects[position].end, objects[members[-1]].start)
        ):
            break
        members.append(position)
    return members
