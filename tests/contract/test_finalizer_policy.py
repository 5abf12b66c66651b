"""The finalizer that the server itself adds at CREATE."""

from __future__ import annotations

import pytest
import pytest_asyncio

from steady.testing.target import Installer
from tests.contract.api import APPLY, Api, Json
from tests.contract.widgets import FINALIZER, Widgets, crd, group_of_its_own, install

pytestmark = pytest.mark.asyncio(loop_scope="session")
OTHER = "example.com/other"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def group(api: Api, finalizer_policy: Installer) -> str:
    """The group of a kind whose objects get a finalizer at CREATE."""
    group = group_of_its_own()
    await install(api, crd(group, "gadgets", "Gadget"))
    await finalizer_policy(group, "gadgets", FINALIZER)
    return group


@pytest.fixture
def gadgets(api: Api, group: str, namespace: str) -> Widgets:
    """The objects of that kind in this test's namespace: none yet."""
    collection = Widgets(api, namespace)
    collection.path = f"/apis/{group}/v1/namespaces/{namespace}/gadgets"
    return collection


def gadget(gadgets: Widgets, **metadata: object) -> Json:
    """Return a gadget."""
    version = f"{gadgets.path.split('/')[2]}/v1"
    return {"apiVersion": version, "kind": "Gadget", "metadata": {"name": "a", **metadata}, "spec": {"text": "hello"}}


async def made(gadgets: Widgets, **metadata: object) -> list[str]:
    """Create a gadget and return its finalizers."""
    created = await gadgets.api.post(gadgets.path, gadget(gadgets, **metadata))
    assert created.status == 201, created.text
    finalizers: list[str] = created.json["metadata"].get("finalizers", [])
    return finalizers


async def test_an_object_without_finalizers_gets_one(gadgets: Widgets) -> None:
    """The answer to CREATE already shows it, at generation 1."""
    assert await made(gadgets) == [FINALIZER]
    assert (await gadgets.api.get(gadgets.at())).json["metadata"]["generation"] == 1


async def test_an_object_with_another_finalizer_gets_one_more(gadgets: Widgets) -> None:
    """It is added at the end."""
    assert await made(gadgets, finalizers=[OTHER]) == [OTHER, FINALIZER]


async def test_an_object_that_has_it_gets_no_second(gadgets: Widgets) -> None:
    """The policy is idempotent."""
    assert await made(gadgets, finalizers=[FINALIZER]) == [FINALIZER]


async def test_it_is_in_nobodys_managed_fields(gadgets: Widgets) -> None:
    """No manager owns it, so no later apply takes it away."""
    await made(gadgets)
    metadata = (await gadgets.api.get(gadgets.at())).json["metadata"]
    assert FINALIZER not in str(metadata.get("managedFields", []))


async def test_an_object_with_no_finalizers_gets_one(gadgets: Widgets) -> None:
    """An empty list is like none."""
    assert await made(gadgets, finalizers=[]) == [FINALIZER]


async def test_it_shows_in_a_dry_run(gadgets: Widgets) -> None:
    """Who tries sees what would be stored."""
    tried = await gadgets.api.post(gadgets.path, gadget(gadgets), dryRun="All")
    assert tried.json["metadata"]["finalizers"] == [FINALIZER]


async def test_applies_leave_it(gadgets: Widgets) -> None:
    """An object that is applied gets it, and applied again without finalizers keeps it."""
    for text in ("hello", "bye"):
        body = gadget(gadgets) | {"spec": {"text": text}}
        applied = await gadgets.api.patch(gadgets.at(), body, APPLY, fieldManager="somebody")
        assert applied.json["metadata"]["finalizers"] == [FINALIZER]


@pytest.mark.parametrize("finalizers", [None, []])
async def test_an_update_without_it_drops_it(gadgets: Widgets, finalizers: object) -> None:
    """PUT says what there is: without finalizers, none."""
    await made(gadgets)
    version = (await gadgets.api.get(gadgets.at())).version
    body = gadget(gadgets, resourceVersion=version, finalizers=finalizers)
    assert "finalizers" not in (await gadgets.api.put(gadgets.at(), body)).json["metadata"]


async def test_it_acts_at_create_only(gadgets: Widgets) -> None:
    """Removed by a patch, it stays away."""
    await made(gadgets)
    patched = await gadgets.api.patch(gadgets.at(), {"metadata": {"finalizers": None}})
    assert "finalizers" not in patched.json["metadata"]
