"""Ours where git takes no part: the operator as `nephoran run` puts it together, with a repository that only counts.

All else is done: the sentence is interpreted, everything is planned and rendered. `python -m bench.peers.ours --help`.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import logging
from pathlib import Path
from typing import Self

import msgspec

from nephoran.cli.run import manager
from nephoran.configuration import Allow, Configuration, Lease
from nephoran.intent.interpret import RuleInterpreter
from nephoran.intent.meaning import Meaning
from nephoran.knowledge import knowledge
from nephoran.repository import Change, Commit, Record
from nephoran.repository.drift import Drift
from steady import tasks
from steady.client import HttpTransport, connect


class Ledger:
    """An IntentRepository without files: it keeps the record of each directory, and its commits are digests."""

    def __init__(self) -> None:
        self.head: str | None = None
        self.drift = Drift()
        self._records: dict[tuple[str, str], Record] = {}

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        return

    async def write(self, change: Change) -> Commit:
        """Note the record."""
        self._records[change.namespace, change.name] = msgspec.structs.replace(
            change.record, uid=change.uid, generation=change.generation
        )
        self.head = hashlib.sha1(change.record.digest.encode(), usedforsecurity=False).hexdigest()
        return Commit(self.head, changed=True)

    async def remove(self, namespace: str, name: str, uid: str) -> Commit | None:  # noqa: ARG002 - the protocol's
        """Forget the record."""
        self._records.pop((namespace, name), None)
        return None

    def record(self, namespace: str, name: str) -> Record | None:
        """The record that was noted."""
        return self._records.get((namespace, name))

    def contains(self, namespace: str, name: str, digest: str) -> bool:
        """Whether the record is of that digest."""
        record = self.record(namespace, name)
        return record is not None and record.digest == digest

    async def failed(self) -> None:
        """Never end: there is nothing to fail."""
        await asyncio.get_running_loop().create_future()


class SlowInterpreter(RuleInterpreter):
    """Takes `seconds` for every sentence, as a language model does."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    async def interpret(self, text: str) -> Meaning:
        """The meaning of one sentence, later."""
        await asyncio.sleep(self._seconds)
        return self.meaning(text)


def main() -> None:
    """Run until SIGTERM."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kubeconfig", type=Path, required=True)
    parser.add_argument("--namespace", required=True)
    parser.add_argument("--lease-namespace", required=True)
    parser.add_argument("--allow-address", required=True, help="HOST:PORT at which a RIC may be")
    parser.add_argument("--slow", type=float, default=0.0, help="seconds that each interpretation takes")
    arguments = parser.parse_args()
    logging.basicConfig(level="INFO")
    connection = connect(arguments.kubeconfig)
    configuration = Configuration(
        namespace=arguments.namespace,
        images={component: f"registry.example/{component}:1" for component in knowledge().components},
        probes="127.0.0.1:0",
        allow=Allow(addresses=(arguments.allow_address,)),
        lease=Lease(namespace=arguments.lease_namespace),
    )
    interpreter = SlowInterpreter(arguments.slow) if arguments.slow else RuleInterpreter()
    operator = manager(configuration, Ledger(), lambda: HttpTransport(connection), interpreter=interpreter)
    tasks.run(operator.serve(signals=True))


if __name__ == "__main__":
    main()
