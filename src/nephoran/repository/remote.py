"""The `git` command against one remote: a clean environment, a deadline, and answers as types."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Literal, get_args
from urllib.parse import urlsplit

from nephoran.addresses import AddressForbidden, check_host
from nephoran.repository.errors import (
    AuthenticationFailed,
    Corrupt,
    Moved,
    Refused,
    RemoteError,
    RemoteUnavailable,
    RepositoryError,
    StorageFull,
)
from nephoran.repository.messages import redacted
from steady.errors import ConfigurationError

GitProtocol = Literal["file", "https", "ssh", "http"]
PROTOCOLS: tuple[GitProtocol, ...] = ("file", "https", "ssh")
"""What a remote may speak unless the operator's owner says otherwise; `ext::` and its like run commands."""

_KNOWN_PROTOCOLS = set(get_args(GitProtocol))
_SCP_LIKE = re.compile(r"(?:[A-Za-z0-9._-]+@)?[A-Za-z0-9.-]+:(?!:)[^:\s].*")
_OUTPUT_LIMIT = 65536
# Long enough for git to remove its lock files, short enough for a stop.
_TERMINATION_GRACE = 2.0

# From stderr of a failed command (LC_ALL=C): git has no other channel for the cause.
_FULL = r"no space left on device|disk quota exceeded|file too large"
_DENIED = (
    r"authentication failed|could not read (username|password)|terminal prompts disabled|permission denied"
    r"|returned error: 40[13]|host key verification failed|remote host identification has changed|invalid username or"
    r"|certificate (problem|verification)|write access to repository not granted|detected dubious ownership"
)
_DAMAGED = (
    r"^(error|fatal): .*(is corrupt|object file .* is empty|bad object|invalid object|missing blob"
    r"|unable to read tree|not a git repository: )"
)
_AWAY = (
    r"could not resolve|failed to connect|couldn't connect|connection (refused|reset|timed out|closed)"
    r"|does not appear to be a git repository|could not read from remote|repository .*not found|hung up"
    r"|unable to access|early eof|network is unreachable|no route to host"
)
_CAUSES: tuple[tuple[re.Pattern[str], type[RepositoryError]], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE | re.MULTILINE), error)
    for pattern, error in (
        (_FULL, StorageFull),
        (_DENIED, AuthenticationFailed),
        (_DAMAGED, Corrupt),
        (_AWAY, RemoteUnavailable),
    )
)
_ALWAYS = (
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "http.followRedirects=false",
    "-c",
    "gc.autoDetach=false",
    "-c",
    "maintenance.auto=false",
)
Judge = Callable[[str, str, str], None]
"""Raises what a command's output, its complaint (stderr) and the URL say, ahead of its exit code."""

_STATUS = re.compile(r"^(?P<flag>[ +*=!-])\t[^\t]+\t(?P<summary>.*)$", re.MULTILINE)
_REMOTE_LINE = re.compile(r"^remote: ?(.*?)\s*$", re.MULTILINE)


class GitRemote:
    """One remote of one local bare repository.

    The user's and the machine's git configuration are not read; `config_global` names a file that is read instead
    (credential helpers, `core.sshCommand`, certificates). No prompt, no redirect, no hook of the local repository.
    A command that outlives its deadline is killed together with its children.
    """

    def __init__(
        self,
        url: str,
        *,
        repository: Path,
        branch: str,
        timeout: float,
        fetch_timeout: float,
        protocols: Sequence[str] = PROTOCOLS,
        config_global: Path | None = None,
    ) -> None:
        self.url = url
        check_url(url, protocols)
        self._repository = repository
        self._ref = f"refs/heads/{branch}"
        self._timeout = timeout
        self._fetch_timeout = fetch_timeout
        self._environment = environment(os.environ, protocols, config_global)
        self._options = [] if config_global else ["-c", "core.sshCommand=ssh -oBatchMode=yes"]

    async def head(self) -> str | None:
        """The commit of the branch; None if there is no such branch. Raises RepositoryError."""
        output = await self._git("ls-remote", "--", self.url, self._ref, timeout=self._timeout)
        return next((line.split("\t")[0] for line in output.splitlines() if line.endswith(f"\t{self._ref}")), None)

    async def fetch(self) -> None:
        """Make the local branch what the remote's is, whatever it was. Raises RepositoryError."""
        refspec = f"+{self._ref}:{self._ref}"
        await self._git(
            "fetch",
            "--quiet",
            "--no-tags",
            "--no-write-fetch-head",
            "--",
            self.url,
            refspec,
            timeout=self._fetch_timeout,
        )

    async def push(self, commit: str, parent: str | None) -> None:
        """Move the branch from `parent` to `commit`, its child: compare-and-swap, so nothing is ever overwritten.

        Returns once the remote has said that its branch is `commit`. Raises Moved, Refused, RepositoryError.
        """
        lease = f"--force-with-lease={self._ref}:{parent or ''}"
        await self._git(
            "push", "--porcelain", lease, "--", self.url, f"{commit}:{self._ref}", timeout=self._timeout, judge=_pushed
        )

    async def _git(self, *arguments: str, timeout: float, judge: Judge | None = None) -> str:  # noqa: ASYNC109 - the deadline of one command
        command = ["git", f"--git-dir={self._repository}", *_ALWAYS, *self._options, *arguments]
        verb = arguments[0]
        try:
            async with asyncio.timeout(timeout):
                code, output, complaint = await _run(command, self._environment)
        except TimeoutError:
            raise RemoteError(f"git {verb} {redacted(self.url)}: no answer in {timeout:g} s; outcome unknown") from None
        except FileNotFoundError:
            raise ConfigurationError("the command `git` was not found; install git or put it on PATH") from None
        if judge is not None:
            judge(output, complaint, self.url)
        if code == 0:
            return output
        raise _cause(complaint)(f"git {verb} {redacted(self.url)}: {redacted(complaint, self.url)}")


def check_url(url: str, protocols: Sequence[str] = PROTOCOLS) -> None:
    """Raise ConfigurationError unless `url` is an absolute path, or speaks one of `protocols` to a host that may be.

    The remote is the owner's own word, so its host counts as allowed; an address that no allow-list can allow does not.
    """
    if unknown := set(protocols) - _KNOWN_PROTOCOLS:
        raise ConfigurationError(
            f"git protocols {sorted(unknown)} are not supported; choose from {sorted(_KNOWN_PROTOCOLS)}"
        )
    if _protocol(url) not in protocols:
        raise ConfigurationError(
            f"git remote {redacted(url)!r}: use an absolute path or one of the protocols {', '.join(protocols)}"
        )
    try:
        if host := _host(url):
            check_host(host)
    except (AddressForbidden, ValueError) as error:
        raise ConfigurationError(f"git remote {redacted(url)!r}: {error}") from error


def environment(inherited: Mapping[str, str], protocols: Sequence[str], config_global: Path | None) -> dict[str, str]:
    """The environment of a git command: nothing that steers git is inherited, nothing can ask a question."""
    kept = {
        key: value
        for key, value in inherited.items()
        if not key.startswith(("GIT_", "LC_")) and key not in {"SSH_ASKPASS", "DISPLAY", "LANG", "LANGUAGE"}
    }
    return kept | {
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": str(config_global or os.devnull),
        "GIT_ALLOW_PROTOCOL": ":".join(protocols),
        "LC_ALL": "C",
    }


def _protocol(url: str) -> str | None:
    if url.startswith("/"):
        return "file"
    scheme, separator, _ = url.partition("://")
    if separator and "::" not in scheme:
        return scheme
    return "ssh" if _SCP_LIKE.fullmatch(url) else None


def _host(url: str) -> str:
    """The host of `url`, in lower case; empty for a path of this machine. Raises ValueError where there is none."""
    if url.startswith("/"):
        return ""
    parts = urlsplit(url if "://" in url else f"ssh://{url.partition(':')[0]}")
    if parts.hostname or parts.scheme == "file":
        return (parts.hostname or "").rstrip(".")
    raise ValueError("it names no host")


async def _run(command: Sequence[str], environment: Mapping[str, str]) -> tuple[int, str, str]:
    pipe, null = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    # A session of its own: no terminal to prompt on, and one group to kill.
    process = await asyncio.create_subprocess_exec(
        *command, stdin=null, stdout=pipe, stderr=pipe, env=environment, start_new_session=True
    )
    assert process.stdout is not None  # noqa: S101 - asked for above; tells the type checker
    assert process.stderr is not None  # noqa: S101
    try:
        output, complaint = await asyncio.gather(_read(process.stdout), _read(process.stderr))
        return await process.wait(), output, complaint
    finally:
        await _end(process)


async def _read(stream: asyncio.StreamReader) -> str:
    """All that is said, of which the first part is kept."""
    kept = bytearray()
    while chunk := await stream.read(_OUTPUT_LIMIT):
        kept += chunk[: _OUTPUT_LIMIT - len(kept)]
    return kept.decode("utf-8", "replace")


async def _end(process: asyncio.subprocess.Process) -> None:
    """Leave nothing behind of a command that did not end: git may remove its lock files, then its group is killed."""
    if process.returncode is not None:
        return
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_TERMINATION_GRACE):
            await process.wait()
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    await process.wait()


def _pushed(output: str, complaint: str, url: str) -> None:
    """Judge a push by its porcelain output. Returns if the remote has taken it or has said nothing about the branch."""
    status = _STATUS.search(output)
    if status is None or status["flag"] in " *=":
        if status is None and not complaint:
            raise RemoteError(f"git push {redacted(url)}: the remote did not report the branch; outcome unknown")
        return
    summary, answer = status["summary"], " ".join(_REMOTE_LINE.findall(complaint))
    message = f"{redacted(url)}: {redacted(f'{summary} {answer}', url)}"
    raise _rejection(summary, complaint)(message)


def _rejection(summary: str, complaint: str) -> type[RepositoryError]:
    if summary.startswith("[rejected]") or re.search(
        "cannot lock ref|failed to update ref|incorrect old value", summary
    ):
        return Moved
    if (cause := _cause(complaint)) is StorageFull:
        return cause
    if "declined" in summary:
        return AuthenticationFailed if "protected branch" in summary else Refused
    return RemoteError


def _cause(complaint: str) -> type[RepositoryError]:
    return next((error for pattern, error in _CAUSES if pattern.search(complaint)), RemoteError)
