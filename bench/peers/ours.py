"""Ours where git takes no part: the operator as `nephoran run` puts it together, with a repository that only counts.

All else is done: the sentence is interpreted, everything is planned and rendered. `python -m bench.peers.ours --help`.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
from pathlib import Path

from bench.ledger import Ledger
from nephoran.cli.run import manager
from nephoran.configuration import Allow, Configuration, Lease
from nephoran.intent.interpret import RuleInterpreter
from nephoran.intent.meaning import Meaning
from nephoran.knowledge import knowledge
from steady import tasks
from steady.client import HttpTransport, connect


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
