#!/usr/bin/env python3
"""Sets up, tests and shows the project with nothing but Python's own library.

`python3 dev.py help` lists the commands. This file itself runs on any Python from 3.7 on; it finds one that is new
enough for the project, makes `.venv` with it and installs the locked wheels there. Exit codes: 0 fine, 1 when a check
failed, 2 when the command was called wrongly, 3 when something that it needs is missing, 130 when it was interrupted.
"""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent
VENV = ROOT / ".venv"
PYTHON = VENV / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
OLDEST = (3, 11)
LONG = "LONG_TESTS"
# The range that the locked wheels exist for comes first; an unknown newer one is tried last.
CANDIDATES = ("python3.13", "python3.12", "python3.11", "python3.14", "python3", "python")
FAILED, USAGE, MISSING, INTERRUPTED = 1, 2, 3, 130
BAD_ARGUMENTS, NO_TESTS = 4, 5  # pytest's own exit codes; its 2 and 3 mean something else than ours


class Misused(Exception):
    """A command was given what it does not take; the text says what it takes."""


class Missing(Exception):
    """Something outside the project that a command cannot do without; the text names it and the way to get it."""


def say(text: str) -> None:
    """Print one line at once, also where the output is a pipe."""
    print(text, flush=True)


def note(text: str) -> None:
    """Say what is no part of a command's result, on standard error."""
    print(text, file=sys.stderr, flush=True)


def heading(text: str) -> None:
    """Open a phase, so that its output is found again in a long log."""
    say(f"\n== {text}")


# --- the environment


def usable(python: str) -> tuple[int, ...] | None:
    """Return the version of an interpreter that can make the environment, or None."""
    probe = "import ensurepip, sys, venv; print(*sys.version_info[:3])"
    try:
        answer = subprocess.run([python, "-c", probe], capture_output=True, text=True, timeout=30, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    version = tuple(int(part) for part in answer.stdout.split())
    return version if version >= OLDEST else None


def find_python() -> tuple[str, tuple[int, ...]]:
    """Return the first interpreter that is new enough: `$PYTHON` alone if set, else this one, else those on PATH."""
    chosen = os.environ.get("PYTHON")
    for name in [chosen] if chosen else [sys.executable, *CANDIDATES]:
        version = usable(name)
        if version:
            return name, version
    needed = ".".join(str(part) for part in OLDEST)
    if chosen:
        raise Missing(f"PYTHON={chosen} is not a Python >= {needed} with the modules venv and ensurepip")
    raise Missing(
        f"Python >= {needed} with the modules venv and ensurepip: none found as {', '.join(CANDIDATES)}. Install one "
        "(on Debian and Ubuntu: python3 and python3-venv), or name one: PYTHON=/path/to/python3 python3 dev.py env"
    )


def fingerprint(lock: Path) -> str:
    """Return what decides whether an installed environment still fits: the lock, the declaration and the folder."""
    parts = [lock.read_bytes(), (ROOT / "pyproject.toml").read_bytes(), str(ROOT).encode()]
    return hashlib.sha256(b"\0".join(parts)).hexdigest()


def ready(stage: str) -> bool:
    """Tell whether the environment holds this stage's lock as it is now."""
    stamp = VENV / f"stamp-{stage}"
    if not PYTHON.exists() or not stamp.exists():
        return False
    return stamp.read_text(encoding="ascii") == fingerprint(ROOT / "requirements" / f"{stage}.txt")


def environment(stage: str) -> None:
    """Make or mend `.venv`: `runtime` holds what the operator and its demo need, `dev` also what checks it."""
    if ready(stage) or (stage == "runtime" and ready("dev")):
        return
    lock = ROOT / "requirements" / f"{stage}.txt"
    if not usable(str(PYTHON)):
        python, version = find_python()
        note(f"[1/3] making .venv with Python {'.'.join(map(str, version))} ({python})")
        made = subprocess.run([python, "-m", "venv", "--clear", str(VENV)], capture_output=True, text=True, check=False)
        if made.returncode:
            raise Missing(f"a working venv module in {python}: {made.stdout.strip()} {made.stderr.strip()}")
    else:
        note("[1/3] using the .venv that is there")
    wheels = len(re.findall(r"^\S+==", lock.read_text(encoding="utf-8"), re.MULTILINE))
    note(f"[2/3] installing {wheels} locked wheels ({lock.relative_to(ROOT)})")
    install(wheels, "--require-hashes", "--only-binary", ":all:", "--requirement", str(lock))
    note("[3/3] linking the project into it")
    install(0, "--no-deps", "--no-build-isolation", "--no-index", "--editable", str(ROOT))
    (VENV / f"stamp-{stage}").write_text(fingerprint(lock), encoding="ascii")


def install(expected: int, *arguments: str) -> None:
    """Run pip, show a line per package, and turn its failure into the name of what is missing."""
    quiet = ("--no-input", "--disable-pip-version-check", "--progress-bar", "off")
    command = [str(PYTHON), "-m", "pip", "install", *quiet, *arguments]
    log = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=str(ROOT)) as pip:
        for line in pip.stdout or ():
            log.append(line.rstrip())
            package = re.match(r"(?:Collecting|Requirement already satisfied:) ([\w.-]+==[\w.]+)", line)
            if package and expected:
                seen = sum(bool(re.match("Collecting|Requirement already", entry)) for entry in log)
                note(f"      {seen:>3}/{expected} {package[1]}")
            elif line.startswith("Installing collected"):
                note("      unpacking")
    if pip.returncode:
        reasons = [line for line in log if line.startswith("ERROR:")] or log[-5:]
        detail = "\n  ".join(reasons)
        raise Missing(f"packages that pip could not install (no network, or no wheel for this machine?):\n  {detail}")


# --- running things in it


def run(*arguments: str, **extra: str) -> int:
    """Run the environment's Python in the project's folder and return its exit code."""
    with subprocess.Popen([str(PYTHON), *arguments], cwd=str(ROOT), env={**os.environ, **extra}) as child:
        try:
            return child.wait()
        except KeyboardInterrupt:
            # The terminal tells the child as well, which may need a moment to end in order.
            if child.wait() == 0:
                return 0
            raise


def capture(*arguments: str) -> tuple[int, str]:
    """Run the environment's Python and return its exit code and what it printed on standard output."""
    command = [str(PYTHON), *arguments]
    done = subprocess.run(command, cwd=str(ROOT), stdout=subprocess.PIPE, text=True, check=False)
    return done.returncode, done.stdout


def pytest(*arguments: str, given: tuple[str, ...] = (), folder: str | None = None) -> int:
    """Run pytest with arguments of ours and those `given` by the caller, and return its exit code.

    `folder` has the binaries of a real control plane. A phase that finds no test has failed, because nothing was
    proven. Raises Misused.
    """
    extra = {"KUBEBUILDER_ASSETS": folder} if folder else {}
    code = run("-m", "pytest", *arguments, *given, **extra)
    if code == BAD_ARGUMENTS and given:
        raise Misused(f"takes options of pytest, which does not take: {' '.join(given)} (its error is above)")
    if code == NO_TESTS:
        say(f"FAILED: pytest {' '.join([*arguments, *given])} ran no test, so it proved nothing")
        return FAILED
    return code


def control_plane_folder() -> str | None:
    """Return the folder with the binaries of a real control plane, or None where there is none."""
    named = os.environ.get("KUBEBUILDER_ASSETS")
    if named:
        absent = [name for name in ("etcd", "kube-apiserver") if not (Path(named) / name).exists()]
        if absent:
            raise Missing(f"{' and '.join(absent)} in KUBEBUILDER_ASSETS={named}: correct the variable or unset it")
        return named
    code, output = capture("-m", "steady.testing.controlplane", "path")
    if code == MISSING:
        return None
    if code:
        raise Missing("an answer from `python -m steady.testing.controlplane path` (its error is above)")
    return output.strip()


def prometheus_here() -> bool:
    """Tell whether the programs of a real Prometheus are at hand."""
    code, _ = capture("-m", "steady.testing.prometheus", "path")
    return code == 0


def count(marker: str, *where: str) -> int:
    """Return how many tests carry a marker (`where` goes to pytest)."""
    _, output = capture("-m", "pytest", *where, "-m", marker, "--collect-only", "-q")
    found = re.search(r"^(\d+)(?:/\d+)? tests? collected", output, re.MULTILINE)
    return int(found[1]) if found else 0


# --- the commands


def env() -> int:
    """Make .venv with everything for work on the project."""
    environment("dev")
    say(f"ready: {VENV}")
    return 0


def demo(*options: str) -> int:
    """Run the whole operator on this machine, no cluster needed (options go to `nephoran demo`)."""
    environment("runtime")
    return run("-c", "import sys; from nephoran.cli import main; sys.exit(main())", "demo", *options)


def test(*options: str) -> int:
    """Run all tests; those on a real control plane or Prometheus where they are at hand (options go to pytest)."""
    environment("dev")
    heading("tests that need no cluster")
    codes = {"without a cluster": pytest("-m", "not real and not prometheus", given=options)}
    missing = []
    if prometheus_here():
        heading("tests with a real Prometheus")
        codes["with a real Prometheus"] = pytest("-m", "prometheus", given=options)
    else:
        missing.append(f"PROMETHEUS MISSING: {count('prometheus')} tests left out (make prometheus fetches it)")
    folder = control_plane_folder()
    if folder:
        heading(f"tests on a real kube-apiserver ({folder})")
        codes["on a real kube-apiserver"] = pytest("-m", "real", given=options, folder=folder)
    else:
        missing.append(f"REAL CONTROL PLANE MISSING: {count('real')} tests left out (make control-plane builds it)")
    if folder and LONG not in os.environ:
        missing.append(f"SIX IDLE MINUTES LEFT OUT: 1 test on a real kube-apiserver ({LONG}=1 runs it)")
    heading("summary")
    say("; ".join(f"{name}: {verdict(code)}" for name, code in codes.items()))
    for line in missing:
        say(line)
    return FAILED if any(codes.values()) else 0


def verdict(code: int) -> str:
    """Say an exit code in words."""
    return "passed" if code == 0 else f"FAILED (exit code {code})"


def test_contract(*options: str) -> int:
    """Run the API contract on one server: SERVER=embedded (default) or SERVER=real."""
    if options not in ((), ("SERVER=embedded",), ("SERVER=real",)):
        raise Misused(f"takes SERVER=embedded or SERVER=real, got: {' '.join(options)}")
    server = "real" if options == ("SERVER=real",) else "embedded"
    environment("dev")
    folder = needed_control_plane() if server == "real" else control_plane_folder()
    heading(f"API contract on the {server} server")
    chosen = ["tests/contract", f"--server={server}"]
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch) / "report.xml"
        without = ("-m", "not real") if folder is None else ()
        code = pytest(*chosen, *without, f"--junitxml={report}", folder=folder)
        counts = re.search(r'errors="(\d+)" failures="(\d+)" skipped="(\d+)" tests="(\d+)"', read(report))
    if folder is None:
        left = count("real", *chosen)
        say(f"\nREAL CONTROL PLANE MISSING: {left} tests with kubectl left out (make control-plane builds it)")
    if counts:
        errors, failures, skipped, total = map(int, counts.groups())
        passed = total - errors - failures - skipped
        say(f"contract: {passed} passed, {failures + errors} failed, {skipped} skipped")
    return FAILED if code else 0


def read(path: Path) -> str:
    """Return a file's text, or nothing where it does not exist."""
    return path.read_text(encoding="utf-8") if path.exists() else ""


def lint() -> int:
    """Check style, format, types and the order of imports; all are run, then the failed ones named."""
    environment("dev")
    tools = VENV / PYTHON.parent.name
    checks = {
        "ruff check": ["ruff", "check"],
        "ruff format": ["ruff", "format", "--check"],
        "mypy": ["mypy"],
        "import order": ["lint-imports"],
    }
    failed = []
    for name, (tool, *arguments) in checks.items():
        heading(name)
        if subprocess.run([str(tools / tool), *arguments], cwd=str(ROOT), check=False).returncode:
            failed.append(name)
    say(f"\nlint: {'FAILED: ' + ', '.join(failed) if failed else 'all clean'}")
    return FAILED if failed else 0


def docs() -> int:
    """Make the site of docs/ into site/; a link that leads nowhere is an error."""
    environment("dev")
    code = run("-m", "mkdocs", "build", "--strict", "--quiet")
    if code == 0:
        say("ready: site/index.html")
    return code


def control_plane() -> int:
    """Build kube-apiserver, kubectl and etcd into a cache outside this folder (some minutes, once)."""
    environment("dev")
    return run("-m", "steady.testing.controlplane", "build")


def prometheus() -> int:
    """Fetch Debian's Prometheus into a cache outside this folder, without the service that its package starts."""
    environment("dev")
    return run("-m", "steady.testing.prometheus", "install")


def bench_quick() -> int:
    """Measure requests, CPU, latency and memory of the main jobs."""
    environment("dev")
    return run("-m", "bench.quick")


def bench_peers(*options: str) -> int:
    """Measure the operator beside its peers on a real API server (options go to `python -m bench.peers`)."""
    environment("dev")
    return run("-m", "bench.peers", *options, KUBEBUILDER_ASSETS=needed_control_plane())


def bench(*options: str) -> int:
    """Measure every hot part: time, memory, growth (options go to `python -m bench.micro`; --count, --save FILE)."""
    environment("dev")
    return run("-m", "bench.micro", *options)


def profile(*options: str) -> int:
    """Draw where CPU time and memory go, as flame graphs (options go to `python -m bench.profile`)."""
    environment("dev")
    return run("-m", "bench.profile", *options)


def load(*options: str) -> int:
    """Load a real API server for 30 s and judge the headline targets (options go to `python -m bench.load`)."""
    environment("dev")
    return run("-m", "bench.load", *options, KUBEBUILDER_ASSETS=needed_control_plane())


def needed_control_plane() -> str:
    """Return the folder with the binaries of a real control plane. Raises Missing."""
    folder = control_plane_folder()
    if folder is None:
        raise Missing("the real control plane: `make control-plane` builds it, or set KUBEBUILDER_ASSETS")
    return folder


def lock() -> int:
    """Write requirements/*.txt anew from pyproject.toml (needs `uv`)."""
    uv = shutil.which("uv") or shutil.which("uv", path=str(PYTHON.parent))
    if uv is None:
        raise Missing("the command `uv`, which resolves for all platforms at once: pip install uv")
    shape = "--universal --python-version 3.11 --generate-hashes --no-annotate --only-binary :all: --quiet"
    plain = "--no-emit-index-url --no-emit-find-links --all-extras --custom-compile-command"
    command = [uv, "pip", "compile", "pyproject.toml", *shape.split(), *plain.split(), "python3 dev.py lock"]
    # The runtime's versions are the tested ones: dev is resolved first and binds it.
    stages = {"dev": ["--group", "dev"], "runtime": ["--group", "build", "--constraint", "requirements/dev.txt"]}
    for stage, arguments in stages.items():
        heading(f"requirements/{stage}.txt")
        target = ["--output-file", f"requirements/{stage}.txt"]
        subprocess.run([*command, *arguments, *target], cwd=str(ROOT), check=True)
    return 0


def show_help() -> int:
    """Show this list."""
    say("usage: python3 dev.py COMMAND   (or: make COMMAND)\n")
    for name, command in COMMANDS.items():
        say(f"  {name:<14} {(command.__doc__ or '').splitlines()[0]}")
    return 0


COMMANDS = {
    "env": env,
    "demo": demo,
    "test": test,
    "test-contract": test_contract,
    "lint": lint,
    "docs": docs,
    "control-plane": control_plane,
    "prometheus": prometheus,
    "bench-quick": bench_quick,
    "bench-peers": bench_peers,
    "bench": bench,
    "profile": profile,
    "load": load,
    "lock": lock,
    "help": show_help,
}


def main(arguments: list[str]) -> int:
    """Carry out one command and return its exit code."""
    name, *options = arguments or ["help"]
    try:
        command = COMMANDS.get("help" if name in ("-h", "--help") else name)
        if command is None:
            raise Misused(f"there is no such command; there are: {', '.join(COMMANDS)}")
        if options and command not in (demo, test, test_contract, bench, bench_peers, profile, load):
            raise Misused(f"takes no options, got: {' '.join(options)}")
        return command(*options)
    except Misused as misused:
        note(f"dev.py {name}: {misused}")
        return USAGE
    except Missing as missing:
        note(f"\ndev.py {name}: MISSING: {missing}")
        return MISSING
    except subprocess.CalledProcessError as failed:
        note(f"\ndev.py {name}: FAILED: {failed}")
        return FAILED
    except KeyboardInterrupt:
        return INTERRUPTED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
