"""The API server's own account of what was asked of it: the audit log, one JSON event a line."""

from pathlib import Path
from typing import Final

import msgspec

POLICY: Final = """\
apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
"""
"""Every request by everybody, without bodies (audit.k8s.io/v1 Policy)."""


class AuditEntry(msgspec.Struct, frozen=True, gc=False):
    """One answered request. Empty strings stand for what the request had not (a list has no `name`)."""

    user: str
    verb: str
    resource: str
    subresource: str
    group: str
    namespace: str
    name: str
    code: int
    uri: str
    user_agent: str


class _User(msgspec.Struct):
    username: str = ""


class _Reference(msgspec.Struct, rename="camel"):
    resource: str = ""
    subresource: str = ""
    api_group: str = ""
    namespace: str = ""
    name: str = ""


class _Answer(msgspec.Struct):
    code: int = 0


class _Event(msgspec.Struct, rename="camel"):
    stage: str
    verb: str
    user: _User
    request_uri: str = msgspec.field(name="requestURI")
    user_agent: str = ""
    object_ref: _Reference | None = None
    response_status: _Answer | None = None


class AuditLog:
    """Reads the log as it grows; a line is decoded once."""

    def __init__(self, path: Path) -> None:
        """Read from `path`, which need not exist yet."""
        self._path = path
        self._offset = 0
        self._entries: list[AuditEntry] = []
        self._decoder = msgspec.json.Decoder(_Event)

    def entries(self) -> list[AuditEntry]:
        """Return every request answered so far, oldest first (stage ResponseComplete; a watch when it has ended)."""
        if self._path.exists():
            self._entries.extend(map(_entry, self._completed()))
        return list(self._entries)

    def _completed(self) -> list[_Event]:
        with self._path.open("rb") as file:
            file.seek(self._offset)
            whole, newline, _ = file.read().rpartition(b"\n")
        self._offset += len(whole) + len(newline)
        events = [self._decoder.decode(line) for line in whole.splitlines()]
        return [event for event in events if event.stage == "ResponseComplete"]


def _entry(event: _Event) -> AuditEntry:
    about = event.object_ref or _Reference()
    answer = event.response_status or _Answer()
    return AuditEntry(
        user=event.user.username,
        verb=event.verb,
        resource=about.resource,
        subresource=about.subresource,
        group=about.api_group,
        namespace=about.namespace,
        name=about.name,
        code=answer.code,
        uri=event.request_uri,
        user_agent=event.user_agent,
    )
