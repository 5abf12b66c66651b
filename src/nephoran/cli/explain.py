"""`nephoran explain`: why one object is as it is, asked of the running operator."""

from __future__ import annotations

import asyncio
import sys
from typing import TYPE_CHECKING, Literal
from urllib.parse import quote

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

    from steady.controller import Explanation

_TIMEOUT = 10.0  # seconds


@click.command()
@click.argument("kind", type=click.Choice(["networkintent", "e2nodeset"], case_sensitive=False))
@click.argument("name")
@click.option("-n", "--namespace", default="default", show_default=True, help="Namespace of the object.")
@click.option("--url", default="http://127.0.0.1:8080", show_default=True, help="Where the operator's probes answer.")
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True)
def explain(kind: str, name: str, namespace: str, url: str, output: Literal["text", "json"]) -> None:
    """Tell why an object is as it is: last reconcile, queue, backoff, status on its way, requests by reason.

    In a cluster, let `kubectl port-forward` reach the pod's probe port first.
    """
    import msgspec

    from steady.controller import Explanation

    body = asyncio.run(_asked(f"{url.rstrip('/')}/explain/{kind}/{quote(namespace)}/{quote(name)}"))
    if output == "json":
        click.echo(msgspec.json.format(body).decode())
        return
    found = msgspec.json.decode(body, type=Explanation)
    for line in _lines(found):
        click.echo(line)
    if not found.exists:
        sys.exit(1)


async def _asked(url: str) -> bytes:
    import aiohttp

    from steady.errors import ConfigurationError, Unreachable

    try:
        async with (
            aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=_TIMEOUT)) as session,
            session.get(url, allow_redirects=False) as answer,
        ):
            body = await answer.read()
    except (aiohttp.ClientError, TimeoutError) as error:
        raise Unreachable(
            f"{url} does not answer: {str(error) or 'timed out'}; does the operator run there?"
        ) from error
    if answer.status != 200:
        raise ConfigurationError(f"{url}: {answer.status} {body.decode(errors='replace').strip()}")
    return body


def _lines(found: Explanation) -> Iterator[str]:
    yield f"{found.controller} {found.namespace}/{found.name}: {'exists' if found.exists else 'does not exist'}"
    if last := found.last:
        yield f"last reconcile  {last.result} at {last.at} in {last.seconds:.3f} s, because: {last.cause or 'unknown'}"
        yield f"                id {last.id}, number {found.reconciles}"
        if last.error:
            yield f"                {last.error}"
    queue = found.queue
    more = f", {queue.position} ahead" if queue.state == "ready" else ""
    more = f", in {queue.seconds:.1f} s" if queue.state == "delayed" else more
    yield f"queue           {queue.state}{more}" + (f", priority {queue.priority}" if more else "")
    if backoff := found.backoff:
        when = "only an event ends it" if backoff.seconds is None else f"next try in {backoff.seconds:.1f} s"
        kind = f"{backoff.error_type} error, {backoff.strategy}"
        yield f"backoff         {backoff.outcome}: {kind}, attempt {backoff.attempt}"
        yield f"                {when}{f', with all that fail by {backoff.cause}' if backoff.cause else ''}"
    if status := found.status:
        yield f"status          waits since {status.waited:.1f} s, {status.priority}: {status.why}"
    spent = ", ".join(f"{count} {reason}" for reason, count in sorted(found.requests.items()))
    yield f"requests        {spent or 'none'}"
