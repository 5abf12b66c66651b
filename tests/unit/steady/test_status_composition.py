"""Partial updates: how they compose with each other and with what is shown."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from examples.echo import EchoStatus
from steady.objects.conditions import Condition, false, true, unknown
from steady.status.composition import Update, composed, known
from tests.behaviour.house import Json

GENERATION = 5  # of the object
TYPES = ("Ready", "Synced", "Odd")
FIELDS = ("said", "phase", "count")

conditions = st.builds(
    Condition,
    st.sampled_from(TYPES),
    st.sampled_from(["True", "False", "Unknown"]),
    st.sampled_from(["Fine", "Broken"]),
    observed_generation=st.integers(1, GENERATION),
)
updates = st.builds(
    Update,
    st.dictionaries(st.sampled_from(FIELDS), st.none() | st.integers(0, 3), max_size=3),
    st.lists(conditions, max_size=3, unique_by=lambda condition: condition.type).map(tuple),
    st.frozensets(st.sampled_from(TYPES), max_size=2),
    st.integers(0, GENERATION),
)
statuses = st.fixed_dictionaries(
    {},
    optional={
        "said": st.integers(0, 3),
        "foreign": st.just({"kept": None}),
        "observedGeneration": st.integers(1, GENERATION),
        "conditions": st.lists(conditions, max_size=3, unique_by=lambda condition: condition.type).map(
            msgspec.to_builtins
        ),
    },
)


def plain(status: Json) -> Json:
    """The same without the order of the conditions, which means nothing."""
    return {**status, "conditions": {it["type"]: it for it in status.get("conditions", ())}}


@given(statuses, updates, updates, updates)
def test_composing_first_is_the_same_as_applying_one_after_the_other(
    status: Json, one: Update, two: Update, three: Update
) -> None:
    """However they are grouped."""
    after = three.onto(two.onto(one.onto(status, GENERATION), GENERATION), GENERATION)
    assert plain(one.then(two).then(three).onto(status, GENERATION)) == plain(after)
    assert plain(one.then(two.then(three)).onto(status, GENERATION)) == plain(after)


@given(statuses, updates)
def test_an_update_said_twice_is_said_once(status: Json, update: Update) -> None:
    """Nothing is added up."""
    once = update.onto(status, GENERATION)
    assert plain(update.onto(once, GENERATION)) == plain(once)


@given(statuses, updates)
def test_what_an_update_does_not_name_stays(status: Json, update: Update) -> None:
    """Fields and conditions, foreign ones too."""
    after = update.onto(status, GENERATION)
    for name in status.keys() - update.fields.keys() - {"conditions", "observedGeneration"}:
        assert after[name] == status[name]
    named = update.without | {condition.type for condition in update.conditions}
    kept = [it for it in status.get("conditions", ()) if it["type"] not in named]
    assert [it for it in after.get("conditions", ()) if it["type"] not in named] == kept


@given(statuses, st.lists(updates, max_size=4))
def test_no_generation_ever_goes_down(status: Json, several: list[Update]) -> None:
    """Neither that of the status nor that of any condition that stays."""
    for update in several:
        after = update.onto(status, GENERATION)
        assert after.get("observedGeneration", 0) >= status.get("observedGeneration", 0)
        before = {it["type"]: it["observedGeneration"] for it in status.get("conditions", ())}
        for condition in after.get("conditions", ()):
            if condition["type"] not in update.without:
                assert condition["observedGeneration"] >= before.get(condition["type"], 0)
        status = after


def test_a_removed_field_and_a_removed_condition_go() -> None:
    """None removes a field; `without` removes a condition."""
    shown = {
        "said": "hi",
        "phase": "Up",
        "conditions": msgspec.to_builtins([true("Ready", "Fine"), true("Odd", "Odd")]),
    }
    after = Update({"phase": None}, without=frozenset({"Odd"})).onto(shown, 1)
    assert after == {"said": "hi", "conditions": msgspec.to_builtins([true("Ready", "Fine")])}


def test_a_removal_survives_what_is_composed_after_it() -> None:
    """And a later value wins over it."""
    first = Update({"phase": None, "said": None}, without=frozenset({"Odd"}))
    second = Update({"said": "hi"}, (true("Ready", "Fine"),))
    shown = {"phase": "Up", "said": "no", "conditions": msgspec.to_builtins([true("Odd", "Odd")])}
    after = first.then(second).onto(shown, 1)
    assert after == {"said": "hi", "conditions": msgspec.to_builtins([true("Ready", "Fine")])}


def test_a_generation_that_the_object_has_not_reached_is_put_right() -> None:
    """Somebody wrote it; nobody observed it."""
    future = msgspec.to_builtins([msgspec.structs.replace(true("Ready", "Odd"), observed_generation=99)])
    shown = {"observedGeneration": 99, "conditions": future}
    after = Update({}, (false("Ready", "Broken"),), observed_generation=2).at(2).onto(shown, 2)
    assert after["observedGeneration"] == 2
    assert [(it["status"], it["observedGeneration"]) for it in after["conditions"]] == [("False", 2)]


@pytest.mark.parametrize("name", ["conditions", "observedGeneration"])
def test_fields_name_neither_conditions_nor_the_generation(name: str) -> None:
    """They have rules of their own."""
    with pytest.raises(ValueError, match=f"fields: {name} must be given as a parameter of its own"):
        Update({name: []})


def test_times_change_only_where_the_truth_does() -> None:
    """Of an update's conditions as of a complete status's, against what was sent last."""
    early, late = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"
    first = composed(
        EchoStatus(1, (true("Ready", "Fine"), unknown("Odd", "Odd"))),
        None,
        msgspec.Raw(b""),
        known(msgspec.Raw(b"")),
        1,
        early,
    )
    update = Update({}, (true("Ready", "Better"), true("Odd", "Even"))).at(1)
    second = msgspec.json.decode(composed(None, update, first, known(first), 1, late))
    assert {it["type"]: it["lastTransitionTime"] for it in second["conditions"]} == {"Ready": early, "Odd": late}


def test_an_update_goes_on_top_of_the_complete_status_that_is_sent_with_it() -> None:
    """The condition's time is compared with what was sent last, not with what never left."""
    shown = composed(
        EchoStatus(1, (true("Ready", "Fine"),), said="hi"), None, msgspec.Raw(b""), known(msgspec.Raw(b"")), 1, "t1"
    )
    complete = EchoStatus(1, (false("Ready", "Broken"), true("Odd", "Odd")), said="ho")
    update = Update({"extra": 1}, (true("Ready", "Again"),)).at(1)
    after = msgspec.json.decode(composed(complete, update, shown, known(shown), 1, "t2"))
    assert (after["said"], after["extra"]) == ("ho", 1)
    assert [(it["type"], it["status"], it["lastTransitionTime"]) for it in after["conditions"]] == [
        ("Ready", "True", "t1"),
        ("Odd", "True", "t2"),
    ]


@pytest.mark.parametrize("shown", [b"", b"null", b"[]", b"3", b'{"conditions": null}', b'{"conditions": [{}]}'])
def test_what_is_no_status_is_none(shown: bytes) -> None:
    """Whatever somebody stored there, the update lands."""
    after = msgspec.json.decode(
        composed(None, Update({"said": "hi"}), msgspec.Raw(shown), known(msgspec.Raw(shown)), 1, "")
    )
    assert after["said"] == "hi"
