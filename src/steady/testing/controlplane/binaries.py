"""Where the control plane's binaries are, and how they are built from their Go modules.

The versions live in the committed `modules/*/go.mod` files and nowhere else. A build goes to a folder of its own
in the user's cache and appears there whole or not at all.
"""

import collections
import contextlib
import fcntl
import os
import re
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

MODULES = Path(__file__).parent / "modules"
ASSETS = "KUBEBUILDER_ASSETS"
"""The environment variable by which test tools of Kubernetes find these binaries."""
NEEDED_GO = (1, 26)
"""The lowest Go release that the `go` lines of Kubernetes 1.36 accept."""
_PACKAGES_PER_LINE = 100
_KEPT_OUTPUT_LINES = 20
_GO_ANSWER_SECONDS = 60.0
_SCRATCH = ".building-"

Say = Callable[[str], None]


class BinariesMissingError(Exception):
    """No folder holds all three binaries; the message says how to make or name one."""


class GoMissingError(Exception):
    """No Go toolchain that is new enough; the message says how to get one."""


class BuildFailedError(Exception):
    """A Go build ended with an error; the message holds the end of its output."""


@dataclass(frozen=True, slots=True)
class Binary:
    """One program: its file name, the folder of its module in `modules/`, and its Go package."""

    name: str
    module: str
    package: str


BINARIES = (
    Binary("etcd", "etcd", "go.etcd.io/etcd/server/v3"),
    Binary("kube-apiserver", "kubernetes", "k8s.io/kubernetes/cmd/kube-apiserver"),
    Binary("kubectl", "kubernetes", "k8s.io/kubernetes/cmd/kubectl"),
)


def version(module: str, required: str) -> str:
    """Return the version (`v1.2.3`) at which `modules/<module>/go.mod` requires the Go module `required`."""
    text = (MODULES / module / "go.mod").read_text(encoding="utf-8")
    found = re.search(rf"^(?:require)?\s*{re.escape(required)} (v\S+)", text, re.MULTILINE)
    if found is None:
        raise ValueError(f"{module}/go.mod requires no {required}")
    return found[1]


def kubernetes_version() -> str:
    """Return the version of kube-apiserver and kubectl, for example `v1.36.3`."""
    return version("kubernetes", "k8s.io/kubernetes")


def etcd_version() -> str:
    """Return the version of etcd, for example `v3.6.15`."""
    return version("etcd", "go.etcd.io/etcd/server/v3")


def cache(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the folder that a build fills, named by the versions in it."""
    base = Path(environment.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    return base / "nephoran" / "control-plane" / f"kubernetes-{kubernetes_version()}-etcd-{etcd_version()}"


def complete(folder: Path) -> bool:
    """Return whether `folder` holds every binary, executable."""
    return all(os.access(folder / binary.name, os.X_OK) for binary in BINARIES)


def locate(environment: Mapping[str, str] = os.environ) -> Path:
    """Return the folder of the binaries: `KUBEBUILDER_ASSETS` where set, else the cache.

    Raises `BinariesMissingError` where that folder lacks one of them.
    """
    folder = Path(environment.get(ASSETS) or cache(environment)).absolute()
    if complete(folder):
        return folder
    names = ", ".join(binary.name for binary in BINARIES)
    raise BinariesMissingError(
        f"{folder} does not hold {names}: build them with `python -m steady.testing.controlplane build`, "
        f"or name a folder that has them in {ASSETS}"
    )


def build(say: Say, environment: Mapping[str, str] = os.environ) -> Path:
    """Build all binaries into the cache unless they are there, telling `say` how far it is; return the folder.

    Raises `GoMissingError` without a Go toolchain that is new enough, `BuildFailedError` where `go build` fails.
    """
    target = cache(environment)
    if not complete(target):
        require_go(environment)
        target.parent.mkdir(parents=True, exist_ok=True)
        with _alone(target.parent, say):
            _fill(target, say, environment)
    say(f"control plane: built in {target}")
    return target


@contextlib.contextmanager
def _alone(folder: Path, say: Say) -> Iterator[None]:
    """Let one build at a time into `folder`; a build that ends in whatever way lets the next one in."""
    with (folder / ".lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("control plane: another build is under way, waiting for it")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _fill(target: Path, say: Say, environment: Mapping[str, str]) -> None:
    """Build everything next to `target` and move it there, unless somebody else has meanwhile."""
    if complete(target):
        return
    for left in target.parent.glob(f"{_SCRATCH}*"):  # of builds that were killed
        shutil.rmtree(left, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=_SCRATCH, dir=target.parent) as scratch:
        folder = Path(scratch) / "bin"
        for place, binary in enumerate(BINARIES, start=1):
            say(f"control plane: {place} of {len(BINARIES)}: building {binary.name} (minutes, the first time)")
            _compile(binary, folder, say, environment)
        shutil.rmtree(target, ignore_errors=True)
        folder.rename(target)


def require_go(environment: Mapping[str, str] = os.environ) -> None:
    """Return where the Go toolchain on the path is new enough; raise `GoMissingError` where it is not."""
    need = ".".join(map(str, NEEDED_GO))
    advice = f"install Go {need} or newer from https://go.dev/dl/ and put it on the PATH"
    if shutil.which("go", path=environment.get("PATH")) is None:
        raise GoMissingError(f"the control plane is built with Go, and there is no `go` on the PATH: {advice}")
    answer = subprocess.run(
        ["go", "env", "GOVERSION"],
        cwd=MODULES / "kubernetes",
        env={**environment, "GOWORK": "off"},
        capture_output=True,
        text=True,
        timeout=_GO_ANSWER_SECONDS,
        check=False,
    )
    said = (answer.stdout or answer.stderr).strip()
    found = re.match(r"go(\d+)\.(\d+)", said)
    if answer.returncode or found is None or (int(found[1]), int(found[2])) < NEEDED_GO:
        raise GoMissingError(f"the control plane needs Go {need}, and `go` says {said!r}: {advice}")


def _compile(binary: Binary, folder: Path, say: Say, environment: Mapping[str, str]) -> None:
    """Build one binary into `folder`; module downloads go wherever the machine's Go settings say."""
    begun = time.monotonic()
    command = ["go", "build", "-v", "-mod=readonly", "-buildvcs=false", "-trimpath", "-ldflags", _link_flags(binary)]
    with subprocess.Popen(
        [*command, "-o", str(folder / binary.name), binary.package],
        cwd=MODULES / binary.module,
        env={**environment, "CGO_ENABLED": "0", "GOWORK": "off"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stderr is not None
        tail = collections.deque(_counted(process.stderr, binary.name, say), maxlen=_KEPT_OUTPUT_LINES)
    if process.returncode:
        raise BuildFailedError(f"building {binary.name} failed:\n" + "".join(tail))
    say(f"control plane: {binary.name} built in {time.monotonic() - begun:.0f} s")


def _counted(lines: Iterator[str], name: str, say: Say) -> Iterator[str]:
    """Pass on what `go build -v` prints (a line per package), saying now and then how many there were."""
    for count, line in enumerate(lines, start=1):
        if count % _PACKAGES_PER_LINE == 0:
            say(f"control plane: {name}: {count} packages")
        yield line


def _link_flags(binary: Binary) -> str:
    """Return linker flags: no symbols and, for Kubernetes, the version that it is to report."""
    if binary.module != "kubernetes":
        return "-s -w"
    full = kubernetes_version()
    major, minor, *_ = full.removeprefix("v").split(".")
    stamped = {"gitVersion": full, "gitMajor": major, "gitMinor": minor}
    return " ".join(["-s -w", *(f"-X k8s.io/component-base/version.{key}={text}" for key, text in stamped.items())])
