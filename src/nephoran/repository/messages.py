"""What a commit says about itself, and what may be said about a remote."""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import unquote, urlsplit

from nephoran.repository.requests import Request

_URL_USER = re.compile(r"(\b[a-z][a-z0-9+.-]*://)[^/\s]*@", re.IGNORECASE)
_LONGEST_LINE = 200
_LONGEST_ANSWER = 500


def commit_message(requests: Sequence[Request]) -> str:
    """Subject by number and kind; the body names every intent with uid, generation, digest and reconcile."""
    return f"{_subject(requests)}\n\n" + "\n".join(_line(request) for request in requests) + "\n"


def one_line(text: str, limit: int = _LONGEST_LINE) -> str:
    """`text` without line breaks, control and direction characters and lone surrogates, at most `limit` characters."""
    start = text[: 4 * limit]
    if not start.isprintable():
        start = "".join(c if c.isprintable() else " " for c in start)
    return " ".join(start.split())[:limit]


def redacted(text: str, url: str = "") -> str:
    """`text` as one line, without the user part of any URL and without the user and password of `url` itself."""
    return one_line(_without_secrets(_URL_USER.sub(r"\1***@", text), url), _LONGEST_ANSWER)


def _without_secrets(text: str, url: str) -> str:
    if "://" not in url:
        return text
    parts = urlsplit(url)
    user = parts.username if parts.scheme.startswith("http") else None
    for secret in {parts.password, user}:
        for spelling in {secret or "", unquote(secret or "")} - {""}:
            text = text.replace(spelling, "***")
    return text


def _subject(requests: Sequence[Request]) -> str:
    if len(requests) == 1:
        (only,) = requests
        return f"{'Remove' if only.files is None else 'Deploy'} NetworkIntent: {only.namespace}/{only.name}"
    removed = sum(request.files is None for request in requests)
    deployed = len(requests) - removed
    if not removed:
        return f"Deploy {deployed} NetworkIntents"
    if not deployed:
        return f"Remove {removed} NetworkIntents"
    return f"Deploy {deployed} and remove {removed} NetworkIntents"


def _line(request: Request) -> str:
    subject = f"{request.namespace}/{request.name} uid={one_line(request.uid)}"
    cause = f" reconcile={request.cause}" if request.cause else ""
    if request.files is None:
        return f"- remove {subject}{cause}"
    line = f"- deploy {subject} generation={request.generation} digest={one_line(request.digest)}{cause}"
    return f"{line}: {summary}" if (summary := one_line(request.summary)) else line
