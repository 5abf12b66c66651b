"""The embedded API server, made ready for the operator."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec

from nephoran.api.install import crds as definitions
from nephoran.api.names import GROUP, INTENT_FINALIZER, NODE_SET_FINALIZER
from steady.apiserver import Request, Server
from steady.apiserver.http import Address, serve
from steady.objects.keys import CRDS


@asynccontextmanager
async def serving(server: Server, *, port: int = 0, crds: bool = True) -> AsyncIterator[Address]:
    """Serve `server` on 127.0.0.1, with the operator's CRDs and the switch that stands for its admission policy."""
    if crds:
        await install(server)
    async with serve(server, port=port) as address:
        yield address


async def install(server: Server) -> None:
    """The operator's CRDs, and finalizers added at CREATE."""
    for definition in definitions():
        headers = {"authorization": "Bearer installer", "content-type": "application/json"}
        body = msgspec.json.encode(definition)
        answer = await server.handle(Request("POST", CRDS.path(), {}, headers, body))
        if answer.status >= 400:
            raise RuntimeError(f"the embedded server refuses a CRD of ours: {answer.body.decode()}")
    server.add_finalizer_on_create(GROUP, "networkintents", INTENT_FINALIZER)
    server.add_finalizer_on_create(GROUP, "e2nodesets", NODE_SET_FINALIZER)
