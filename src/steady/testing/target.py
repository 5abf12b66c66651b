"""What a test needs to know of the API server that it runs on, embedded or real."""

from __future__ import annotations

import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from steady.testing.controlplane import ADMIN, ControlPlane, Kubectl

if TYPE_CHECKING:
    from steady.apiserver import Server


@dataclass(frozen=True, slots=True)
class Target:
    """One API server over HTTP, as somebody who may do everything."""

    name: str
    """`embedded` or `real`: for test names and for what only one of them can be told."""
    url: str
    token: str
    trust: ssl.SSLContext | bool
    """What to hand an HTTP client as `ssl`."""
    connect: tuple[str, ...]
    """The options with which kubectl reaches the server."""
    compact: Callable[[], Awaitable[None]]
    """Forget all history."""
    restart: Callable[[], Awaitable[None]]
    """Stop and start again on the same address, with what was stored."""
    add_finalizer_on_create: Callable[[str, str, str], None] | None = None
    """The embedded server's switch (group, plural, finalizer); `None` where a real admission policy does it."""

    @classmethod
    def of_plane(cls, plane: ControlPlane) -> Target:
        """The API server of a running control plane."""
        trust = ssl.create_default_context(cafile=str(plane.ca_path))
        connect = (f"--kubeconfig={plane.kubeconfig()}",)
        return cls("real", plane.url, plane.tokens[ADMIN.key], trust, connect, plane.compact, plane.restart_apiserver)

    @classmethod
    def of_server(cls, server: Server, url: str) -> Target:
        """An embedded server, served at `url`."""

        async def compact() -> None:
            server.compact()

        async def restart() -> None:
            server.restart()

        connect = (f"--server={url}", f"--token={ADMIN.key}")
        trust = ssl.create_default_context()
        return cls("embedded", url, ADMIN.key, trust, connect, compact, restart, server.add_finalizer_on_create)

    def kubectl(self, binary: Path, home: Path) -> Kubectl:
        """Return kubectl against this server; `home` receives its discovery cache."""
        return Kubectl(binary, home, *self.connect)


Installer = Callable[[str, str, str], Awaitable[None]]
"""Makes a server add a finalizer at CREATE, given group, plural and finalizer; returns when it does."""
