"""How the binaries of a control plane are found and made: with a `go` that makes files instead of programs."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from steady.testing.controlplane import BinariesMissingError, binaries, locate
from steady.testing.controlplane.__main__ import MISSING, main

SOURCES = Path(__file__).parents[3] / "src"
GO = """#!/bin/sh
[ "$1" = env ] && echo go1.26.0 && exit
while [ "$1" != -o ]; do shift; done
echo "$2" >> "$LOG"
[ -n "$WAIT" ] && while [ ! -e "$WAIT" ]; do sleep 0.02; done
[ -n "$FAIL" ] && echo "no route to a module" >&2 && exit 1
mkdir -p "$(dirname "$2")" && echo "#!/bin/sh" > "$2" && chmod +x "$2"
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A PATH with that `go`, which logs what it builds, and a cache of its own."""
    (tmp_path / "go").write_text(GO)
    (tmp_path / "go").chmod(0o755)
    log = {"LOG": str(tmp_path / "log"), "WAIT": "", "FAIL": ""}
    path = f"{tmp_path}{os.pathsep}/usr/bin{os.pathsep}/bin"
    return {"PATH": path, "XDG_CACHE_HOME": str(tmp_path / "cache"), **log}


def built(environment: Mapping[str, str]) -> int:
    """Return how many programs were built."""
    log = Path(environment["LOG"])
    return len(log.read_text().splitlines()) if log.exists() else 0


def builder(environment: Mapping[str, str]) -> subprocess.Popen[str]:
    """Start another process that builds."""
    command = [sys.executable, "-m", "steady.testing.controlplane", "build"]
    return subprocess.Popen(command, env={**environment, "PYTHONPATH": str(SOURCES)}, stdout=subprocess.PIPE, text=True)


def read_to(process: subprocess.Popen[str], wanted: str) -> None:
    """Read what a process says until it says that."""
    assert process.stdout is not None
    assert any(wanted in line for line in process.stdout)


def test_missing_binaries_say_how_to_make_them(tmp_path: Path) -> None:
    """A folder without them is named, with the command that fills one."""
    with pytest.raises(BinariesMissingError, match=r"python -m steady\.testing\.controlplane build"):
        locate({"KUBEBUILDER_ASSETS": str(tmp_path)})


@pytest.mark.parametrize("go", ["", "#!/bin/sh\necho go1.21.3\n", "#!/bin/sh\nexit 1\n"])
def test_without_go_a_build_says_how_to_get_it(tmp_path: Path, go: str) -> None:
    """None on the PATH, one that is too old, one that fails: an advice, and nothing is begun."""
    if go:
        (tmp_path / "go").write_text(go)
        (tmp_path / "go").chmod(0o755)
    with pytest.raises(binaries.GoMissingError, match=r"install Go 1\.26 or newer"):
        binaries.build(print, {"PATH": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache")})
    assert not (tmp_path / "cache").exists()


def test_what_is_missing_has_an_exit_code_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """3, for binaries and for Go."""
    monkeypatch.setenv("KUBEBUILDER_ASSETS", str(tmp_path))
    assert main(["path"]) == MISSING
    assert str(tmp_path) in capsys.readouterr().err
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert main(["build"]) == MISSING
    assert "install Go" in capsys.readouterr().err


def test_a_build_is_made_once(environment: dict[str, str]) -> None:
    """Outside the work tree; the next one finds it."""
    folder = binaries.build(print, environment)
    assert binaries.build(print, environment) == folder == locate(environment)
    assert built(environment) == len(binaries.BINARIES)
    assert not folder.is_relative_to(SOURCES.parent)
    assert {program.name for program in folder.iterdir()} == {"etcd", "kube-apiserver", "kubectl"}


def test_what_a_killed_build_left_is_made_anew(environment: dict[str, str]) -> None:
    """A folder without one of the programs is none, and scratch of before is removed."""
    folder = binaries.cache(environment)
    folder.mkdir(parents=True)
    (folder / "etcd").write_text("half")
    (folder.parent / ".building-old").mkdir()
    with pytest.raises(BinariesMissingError):
        locate(environment)
    binaries.build(print, environment)
    assert built(environment) == len(binaries.BINARIES)
    assert (folder / "etcd").read_text() == "#!/bin/sh\n"
    assert {left.name for left in folder.parent.iterdir()} == {".lock", folder.name}


def test_a_failed_build_shows_the_end_of_what_go_said(environment: dict[str, str]) -> None:
    """And leaves nothing behind."""
    with pytest.raises(binaries.BuildFailedError, match="building etcd failed:\nno route to a module"):
        binaries.build(print, environment | {"FAIL": "1"})
    assert {left.name for left in binaries.cache(environment).parent.iterdir()} == {".lock"}


def test_two_builds_at_once_are_one(environment: dict[str, str], tmp_path: Path) -> None:
    """The second waits for the first, and finds what that has built."""
    go_on = tmp_path / "go-on"
    held = environment | {"WAIT": str(go_on)}
    with builder(held) as first:
        read_to(first, "building etcd")
        with builder(held) as second:
            read_to(second, "another build is under way")
            go_on.touch()
            second.communicate()
        first.communicate()
    assert (first.returncode, second.returncode) == (0, 0)
    assert built(environment) == len(binaries.BINARIES)
    assert binaries.complete(binaries.cache(environment))


def test_a_killed_build_lets_the_next_one_in(environment: dict[str, str], tmp_path: Path) -> None:
    """Whatever it held."""
    go_on = tmp_path / "go-on"
    with builder(environment | {"WAIT": str(go_on)}) as first:
        read_to(first, "building etcd")
        first.kill()
    go_on.touch()
    binaries.build(print, environment)
    assert binaries.complete(binaries.cache(environment))
