"""The pytest plugin: which API server a test runs on, and a real control plane where one is wanted.

A test that takes the fixture `server` runs on the embedded server and on the real one; the second has the marker
`real`. `--server=embedded|real` leaves one of them. A test marked `real` may also take `control_plane` itself.
"""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from steady.testing.controlplane import BinariesMissingError, ControlPlane

SERVERS = ("embedded", "real")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--server`."""
    parser.addoption(
        "--server", choices=SERVERS, default=None, help="run tests of the API server on this one only (default: both)"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Declare the marker `real`."""
    config.addinivalue_line("markers", "real: needs a real kube-apiserver and etcd, and their kubectl")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run every test that takes `server` once per server."""
    if "server" not in metafunc.fixturenames:
        return
    chosen = metafunc.config.getoption("--server")
    names = [name for name in SERVERS if chosen in (None, name)]
    marks = {"real": [pytest.mark.real]}
    parameters = [pytest.param(name, marks=marks.get(name, [])) for name in names]
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
