"""Definitions that cannot be served."""

from __future__ import annotations

import pytest

from tests.unit.apiserver.conftest import Client, decoded

CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"


@pytest.mark.parametrize(
    "spec",
    [
        {"type": "string", "pattern": "("},
        {"type": "object", "x-kubernetes-validations": [{"rule": "self.nonsense()"}]},
    ],
)
async def test_a_schema_that_cannot_be_compiled_is_refused_at_install(client: Client, spec: object) -> None:
    """A broken pattern or an unknown CEL function: 422, and nothing is served."""
    schema = {"openAPIV3Schema": {"type": "object", "properties": {"spec": spec}}}
    version = {"name": "v1", "served": True, "storage": True, "schema": schema}
    names = {"plural": "echos", "kind": "Echo"}
    declared = {"group": "example.com", "scope": "Namespaced", "names": names, "versions": [version]}
    refused = await client("POST", CRDS, {"metadata": {"name": "echos.example.com"}, "spec": declared})
    assert (refused.status, decoded(refused)["reason"]) == (422, "Invalid")
    assert (await client("GET", "/apis/example.com/v1")).status == 404
