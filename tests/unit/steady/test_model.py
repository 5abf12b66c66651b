"""The whole runtime against a sequential model, through random walks on virtual time.

A user creates, edits, deletes and re-creates objects, somebody else writes their statuses and children, requests are
lost, delayed and answered into the void, watches break, the operator stops, crashes and starts again. When the trouble
ends, the cluster must say exactly what the model says, and then nothing more may be asked of the server. On the way, a
reconciler never sees an object older than it has seen or written it, and no object has two writes in flight.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from typing import Any

import pytest

from examples.echo import Echo, EchoStatus, reconcile
from steady import ConfigMap, Context, Controller, Manager, Options, Result
from steady.apiserver import Request as ServerRequest
from steady.backoff import BackoffManager
from steady.client.transport import Request, Response
from steady.clock import ManualClock
from steady.errors import Interrupted, Unreachable
from steady.tasks import Scope
from steady.testing.memory import MemoryStream, MemoryTransport
from tests.behaviour.house import MERGE, Json, condition, requests
from tests.unit.steady.widgets import ECHOES, World, world

pytestmark = pytest.mark.looptime

MAPS = "/api/v1/namespaces/default/configmaps"
NAMES = ("a", "b", "c")


class Wire(MemoryTransport):
    """Tells of every write of an echo, when it leaves and what came back; what a watch says may come late."""

    def __init__(self, process: Process, walk: Walk) -> None:
        super().__init__(walk.world.server)
        self._process = process
        self._walk = walk

    @asynccontextmanager
    async def stream(self, request: Request) -> AsyncIterator[MemoryStream]:
        """Send and read the answer piece by piece."""
        async with super().stream(request) as stream:
            yield Late(stream, self._walk)

    async def send(self, request: Request) -> Response:
        """Send and wait for the whole answer."""
        if request.method == "GET" or not request.path.startswith(ECHOES):
            return await super().send(request)
        with self._process.writing(request.path.removesuffix("/status")):
            answer = await super().send(request)
        if answer.status < 400:
            self._process.has(json.loads(answer.body)["metadata"])
        return answer


class Late(MemoryStream):
    """A stream whose pieces are held up, one in four, while there is trouble."""

    def __init__(self, stream: MemoryStream, walk: Walk) -> None:
        self.response = stream.response
        self._stream = stream
        self._walk = walk

    async def chunks(self) -> AsyncIterator[bytes]:
        """Pieces as they arrive."""
        async for piece in self._stream.chunks():
            if self._walk.faulty and self._walk.random.random() < 0.25:
                await asyncio.sleep(self._walk.random.uniform(0.0, 4.0))
            yield piece


class Process:
    """One life of the operator. A dead one reaches nobody any more."""

    def __init__(self, walk: Walk) -> None:
        self.dead = False
        self._walk = walk
        self._versions: dict[str, int] = {}
        self._flying: set[str] = set()
        controller = Controller(Echo, self._reconcile, cleanup=walk.cleanup, owns=[ConfigMap])
        self.manager = Manager(
            controller,
            transport=self._transport,
            clock=ManualClock(),
            options=Options(name="model", grace=20.0),
            backoff=BackoffManager(rng=walk.random),
        )

    @contextmanager
    def writing(self, path: str) -> Iterator[None]:
        """A write of the object at `path` is in flight."""
        if path in self._flying:
            self._walk.broken.append(f"two writes in flight: {path}")
        self._flying.add(path)
        try:
            yield
        finally:
            self._flying.discard(path)

    def has(self, metadata: Json) -> None:
        """This life knows an object as it is now."""
        self._versions[metadata["uid"]] = int(metadata["resourceVersion"])

    async def _reconcile(self, echo: Echo, context: Context[EchoStatus]) -> Result[EchoStatus]:
        if (version := echo.metadata.version) < self._versions.get(echo.metadata.uid, 0):
            self._walk.broken.append(f"{echo.key} was seen at {version} after {self._versions[echo.metadata.uid]}")
        self._versions[echo.metadata.uid] = version
        return await reconcile(echo, context)

    def _transport(self) -> MemoryTransport:
        transport = Wire(self, self._walk)
        transport.before, transport.after = self._before, self._after
        return transport

    async def _before(self, request: Request) -> None:
        await self._trouble(Unreachable)

    async def _after(self, request: Request) -> None:
        await self._trouble(Interrupted)

    async def _trouble(self, error: type[Unreachable | Interrupted]) -> None:
        dice = self._walk.random
        if self._walk.faulty:
            kind = dice.random()
            if kind < 0.25:
                raise error("lost")
            if kind < 0.5:
                await asyncio.sleep(dice.uniform(0.0, 4.0))
        if self.dead:
            raise Interrupted("the process is gone")


class Walk:
    """One random walk and its model: `texts` is what every object is to say."""

    def __init__(self, it: World, seed: int, scope: Scope) -> None:
        self.world = it
        self.random = random.Random(seed)
        self.faulty = True
        self.texts: dict[str, str] = {}
        self.broken: list[str] = []
        self._scope = scope
        self.process = Process(self)
        self.start()

    def start(self) -> None:
        """A new life of the operator."""
        self.process = Process(self)
        self._scope.start(self.process.manager.serve(), "manager")

    async def step(self) -> None:
        """Something happens, then some time passes."""
        steps: list[tuple[int, Callable[[], Any]]] = [
            (6, self._create),
            (6, self._edit),
            (3, self._delete),
            (2, self._write_status),
            (2, self._write_label),
            (2, self._delete_child),
            (2, self._write_child),
            (1, self._disconnect),
            (1, self._compact),
            (1, self._stop),
            (1, self._crash),
        ]
        weights, actions = zip(*steps, strict=True)
        (action,) = self.random.choices(actions, weights)
        await action()
        await asyncio.sleep(self.random.choice([0.0, 0.0, 0.01, 1.0, 5.0]))

    async def cleanup(self, echo: Echo, context: Context[EchoStatus]) -> None:
        """Nothing to clean: what is tried is the finalizer."""

    async def _send(self, method: str, path: str, body: Any = None, kind: str = "application/json") -> bool:
        headers = {"authorization": "Bearer user", "content-type": kind}
        data = json.dumps(body).encode() if body else b""
        return (await self.world.server.handle(ServerRequest(method, path, {}, headers, data))).status < 400

    def _name(self) -> str:
        return self.random.choice(NAMES)

    async def _create(self) -> None:
        name, text = self._name(), str(self.random.random())
        head = {"apiVersion": "example.com/v1", "kind": "Echo", "metadata": {"name": name}}
        if await self._send("POST", ECHOES, {**head, "spec": {"text": text}}):
            self.texts[name] = text

    async def _edit(self) -> None:
        name, text = self._name(), str(self.random.random())
        if name in self.texts and await self._send("PATCH", f"{ECHOES}/{name}", {"spec": {"text": text}}, MERGE):
            self.texts[name] = text

    async def _delete(self) -> None:
        name = self._name()
        if await self._send("DELETE", f"{ECHOES}/{name}"):
            self.texts.pop(name, None)

    async def _write_status(self) -> None:
        body = {"status": {"said": "something else", "observedGeneration": self.random.randint(0, 9)}}
        await self._send("PATCH", f"{ECHOES}/{self._name()}/status", body, MERGE)

    async def _write_label(self) -> None:
        body = {"metadata": {"labels": {"mood": str(self.random.random())}}}
        await self._send("PATCH", f"{ECHOES}/{self._name()}", body, MERGE)

    async def _delete_child(self) -> None:
        await self._send("DELETE", f"{MAPS}/{self._name()}")

    async def _write_child(self) -> None:
        await self._send("PATCH", f"{MAPS}/{self._name()}", {"data": {"text": "something else"}}, MERGE)

    async def _disconnect(self) -> None:
        self.world.server.disconnect()

    async def _compact(self) -> None:
        self.world.server.compact()
        self.world.server.disconnect()

    async def _stop(self) -> None:
        self.process.manager.stop()
        await self._scope.drained()
        self.start()

    async def _crash(self) -> None:
        self.process.dead = True
        await self._scope.cancel()
        self.start()

    def check(self) -> None:
        """The cluster says what the model says, and no invariant was broken on the way."""
        assert self.broken == []
        echoes: dict[str, Json] = {it["metadata"]["name"]: it for it in self.world.server.objects("echoes.example.com")}
        assert {name: it["spec"]["text"] for name, it in echoes.items()} == self.texts
        for name, echo in echoes.items():
            assert echo["status"]["said"] == self.texts[name], echo
            assert echo["status"]["observedGeneration"] == echo["metadata"]["generation"], echo
            assert condition(echo, "Ready") == ("True", "Reconciled"), echo
        maps: dict[str, Json] = {it["metadata"]["name"]: it for it in self.world.server.objects("configmaps")}
        assert {name: it["data"]["text"] for name, it in maps.items()} == self.texts
        owners = {name: it["metadata"]["ownerReferences"][0]["uid"] for name, it in maps.items()}
        assert owners == {name: it["metadata"]["uid"] for name, it in echoes.items()}


@pytest.mark.parametrize("seed", range(60))
async def test_whatever_happens_the_end_is_what_the_user_asked_for(seed: int) -> None:
    """And an hour after the trouble has ended, not one request was made but watches."""
    async with AsyncExitStack() as stack:
        it = await stack.enter_async_context(world())
        scope = await stack.enter_async_context(Scope("test"))
        walk = Walk(it, seed, scope)
        for _ in range(80):
            await walk.step()
        walk.faulty = False
        await asyncio.sleep(1500.0)
        walk.check()
        it.server.log.clear()
        await asyncio.sleep(3600.0)
        assert requests(it.server) == {}
        walk.check()
        walk.process.manager.stop()
        await scope.drained()
