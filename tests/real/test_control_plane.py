"""The launcher of the real control plane."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from pathlib import Path

import pytest

from steady.testing.controlplane import OPERATOR, ControlPlane
from tests.contract.api import until

pytestmark = [pytest.mark.real, pytest.mark.asyncio(loop_scope="session")]
RUN = """
import asyncio
from steady.testing.controlplane import ControlPlane

async def main():
    async with ControlPlane() as plane:
        print(plane.apiserver_pid, plane.etcd_pid, plane.folder, flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_the_audit_log_tells_actors_apart(control_plane: ControlPlane) -> None:
    """A request that RBAC refuses is logged with user, verb, resource and code."""
    refused = await control_plane.kubectl_for("operator")("get", "secrets", "-n", "default")
    assert "Forbidden" in refused.err
    logged = [entry for entry in await control_plane.audit() if entry.user == OPERATOR.username]
    assert ("list", "secrets", "default", 403) in {
        (entry.verb, entry.resource, entry.namespace, entry.code) for entry in logged
    }


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
async def test_nothing_outlives_a_run_that_is_killed(end: signal.Signals) -> None:
    """Servers and folder, keys and tokens with it, are gone a moment later."""
    run = await asyncio.create_subprocess_exec(sys.executable, "-c", RUN, stdout=asyncio.subprocess.PIPE)
    assert run.stdout is not None
    server, etcd, folder = (await run.stdout.readline()).decode().split()
    assert all(left(server, etcd, folder))
    run.send_signal(end)
    await run.wait()

    async def gone() -> bool:
        return not any(left(server, etcd, folder))

    await until(gone)


def left(server: str, etcd: str, folder: str) -> list[bool]:
    """Return which of a control plane's servers still run, and whether its folder is there."""
    return [running(server), running(etcd), Path(folder).exists()]


def running(pid: str) -> bool:
    """Return whether there is a process of that number."""
    try:
        os.kill(int(pid), 0)
    except ProcessLookupError:
        return False
    return True
