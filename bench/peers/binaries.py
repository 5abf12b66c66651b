"""The Go peer: built from `controllerruntime/` into the user's cache, once per content of that folder."""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from steady.testing.controlplane.binaries import BuildFailedError, Say, require_go

SOURCE = Path(__file__).parent / "controllerruntime"
_NAME = "controllerruntime"
_BUILD_SECONDS = 1800.0


def cached(environment: Mapping[str, str] = os.environ) -> Path:
    """Where the program of the source as it is now belongs."""
    base = Path(environment.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    digest = hashlib.sha256()
    for path in sorted([*SOURCE.glob("*.go"), SOURCE / "go.mod", SOURCE / "go.sum"]):
        digest.update(path.name.encode() + b"\0" + path.read_bytes())
    return base / "nephoran" / "peers" / digest.hexdigest()[:16] / _NAME


def build(say: Say, environment: Mapping[str, str] = os.environ) -> Path:
    """Build the program unless it is there, and return its path.

    Raises `GoMissingError` without a Go toolchain that is new enough, `BuildFailedError` where `go build` fails.
    """
    target = cached(environment)
    if os.access(target, os.X_OK):
        return target
    require_go(environment)
    say("building the Go peer (minutes, the first time)")
    target.parent.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".building-", dir=target.parent.parent) as scratch:
        made = Path(scratch) / _NAME
        command = [
            "go",
            "build",
            "-mod=readonly",
            "-buildvcs=false",
            "-trimpath",
            "-ldflags",
            "-s -w",
            "-o",
            str(made),
            ".",
        ]
        done = subprocess.run(
            command,
            cwd=SOURCE,
            env={**environment, "CGO_ENABLED": "0", "GOWORK": "off"},
            capture_output=True,
            text=True,
            timeout=_BUILD_SECONDS,
            check=False,
        )
        if done.returncode:
            raise BuildFailedError(f"building the Go peer failed:\n{done.stderr}")
        target.parent.mkdir(exist_ok=True)
        made.replace(target)
    return target


def versions() -> dict[str, str]:
    """The library versions that the Go peer is built with."""
    lines = (SOURCE / "go.mod").read_text(encoding="utf-8").split()
    names = ("sigs.k8s.io/controller-runtime", "k8s.io/client-go")
    return {name.rpartition("/")[2]: lines[lines.index(name) + 1] for name in names}
