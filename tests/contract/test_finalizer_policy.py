"""The finalizer that the server itself adds at CREATE."""

from __future__ import annotations

import pytest
import pytest_asyncio

from steady.testing.target import Installer
from tests.contract.api import Api
from tests.contract.widgets import FINALIZER, Widgets, crd, group_of_its_own, install

pytestmark = pytest.mark.asyncio(loop_scope="session")
OTHER = "example.com/other"


@pytest_asyncio.fixture(loop_scope="session")
async def gadgets(api: Api, namespace: str, finalizer_policy: Installer) -> Widgets:
    """A kind of its own whose objects get a finalizer at CREATE."""
    group = group_of_its_own()
    await install(api, crd(group, "gadgets", "Gadget"))
    await finalizer_policy(group, "gadgets", FINALIZER)
    collection = Widgets(api, namespace)
    collection.path = f"/apis/{group}/v1/namespaces/{namespace}/gadgets"
    return collection


async def made(gadgets: Widgets, **metadata: object) -> list[str]:
    """Create a gadget and return its finalizers."""
    group = gadgets.path.split("/")[2]
    body = {
        "apiVersion": f"{group}/v1",
        "kind": "Gadget",
        "metadata": {"name": "a", **metadata},
        "spec": {"text": "hello"},
    }
    created = await gadgets.api.post(gadgets.path, body)
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


async def test_it_acts_at_create_only(gadgets: Widgets) -> None:
    """Removed by a patch, it stays away."""
    await made(gadgets)
    patched = await gadgets.api.patch(gadgets.at(), {"metadata": {"finalizers": None}})
    assert "finalizers" not in patched.json["metadata"]
