"""The order of departure: priorities, fair shares of kinds, and nothing that starves."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from steady.cache import Store
from steady.objects.keys import Resource
from steady.objects.meta import ObjectMeta
from steady.objects.raw import RawObject
from steady.queue import Priority
from steady.status.lanes import Lanes
from steady.status.pending import Pending, Share
from steady.status.statistics import Tally

AGEING = 5.0


def kind(name: str) -> Share:
    """A kind's share."""
    return Share(Store(Resource("example.com", "v1", name, name)), name, Tally())


def pending(share: Share, name: str, priority: Priority = Priority.MEDIUM, ready: float = 0.0) -> Pending:
    """A status that is ready to leave."""
    uid = f"{share.kind}-{name}"
    found = Pending(share, RawObject(metadata=ObjectMeta(name=name, uid=uid)), uid, ready)
    found.priority, found.ready = priority, ready
    return found


def lanes(*those: Pending) -> Lanes:
    """Lanes with those in them."""
    found = Lanes(AGEING)
    for one in those:
        found.add(one)
    return found


def departures(found: Lanes, now: float = 0.0, number: int = 1000) -> list[str]:
    """Who leaves, in order, at one moment."""
    order: list[str] = []
    while len(order) < number and (one := found.take(now)):
        order.append(one.uid)
    return order


def test_the_higher_priority_goes_first_and_the_older_within_one() -> None:
    """Whatever the order of arrival."""
    a = kind("a")
    those = [pending(a, f"{priority.name}{n}", priority) for n in range(2) for priority in Priority]
    expected = [f"a-{priority.name}{n}" for priority in sorted(Priority, reverse=True) for n in range(2)]
    assert departures(lanes(*those)) == expected


def test_kinds_take_turns_within_a_priority() -> None:
    """The flood of one holds up neither of the others."""
    a, b, c = kind("a"), kind("b"), kind("c")
    found = lanes(*(pending(a, str(n)) for n in range(1000)), *(pending(b, str(n)) for n in range(3)), pending(c, "0"))
    assert departures(found, number=8) == ["a-0", "b-0", "c-0", "a-1", "b-1", "a-2", "b-2", "a-3"]


def test_the_kind_with_fewer_writes_in_flight_goes_first() -> None:
    """A kind whose writes are slow does not get all the slots."""
    a, b = kind("a"), kind("b")
    a.flying = 2
    found = lanes(*(pending(a, str(n)) for n in range(3)), *(pending(b, str(n)) for n in range(3)))
    assert departures(found, number=3) == ["b-0", "b-1", "b-2"]


def test_what_is_removed_does_not_leave() -> None:
    """Of a kind with others and of one without."""
    a, b = kind("a"), kind("b")
    those = [pending(a, "0"), pending(a, "1"), pending(b, "0")]
    found = lanes(*those)
    found.remove(those[0])
    found.remove(those[2])
    assert len(found) == 1
    assert departures(found) == ["a-1"]


def test_with_urgent_only_critical_ones_leave() -> None:
    """Though others have aged."""
    a = kind("a")
    found = lanes(pending(a, "old"), pending(a, "now", Priority.CRITICAL, 100.0))
    assert found.urgent
    taken = [found.take(100.0, urgent=True) for _ in range(2)]
    assert [one and one.uid for one in taken] == ["a-now", None]
    assert not found.urgent


def test_every_fourth_departure_is_of_what_has_aged() -> None:
    """Under a flood of a higher priority; before it has aged it waits."""
    a = kind("a")
    found = lanes(pending(a, "patient", Priority.LOW), *(pending(a, str(n), Priority.HIGH, 3.0) for n in range(100)))
    assert "a-patient" not in departures(found, AGEING, 20)
    assert departures(found, AGEING + 0.1, 1) == ["a-patient"]
    for n in range(10):
        found.add(pending(a, f"patient{n}", Priority.LOW))
    order = departures(found, AGEING + 0.1, 40)
    assert [place for place, uid in enumerate(order) if "patient" in uid] == list(range(3, 40, 4))


def test_one_critical_goes_ahead_of_all_that_has_aged() -> None:
    """However much there is of it, and however long it has waited."""
    a = kind("a")
    found = lanes(*(pending(a, f"{priority.name}{n}", priority) for n in range(50) for priority in list(Priority)[:3]))
    for n in range(20):
        departures(found, 1000.0, 7)
        found.add(pending(a, f"critical{n}", Priority.CRITICAL, 1000.0))
        assert departures(found, 1000.0, 1) == [f"a-critical{n}"]


def test_an_endless_row_of_critical_ones_lets_every_fourth_be_another() -> None:
    """The one exception from CRITICAL first, and it needs three CRITICAL departures in a row."""
    a = kind("a")
    found = lanes(*(pending(a, f"old{n}") for n in range(10)))
    order = []
    for n in range(40):
        found.add(pending(a, f"critical{n}", Priority.CRITICAL, 1000.0))
        order += departures(found, 1000.0, 1)
    assert [place for place, uid in enumerate(order) if "old" in uid] == list(range(3, 40, 4))


def test_two_priorities_that_alternate_do_not_starve_a_third() -> None:
    """No row is ever unbroken, and still every fourth departure is of what has aged."""
    a = kind("a")
    found = lanes(*(pending(a, f"old{n}", Priority.LOW) for n in range(10)))
    order = []
    for n in range(60):
        found.add(pending(a, str(n), Priority.CRITICAL if n % 2 else Priority.HIGH, 1000.0))
        order += departures(found, 1000.0, 1)
    assert sum("old" in uid for uid in order) == 10


def test_aged_lanes_take_turns_and_so_do_their_kinds() -> None:
    """A flood that has aged does not hold up another kind's or another priority's."""
    a, b = kind("a"), kind("b")
    flood = [pending(a, f"flood{n}", priority) for n in range(1000) for priority in (Priority.MEDIUM, Priority.LOW)]
    found = lanes(
        *flood,
        *(pending(a, str(n), Priority.HIGH, 1000.0) for n in range(1000)),
        pending(b, "medium", Priority.MEDIUM),
        pending(b, "low", Priority.LOW),
    )
    order = departures(found, 1000.0, 20)
    assert {"b-medium", "b-low"} <= set(order)


@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(Priority), st.integers(0, 3)), max_size=80))
def test_whatever_comes_everything_leaves_once(steps: list[tuple[str, Priority, int]]) -> None:
    """No order of additions and departures loses or repeats anything; CRITICAL is passed once in a row at most."""
    kinds = {name: kind(name) for name in "abc"}
    found = Lanes(AGEING)
    left: list[str] = []
    passed = 0
    for number, (name, priority, taken) in enumerate(steps):
        found.add(pending(kinds[name], str(number), priority, float(number)))
        for _ in range(taken):
            urgent = found.urgent
            if one := found.take(float(number)):
                passed = passed + 1 if urgent and one.priority is not Priority.CRITICAL else 0
                assert passed <= 1
                left.append(one.uid)
    left += departures(found, 1e6)
    assert len(found) == 0
    assert Counter(left) == Counter(f"{name}-{number}" for number, (name, _, _) in enumerate(steps))
