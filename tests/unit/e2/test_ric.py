"""The RIC client against the RIC simulator and against worse servers, over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiohttp import web

from nephoran.addresses import AddressForbidden, AddressPolicy
from nephoran.api.e2nodeset import NodeState
from nephoran.e2.fleet import Fleet
from nephoran.e2.nodes import DEFAULT_FUNCTIONS, RicSettings
from nephoran.e2.ric import RicClient, RicClients, RicRefused, RicUnavailable
from nephoran.e2.simulator import NodeTable, RicSimulator
from steady.clock import ManualClock
from steady.objects import Key
from steady.trace import Trace, caused_by

LOCAL = AddressPolicy(["127.0.0.1"])


@asynccontextmanager
async def client_of(url: str, policy: AddressPolicy = LOCAL) -> AsyncIterator[RicClient]:
    async with RicClients(policy) as rics:
        yield rics(url)


@asynccontextmanager
async def server(*routes: web.RouteDef) -> AsyncIterator[str]:
    application = web.Application()
    application.add_routes(routes)
    runner = web.AppRunner(application, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


def answering(status: int, text: str = "", **headers: str) -> web.RouteDef:
    async def answer(_: web.Request) -> web.Response:
        return web.Response(status=status, text=text, headers=headers)

    return web.route("*", "/{any:.*}", answer)


async def test_a_node_is_registered_updated_reported_and_deregistered() -> None:
    """The whole life of a node, each step one request."""
    async with RicSimulator() as ric, client_of(ric.url) as client:
        await client.register("n", DEFAULT_FUNCTIONS)
        assert await client.states() == {"n": NodeState.CONNECTED}
        await client.update("n", DEFAULT_FUNCTIONS[:1])
        assert [function.function_id for function in ric.nodes["n"].functions] == [1]
        await client.deregister("n")
        assert await client.states() == {}
        assert ric.table.calls == {"register": 1, "states": 2, "update": 1, "deregister": 1}


async def test_a_request_names_the_reconcile_that_asks_for_it() -> None:
    """In X-Request-ID, as logs, events and the audit log do; the heartbeat, which nobody asked for, names none."""
    asked: set[tuple[str, str | None]] = set()
    beaten = asyncio.Event()

    async def answer(request: web.Request) -> web.Response:
        asked.add((request.method, request.headers.get("X-Request-ID")))
        if request.method == "GET":
            beaten.set()
        return web.json_response([])

    trace, cell = Trace("e2nodeset", "default/cell"), Key("default", "cell")
    async with (
        server(web.route("*", "/{any:.*}", answer)) as url,
        RicClients(LOCAL) as rics,
        Fleet(rics, ManualClock()) as fleet,
    ):
        with caused_by(trace):
            fleet.watch(cell, RicSettings(endpoint=url, heartbeat_interval=1.0), {"n": ()})
            await fleet.register(cell)
        async with asyncio.timeout(10.0):
            await beaten.wait()
    assert asked == {("POST", trace.id), ("GET", None)}


async def test_registering_and_deregistering_may_be_repeated() -> None:
    """The second time changes nothing and is no error."""
    async with RicSimulator() as ric, client_of(ric.url) as client:
        await client.register("n", DEFAULT_FUNCTIONS)
        await client.register("n", DEFAULT_FUNCTIONS)
        assert list(ric.nodes) == ["n"]
        await client.deregister("n")
        await client.deregister("n")
        assert list(ric.nodes) == []


async def test_a_node_id_cannot_leave_its_place_in_the_path() -> None:
    """Slashes and dots in an id stay part of the id."""
    async with RicSimulator() as ric, client_of(ric.url) as client:
        await client.register("../a/b?c#d", ())
        assert list(ric.nodes) == ["../a/b?c#d"]


async def test_the_base_path_of_an_endpoint_is_kept() -> None:
    """A RIC behind a path of a gateway is reached there."""
    paths = []

    async def answer(request: web.Request) -> web.Response:
        paths.append(request.path)
        return web.Response(text="[]")

    async with server(web.route("*", "/{any:.*}", answer)) as url, client_of(url + "/ric/") as client:
        assert await client.states() == {}
        assert paths == ["/ric/v1/nodeb/states"]


async def test_a_ric_without_states_says_so() -> None:
    """404 means that there is no liveness to be had, which is no failure."""
    async with RicSimulator() as ric, client_of(ric.url) as client:
        ric.table.blind = True
        assert await client.states() is None


async def test_what_an_e2_manager_adds_is_ignored() -> None:
    """The answer of a real one carries more fields than we read."""
    text = '[{"inventoryName":"gnb_1","globalNbId":{"plmnId":"02F829"},"connectionStatus":"UNDER_RESET"}]'
    async with server(answering(200, text)) as url, client_of(url) as client:
        assert await client.states() == {"gnb_1": NodeState.INITIALIZING}


@pytest.mark.parametrize("status", [301, 302, 307, 400, 401, 403, 409, 422])
async def test_a_refusal_carries_the_status(status: int) -> None:
    """Redirects are refusals too: the address that they name was not asked for."""
    async with (
        server(answering(status, "no\nway", Location="http://169.254.169.254/")) as url,
        client_of(url) as client,
    ):
        with pytest.raises(RicRefused, match="no way") as refused:
            await client.register("n", ())
        assert refused.value.status == status


@pytest.mark.parametrize("status", [408, 429, 500, 502, 503])
async def test_an_overload_is_unavailable(status: int) -> None:
    """What may pass is told apart from what will not."""
    async with server(answering(status)) as url, client_of(url) as client:
        with pytest.raises(RicUnavailable, match=str(status)):
            await client.states()


async def test_an_answer_that_is_no_list_is_unavailable() -> None:
    """A page of HTML in front of a RIC is not taken for "no nodes"."""
    async with server(answering(200, "<html>")) as url, client_of(url) as client:
        with pytest.raises(RicUnavailable, match="answers no list of nodes"):
            await client.states()


async def test_a_ric_that_is_gone_is_unavailable() -> None:
    """Nobody listens."""
    async with RicSimulator() as ric:
        url = ric.url
    async with client_of(url) as client:
        with pytest.raises(RicUnavailable, match="connection refused"):
            await client.states()


async def test_a_ric_that_hangs_up_is_unavailable() -> None:
    """The connection ends without an answer."""
    async with RicSimulator() as ric, client_of(ric.url) as client:
        ric.table.down = True
        with pytest.raises(RicUnavailable, match="connection lost"):
            await client.states()
        ric.table.down = False
        assert await client.states() == {}


async def test_an_address_that_is_not_allowed_is_not_asked() -> None:
    """No connection is made."""
    async with RicSimulator() as ric, client_of(ric.url, AddressPolicy(["near-rt-ric"])) as client:
        with pytest.raises(AddressForbidden):
            await client.register("n", ())
        assert ric.table.calls == {}


async def test_a_simulator_keeps_its_port_over_a_restart() -> None:
    """A RIC that comes back is found where it was, without its nodes if it has lost them."""
    ric = RicSimulator()
    async with ric, client_of(ric.url) as client:
        await client.register("n", ())
    url = ric.url
    async with ric, client_of(url) as client:
        assert ric.url == url
        assert await client.states() == {"n": NodeState.CONNECTED}


async def test_a_silent_simulator_still_ends() -> None:
    """Leaving it does not wait for requests that it will never answer."""
    async with RicSimulator() as ric, client_of(ric.url) as client:
        ric.table.silent = True
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await client.states()
        assert ric.table.calls == {"states": 1}


async def test_a_simulator_refuses_a_body_that_is_no_registration() -> None:
    """Our client's mistakes would be seen."""
    async with RicSimulator() as ric, client_of(ric.url) as client:
        with pytest.raises(RicRefused) as refused:
            await client._send("POST", "/e2ap/v1/nodes/n/register", b'{"ran_functions": 1}')
        assert refused.value.status == 400
        assert ric.nodes == {}


async def test_a_fleet_over_http_registers_every_node_once() -> None:
    """The same fleet that is proven on virtual time, on sockets: N registrations between two looks."""
    table = NodeTable()
    key, ids = Key("radio", "edge"), [f"n-{index}" for index in range(50)]
    async with RicSimulator(table) as ric, RicClients(LOCAL) as rics, Fleet(rics, ManualClock()) as fleet:
        settings = RicSettings(ric.url)
        fleet.watch(key, settings, dict.fromkeys(ids, DEFAULT_FUNCTIONS))
        assert await fleet.register(key) == {}
        assert table.calls == {"states": 2, "register": 50}
        assert {session.state for session in fleet.sessions(key).values()} == {NodeState.CONNECTED}
        assert await fleet.deregister(key, settings, ids) == {}
        assert ric.nodes == {}


async def test_an_address_that_is_not_allowed_is_an_error_of_its_nodes() -> None:
    """The nodes say which address and whom to ask; nothing is sent."""
    key = Key("radio", "edge")
    async with (
        RicSimulator() as ric,
        RicClients(AddressPolicy(["elsewhere"])) as rics,
        Fleet(rics, ManualClock()) as fleet,
    ):
        fleet.watch(key, RicSettings(ric.url), {"n": DEFAULT_FUNCTIONS})
        failures = await fleet.register(key)
        assert isinstance(failures["n"], AddressForbidden)
        assert fleet.state(key, "n").state is NodeState.ERROR
        assert "administrator" in fleet.state(key, "n").error
        assert ric.table.calls == {}
