"""One user's requests, counted from the API server's audit log: watches when they begin, all else when answered."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import msgspec


class _User(msgspec.Struct):
    username: str = ""


class _Reference(msgspec.Struct):
    resource: str = ""
    subresource: str = ""


class _Answer(msgspec.Struct):
    code: int = 0


class _Event(msgspec.Struct, rename="camel"):
    stage: str
    verb: str
    user: _User
    object_ref: _Reference | None = None
    response_status: _Answer | None = None


_event = msgspec.json.Decoder(_Event)


class Tally:
    """Counts the requests of `user` in the log at `path`, which grows meanwhile."""

    def __init__(self, path: Path, user: str) -> None:
        self._path = path
        self._user = user
        self._offset = 0
        self._counts: Counter[str] = Counter()

    def counts(self) -> Counter[str]:
        """All requests so far by verb, resource and code, such as `patch networkintents/status 200`."""
        with self._path.open("rb") as file:
            file.seek(self._offset)
            whole, newline, _ = file.read().rpartition(b"\n")
        self._offset += len(whole) + len(newline)
        for line in whole.splitlines():
            event = _event.decode(line)
            if event.user.username == self._user and _counts(event):
                self._counts[_named(event)] += 1
        return self._counts.copy()


def _counts(event: _Event) -> bool:
    if event.verb != "watch":
        return event.stage == "ResponseComplete"
    refused = event.response_status is not None and event.response_status.code >= 400
    return (event.stage == "ResponseStarted") != refused


def _named(event: _Event) -> str:
    about = event.object_ref or _Reference()
    resource = f"{about.resource}/{about.subresource}" if about.subresource else about.resource
    code = event.response_status.code if event.response_status else 0
    return f"{event.verb} {resource or '(other)'} {code}"
