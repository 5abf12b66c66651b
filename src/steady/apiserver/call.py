"""One request, understood: which kind, which object, which verb."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from steady.apiserver.exchange import Request
from steady.apiserver.failures import Failure, bad_request, method_not_allowed
from steady.apiserver.kinds import Kind
from steady.objects import Key, Resource

_COLLECTION = {"GET": "list", "POST": "create", "DELETE": "deletecollection"}
_OBJECT = {"GET": "get", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}


def _options(verb: str) -> Resource:
    return Resource("meta.k8s.io", "v1", f"{verb.capitalize()}Options", "")


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
        value = self.query.get("dryRun", "")
        if value not in {"", "All"}:
            raise bad_request(
                f'Invalid value: "{value}": dryRun: Unsupported value: "{value}": supported values: "All"'
            )
        return value == "All"


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
    """The verb of `request` as an audit log names it. Raises 405 where the method means nothing there."""
    found = (_OBJECT if path.name else _COLLECTION).get(request.method)
    if found is None:
        raise method_not_allowed()
    return "watch" if found in {"list", "get"} and _truth(request.query.get("watch", "")) else found


def _truth(value: str) -> bool:
    return value.lower() in {"1", "true"}


def flag(query: Mapping[str, str], name: str) -> bool:
    """A boolean query parameter, false without it."""
    return _truth(query.get(name, ""))


def number(query: Mapping[str, str], name: str) -> int | None:
    """A numeric query parameter, None without it. Raises 400 for anything but digits."""
    value = query.get(name, "")
    if not value:
        return None
    if not value.isdecimal():
        raise bad_request(f'strconv.ParseInt: parsing "{value}": invalid syntax')
    return int(value)


def version_number(value: str, *, watching: bool = False) -> int:
    """`value` as a resource version. Raises 400 (500 for a watch, as the real server does) where it is no number."""
    if value.isdecimal():
        return int(value)
    message = f'strconv.ParseUint: parsing "{value}": invalid syntax'
    if watching:
        raise Failure(500, "", message)
    raise bad_request(f'invalid resource version: resourceVersion: Invalid value: "{value}": {message}')
