"""The custom kind of the contract tests: one of everything that a controller's kind uses."""

from __future__ import annotations

import itertools
from typing import Any

from tests.contract.api import Answer, Api, Json, until

GROUP = "contract.example.com"
FINALIZER = f"{GROUP}/held"
CRDS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
PENDING = {
    "phase": "Pending",
    "conditions": [
        {
            "type": "Ready",
            "status": "Unknown",
            "reason": "Pending",
            "message": "",
            "lastTransitionTime": "1970-01-01T00:00:00Z",
        }
    ],
}
_TEXT = {"type": "string"}
_CONDITION = {
    "type": "object",
    "required": ["type", "status"],
    "properties": {
        "type": _TEXT,
        "status": {"type": "string", "enum": ["True", "False", "Unknown"]},
        "reason": _TEXT,
        "message": _TEXT,
        "lastTransitionTime": {"type": "string", "format": "date-time"},
    },
}
SCHEMA: Json = {
    "type": "object",
    "description": "A widget says something.",
    "required": ["spec"],
    "properties": {
        "apiVersion": _TEXT,
        "kind": _TEXT,
        "metadata": {"type": "object"},
        "spec": {
            "type": "object",
            "required": ["text"],
            "properties": {
                "text": {"type": "string", "minLength": 1, "maxLength": 40},
                "size": {"type": "integer", "minimum": 0, "maximum": 100, "default": 1},
                "color": {"type": "string", "enum": ["red", "green"]},
                "code": {"type": "string", "pattern": "^[a-z]+$"},
                "tags": {"type": "array", "maxItems": 2, "items": _TEXT},
                "extra": {"type": "object", "additionalProperties": _TEXT},
                "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
                "low": {"type": "integer", "minimum": 0},
                "high": {"type": "integer"},
            },
        },
        "status": {
            "type": "object",
            "x-kubernetes-map-type": "atomic",
            "default": PENDING,
            "properties": {
                "phase": _TEXT,
                "size": {"type": "integer"},
                "selector": _TEXT,
                "conditions": {
                    "type": "array",
                    "items": _CONDITION,
                    "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["type"],
                },
            },
        },
    },
}
RULE: Json = {
    "rule": "!has(self.low) || !has(self.high) || self.low <= self.high",
    "message": "low must not exceed high",
}
_numbers = itertools.count()


def crd(group: str = GROUP, plural: str = "widgets", kind: str = "Widget", schema: Json | None = None) -> Json:
    """Return a CustomResourceDefinition with status, scale, columns, a short name and a category."""
    version = {
        "name": "v1",
        "served": True,
        "storage": True,
        "schema": {"openAPIV3Schema": schema or SCHEMA},
        "subresources": {
            "status": {},
            "scale": {
                "specReplicasPath": ".spec.size",
                "statusReplicasPath": ".status.size",
                "labelSelectorPath": ".status.selector",
            },
        },
        "additionalPrinterColumns": [
            {"name": "Text", "type": "string", "jsonPath": ".spec.text"},
            {"name": "Phase", "type": "string", "jsonPath": ".status.phase"},
            {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
            {"name": "Size", "type": "integer", "jsonPath": ".spec.size", "priority": 1},
        ],
    }
    names = {
        "plural": plural,
        "singular": kind.lower(),
        "kind": kind,
        "listKind": f"{kind}List",
        "shortNames": [plural[:2] + "x"],
        "categories": ["contract"],
    }
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": f"{plural}.{group}"},
        "spec": {"group": group, "scope": "Namespaced", "names": names, "versions": [version]},
    }


async def install(api: Api, definition: Json) -> None:
    """Create a CRD; return when it is Established, discoverable and served."""
    created = await api.post(CRDS, definition)
    assert created.status == 201, created.text
    name, group = definition["metadata"]["name"], definition["spec"]["group"]
    plural = definition["spec"]["names"]["plural"]
    await until(lambda: established(api, name))

    async def served() -> bool:
        found = await api.get(f"/apis/{group}/v1")
        listed = await api.get(f"/apis/{group}/v1/{plural}")
        return found.status == 200 and plural in found.text and listed.status == 200

    await until(served)


async def established(api: Api, name: str) -> bool:
    """Return whether a CRD has the condition Established."""
    conditions = (await api.get(f"{CRDS}/{name}")).json.get("status", {}).get("conditions") or []
    return any(condition["type"] == "Established" and condition["status"] == "True" for condition in conditions)


def widget(name: str = "a", text: str = "hello", **more: Any) -> Json:
    """Return a widget; `more` becomes `metadata` (labels, finalizers, ...)."""
    metadata = {"name": name, **more}
    return {"apiVersion": f"{GROUP}/v1", "kind": "Widget", "metadata": metadata, "spec": {"text": text}}


def config_map(name: str = "a", **data: str) -> Json:
    """Return a ConfigMap."""
    return {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": name}, "data": data}


def group_of_its_own() -> str:
    """Return an API group that no other test uses."""
    return f"g{next(_numbers)}.{GROUP}"


class Widgets:
    """The widgets of one namespace, by name."""

    def __init__(self, api: Api, namespace: str) -> None:
        self.api = api
        self.namespace = namespace
        self.path = f"/apis/{GROUP}/v1/namespaces/{namespace}/widgets"

    def at(self, name: str = "a", subresource: str = "") -> str:
        """Return the path of one widget, or of its subresource."""
        return f"{self.path}/{name}" + (f"/{subresource}" if subresource else "")

    async def settle(self, name: str = "a") -> Answer:
        """Let the server store the defaulted status: the first write after CREATE does, whatever it says."""
        return await self.api.patch(self.at(name), {})

    async def create(self, name: str = "a", text: str = "hello", **metadata: Any) -> Answer:
        """Create a widget; it must succeed."""
        created = await self.api.post(self.path, widget(name, text, **metadata))
        assert created.status == 201, created.text
        return created
