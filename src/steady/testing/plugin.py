"""The pytest plugin: which API server a test runs on, and a real control plane where one is wanted.

A test that takes the fixture `server` runs on the embedded server and on the real one; the second has the marker
`real`. `--server=embedded|real` leaves one of them. A test marked `real` may also take `control_plane` itself.
Both servers live as long as the run, in the session's event loop: a test that talks to the embedded one is marked
`@pytest.mark.asyncio(loop_scope="session")`.
"""

import asyncio
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from steady.testing.controlplane import BinariesMissingError, ControlPlane
from steady.testing.target import Target

SERVERS = ("embedded", "real")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--server`."""
    parser.addoption(
        "--server", choices=SERVERS, default=None, help="run tests of the API server on this one only (default: both)"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker `real`."""
    config.addinivalue_line("markers", "real: needs a real kube-apiserver and etcd, and their kubectl")
    _lend_a_loop(config)


def _lend_a_loop(config: pytest.Config) -> None:
    """Set an event loop and close it at the end: pytest-asyncio, where it finds none to restore, makes one and leaves
    it open (a ResourceWarning, hence an error, in whichever test runs the garbage collector).
    """
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    config.add_cleanup(loop.close)


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run every test that takes `server` once per server."""
    if "server" not in metafunc.fixturenames:
        return
    chosen = metafunc.config.getoption("--server")
    names = [name for name in SERVERS if chosen in {None, name}]
    parameters = [pytest.param(name, marks=[pytest.mark.real] if name == "real" else []) for name in names]
    metafunc.parametrize("server", parameters, indirect=True, scope="session")


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def control_plane() -> AsyncIterator[ControlPlane]:
    """One real control plane for the whole run; tests keep apart by namespaces and API groups of their own."""
    try:
        plane = ControlPlane()
    except BinariesMissingError as missing:
        pytest.fail(f"{missing}; or leave these tests out with -m 'not real'", pytrace=False)
    async with plane:
        yield plane


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def embedded_server() -> AsyncIterator[Target]:
    """One in-process API server for the whole run, over HTTP."""
    from steady.apiserver import Server  # noqa: PLC0415 - a run on the real server alone does without
    from steady.apiserver.http import serve  # noqa: PLC0415

    api = Server()
    async with serve(api, host="127.0.0.1", port=0) as served:
        yield Target.of_server(api, served.url)


@pytest.fixture(scope="session")
def real_server(control_plane: ControlPlane) -> Target:
    """The run's real API server."""
    return Target.of_plane(control_plane)


@pytest.fixture(scope="session")
def server(request: pytest.FixtureRequest) -> Target:
    """The API server that this test runs on."""
    target = request.getfixturevalue(f"{request.param}_server")
    assert isinstance(target, Target)
    return target
