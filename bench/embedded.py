"""The embedded API server in a process of its own: `python -m bench.embedded`, asked by `bench.server`."""

from __future__ import annotations

import asyncio

from bench.child import answer
from bench.measure import Usage, own_usage
from nephoran.api.names import GROUP, INTENT_FINALIZER, NODE_SET_FINALIZER
from steady.apiserver import Server
from steady.apiserver.http import serve


async def main() -> None:
    """Serve on a free port of 127.0.0.1 until standard input closes."""
    server = Server()

    def log() -> list[list[str]]:
        return [[entry.user, entry.verb, entry.resource, entry.subresource, str(entry.code)] for entry in server.log]

    def policy() -> bool:
        server.add_finalizer_on_create(GROUP, "networkintents", INTENT_FINALIZER)
        server.add_finalizer_on_create(GROUP, "e2nodesets", NODE_SET_FINALIZER)
        return True

    def usage() -> Usage:
        return own_usage()

    async with server, serve(server) as address:
        await answer({"log": log, "policy": policy, "usage": usage}, hello=address.url)


if __name__ == "__main__":
    asyncio.run(main())
