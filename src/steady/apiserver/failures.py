"""Answers that say no: `metav1.Status` bodies, byte for byte as a Kubernetes API server writes them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import msgspec

from steady.apiserver.exchange import Json, Response, answer, encode
from steady.objects import Resource


class Cause(NamedTuple):
    """One field that is wrong. `reason` is the machine-readable word, `message` excludes the field."""

    reason: str
    message: str
    field: str

    def __str__(self) -> str:
        return f"{self.field}: {self.message}"

    def body(self) -> Json:
        """The cause as `metav1.StatusCause`."""
        return {"reason": self.reason, "message": self.message, "field": self.field}


class Failure(Exception):
    """A request that is answered with a failure. `details` is left out where None, kept where empty."""

    def __init__(
        self,
        code: int,
        reason: str,
        message: str,
        details: Json | None = None,
        *,
        metadata: Json | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason
        self.message = message
        self.details = details
        self.metadata = metadata or {}
        self.headers = headers or {}

    def body(self) -> Json:
        """The `metav1.Status` with its fields in the server's order."""
        body: Json = {"kind": "Status", "apiVersion": "v1", "metadata": self.metadata, "status": "Failure"}
        body |= {"message": self.message} if self.message else {}
        body |= {"reason": self.reason} if self.reason else {}
        body |= {"details": self.details} if self.details is not None else {}
        return body | {"code": self.code}

    def response(self) -> Response:
        """The whole answer."""
        return answer(self.code, escaped(encode(self.body())), self.headers)


def details(resource: Resource, name: str, *, of_kind: bool = False) -> Json:
    """`Status.details`: `kind` holds the plural, or with `of_kind` the kind."""
    body: Json = {"name": name} if name else {}
    body |= {"group": resource.group} if resource.group else {}
    kind = resource.kind if of_kind else resource.plural
    return body | ({"kind": kind} if kind else {})


def not_found(resource: Resource, name: str) -> Failure:
    """No such object."""
    return Failure(404, "NotFound", f"{resource.qualified} {quoted(name)} not found", details(resource, name))


def already_exists(resource: Resource, name: str, *, leaving: bool) -> Failure:
    """An object of that name is there, though it may be `leaving`."""
    message = f"{resource.qualified} {quoted(name)} already exists"
    told = f"object is being deleted: {message}" if leaving else message
    return Failure(409, "AlreadyExists", told, details(resource, name))


def stale(resource: Resource, name: str) -> Failure:
    """The sender knew an older version."""
    why = "the object has been modified; please apply your changes to the latest version and try again"
    return conflict(resource, name, why)


def conflict(resource: Resource, name: str, why: str, *, of_kind: bool = False) -> Failure:
    """The write does not fit what is stored."""
    shown = details(resource, name, of_kind=of_kind)
    qualified = f"{shown['kind']}.{resource.group}" if resource.group else shown["kind"]
    message = f"Operation cannot be fulfilled on {qualified} {quoted(name)}: {why}"
    return Failure(409, "Conflict", message, shown)


def invalid(resource: Resource, name: str, causes: Sequence[Cause]) -> Failure:
    """The object breaks a rule; every cause names its field."""
    unique = list(dict.fromkeys(str(cause) for cause in causes))
    listed = unique[0] if len(unique) == 1 else f"[{', '.join(unique)}]"
    qualified = f"{resource.kind}.{resource.group}" if resource.group else resource.kind
    body = {**details(resource, name, of_kind=True), "causes": [cause.body() for cause in causes]}
    return Failure(422, "Invalid", f"{qualified} {quoted(name)} is invalid: {listed}", body)


def patch_failed() -> Failure:
    """A JSON patch whose test failed, or whose path is not there."""
    return Failure(422, "Invalid", "the server rejected our request due to an error in our request", {})


def bad_request(message: str) -> Failure:
    """The request cannot be understood."""
    return Failure(400, "BadRequest", message)


def forbidden(resource: Resource, name: str, why: str, causes: Sequence[Cause] = ()) -> Failure:
    """The server may not do that."""
    shown = details(resource, name)
    shown |= {"causes": [cause.body() for cause in causes]} if causes else {}
    return Failure(403, "Forbidden", f"{resource.qualified} {quoted(name)} is forbidden: {why}", shown)


def method_not_allowed(resource: Resource | None = None, verb: str = "") -> Failure:
    """The resource does not know the verb."""
    if resource is None:
        return Failure(405, "MethodNotAllowed", "the server does not allow this method on the requested resource", {})
    message = f"{verb} is not supported on resources of kind {quoted(resource.qualified)}"
    return Failure(405, "MethodNotAllowed", message, details(resource, ""))


def no_such_resource() -> Failure:
    """The path is within a built-in group, which has nothing of that name."""
    return Failure(404, "NotFound", "the server could not find the requested resource", {})


def not_acceptable(served: Sequence[str]) -> Failure:
    """The answer cannot be given in any form that the sender reads."""
    return Failure(406, "NotAcceptable", f"only the following media types are accepted: {', '.join(served)}")


def unsupported_media_type(accepted: Sequence[str], why: str = "") -> Failure:
    """The body is of a kind that this resource does not read."""
    message = f"the body of the request was in an unknown format - accepted media types include: {', '.join(accepted)}"
    message += f" ({why})" if why else ""
    return Failure(415, "UnsupportedMediaType", message)


def expired(version: int, oldest: int) -> Failure:
    """History before `oldest` is gone."""
    return Failure(410, "Expired", f"too old resource version: {version} ({oldest})")


def list_expired() -> Failure:
    """The version of which a list was asked for is gone."""
    return Failure(410, "Expired", "The resourceVersion for the provided list is too old.")


def too_large(version: int, newest: int) -> Failure:
    """The version asked for lies in the future."""
    causes = [{"reason": "ResourceVersionTooLarge", "message": "Too large resource version"}]
    message = f"Timeout: Too large resource version: {version}, current: {newest}"
    return Failure(504, "Timeout", message, {"causes": causes, "retryAfterSeconds": 1}, headers={"Retry-After": "1"})


def initializing() -> Failure:
    """The storage of the kind has just changed."""
    shown = {"retryAfterSeconds": 1}
    return Failure(429, "TooManyRequests", "storage is (re)initializing", shown, headers={"Retry-After": "1"})


def escaped(body: bytes) -> bytes:
    """JSON as Go writes it: with `<`, `>` and `&` escaped."""
    return body.replace(b"<", b"\\u003c").replace(b">", b"\\u003e").replace(b"&", b"\\u0026")


def quoted(value: str) -> str:
    """`value` in double quotes, escaped as JSON escapes it."""
    return msgspec.json.encode(value).decode()
