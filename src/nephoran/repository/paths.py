"""Where an intent lives in the repository: `<base>/<namespace>/<name>/<file>`, and which names may be part of it."""

from __future__ import annotations

import re
from collections.abc import Iterable

import pygit2

from nephoran.repository.errors import UnsafePath
from steady.errors import ConfigurationError

RECORD_FILE = "intent.json"

# RFC 1123 as Kubernetes reads it: a namespace is a label, the name of a custom resource a subdomain, whose parts are of
# any length.
_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?")
_SUBDOMAIN = re.compile(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)*")
# Starts and ends with a letter or a digit: neither hidden, nor `..`, nor `.git*`, nor an option, on any file system.
_FILE = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,253}[A-Za-z0-9])?")
_LONGEST_NAME = 253


def check_branch(branch: str) -> None:
    """Raise ConfigurationError unless `branch` can be the name of a branch."""
    if branch.startswith("-") or not pygit2.reference_is_valid_name(f"refs/heads/{branch}"):
        raise ConfigurationError(f"git branch {branch!r} is not a branch name")


def checked_base(base: str) -> tuple[str, ...]:
    """The parts of the folder that holds all intents; empty is the root. Raises ConfigurationError."""
    parts = tuple(part for part in base.strip("/").split("/") if part)
    for part in parts:
        if not _FILE.fullmatch(part):
            raise ConfigurationError(
                f"git base {base!r}: {part!r} is not a folder name (letters, digits, '.', '_', '-')"
            )
    return parts


def check_directory(namespace: str, name: str) -> None:
    """Raise UnsafePath unless both are what Kubernetes allows them to be."""
    if not _LABEL.fullmatch(namespace):
        raise UnsafePath(f"namespace {namespace[:80]!r} is not a DNS label")
    if len(name) > _LONGEST_NAME or not _SUBDOMAIN.fullmatch(name):
        raise UnsafePath(f"name {name[:80]!r} is not a DNS subdomain")


def check_files(files: Iterable[str]) -> None:
    """Raise UnsafePath unless all can stand side by side in a directory on any file system."""
    seen: dict[str, str] = {RECORD_FILE: RECORD_FILE}
    for file in files:
        if not _FILE.fullmatch(file):
            raise UnsafePath(f"file name {file[:80]!r}: use letters, digits, '.', '_' and '-' only, no path")
        if (other := seen.setdefault(file.lower(), file)) != file or file == RECORD_FILE:
            raise UnsafePath(f"file name {file!r} clashes with {other!r}; the record of the intent is {RECORD_FILE!r}")
