"""The types of what built-in kinds consist of, as far as the server looks at it: anything else cannot be read."""

from __future__ import annotations

from typing import Any

import msgspec

_Texts = dict[str, str | None]


class _Form(msgspec.Struct, rename="camel"):
    """Fields that may be left out, or be null."""


class Loose(_Form):
    """A kind of which only the outline is known."""

    spec: dict[str, Any] | None = None
    status: dict[str, Any] | None = None


class ConfigMap(_Form):
    """`v1.ConfigMap`."""

    data: _Texts | None = None
    binary_data: dict[str, bytes] | None = None
    immutable: bool | None = None


class Secret(_Form):
    """`v1.Secret`."""

    data: dict[str, bytes | None] | None = None
    string_data: _Texts | None = None
    type: str | None = None
    immutable: bool | None = None


class _Labelled(_Form):
    labels: _Texts | None = None


class _Pods(_Form):
    containers: list[dict[str, Any]] | None = None


class _Template(_Form):
    metadata: _Labelled | None = None
    spec: _Pods | None = None


class _Selector(_Form):
    match_labels: _Texts | None = None


class _WorkloadSpec(_Form):
    replicas: int | None = None
    selector: _Selector | None = None
    template: _Template | None = None


class Workload(_Form):
    """`apps/v1` kinds that keep pods of a template."""

    spec: _WorkloadSpec | None = None
    status: dict[str, Any] | None = None


class _ScaleSpec(_Form):
    replicas: int | None = None


class _ScaleMetadata(_Form):
    resource_version: str | None = None


class Scale(_Form):
    """`autoscaling/v1.Scale`."""

    metadata: _ScaleMetadata | None = None
    spec: _ScaleSpec | None = None


class _Preconditions(_Form):
    uid: str | None = None
    resource_version: str | None = None


class DeleteOptions(_Form):
    """`metav1.DeleteOptions`."""

    preconditions: _Preconditions | None = None
    propagation_policy: str | None = None
    dry_run: list[str] | None = None


class _Rule(_Form):
    rule: str | None = None
    message: str | None = None
    message_expression: str | None = None
    reason: str | None = None
    field_path: str | None = None


class Schema(_Form):
    """`apiextensions/v1.JSONSchemaProps`: what leads to other schemas, and what the server reads of each."""

    type: str | None = None
    format: str | None = None
    required: list[str] | None = None
    enum: list[Any] | None = None
    properties: dict[str, Schema] | None = None
    additional_properties: Schema | bool | None = None
    items: Schema | None = None
    all_of: list[Schema] | None = None
    any_of: list[Schema] | None = None
    one_of: list[Schema] | None = None
    not_: Schema | None = msgspec.field(default=None, name="not")
    rules: list[_Rule] | None = msgspec.field(default=None, name="x-kubernetes-validations")
    list_type: str | None = msgspec.field(default=None, name="x-kubernetes-list-type")
    list_map_keys: list[str] | None = msgspec.field(default=None, name="x-kubernetes-list-map-keys")
    map_type: str | None = msgspec.field(default=None, name="x-kubernetes-map-type")


class _SchemaHolder(_Form):
    schema: Schema | None = msgspec.field(default=None, name="openAPIV3Schema")


class _ScalePaths(_Form):
    spec_replicas_path: str
    status_replicas_path: str
    label_selector_path: str | None = None


class _Subresources(_Form):
    status: dict[str, Any] | None = None
    scale: _ScalePaths | None = None


class _Column(_Form):
    name: str
    type: str
    json_path: str
    priority: int | None = None
    description: str | None = None
    format: str | None = None


class _Version(_Form):
    name: str
    served: bool | None = None
    storage: bool | None = None
    schema: _SchemaHolder | None = None
    subresources: _Subresources | None = None
    additional_printer_columns: list[_Column] | None = None


class _Names(_Form):
    plural: str | None = None
    kind: str | None = None
    singular: str | None = None
    list_kind: str | None = None
    short_names: list[str] | None = None
    categories: list[str] | None = None


class _DefinitionSpec(_Form):
    group: str | None = None
    scope: str | None = None
    names: _Names | None = None
    versions: list[_Version] | None = None


class Definition(_Form):
    """`apiextensions/v1.CustomResourceDefinition`."""

    spec: _DefinitionSpec | None = None
    status: dict[str, Any] | None = None


class _Spec(_Form):
    finalizers: list[str] | None = None


class Namespace(_Form):
    """`v1.Namespace`."""

    spec: _Spec | None = None
    status: dict[str, Any] | None = None
