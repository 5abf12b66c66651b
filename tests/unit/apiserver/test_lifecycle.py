"""What a controller manager does on a real cluster, and this server does within the request."""

from __future__ import annotations

from steady.apiserver import Server
from tests.unit.apiserver.conftest import Client, decoded

MAPS = "/api/v1/namespaces/default/configmaps"


def _owned(*uids: str) -> dict[str, object]:
    owners = [{"apiVersion": "v1", "kind": "ConfigMap", "name": "o", "uid": uid} for uid in uids]
    return {"ownerReferences": owners}


def _names(apiserver: Server) -> list[str]:
    return [data["metadata"]["name"] for data in apiserver.objects("configmaps")]


async def test_children_go_with_their_last_owner(client: Client, apiserver: Server) -> None:
    """Deleting an owner deletes what only it owned, through generations, and takes it from what others own too."""
    owner, other = await client.make(MAPS, "owner"), await client.make(MAPS, "other")
    first, second = owner["metadata"]["uid"], other["metadata"]["uid"]
    child = await client.make(MAPS, "child", metadata=_owned(first))
    await client.make(MAPS, "grandchild", metadata=_owned(child["metadata"]["uid"]))
    await client.make(MAPS, "shared", metadata=_owned(first, second))
    await client("DELETE", f"{MAPS}/owner")
    assert _names(apiserver) == ["other", "shared"]
    assert [owner["uid"] for owner in apiserver.objects("configmaps")[1]["metadata"]["ownerReferences"]] == [second]


async def test_a_child_of_nobody_does_not_stay(client: Client, apiserver: Server) -> None:
    """An object whose owners do not exist is collected right after its creation."""
    await client.make(MAPS, "stray", metadata=_owned("never-was"))
    assert _names(apiserver) == []


async def test_orphans_stay(client: Client, apiserver: Server) -> None:
    """With propagationPolicy Orphan, children lose their owner and stay."""
    owner = await client.make(MAPS, "owner")
    await client.make(MAPS, "child", metadata=_owned(owner["metadata"]["uid"]))
    await client("DELETE", f"{MAPS}/owner", {"propagationPolicy": "Orphan"})
    assert _names(apiserver) == ["child"]
    assert "ownerReferences" not in apiserver.objects("configmaps")[0]["metadata"]


async def test_a_namespace_ends_when_it_is_empty(client: Client, apiserver: Server) -> None:
    """Deleting a namespace deletes its contents, waits for their finalizers, and refuses new ones meanwhile."""
    await client.make("/api/v1/namespaces", "room")
    path = "/api/v1/namespaces/room/configmaps"
    await client.make(path, "free")
    await client.make(path, "held", metadata={"finalizers": ["example.com/held"]})
    gone = await client("DELETE", "/api/v1/namespaces/room")
    assert decoded(gone)["status"] == {"phase": "Terminating"}
    assert _names(apiserver) == ["held"]
    refused = await client("POST", path, {"metadata": {"name": "late"}})
    assert (refused.status, decoded(refused)["details"]["causes"][0]["reason"]) == (403, "NamespaceTerminating")
    await client("PATCH", f"{path}/held", {"metadata": {"finalizers": None}}, "application/merge-patch+json")
    assert (await client("GET", "/api/v1/namespaces/room")).status == 404


async def test_a_finalizer_is_added_at_creation_once(client: Client, apiserver: Server) -> None:
    """The switch adds its finalizer to new objects that lack it, and to no other."""
    for _ in range(2):
        apiserver.add_finalizer_on_create("", "configmaps", "example.com/held")
    plain = await client.make(MAPS, "plain")
    given = await client.make(MAPS, "given", metadata={"finalizers": ["example.com/held"]})
    assert plain["metadata"]["finalizers"] == given["metadata"]["finalizers"] == ["example.com/held"]


async def test_the_log_tells_who_did_what(client: Client, apiserver: Server) -> None:
    """Each request is one entry with user, verb, object and outcome."""
    await client("GET", f"{MAPS}/nope")
    entry = apiserver.log[-1]
    assert (entry.user, entry.verb, entry.resource, entry.name) == ("tester", "get", "configmaps", "nope")
    assert (entry.code, entry.reason) == (404, "NotFound")
