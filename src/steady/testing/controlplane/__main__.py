"""The command `python -m steady.testing.controlplane`: build the control plane, find it, or run it."""

import argparse
import asyncio
import signal
import sys

from steady.testing.controlplane import binaries
from steady.testing.controlplane.plane import ControlPlane

MISSING = 3
"""Exit code where Go, or a binary, is not there."""


def main(arguments: list[str] | None = None) -> int:
    """Run one command; return its exit code (0 done, 1 failed, 3 something needed is missing)."""
    parser = argparse.ArgumentParser(prog="python -m steady.testing.controlplane", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="build | path | run")
    commands.add_parser("build", help="build etcd, kube-apiserver and kubectl into the user's cache, once")
    commands.add_parser("path", help="print the folder that holds them")
    commands.add_parser("run", help="run a control plane until interrupted")
    command = parser.parse_args(arguments).command
    try:
        {"build": _build, "path": _path, "run": _run}[command]()
    except (binaries.GoMissingError, binaries.BinariesMissingError) as error:
        print(error, file=sys.stderr)
        return MISSING
    except binaries.BuildFailedError as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _build() -> None:
    binaries.build(lambda line: print(line, flush=True))


def _path() -> None:
    print(binaries.locate())


def _run() -> None:
    asyncio.run(_serve())


async def _serve() -> None:
    interrupted = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, interrupted.set)
    async with ControlPlane() as plane:
        print(f"{plane.binaries / 'kubectl'} --kubeconfig={plane.kubeconfig()} get namespaces", flush=True)
        await interrupted.wait()


if __name__ == "__main__":
    sys.exit(main())
