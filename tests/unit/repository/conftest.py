from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from nephoran.repository import Repository
from steady.clock import ManualClock
from tests.unit.repository.remotes import bare

Opened = Callable[..., Repository]


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    """An empty bare repository."""
    return bare(tmp_path / "remote.git")


@pytest.fixture
def opened(tmp_path: Path, remote: Path) -> Opened:
    """Makes repositories on the remote: `opened("a")` works in a directory `a` of its own."""

    def make(work: str = "work", url: str | None = str(remote), **options: Any) -> Repository:
        return Repository(url, work=tmp_path / work, clock=ManualClock(), **options)

    return make
