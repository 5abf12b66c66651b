"""Lists: selectors, pages, versions, shapes."""

from __future__ import annotations

import base64
import json

import pytest

from tests.contract.api import METADATA_LIST, TABLE, Answer, Api, Json
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


def unpacked(token: str) -> Json:
    """Return what a continue token says; it is base64url without padding."""
    assert "=" not in token
    found: Json = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    return found


def packed(**fields: object) -> str:
    """Return the continue token that says this."""
    return base64.urlsafe_b64encode(json.dumps(fields).encode()).decode().rstrip("=")


async def test_a_continue_token_is_readable(widgets: Widgets) -> None:
    """It holds a version, the list's resourceVersion, and the key after which to go on: within the namespace listed."""
    for name in "ab":
        await widgets.create(name, labels={"of": widgets.namespace})
    first = await widgets.api.get(widgets.path, limit="1")
    token = unpacked(first.json["metadata"]["continue"])
    assert token == {"v": "meta.k8s.io/v1", "rv": int(first.version), "start": "/a\0"}
    selected = {"limit": "1", "labelSelector": f"of={widgets.namespace}"}
    everywhere = await widgets.api.get(f"/apis/{GROUP}/v1/widgets", **selected)
    assert unpacked(everywhere.json["metadata"]["continue"])["start"] == f"/{widgets.namespace}/a\0"


async def test_an_expired_token_comes_with_another(widgets: Widgets) -> None:
    """410 Expired, and a token that returns the rest at the version of now."""
    for name in "ab":
        await widgets.create(name)
    await widgets.api.target.compact()
    first = await widgets.api.get(widgets.path, limit="1")
    token = unpacked(first.json["metadata"]["continue"]) | {"rv": 1}
    await widgets.create("c")
    refused = await widgets.api.get(widgets.path, **{"limit": "9", "continue": packed(**token)})
    assert (refused.status, refused.json["reason"]) == (410, "Expired")
    assert refused.json["message"].startswith("The provided continue parameter is too old to display a consistent list")
    rest = await widgets.api.get(widgets.path, **{"limit": "9", "continue": refused.json["metadata"]["continue"]})
    assert names(rest) == ["b", "c"]
    assert int(rest.version) > int(first.version)


@pytest.mark.parametrize(
    "token",
    [
        "garbage",
        packed(v="meta.k8s.io/v9", rv=1, start="/a\0"),
        packed(v="meta.k8s.io/v1", rv=0, start="/a\0"),
    ],
)
async def test_a_garbled_continue_token_is_a_bad_request(widgets: Widgets, token: str) -> None:
    """A token that is none, or of another version, or of no state: 400."""
    refused = await widgets.api.get(widgets.path, **{"limit": "1", "continue": token})
    assert (refused.status, refused.json["reason"]) == (400, "BadRequest")
    assert refused.json["message"].startswith("invalid continue token: continue key is not valid")


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


async def test_a_list_at_a_forgotten_version_is_expired(widgets: Widgets) -> None:
    """`Exact` at a version whose history is gone: 410, to the byte."""
    await widgets.api.target.compact()
    refused = await widgets.api.get(widgets.path, resourceVersion="1", resourceVersionMatch="Exact")
    body = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure"}
    message = "The resourceVersion for the provided list is too old."
    assert (refused.status, refused.json) == (410, body | {"message": message, "reason": "Expired", "code": 410})


async def test_a_list_at_a_version_shows_what_was_there(widgets: Widgets) -> None:
    """`Exact` at a known version leaves out what came later."""
    await widgets.create("a")
    version = (await widgets.api.get(widgets.path)).version
    await widgets.create("b")
    await widgets.api.delete(widgets.at())
    then = await widgets.api.get(widgets.path, resourceVersion=version, resourceVersionMatch="Exact")
    assert (names(then), then.version) == (["a"], version)


async def test_an_object_at_a_future_version_times_out(widgets: Widgets) -> None:
    """GET of one object may name a version too, and is answered like a list."""
    future = str(int((await widgets.create()).version) + 1_000_000)
    refused = await widgets.api.get(widgets.at(), resourceVersion=future)
    assert (refused.status, refused.causes) == (504, [("ResourceVersionTooLarge", "")])


@pytest.mark.parametrize(
    ("query", "causes"),
    [
        ({"resourceVersionMatch": "Exact"}, [("FieldValueForbidden", "resourceVersionMatch")]),
        ({"resourceVersionMatch": "Exact", "resourceVersion": "0"}, [("FieldValueForbidden", "resourceVersionMatch")]),
        ({"resourceVersionMatch": "Odd", "resourceVersion": "1"}, [("FieldValueNotSupported", "resourceVersionMatch")]),
        ({"sendInitialEvents": "true"}, [("FieldValueForbidden", "sendInitialEvents")]),
        (
            {"watch": "1", "resourceVersionMatch": "Exact", "resourceVersion": "1"},
            [("FieldValueForbidden", "resourceVersionMatch"), ("FieldValueNotSupported", "resourceVersionMatch")],
        ),
    ],
)
async def test_options_that_mean_nothing_are_invalid(
    widgets: Widgets, query: dict[str, str], causes: list[tuple[str, str]]
) -> None:
    """422 about ListOptions, with the option as the field."""
    refused = await widgets.api.get(widgets.path, **query)
    assert (refused.status, refused.json["details"]["kind"], refused.causes) == (422, "ListOptions", causes)


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
    assert [column["name"] for column in table["columnDefinitions"]] == ["Name", "Text", "Phase", "Age", "Size"]
    row = table["rows"][0]
    assert row["cells"][:3] == ["a", "hi", "Pending"]
    assert row["object"]["kind"] == "PartialObjectMetadata"


async def test_one_object_can_be_a_table(widgets: Widgets) -> None:
    """With one row; `includeObject=None` makes its object null, and columns for `-o wide` have a priority."""
    await widgets.create()
    table = (await widgets.api.get(widgets.at(), accept=TABLE, includeObject="None")).json
    assert [row["object"] for row in table["rows"]] == [None]
    priorities = {column["name"]: column["priority"] for column in table["columnDefinitions"]}
    assert priorities == {"Name": 0, "Text": 0, "Phase": 0, "Age": 0, "Size": 1}


async def test_a_table_of_config_maps(api: Api, namespace: str) -> None:
    """Built-in kinds have their own columns."""
    path = f"/api/v1/namespaces/{namespace}/configmaps"
    await api.post(path, config_map(k="v"))
    table = (await api.get(path, accept=TABLE)).json
    assert [column["name"] for column in table["columnDefinitions"]] == ["Name", "Data", "Age"]
    assert table["rows"][0]["cells"][:2] == ["a", 1]
