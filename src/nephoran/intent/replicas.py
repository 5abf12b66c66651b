"""How many of each function: the numbers that count instances, and the functions that they count."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from nephoran.intent.mentions import Mention, coordinated
from nephoran.intent.tokens import Atom
from nephoran.intent.vocabulary import ADJECTIVES, AFTER_COUNT, EACH, REPLICA_UNITS

_ASSIGNMENTS = frozenset({"to", "=", ":", "x", "at", "of", "is", "be", "("})
_RELATIVE = frozenset({"more", "additional", "extra", "further", "fewer"})
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


def replicas(
    atoms: Sequence[Atom], taken: Collection[int], named: Sequence[Mention], bare: bool = True
) -> dict[str, int]:
    """The stated number of instances by function. `taken`: atoms that mean something else.

    `bare`: whether a number without a unit may count instances ("AMF to 5"; not in "set the MTU of the UPF to 1500").
    """
    objects = [mention for mention in named if mention.role == "object"]
    if not objects:
        return {}
    stated: dict[int, int] = {}
    for index, atom in enumerate(atoms):
        if index in taken or atom.joined or not _countable(atoms, index):
            continue
        if (mention := _assigned(atoms, index, objects)) is not None:
            stated[mention] = int(atom.number or 0)
        elif (mention := _counted_next(atoms, index, objects)) is not None:
            stated[mention] = int(atom.number or 0)
        elif (count := _count(atoms, index, objects)) and (bare or not count.bare):
            for mention in _counted(atoms, taken, count, objects, stated):
                stated.setdefault(mention, count.value)
    return {objects[position].name: value for position, value in sorted(stated.items())}


def _countable(atoms: Sequence[Atom], index: int) -> bool:
    """A whole number, not negative, not a difference ("2 more"), not where a change starts ("from 3 to 6")."""
    if atoms[index].whole is None:
        return False
    before = atoms[index - 1] if index else None
    if before and before.mark and before.word == "-" and atoms[index].glued:
        return False
    if _of_a_clock(atoms, index):
        return False
    after = {atom.word for atom in atoms[index + 1 : index + 3]}
    begins = before is not None and (before.word in {"by", "from"} or (before.word == "of" and "to" in after))
    if begins or _RELATIVE & after:
        return False
    return not (index + 1 < len(atoms) and atoms[index + 1].word == "percent")


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
    end = index + 1
    for position in range(end, min(end + _REACH, len(atoms))):
        if position in starts:
            return starts[position] if not _followed_by_unitless(atoms, index, position) else None
        if atoms[position].word not in ADJECTIVES:
            return None
    return None


def _followed_by_unitless(atoms: Sequence[Atom], index: int, position: int) -> bool:
    """Whether the number belongs to what stands before it ("AMF to 3 and …" never reaches here; "to 3 UPF" does)."""
    return any(atom.mark and atom.word != "-" for atom in atoms[index + 1 : position])


def _count(atoms: Sequence[Atom], index: int, objects: Sequence[Mention]) -> _Count | None:
    value = atoms[index].whole
    if value is None:
        return None
    units = REPLICA_UNITS | (
        {"node", "nodes"} if any(mention.name == "e2-node" for mention in objects) else frozenset()
    )
    for position in range(index + 1, min(index + 1 + _REACH, len(atoms))):
        if atoms[position].word in units:
            return _Count(index, value, position + 1, bare=False)
        if atoms[position].word not in ADJECTIVES:
            break
    before = atoms[index - 1] if index else None
    end = index + 2 if index + 1 < len(atoms) and atoms[index + 1].word == "x" else index + 1
    ends = (
        end == len(atoms)
        or (atoms[end].word in _AFTER and not _is_rate(atoms, end))
        or (atoms[end].mark and (atoms[end].word not in {":", "-", "<"} or _an_option(atoms, end)))
    )
    if (
        before is not None
        and ends
        and (before.word in _ASSIGNMENTS | REPLICA_UNITS | {"count"} or _touches(index, objects))
    ):
        return _Count(index, value, end, bare=True)
    return None


def _touches(index: int, objects: Sequence[Mention]) -> bool:
    return any(mention.end == index for mention in objects)


def _is_rate(atoms: Sequence[Atom], index: int) -> bool:
    """Whether "per second" or the like begins at `index`."""
    return atoms[index].word == "per" and index + 1 < len(atoms) and atoms[index + 1].word in _SPANS


def _an_option(atoms: Sequence[Atom], index: int) -> bool:
    """Whether a command line's next option begins at `index` ("--replicas 3 --namespace core", "-n core")."""
    following = atoms[index + 1] if index + 1 < len(atoms) else None
    return atoms[index].word == "-" and not atoms[index].glued and following is not None and following.number is None


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
