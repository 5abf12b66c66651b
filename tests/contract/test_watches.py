"""Watches: from a version, with initial events, bookmarks, and their ends."""

from __future__ import annotations

import pytest

from tests.contract.api import METADATA_ONLY, Api, Watch, expired
from tests.contract.widgets import FINALIZER, GROUP, Widgets

pytestmark = pytest.mark.asyncio(loop_scope="session")
WATCH_LIST = {"sendInitialEvents": "true", "allowWatchBookmarks": "true", "resourceVersionMatch": "NotOlderThan"}


async def initial(watch: Watch) -> tuple[list[str], str]:
    """Return the names of the initial events and the version of the bookmark that ends them."""
    seen: list[str] = []
    while (event := await watch.event())["type"] == "ADDED":
        seen.append(event["object"]["metadata"]["name"])
    assert event["type"] == "BOOKMARK", event
    metadata = event["object"]["metadata"]
    assert metadata["annotations"] == {"k8s.io/initial-events-end": "true"}
    return seen, metadata["resourceVersion"]


async def test_a_watch_from_a_version_tells_what_came_after(widgets: Widgets) -> None:
    """Create, change and delete after that version, in order, whenever the watch was opened."""
    version = (await widgets.api.get(widgets.path)).version
    await widgets.create()
    await widgets.api.patch(widgets.at(), {"spec": {"size": 2}})
    async with widgets.api.watch(widgets.path, resourceVersion=version) as watch:
        await widgets.api.delete(widgets.at())
        assert await watch.seen(3) == [("ADDED", "a"), ("MODIFIED", "a"), ("DELETED", "a")]


async def test_events_hold_the_whole_object_as_written(widgets: Widgets) -> None:
    """The object of an event is what the write answered."""
    version = (await widgets.api.get(widgets.path)).version
    created = await widgets.create()
    async with widgets.api.watch(widgets.path, resourceVersion=version) as watch:
        assert watch.status == 200
        assert watch.headers["Content-Type"] == "application/json"
        assert (await watch.event())["object"] == created.json


async def test_a_deletion_has_a_version_of_its_own(widgets: Widgets) -> None:
    """DELETED carries the last state with a newer resourceVersion."""
    created = await widgets.create()
    async with widgets.api.watch(widgets.path, resourceVersion=created.version) as watch:
        await widgets.api.delete(widgets.at())
        event = await watch.event()
    assert event["object"]["metadata"]["uid"] == created.json["metadata"]["uid"]
    assert int(event["object"]["metadata"]["resourceVersion"]) > int(created.version)


async def test_the_end_of_a_finalized_object_is_one_event(widgets: Widgets) -> None:
    """Removing the last finalizer of a deleted object is told as DELETED."""
    created = await widgets.create(finalizers=[FINALIZER])
    async with widgets.api.watch(widgets.path, resourceVersion=created.version) as watch:
        await widgets.api.delete(widgets.at())
        await widgets.api.patch(widgets.at(), {"metadata": {"finalizers": None}})
        await widgets.create("b")
        assert await watch.seen(3) == [("MODIFIED", "a"), ("DELETED", "a"), ("ADDED", "b")]


async def test_a_watch_without_a_version_begins_with_what_is_there(widgets: Widgets) -> None:
    """No resourceVersion: ADDED for every object, then what comes."""
    await widgets.create("a")
    async with widgets.api.watch(widgets.path) as watch:
        assert await watch.seen(1) == [("ADDED", "a")]
        await widgets.create("b")
        assert await watch.seen(1) == [("ADDED", "b")]


async def test_a_watch_list_ends_its_initial_events_with_a_bookmark(widgets: Widgets) -> None:
    """WatchList: ADDED for every object, one bookmark with the annotation, then live events."""
    await widgets.create("a")
    last = await widgets.create("b")
    async with widgets.api.watch(widgets.path, **WATCH_LIST) as watch:
        seen, version = await initial(watch)
        assert sorted(seen) == ["a", "b"]
        assert int(version) >= int(last.version)
        await widgets.create("c")
        assert await watch.seen(1) == [("ADDED", "c")]


async def test_a_watch_can_go_on_from_the_bookmark(widgets: Widgets) -> None:
    """The bookmark's version is one to watch from."""
    await widgets.create("a")
    async with widgets.api.watch(widgets.path, **WATCH_LIST) as watch:
        _, version = await initial(watch)
    await widgets.create("b")
    async with widgets.api.watch(widgets.path, resourceVersion=version) as watch:
        assert await watch.seen(1) == [("ADDED", "b")]


async def test_a_bookmark_has_kind_and_version_only(widgets: Widgets) -> None:
    """A bookmark is an object of the kind with nothing in it but its metadata."""
    async with widgets.api.watch(widgets.path, **WATCH_LIST) as watch:
        event = await watch.event()
    assert (event["object"]["kind"], event["object"]["apiVersion"]) == ("Widget", f"{GROUP}/v1")
    assert not event["object"].get("spec")


async def test_initial_events_need_a_version_match(widgets: Widgets) -> None:
    """SendInitialEvents without resourceVersionMatch is refused: 422."""
    refused = await widgets.api.get(widgets.path, watch="1", sendInitialEvents="true", allowWatchBookmarks="true")
    assert (refused.status, refused.causes) == (422, [("FieldValueForbidden", "resourceVersionMatch")])


async def test_a_version_that_is_too_old_is_an_error_event(widgets: Widgets) -> None:
    """An expired version: HTTP 200, then ERROR with 410 Expired, then the end."""
    await widgets.create()
    async with widgets.api.watch(widgets.path, resourceVersion="1") as watch:
        event = await watch.event()
        assert (watch.status, event["type"]) == (200, "ERROR")
        status = event["object"]
        assert (status["kind"], status["reason"], status["code"]) == ("Status", "Expired", 410)
        assert status["message"].startswith("too old resource version: 1 (")
        assert await watch.ended()


async def test_a_version_that_is_no_number_is_a_server_error(widgets: Widgets) -> None:
    """Watch with a non-numeric resourceVersion: 500, as the real server has it."""
    assert (await widgets.api.get(widgets.path, watch="1", resourceVersion="x")).status == 500


async def test_a_watch_from_the_future_is_silent(widgets: Widgets) -> None:
    """A version newer than the server's: 200 and no event, bookmark or error before the timeout."""
    future = str(int((await widgets.api.get(widgets.path)).version) + 1_000_000)
    query = {"resourceVersion": future, "timeoutSeconds": "1", "allowWatchBookmarks": "true"}
    async with widgets.api.watch(widgets.path, **query) as watch:
        assert (watch.status, await watch.next()) == (200, None)


async def test_a_watch_list_from_the_future_is_an_error_event(widgets: Widgets) -> None:
    """WatchList at a version that is not reached: an ERROR event with the cause ResourceVersionTooLarge."""
    future = str(int((await widgets.api.get(widgets.path)).version) + 1_000_000)
    async with widgets.api.watch(widgets.path, resourceVersion=future, **WATCH_LIST) as watch:
        event = await watch.event()
    assert event["type"] == "ERROR"
    assert [cause["reason"] for cause in event["object"]["details"]["causes"]] == ["ResourceVersionTooLarge"]


async def test_a_watch_ends_at_its_timeout(widgets: Widgets) -> None:
    """TimeoutSeconds ends the stream, with no final event or bookmark."""
    query = {"resourceVersion": (await widgets.api.get(widgets.path)).version, "timeoutSeconds": "1"}
    async with widgets.api.watch(widgets.path, allowWatchBookmarks="true", **query) as watch:
        assert await watch.next() is None


async def test_a_watch_can_do_without_initial_events(widgets: Widgets) -> None:
    """SendInitialEvents=false: only what comes."""
    await widgets.create("a")
    query = {"sendInitialEvents": "false", "resourceVersionMatch": "NotOlderThan"}
    async with widgets.api.watch(widgets.path, **query) as watch:
        await widgets.create("b")
        assert await watch.seen(1) == [("ADDED", "b")]


async def test_one_object_is_not_watched_by_its_path(widgets: Widgets) -> None:
    """`watch=1` on an object's own path means nothing: the object is the answer."""
    created = await widgets.create()
    assert (await widgets.api.get(widgets.at(), watch="1")).json == created.json
    assert (await widgets.api.get(widgets.at("nope"), watch="1")).status == 404


async def test_a_server_without_watch_list_says_so(old_server: Api) -> None:
    """422 that forbids sendInitialEvents; the rest of a watch works."""
    query = {"watch": "1", "sendInitialEvents": "true", "resourceVersionMatch": "NotOlderThan"}
    refused = await old_server.get("/api/v1/configmaps", **query)
    assert (refused.status, refused.json["reason"]) == (422, "Invalid")
    assert refused.causes == [("FieldValueForbidden", "sendInitialEvents")]
    async with old_server.watch("/api/v1/namespaces", resourceVersion="0") as watch:
        assert (await watch.event())["type"] == "ADDED"


async def test_after_a_restart_kinds_of_definitions_are_not_ready_at_once(widgets: Widgets) -> None:
    """The first request is told to come again in a second; then watches from before are expired, and objects are there.

    So whoever watches has to list again.
    """
    created = await widgets.create()
    await widgets.api.target.restart()
    query = {"watch": "1", "resourceVersion": created.version, "timeoutSeconds": "1"}
    refused = await widgets.api.get(widgets.path, **query)
    message = "storage is (re)initializing"
    assert (refused.status, refused.json["reason"], refused.json["message"]) == (429, "TooManyRequests", message)
    assert (refused.headers["Retry-After"], refused.json["details"]) == ("1", {"retryAfterSeconds": 1})
    assert await expired(widgets.api, widgets.path, query)
    assert (await widgets.api.get(widgets.at())).json == created.json


async def test_a_watch_of_labels_tells_who_enters_and_leaves(widgets: Widgets) -> None:
    """With a label selector a change of labels is told as ADDED and DELETED."""
    created = await widgets.create()
    query = {"resourceVersion": created.version, "labelSelector": "app=x"}
    async with widgets.api.watch(widgets.path, **query) as watch:
        await widgets.api.patch(widgets.at(), {"metadata": {"labels": {"app": "x"}}})
        await widgets.api.patch(widgets.at(), {"metadata": {"labels": {"app": "y"}}})
        assert await watch.seen(2) == [("ADDED", "a"), ("DELETED", "a")]


async def test_a_watch_of_one_name_sees_that_one(widgets: Widgets) -> None:
    """The field selector metadata.name filters events."""
    version = (await widgets.api.get(widgets.path)).version
    async with widgets.api.watch(widgets.path, resourceVersion=version, fieldSelector="metadata.name=b") as watch:
        await widgets.create("a")
        await widgets.create("b")
        assert await watch.seen(1) == [("ADDED", "b")]


async def test_a_watch_of_all_namespaces_sees_each(widgets: Widgets) -> None:
    """The collection without a namespace watches all of them."""
    version = (await widgets.api.get(widgets.path)).version
    async with widgets.api.watch(f"/apis/{GROUP}/v1/widgets", resourceVersion=version) as watch:
        await widgets.create()
        assert (await watch.event())["object"]["metadata"]["namespace"] == widgets.namespace


async def test_a_watch_can_be_metadata_only(widgets: Widgets) -> None:
    """PartialObjectMetadata in every event."""
    version = (await widgets.api.get(widgets.path)).version
    async with widgets.api.watch(widgets.path, METADATA_ONLY, resourceVersion=version) as watch:
        await widgets.create()
        event = await watch.event()
    assert (event["type"], event["object"]["kind"]) == ("ADDED", "PartialObjectMetadata")
    assert "spec" not in event["object"]


async def test_a_status_write_is_an_event(widgets: Widgets) -> None:
    """A status patch is told as MODIFIED with the new status."""
    created = await widgets.create()
    async with widgets.api.watch(widgets.path, resourceVersion=created.version) as watch:
        await widgets.api.patch(widgets.at("a", "status"), {"status": {"phase": "Done"}})
        event = await watch.event()
    assert (event["type"], event["object"]["status"]["phase"]) == ("MODIFIED", "Done")
