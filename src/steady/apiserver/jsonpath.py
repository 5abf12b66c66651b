"""The JSON paths of printer columns and scale subresources: fields, indexes, and filters by one field."""

from __future__ import annotations

import re
from typing import Any

from steady.apiserver.exchange import Json

_STEP = re.compile(
    r"""\.(?P<field>(?:\\.|[^.\[\]\\])+)
    |\[(?P<index>\d+|\*)\]
    |\['(?P<quoted>[^']*)'\]
    |\[\?\(\s*@\.(?P<key>[\w.\\/-]+)\s*==\s*(?P<quote>["'])(?P<value>.*?)(?P=quote)\s*\)\]""",
    re.VERBOSE,
)


def steps(path: str) -> list[re.Match[str]] | None:
    """The steps of `path`, or None where it is not one that we read."""
    found, at = [], 0
    while at < len(path):
        match = _STEP.match(path, at)
        if match is None:
            return None
        found.append(match)
        at = match.end()
    return found


def first(data: Any, path: str) -> Any:
    """The first value at `path`, None where there is none."""
    values = [data]
    for step in steps(path) or []:
        values = [deeper for value in values for deeper in _follow(value, step)]
    return values[0] if values else None


def plain(path: str) -> list[str]:
    """The field names of a path such as `.spec.replicas`."""
    return [step["field"].replace("\\", "") for step in steps(path) or [] if step["field"]]


def placed(data: Json, path: list[str], value: Any) -> Json:
    """A copy of `data` with `value` at the fields `path`."""
    head, *rest = path
    return {**data, head: placed(data.get(head) or {}, rest, value) if rest else value}


def _follow(value: Any, step: re.Match[str]) -> list[Any]:
    name = step["field"] or step["quoted"]
    if name is not None:
        return _field(value, name.replace("\\", ""))
    if not isinstance(value, list):
        return []
    if step["key"]:
        return [entry for entry in value if isinstance(entry, dict) and str(entry.get(step["key"])) == step["value"]]
    if step["index"] == "*":
        return value
    return value[int(step["index"]) :][:1]


def _field(value: Any, name: str) -> list[Any]:
    return [value[name]] if isinstance(value, dict) and name in value else []
