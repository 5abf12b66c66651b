"""The store: what it shows and whom it tells, event by event."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from steady.cache import Change, Store
from steady.objects.keys import Key, Resource
from steady.objects.meta import ObjectMeta
from steady.objects.raw import EMPTY, RawObject

WIDGETS = Resource("example.com", "v1", "Widget", "widgets")
A = Key("default", "a")


def raw(value: Any) -> msgspec.Raw:
    """One raw part."""
    return msgspec.Raw(msgspec.json.encode(value))


def widget(
    version: int, spec: Any = None, status: Any = None, *, uid: str = "u1", name: str = "a", **meta: Any
) -> RawObject:
    """An object at `version`."""
    metadata = ObjectMeta(name=name, namespace="default", uid=uid, resource_version=str(version), generation=1, **meta)
    return RawObject(
        "example.com/v1", "Widget", metadata, raw(spec or {}), raw(status) if status is not None else EMPTY
    )


class House:
    """A store and what its listeners heard."""

    def __init__(self, *objects: RawObject, version: str = "10") -> None:
        self.store = Store(WIDGETS)
        self.heard: list[Change] = []
        self.store.replace(objects, version)
        self.store.listen(self.heard.append)

    def shown(self, key: Key = A) -> str:
        """The version that is visible, or nothing."""
        obj = self.store.get(key)
        return obj.metadata.resource_version if obj else ""


async def test_events_create_change_and_remove() -> None:
    """Each is told once, with the state before and after."""
    house = House()
    house.store.apply("ADDED", widget(11))
    house.store.apply("MODIFIED", widget(12, {"size": 2}))
    house.store.apply("DELETED", widget(13, {"size": 2}))
    versions = [
        tuple(it.metadata.resource_version if it else None for it in (change.old, change.new)) for change in house.heard
    ]
    assert versions == [(None, "11"), ("11", "12"), ("12", None)]
    assert len(house.store) == 0
    assert house.store.version == "13"


async def test_an_older_event_of_the_same_life_is_ignored() -> None:
    """Nothing moves back, neither by a late change nor by a late delete."""
    house = House(widget(20, {"size": 2}))
    house.store.apply("MODIFIED", widget(15, {"size": 1}))
    house.store.apply("DELETED", widget(16))
    assert house.shown() == "20"
    assert house.heard == []


async def test_a_new_life_replaces_the_old_one_whatever_its_version() -> None:
    """Identity is the UID, not the name."""
    house = House(widget(20, {"size": 1}))
    house.store.apply("ADDED", widget(21, {"size": 1}, uid="u2"))
    (change,) = house.heard
    assert [it.metadata.uid if it else "" for it in (change.old, change.new)] == ["u1", "u2"]


async def test_what_we_wrote_is_seen_at_once_and_told_as_our_own() -> None:
    """Before the watch says anything; listeners can tell that it was us."""
    house = House(widget(10))
    with house.store.writing(A):
        house.store.written(widget(11, status={"said": "hi"}))
    assert house.shown() == "11"
    assert [change.own for change in house.heard] == [True]


async def test_the_echo_of_our_write_wakes_nobody() -> None:
    """Its content is known; even if the server orders the keys of a mapping otherwise."""
    house = House(widget(10))
    house.store.written(widget(11, status={"a": 1, "b": 2}))
    house.heard.clear()
    house.store.apply("MODIFIED", widget(11, status={"b": 2, "a": 1}))
    assert house.heard == []
    assert house.shown() == "11"


async def test_what_we_wrote_stays_above_older_events() -> None:
    """An event from before our write is stored below it and not seen."""
    house = House(widget(10))
    house.store.written(widget(15, {"size": 1}, {"said": "hi"}))
    house.heard.clear()
    house.store.apply("MODIFIED", widget(12, {"size": 1}))
    assert house.shown() == "15"
    assert house.heard == []
    house.store.apply("MODIFIED", widget(16, {"size": 3}, {"said": "hi"}))
    assert house.shown() == "16"
    assert len(house.heard) == 1


async def test_an_echo_that_comes_before_the_answer_waits_for_it() -> None:
    """So it is not taken for somebody else's change."""
    house = House(widget(10))
    with house.store.writing(A):
        house.store.apply("MODIFIED", widget(11, status={"said": "hi"}))
        assert house.shown() == "10"
        house.store.written(widget(11, status={"said": "hi"}))
    assert house.shown() == "11"
    assert [change.own for change in house.heard] == [True]


async def test_a_foreign_change_merged_into_an_echo_wakes() -> None:
    """The echo is suppressed by content, never by version alone."""
    house = House(widget(10))
    with house.store.writing(A):
        house.store.apply("MODIFIED", widget(12, {"size": 9}, {"said": "hi"}))
        house.store.written(widget(11, status={"said": "hi"}))
    assert [change.own for change in house.heard] == [True, False]
    assert house.shown() == "12"


@pytest.mark.parametrize("meta", [{"labels": {"a": "b"}}, {"annotations": {"a": "b"}}, {"finalizers": ("f",)}])
async def test_a_foreign_change_of_metadata_alone_wakes(meta: dict[str, Any]) -> None:
    """Labels, annotations and finalizers are content."""
    house = House(widget(10))
    house.store.written(widget(11))
    house.heard.clear()
    house.store.apply("MODIFIED", widget(12, **meta))
    assert [change.own for change in house.heard] == [False]


async def test_events_held_for_a_write_that_failed_are_taken_after_it() -> None:
    """A write whose answer is lost holds nothing back for ever; what happened is heard as foreign."""
    house = House(widget(10))
    with house.store.writing(A):
        house.store.apply("MODIFIED", widget(11, status={"said": "hi"}))
    assert house.shown() == "11"
    assert [change.own for change in house.heard] == [False]


async def test_two_writers_hold_events_until_the_last_has_its_answer() -> None:
    """The order of the events is kept."""
    house = House(widget(10))
    with house.store.writing(A):
        with house.store.writing(A):
            house.store.apply("MODIFIED", widget(11, {"size": 1}))
            house.store.apply("MODIFIED", widget(12, {"size": 2}))
        assert house.heard == []
    assert [change.new and change.new.metadata.version for change in house.heard] == [11, 12]


async def test_a_removal_of_ours_is_seen_at_once_and_its_echo_is_quiet() -> None:
    """Whatever version the DELETED event has."""
    house = House(widget(10))
    house.store.removed(A, "u1", 0)
    assert house.store.get(A) is None
    assert house.store.keys() == ()
    assert [change.own for change in house.heard] == [True]
    house.store.apply("DELETED", widget(11))
    assert len(house.heard) == 1
    assert len(house.store) == 0


async def test_a_removal_of_another_life_removes_nothing() -> None:
    """The name alone is no identity."""
    house = House(widget(10, uid="u2"))
    house.store.removed(A, "u1", 0)
    assert house.shown() == "10"


async def test_a_late_event_does_not_bring_back_what_we_removed() -> None:
    """A tombstone stands until the watch has passed it."""
    house = House(widget(10))
    house.store.removed(A, "u1", 12)
    house.store.apply("MODIFIED", widget(11, {"size": 7}))
    assert house.store.get(A) is None
    house.store.apply("DELETED", widget(12))
    house.store.apply("ADDED", widget(14, uid="u2"))
    assert house.shown() == "14"


async def test_a_relist_tells_of_what_it_lacks_as_deleted() -> None:
    """And of what is new or changed; what is the same is quiet."""
    house = House(*(widget(10, name=name, uid=name) for name in "abc"))
    house.store.replace(
        [widget(10, name="a", uid="a"), widget(22, {"size": 2}, name="b", uid="b"), widget(23, name="d", uid="d")], "30"
    )
    told = {change.key.name: (change.old is not None, change.new is not None) for change in house.heard}
    assert told == {"b": (True, True), "c": (True, False), "d": (False, True)}
    assert house.store.version == "30"


async def test_a_relist_that_is_older_than_our_write_does_not_hide_it() -> None:
    """Neither what we changed nor what we created meanwhile."""
    house = House(widget(10))
    house.store.written(widget(40, status={"said": "hi"}))
    house.store.written(widget(41, name="b", uid="b"))
    house.store.replace([widget(10)], "30")
    assert house.shown() == "40"
    assert house.shown(Key("default", "b")) == "41"
    house.store.replace([widget(40, status={"said": "hi"})], "50")
    assert house.store.get(Key("default", "b")) is None


async def test_a_new_epoch_is_believed_even_if_it_is_older() -> None:
    """A restored server's state replaces ours, our own writes included."""
    house = House(widget(100, {"size": 9}), version="100")
    house.store.written(widget(110, {"size": 9}, {"said": "hi"}))
    house.store.replace([widget(50, {"size": 5})], "60", epoch=True)
    assert house.shown() == "50"
    house.store.apply("MODIFIED", widget(61, {"size": 6}))
    assert house.shown() == "61"


async def test_an_index_finds_keys_by_what_their_objects_say() -> None:
    """Through every kind of change, our own included; made late, it knows what is there."""
    house = House(widget(10, {"size": 1}))

    def size(obj: RawObject) -> tuple[object, ...]:
        return (msgspec.json.decode(obj.spec).get("size"),)

    index = house.store.index("size", size)
    assert list(index[1]) == [A]
    house.store.written(widget(11, {"size": 2}))
    assert (list(index[1]), list(index[2])) == ([], [A])
    house.store.apply("MODIFIED", widget(12, {"size": 3}))
    house.store.apply("ADDED", widget(13, {"size": 3}, name="b", uid="b"))
    assert list(index[3]) == [A, Key("default", "b")]
    house.store.replace([], "20")
    assert list(index[3]) == []
    assert house.store.index("size", lambda _: ()) is index


@pytest.mark.looptime
async def test_an_outdated_key_waits_for_the_watch() -> None:
    """`fresh` says whether the watch has passed what is known to exist."""
    house = House(widget(10))
    assert await house.store.fresh(A, 5.0)
    house.store.outdated(A, 12)
    assert not await house.store.fresh(A, 5.0)
    house.store.apply("MODIFIED", widget(11, {"size": 1}))
    assert not await house.store.fresh(A, 5.0)
    house.store.apply("MODIFIED", widget(12, {"size": 2}))
    assert await house.store.fresh(A, 0.0)


@pytest.mark.looptime
async def test_a_live_read_ends_the_wait() -> None:
    """Nothing newer is known after it, so the next look costs no second read; absent is an answer too."""
    house = House(widget(10), widget(10, name="b", uid="b"))
    b = Key("default", "b")
    house.store.outdated(A, 12)
    house.store.outdated(b, 12)
    house.store.read(A, widget(10))
    house.store.read(b, None)
    assert await house.store.fresh(A, 0.0)
    assert await house.store.fresh(b, 0.0)
    assert house.shown() == "10"
    assert house.store.get(b) is None


def outline(version: int, **meta: Any) -> RawObject:
    """An object as its metadata alone show it."""
    return msgspec.structs.replace(widget(version, **meta), spec=EMPTY)


class Outside(House):
    """A store that sees the metadata of its objects only."""

    def __init__(self, *objects: RawObject) -> None:
        super().__init__()
        self.store = Store(WIDGETS, metadata_only=True)
        self.store.replace(objects, "10")
        self.store.listen(self.heard.append)


async def test_a_version_that_somebody_moved_stands_for_unseen_content() -> None:
    """Nothing that is watched differs, but it is told, and remembered until we have written the object."""
    house = Outside(outline(10))
    house.store.apply("MODIFIED", outline(12))
    assert [change.own for change in house.heard] == [False]
    assert house.store.touched(A)
    house.store.replace([outline(12)], "13")
    assert house.store.touched(A)
    house.store.written(widget(14, {"size": 1}))
    assert not house.store.touched(A)


async def test_neither_our_own_echo_nor_a_relist_nor_a_new_epoch_is_somebody_else() -> None:
    """A version that we have made or seen is known; after a restore none is."""
    house = Outside(outline(10), outline(10, name="b"))
    with house.store.writing(A):
        house.store.apply("MODIFIED", outline(11))
        house.store.written(widget(11, {"size": 1}))
    house.store.replace([outline(11), outline(10, name="b")], "12")
    house.store.replace([outline(5), outline(6, name="b")], "7", epoch=True)
    assert not any(house.store.touched(obj.key) for obj in house.store)
    assert [change.own for change in house.heard] == []


async def test_what_somebody_wrote_while_we_did_is_told_after_our_answer() -> None:
    """The later version is not ours."""
    house = Outside(outline(10))
    with house.store.writing(A):
        house.store.apply("MODIFIED", outline(12))
        house.store.written(outline(11))
    assert house.store.touched(A)


async def test_another_life_is_not_a_touched_one() -> None:
    """What was deleted, and what has its name next, begin anew."""
    house = Outside(outline(10))
    house.store.apply("MODIFIED", outline(12))
    house.store.apply("DELETED", outline(13))
    assert not house.store.touched(A)
    house.store.apply("ADDED", outline(14, uid="u2"))
    assert not house.store.touched(A)


async def test_where_all_is_watched_a_moved_version_means_nothing() -> None:
    """Content tells of itself."""
    house = House(widget(10))
    house.store.apply("MODIFIED", widget(12))
    assert house.heard == []
    assert not house.store.touched(A)
