"""One near-real-time RIC: register nodes, and ask for the liveness of all of them at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol, Self
from urllib.parse import quote

import aiohttp
import msgspec
from yarl import URL

from nephoran.addresses import PARALLEL, AddressPolicy, Resolver, guarded_session
from nephoran.api.e2nodeset import NodeState
from nephoran.e2.nodes import RanFunction
from steady.backoff import ErrorType, by_status
from steady.errors import SteadyError
from steady.trace import current

body_limit = 16 * 1024 * 1024  # bytes of one answer; 1,000 nodes need about 150 KiB
request_limit = aiohttp.ClientTimeout(total=300)  # seconds; a bound of last resort
shown_limit = 200  # characters of a refusal that an error message repeats

STATES_PATH = "/v1/nodeb/states"
"""Where the O-RAN SC E2 manager serves the connection state of every node."""

REQUEST_ID = "X-Request-ID"
"""Header that names the reconcile at work to the RIC, as in our logs."""

CONNECTION_STATES: Mapping[str, NodeState] = {
    "CONNECTED": NodeState.CONNECTED,
    "CONNECTING": NodeState.INITIALIZING,
    "UNDER_RESET": NodeState.INITIALIZING,
    "DISCONNECTED": NodeState.DISCONNECTED,
    "SHUTTING_DOWN": NodeState.DISCONNECTED,
    "SHUT_DOWN": NodeState.DISCONNECTED,
    "CONNECTED_SETUP_FAILED": NodeState.ERROR,
}
"""What the E2 manager calls a state, and what we call it; anything else counts as disconnected."""


class RicUnavailable(SteadyError):
    """The RIC did not answer, or not usefully (408, 429, 5xx, no JSON): the same request may succeed later."""

    error_type = ErrorType.TRANSIENT


class RicRefused(SteadyError):
    """The RIC answered `status`, and would again; `cause` names the RIC, for those that wait for it."""

    def __init__(self, message: str, status: int, cause: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.cause = cause

    @property
    def error_type(self) -> ErrorType:
        """As the status says."""
        return by_status(self)


class Ric(Protocol):
    """One RIC. Every call raises RicUnavailable, RicRefused or AddressForbidden; each may be repeated safely."""

    async def register(self, node_id: str, functions: Sequence[RanFunction]) -> None:
        """Make the node known, with its RAN functions; again if it is known already."""
        ...

    async def update(self, node_id: str, functions: Sequence[RanFunction]) -> None:
        """Replace the RAN functions of a node."""
        ...

    async def deregister(self, node_id: str) -> None:
        """Forget the node; nothing if it is not known."""
        ...

    async def states(self) -> dict[str, NodeState] | None:
        """The state of every node that the RIC knows, in one request; None when this RIC does not serve it (404)."""
        ...


class Registration(msgspec.Struct, frozen=True, rename={"functions": "ran_functions"}):
    """The body of a registration or an update."""

    functions: tuple[RegisteredFunction, ...] = ()


class RegisteredFunction(msgspec.Struct, frozen=True):
    """One RAN function as the RIC's interface writes it."""

    function_id: int
    function_revision: int
    function_oid: str
    function_description: str


class ReportedNode(msgspec.Struct, frozen=True, rename="camel"):
    """One node in the answer about states; other fields are ignored."""

    inventory_name: str
    connection_status: str = ""


class RicClient:
    """A RIC over HTTP; `session` comes from `addresses.guarded_session`. Callers bound the time of each request."""

    def __init__(self, session: aiohttp.ClientSession, policy: AddressPolicy, endpoint: str) -> None:
        self.endpoint = endpoint.rstrip("/")
        self._session = session
        self._policy = policy

    async def register(self, node_id: str, functions: Sequence[RanFunction]) -> None:
        """Make the node known (POST …/register)."""
        await self._send("POST", _node_path(node_id, "register"), registration(functions))

    async def update(self, node_id: str, functions: Sequence[RanFunction]) -> None:
        """Replace the node's RAN functions (PUT …/update)."""
        await self._send("PUT", _node_path(node_id, "update"), registration(functions))

    async def deregister(self, node_id: str) -> None:
        """Forget the node (DELETE …/deregister); 404 means it is forgotten already."""
        try:
            await self._send("DELETE", _node_path(node_id, "deregister"))
        except RicRefused as error:
            if error.status != 404:
                raise

    async def states(self) -> dict[str, NodeState] | None:
        """All nodes' states (GET /v1/nodeb/states); None when the RIC answers 404: there is no liveness to be had."""
        try:
            body = await self._send("GET", STATES_PATH)
        except RicRefused as error:
            if error.status == 404:
                return None
            raise
        try:
            reported = msgspec.json.decode(body, type=list[ReportedNode])
        except msgspec.DecodeError as error:
            raise RicUnavailable(f"{self.endpoint}{STATES_PATH} answers no list of nodes: {error}") from error
        return {node.inventory_name: state_of(node.connection_status) for node in reported}

    async def _send(self, method: str, path: str, body: bytes | None = None) -> bytes:
        """The body of a 2xx answer."""
        target = self._policy.check(self.endpoint)
        url = URL(str(target.url.with_query(None).with_fragment(None)).rstrip("/") + path, encoded=True)
        try:
            async with self._session.request(
                method,
                url,
                data=body,
                headers=_headers(body),
                allow_redirects=False,
                timeout=request_limit,
            ) as response:
                content = await _read(response)
                self._judge(method, path, response.status, content)
                return content
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise RicUnavailable(f"{self.endpoint} does not answer: {_cause(error)}") from error

    def _judge(self, method: str, path: str, status: int, content: bytes) -> None:
        if 200 <= status < 300:
            return
        text = " ".join(content[: shown_limit * 4].decode("utf-8", "replace").split())[:shown_limit]
        message = f"{method} {self.endpoint}{path}: {status}" + (f": {text}" if text.isprintable() and text else "")
        if status in {408, 429} or status >= 500:
            raise RicUnavailable(message)
        raise RicRefused(message, status, f"RIC {self.endpoint}")


class RicClients:
    """RICs over HTTP, by endpoint, with one session for all and `parallel` connections each. Enter it before use."""

    def __init__(self, policy: AddressPolicy, resolver: Resolver | None = None, *, parallel: int = PARALLEL) -> None:
        self._policy = policy
        self._parallel = parallel
        self._resolver = resolver
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = guarded_session(self._policy, parallel=self._parallel, resolver=self._resolver)
        return self

    async def __aexit__(self, *_: object) -> None:
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    def __call__(self, endpoint: str) -> RicClient:
        """The RIC at `endpoint`."""
        if self._session is None:
            raise RuntimeError("RicClients must be entered before a RIC is asked for")
        return RicClient(self._session, self._policy, endpoint)


def registered(functions: Sequence[RanFunction]) -> tuple[RegisteredFunction, ...]:
    """RAN functions in the words of the RIC's interface."""
    return tuple(RegisteredFunction(each.function_id, each.revision, each.oid, each.description) for each in functions)


def registration(functions: Sequence[RanFunction]) -> bytes:
    """The body that tells a RIC the RAN functions of a node."""
    return msgspec.json.encode(Registration(registered(functions)))


def state_of(connection_status: str) -> NodeState:
    """Our name for a connection status of the E2 manager."""
    return CONNECTION_STATES.get(connection_status, NodeState.DISCONNECTED)


def _headers(body: bytes | None) -> dict[str, str]:
    headers = {"Content-Type": "application/json"} if body else {}
    if trace := current():
        headers[REQUEST_ID] = trace.id
    return headers


def _node_path(node_id: str, action: str) -> str:
    return f"/e2ap/v1/nodes/{quote(node_id, safe='')}/{action}"


async def _read(response: aiohttp.ClientResponse) -> bytes:
    content = bytearray()
    async for chunk in response.content.iter_any():
        content += chunk
        if len(content) > body_limit:
            raise RicUnavailable(f"{response.url.host} answers more than {body_limit} bytes")
    return bytes(content)


def _cause(error: Exception) -> str:
    """A cause that stays the same while the cause does: it ends up in a status."""
    if isinstance(error, TimeoutError):
        return "timed out"
    if isinstance(error, aiohttp.ClientConnectorDNSError):
        return "its name cannot be resolved"
    if isinstance(error, aiohttp.ClientConnectorError):
        return "connection refused" if isinstance(error.os_error, ConnectionRefusedError) else "no connection"
    return "connection lost"
