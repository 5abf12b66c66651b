"""What built-in kinds fill in by themselves, and what they forbid."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator

from steady.apiserver.exchange import Json
from steady.apiserver.failures import Cause, quoted
from steady.apiserver.validation import shown

_KEY = re.compile(r"[-._a-zA-Z0-9]{1,253}")
_KEY_RULE = (
    "a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  "
    "or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')"
)
_LARGEST_DATA = 1024 * 1024  # bytes of all values


def namespace(data: Json) -> Json:
    """A namespace is active, has its name as a label, and is finalized by the server."""
    metadata = data["metadata"]
    labels = {**(metadata.get("labels") or {}), "kubernetes.io/metadata.name": metadata["name"]}
    spec = {"finalizers": ["kubernetes"], **(data.get("spec") or {})}
    return {**data, "metadata": {**metadata, "labels": labels}, "spec": spec, "status": {"phase": "Active"}}


def config_map(data: Json) -> Json:
    """Empty data is none, and a value of null an empty one."""
    texts = {key: value or "" for key, value in (data.get("data") or {}).items()}
    kept = {field: value for field, value in data.items() if field != "data" and (value or field != "binaryData")}
    return kept | ({"data": texts} if texts else {})


def secret(data: Json) -> Json:
    """`stringData` is written into `data` and never shown."""
    plain = data.get("stringData") or {}
    encoded = {key: base64.b64encode(value.encode()).decode() for key, value in plain.items()}
    merged = {**(data.get("data") or {}), **encoded}
    kept = {field: value for field, value in data.items() if field not in {"stringData", "data"}}
    return {"type": "Opaque", **kept} | ({"data": merged} if merged else {})


def workload(data: Json) -> Json:
    """One replica, where nothing is said."""
    return {**data, "spec": {"replicas": 1, **(data.get("spec") or {})}}


def service(data: Json) -> Json:
    """An address within the cluster, where nothing is said."""
    return {**data, "spec": {"type": "ClusterIP", "sessionAffinity": "None", **(data.get("spec") or {})}}


def keyed_faults(new: Json, old: Json | None) -> list[Cause]:
    """What is wrong with the data of a ConfigMap or a Secret."""
    return [*_keys(new), *_sealed(new, old or {})]


def workload_faults(new: Json, _old: Json | None) -> list[Cause]:
    """The selector of a workload must be there and select its own template."""
    spec = new["spec"]
    selector = (spec.get("selector") or {}).get("matchLabels") or {}
    if not spec.get("selector"):
        return [Cause("FieldValueRequired", "Required value", "spec.selector")]
    labels = ((spec.get("template") or {}).get("metadata") or {}).get("labels") or {}
    if all(labels.get(key) == value for key, value in selector.items()):
        return []
    message = f"Invalid value: {shown(labels)}: `selector` does not match template `labels`"
    return [Cause("FieldValueInvalid", message, "spec.template.metadata.labels")]


def _keys(data: Json) -> Iterator[Cause]:
    texts, binaries = data.get("data") or {}, data.get("binaryData") or {}
    for field, values in (("data", texts), ("binaryData", binaries)):
        for key in values:
            if not _KEY.fullmatch(key):
                yield Cause("FieldValueInvalid", f"Invalid value: {quoted(key)}: {_KEY_RULE}", f"{field}[{key}]")
    for key in texts.keys() & binaries.keys():
        message = f"Invalid value: {quoted(key)}: duplicate of key present in binaryData"
        yield Cause("FieldValueInvalid", message, f"data[{key}]")
    if sum(len(value.encode()) for value in (*texts.values(), *binaries.values())) > _LARGEST_DATA:
        yield Cause("FieldValueTooLong", f"Too long: may not be more than {_LARGEST_DATA} bytes", "[]")


def _sealed(new: Json, old: Json) -> Iterator[Cause]:
    if not old.get("immutable"):
        return
    for field in ("immutable", "data", "binaryData"):
        if new.get(field) != old.get(field):
            yield Cause("FieldValueForbidden", "Forbidden: field is immutable when `immutable` is set", field)
