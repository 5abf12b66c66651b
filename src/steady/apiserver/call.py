"""One request, understood: which kind, which object, which verb."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import NamedTuple

from steady.apiserver.exchange import Request
from steady.apiserver.failures import Failure, bad_request, method_not_allowed, not_acceptable
from steady.apiserver.kinds import Kind
from steady.objects import Key

_COLLECTION = {"GET": "list", "POST": "create", "DELETE": "deletecollection"}
_OBJECT = {"GET": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
_TABLE = "as=Table"
_METADATA = "as=PartialObjectMetadata"
APPLY = "application/apply-patch+yaml"
_SERVED = ("application/json",)
_SUBRESOURCE = ("get", "update", "patch")


class Path(NamedTuple):
    """A resource path taken apart; what is not there is empty."""

    group: str
    version: str
    namespace: str
    plural: str
    name: str
    subresource: str


class Call(NamedTuple):
    """A request to a kind that is served."""

    request: Request
    kind: Kind
    namespace: str
    name: str
    subresource: str
    verb: str

    @property
    def query(self) -> Mapping[str, str]:
        """The query of the request."""
        return self.request.query

    @property
    def key(self) -> Key:
        """The object that is meant."""
        return Key(self.namespace, self.name)

    @property
    def dry_run(self) -> bool:
        """Whether nothing may be kept."""
        return self.query.get("dryRun") == "All"

    @property
    def accept(self) -> str:
        """The forms in which the sender reads an answer."""
        return self.request.headers.get("accept", "")

    @property
    def wants_table(self) -> bool:
        """Whether the answer is to be a table for people."""
        return _TABLE in self.accept

    @property
    def wants_metadata(self) -> bool:
        """Whether the answer is to have metadata only."""
        return _METADATA in self.accept

    @property
    def media(self) -> str:
        """What the body says that it is."""
        return self.request.headers.get("content-type", "").partition(";")[0].strip()

    @property
    def manager(self) -> str:
        """Who is to own what is written: as told, else the first word of the user agent."""
        agent = self.request.headers.get("user-agent", "")
        return self.query.get("fieldManager") or agent.partition("/")[0] or "unknown"


def parse(path: str) -> Path | None:
    """The resource that `path` names, None where it names none."""
    parts = [part for part in path.split("/") if part]
    if len(parts) > 2 and parts[0] == "api":
        group, version, rest = "", parts[1], parts[2:]
    elif len(parts) > 3 and parts[0] == "apis":
        group, version, rest = parts[1], parts[2], parts[3:]
    else:
        return None
    namespace = ""
    if rest[0] == "namespaces" and len(rest) > 2 and not (len(rest) == 3 and rest[2] in {"status", "finalize"}):
        namespace, rest = rest[1], rest[2:]
    if len(rest) > 3:
        return None
    plural, name, subresource = [*rest, "", ""][:3]
    return Path(group, version, namespace, plural, name, subresource)


def verb(request: Request, path: Path) -> str:
    """The verb of `request` as an audit log names it; nothing where the method means nothing there."""
    found = (_OBJECT if path.name else _COLLECTION).get(request.method, "")
    return "watch" if found == "list" and flag(request.query, "watch") else found


def check_verb(verb: str, path: Path, kind: Kind) -> None:
    """Raise 405, or 400, where `kind` does not know the verb."""
    if path.subresource and verb not in _SUBRESOURCE:
        raise method_not_allowed(kind.resource, verb or "create") if kind.custom else method_not_allowed()
    if not verb:
        raise bad_request("name must be provided") if kind.custom and not path.name else method_not_allowed()


def check_accept(accept: str) -> None:
    """Raise 406 where no form that the sender reads is one that is served."""
    if not _acceptable(accept):
        raise not_acceptable(_SERVED)


@lru_cache
def _acceptable(accept: str) -> bool:
    kinds = {clause.partition(";")[0].strip() for clause in accept.split(",")}
    return not kinds.isdisjoint({*_SERVED, "application/*", "*/*", ""})


def flag(query: Mapping[str, str], name: str) -> bool:
    """A boolean query parameter, false without it; whatever is not a no is a yes."""
    return query.get(name, "").lower() not in {"", "0", "false"}


def number(query: Mapping[str, str], name: str) -> int | None:
    """A numeric query parameter, None without it. Raises 400 for anything but digits."""
    value = query.get(name, "")
    if not value:
        return None
    if not value.removeprefix("-").isdecimal():
        raise bad_request(f'strconv.ParseInt: parsing "{value}": invalid syntax')
    return int(value)


def version_number(value: str, *, watching: bool = False) -> int:
    """`value` as a resource version. Raises 400 (500 for a watch, as the real server does) where it is no number."""
    if value.isdecimal():
        return int(value)
    message = f'resourceVersion: Invalid value: "{value}": strconv.ParseUint: parsing "{value}": invalid syntax'
    if watching:
        raise Failure(500, "", message)
    raise bad_request(f"invalid resource version: {message}")
