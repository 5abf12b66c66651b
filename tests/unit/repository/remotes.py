import subprocess
from collections.abc import Mapping
from pathlib import Path

import msgspec

from nephoran.repository import Change, Record

ENVIRONMENT = {"PATH": "/usr/bin:/bin:/usr/local/bin", "HOME": "/nonexistent", "GIT_CONFIG_GLOBAL": "/dev/null"}


def git(directory: Path, *arguments: str) -> str:
    command = ["git", "-C", str(directory), *arguments]
    return subprocess.run(command, check=True, capture_output=True, text=True, env=ENVIRONMENT).stdout.strip()


def bare(path: Path) -> Path:
    path.mkdir()
    git(path, "init", "--quiet", "--bare", "--initial-branch=main")
    return path


def hook(remote: Path, script: str, name: str = "pre-receive") -> None:
    file = remote / "hooks" / name
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"#!/bin/sh\n{script}\n")
    file.chmod(0o755)


def commits(remote: Path) -> list[str]:
    return git(remote, "log", "--format=%s", "main").splitlines()


def tree(remote: Path) -> list[str]:
    return git(remote, "ls-tree", "-r", "--name-only", "main").splitlines()


def sound(repository: Path) -> bool:
    """No damaged object, and no merge."""
    complaints = git(repository, "fsck", "--no-dangling", "--no-progress")
    return not complaints and not git(repository, "log", "--merges", "main")


def change(
    name: str, *, namespace: str = "ran", uid: str = "u1", generation: int = 1, files: Mapping[str, bytes] | None = None
) -> Change:
    files = {"deployment-amf.yaml": f"name: {name}\n".encode()} if files is None else files
    record = Record("spec", msgspec.Raw(b'{"action":"deploy"}'), "1", digest=f"{name}-{generation}")
    return Change(
        namespace=namespace, name=name, uid=uid, generation=generation, files=files, record=record, summary="AMF"
    )
