"""What a test needs to know of the API server that it runs on, embedded or real."""

import ssl
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from steady.testing.controlplane import Kubectl


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
    add_finalizer_on_create: Callable[[str, str, str], None] | None = None
    """The embedded server's switch (group, plural, finalizer); `None` where a real admission policy does it."""

    def kubectl(self, binary: Path, home: Path) -> Kubectl:
        """Return kubectl against this server; `home` receives its discovery cache."""
        return Kubectl(binary, home, *self.connect)


Installer = Callable[[str, str, str], Awaitable[None]]
"""Makes a server add a finalizer at CREATE, given group, plural and finalizer; returns when it does."""
