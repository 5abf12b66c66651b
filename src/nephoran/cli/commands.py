"""The short commands: the embedded API server alone, manifests to install, and what a sentence means."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from typing import IO, TYPE_CHECKING, Literal

import click

if TYPE_CHECKING:
    from nephoran.intent.interpret import Meaningless
    from nephoran.intent.sanitise import Rejected


@click.command()
@click.option("--port", default=0, show_default="a free one", help="Port on 127.0.0.1.")
@click.option("--crds/--no-crds", default=True, show_default=True, help="Install the operator's CRDs.")
def apiserver(port: int, *, crds: bool) -> None:
    """Serve the embedded API server on 127.0.0.1 until interrupted."""
    from nephoran.cli.embedded import serving
    from steady.apiserver import Server

    async def serve() -> None:
        async with Server() as server, serving(server, port=port, crds=crds) as address:
            click.echo(f"kubectl --server={address.url} api-resources")
            await asyncio.Event().wait()

    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(serve())


@click.command()
@click.option(
    "--admission-policy",
    type=click.Choice(["auto", "on", "off"]),
    default="auto",
    show_default=True,
    help="Let the API server add finalizers (Kubernetes 1.36 or newer); auto asks it.",
)
@click.option("--image", default="", help="Image of the operator.")
@click.option("--namespace", default="nephoran-system", show_default=True)
@click.option("--git-url", default="", help="Remote for the manifests; without it, a persistent volume.")
def install(admission_policy: Literal["auto", "on", "off"], image: str, namespace: str, git_url: str) -> None:
    """Print what `kubectl apply -f -` needs: CRDs, rights, admission policy and Deployment."""
    from nephoran.api.install import as_yaml, manifests

    if admission_policy == "auto":
        admission_policy = "on" if asyncio.run(_serves_policies()) else "off"
    made = manifests(admission_policy=admission_policy, image=image, namespace=namespace, git_url=git_url)
    click.echo(as_yaml(made), nl=False)


@click.command()
@click.argument("text", required=False)
@click.option("-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option("--check", type=click.File(encoding="utf-8"), help="Score a file of sentences with their meanings.")
def interpret(text: str | None, output: str, check: IO[str] | None) -> None:
    """Print what TEXT means, or how many sentences of a file are read as it states.

    The exit code is 1 where TEXT is not understood. As JSON, `error` then has what was understood, what is missing and
    an example.
    """
    from nephoran.intent.interpret import Meaningless, RuleInterpreter
    from nephoran.intent.meaning import to_json
    from nephoran.intent.sanitise import Rejected

    if (text is None) is (check is None):
        raise click.UsageError("give a sentence, or a file with --check")
    if check is not None:
        sys.exit(_score(check, output))
    try:
        meaning = to_json(RuleInterpreter().meaning(text or ""))
    except (Rejected, Meaningless) as error:
        if output == "json":
            click.echo(_json({"error": _told(error)}))
        else:
            click.echo(f"nephoran: {error}", err=True)
        sys.exit(1)
    if output == "json":
        click.echo(_json(meaning))
        return
    for key, value in meaning.items():
        click.echo(f"{key:<12}{value if isinstance(value, str) else _json(value)}")


def _told(error: Rejected | Meaningless) -> dict[str, str]:
    """Why a text has no meaning, under the reason that the condition of an intent would have."""
    from nephoran.intent.interpret import EXAMPLE
    from nephoran.intent.sanitise import LIMIT, Rejected

    if isinstance(error, Rejected):
        lacks = f"one sentence of at most {LIMIT} characters"
        told = {"reason": error.reason, "understood": "nothing", "missing": lacks, "example": EXAMPLE}
    else:
        parts = {"understood": error.understood, "missing": error.missing, "example": error.example}
        told = {"reason": "NotUnderstood", **parts}
    return {**told, "message": error.message}


async def _serves_policies() -> bool:
    """Whether the kubeconfig's server knows the admission policy's kind; a note says if it cannot be asked."""
    from steady.client import HttpTransport, Request, connect
    from steady.errors import SteadyError

    try:
        transport = HttpTransport(connect())
        try:
            answer = await transport.send(Request("GET", "/apis/admissionregistration.k8s.io/v1", timeout=5.0))
        finally:
            await transport.close()
    except (SteadyError, OSError) as error:
        click.echo(f"nephoran: no API server to ask, so without the admission policy: {error}", err=True)
        return False
    return b'"mutatingadmissionpolicies"' in answer.body


def _score(lines: IO[str], output: str) -> int:
    from nephoran.intent.interpret import RuleInterpreter
    from nephoran.intent.score import KEYS, BadLine, score

    try:
        result = score(lines, RuleInterpreter())
    except BadLine as error:
        raise click.UsageError(str(error)) from error
    accuracies = {key: result.accuracy_of(key) for key in KEYS}
    if output == "json":
        differences = [str(difference) for difference in result.differences]
        whole = {"sentences": result.sentences, "right": result.right, "accuracy": result.accuracy}
        click.echo(_json({**whole, "keys": accuracies, "differences": differences}))
    else:
        for difference in result.differences:
            click.echo(str(difference))
        for key, accuracy in accuracies.items():
            click.echo(f"{key:<12}{accuracy:7.1%}")
        click.echo(f"{result.right} of {result.sentences} sentences right")
    return 0 if result.right == result.sentences else 1


def _json(value: object) -> str:
    import msgspec

    return msgspec.json.encode(value).decode()
