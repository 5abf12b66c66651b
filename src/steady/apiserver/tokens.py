"""Continue tokens: where the next page of a list begins, and at which version."""

from __future__ import annotations

import base64
import binascii

import msgspec

from steady.apiserver.failures import Failure, bad_request
from steady.objects import Key

_VERSION = "meta.k8s.io/v1"
LATEST = -1
"""The version in a token that was given for an expired one: the rest of the list as it is by then."""


class _Token(msgspec.Struct):
    v: str
    rv: int
    start: str


def token(version: int, after: Key, namespace: str) -> str:
    """The token for what follows `after`, in a list at `version` of one namespace, or of all (empty)."""
    return _encoded(version, f"/{_start(after, namespace)}")


def read(text: str, namespace: str) -> tuple[int, Key]:
    """Version and key in a token of a list of `namespace`. Raises 400 for what is none."""
    try:
        found = msgspec.json.decode(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=_Token)
    except (binascii.Error, ValueError) as error:
        raise _unreadable("it is not a token of this server") from error
    if found.v != _VERSION:
        raise _unreadable(f"server does not recognize this encoded version {found.v}")
    if found.rv == 0:
        raise _unreadable(f"incorrect encoded start resourceVersion (version {_VERSION})")
    place, _, name = found.start.strip("/\u0000").rpartition("/")
    return found.rv, Key(namespace or place, name)


def expired(after: Key, namespace: str) -> Failure:
    """410 for a token whose version is forgotten, with one that gets the rest as it is now."""
    message = (
        "The provided continue parameter is too old to display a consistent list result. You can start a new list "
        "without the continue parameter, or use the continue token in this response to retrieve the remainder of the "
        "results. Continuing with the provided token results in an inconsistent list - objects that were created, "
        "modified, or deleted between the time the first chunk was returned and now may show up in the list."
    )
    return Failure(410, "Expired", message, metadata={"continue": _encoded(LATEST, _start(after, namespace))})


def _start(after: Key, namespace: str) -> str:
    return (after.name if namespace else "/".join(part for part in after if part)) + "\u0000"


def _encoded(version: int, start: str) -> str:
    body = msgspec.json.encode(_Token(_VERSION, version, start))
    return base64.urlsafe_b64encode(body).decode().rstrip("=")


def _unreadable(why: str) -> Failure:
    return bad_request(f"invalid continue token: continue key is not valid: {why}")
