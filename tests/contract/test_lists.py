"""Lists: selectors, pages, versions, shapes."""

from __future__ import annotations

import base64
import json

import pytest

from tests.contract.api import METADATA_LIST, TABLE, Answer, Api
from tests.contract.widgets import GROUP, Widgets, config_map

pytestmark = pytest.mark.asyncio(loop_scope="session")


def names(answer: Answer) -> list[str]:
    """Return the names in a list, in its order."""
    assert answer.status == 200, answer.text
    return [item["metadata"]["name"] for item in answer.json["items"]]


async def test_a_list_has_kind_version_and_items_by_name(widgets: Widgets) -> None:
    """Items come in order of their names, under a list kind with a resourceVersion."""
    await widgets.create("b")
    last = await widgets.create("a")
    listed = await widgets.api.get(widgets.path)
    assert (listed.json["kind"], listed.json["apiVersion"]) == ("WidgetList", f"{GROUP}/v1")
    assert names(listed) == ["a", "b"]
    assert int(listed.version) >= int(last.version)


async def test_an_empty_list_has_empty_items(widgets: Widgets) -> None:
    """No objects: an empty array, not null."""
    assert (await widgets.api.get(widgets.path)).json["items"] == []


async def test_a_list_of_all_namespaces_holds_every_object(widgets: Widgets) -> None:
    """The collection without a namespace lists all of them."""
    await widgets.create("everywhere", labels={"of": widgets.namespace})
    listed = await widgets.api.get(f"/apis/{GROUP}/v1/widgets", labelSelector=f"of={widgets.namespace}")
    assert names(listed) == ["everywhere"]


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("app=x", ["a"]),
        ("app==x", ["a"]),
        ("app!=x", ["b", "c"]),
        ("app in (x,y)", ["a", "b"]),
        ("app notin (x)", ["b", "c"]),
        ("app", ["a", "b"]),
        ("!app", ["c"]),
        ("app=y,tier=1", ["b"]),
        ("app=z", []),
    ],
)
async def test_label_selectors(widgets: Widgets, selector: str, expected: list[str]) -> None:
    """Equality, sets, existence and conjunction."""
    await widgets.create("a", labels={"app": "x"})
    await widgets.create("b", labels={"app": "y", "tier": "1"})
    await widgets.create("c")
    assert names(await widgets.api.get(widgets.path, labelSelector=selector)) == expected


async def test_a_malformed_selector_is_a_bad_request(widgets: Widgets) -> None:
    """A selector that cannot be read: 400."""
    refused = await widgets.api.get(widgets.path, labelSelector="app in x")
    assert (refused.status, refused.json["reason"]) == (400, "BadRequest")


async def test_field_selector_by_name(widgets: Widgets) -> None:
    """`metadata.name` picks one object, `metadata.namespace` all of a namespace."""
    await widgets.create("a")
    await widgets.create("b")
    assert names(await widgets.api.get(widgets.path, fieldSelector="metadata.name=b")) == ["b"]
    everywhere = f"metadata.namespace={widgets.namespace}"
    assert names(await widgets.api.get(f"/apis/{GROUP}/v1/widgets", fieldSelector=everywhere)) == ["a", "b"]


async def test_an_unknown_field_selector_is_a_bad_request(widgets: Widgets) -> None:
    """Other fields of a custom kind cannot be selected: 400."""
    assert (await widgets.api.get(widgets.path, fieldSelector="spec.text=x")).status == 400


async def test_pages_have_a_limit_and_continue(widgets: Widgets) -> None:
    """A page tells how many remain; its token gets the rest at the same version."""
    for name in "abcde":
        await widgets.create(name)
    first = await widgets.api.get(widgets.path, limit="2")
    await widgets.create("f")
    metadata = first.json["metadata"]
    assert (names(first), metadata["remainingItemCount"]) == (["a", "b"], 3)
    second = await widgets.api.get(widgets.path, **{"limit": "9", "continue": metadata["continue"]})
    assert names(second) == ["c", "d", "e"]
    assert second.version == first.version
    assert not second.json["metadata"].get("continue")


async def test_a_continue_token_is_readable(widgets: Widgets) -> None:
    """The token is base64url of version, resourceVersion and the next key."""
    for name in "ab":
        await widgets.create(name)
    first = await widgets.api.get(widgets.path, limit="1")
    token = first.json["metadata"]["continue"]
    assert "=" not in token
    decoded = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    assert (decoded["v"], str(decoded["rv"])) == ("meta.k8s.io/v1", first.version)
    assert decoded["start"].endswith("a\0")


async def test_a_garbled_continue_token_is_a_bad_request(widgets: Widgets) -> None:
    """A token that is none: 400."""
    assert (await widgets.api.get(widgets.path, **{"limit": "1", "continue": "garbage"})).status == 400


async def test_continue_with_a_version_is_a_bad_request(widgets: Widgets) -> None:
    """A token has its own version: another beside it is refused."""
    for name in "ab":
        await widgets.create(name)
    first = await widgets.api.get(widgets.path, limit="1")
    query = {"limit": "1", "continue": first.json["metadata"]["continue"], "resourceVersion": first.version}
    assert (await widgets.api.get(widgets.path, **query)).status == 400


async def test_a_list_from_any_version(widgets: Widgets) -> None:
    """ResourceVersion 0 is served from any state."""
    await widgets.create()
    assert (await widgets.api.get(widgets.path, resourceVersion="0")).status == 200


async def test_a_list_at_a_future_version_times_out(widgets: Widgets) -> None:
    """A version that the server has not reached: 504, cause ResourceVersionTooLarge, Retry-After."""
    current = int((await widgets.api.get(widgets.path)).version)
    query = {"resourceVersion": str(current + 1_000_000), "resourceVersionMatch": "NotOlderThan"}
    refused = await widgets.api.get(widgets.path, **query)
    assert (refused.status, refused.json["reason"]) == (504, "Timeout")
    assert refused.causes == [("ResourceVersionTooLarge", "")]
    assert refused.headers["Retry-After"] == "1"


async def test_a_list_can_be_metadata_only(widgets: Widgets) -> None:
    """PartialObjectMetadataList: items with metadata only."""
    await widgets.create()
    listed = await widgets.api.get(widgets.path, accept=METADATA_LIST)
    assert listed.json["kind"] == "PartialObjectMetadataList"
    assert [item.keys() & {"spec", "status", "metadata"} for item in listed.json["items"]] == [{"metadata"}]


async def test_a_table_has_the_columns_of_the_crd(widgets: Widgets) -> None:
    """A Table has Name and the printer columns, a cell each, and the object's metadata."""
    await widgets.create(text="hi")
    table = (await widgets.api.get(widgets.path, accept=TABLE)).json
    assert (table["kind"], table["apiVersion"]) == ("Table", "meta.k8s.io/v1")
    assert [column["name"] for column in table["columnDefinitions"]] == ["Name", "Text", "Phase", "Age"]
    row = table["rows"][0]
    assert row["cells"][:3] == ["a", "hi", "Pending"]
    assert row["object"]["kind"] == "PartialObjectMetadata"


async def test_a_table_of_config_maps(api: Api, namespace: str) -> None:
    """Built-in kinds have their own columns."""
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    await api.post(path, config_map(k="v"))
    table = (await api.get(path, accept=TABLE)).json
    assert [column["name"] for column in table["columnDefinitions"]] == ["Name", "Data", "Age"]
    assert table["rows"][0]["cells"][:2] == ["a", 1]
