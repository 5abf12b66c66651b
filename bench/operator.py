"""The operator in a process of its own: `python -m bench.operator`, asked for its usage by `bench.quick`."""

from __future__ import annotations

import argparse
import asyncio
import cProfile
import logging
import tempfile
from contextlib import AsyncExitStack
from pathlib import Path

from bench.child import answer
from bench.ledger import Ledger
from bench.measure import own_usage
from nephoran.addresses import AddressPolicy
from nephoran.controllers import Settings, intent_controller, node_set_controller
from nephoran.e2.fleet import Fleet
from nephoran.e2.ric import RicClients
from nephoran.intent.interpret import RuleInterpreter
from nephoran.knowledge import knowledge
from nephoran.repository.protocol import IntentRepository
from nephoran.repository.repository import Repository
from steady import Manager, Options
from steady.client import HttpTransport, connect
from steady.clock import SystemClock
from steady.tasks import Scope, run


def main() -> None:
    """Run one operator for one namespace until standard input closes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kubeconfig", type=Path, required=True)
    parser.add_argument("--namespace", required=True)
    parser.add_argument(
        "--git", default="", help="remote that receives the manifests; without one they are rendered and go nowhere"
    )
    parser.add_argument("--ric", default="", help="HOST:PORT at which a RIC may be")
    parser.add_argument("--profile", type=Path, help="file for a profile of cProfile")
    arguments = parser.parse_args()
    logging.basicConfig(level="WARNING")
    if arguments.profile is None:
        run(_run(arguments))
        return
    profile = cProfile.Profile()
    try:
        profile.runcall(run, _run(arguments))
    finally:
        profile.dump_stats(arguments.profile)


async def _run(arguments: argparse.Namespace) -> None:
    async with AsyncExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-work-")))
        manager = _manager(arguments, work)
        scope = await stack.enter_async_context(Scope("operator"))
        serving = scope.start(manager.serve(), "manager")
        started = scope.start(manager.started.wait(), "started")
        await asyncio.wait([serving, started], return_when=asyncio.FIRST_COMPLETED)
        if not serving.done():
            await answer({"usage": own_usage})
        manager.stop()
        await serving


def _manager(arguments: argparse.Namespace, work: Path) -> Manager:
    clock = SystemClock()
    connection = connect(arguments.kubeconfig)
    repository: IntentRepository = (
        Repository(arguments.git, work=work / "repository.git", clock=clock) if arguments.git else Ledger()
    )
    images = {component: f"registry.example/{component}:1" for component in knowledge().components}
    rics = RicClients(AddressPolicy([arguments.ric]))
    fleet = Fleet(rics, clock)
    return Manager(
        intent_controller(RuleInterpreter(), repository, Settings(images=images)),
        node_set_controller(fleet),
        options=Options(name="nephoran", namespace=arguments.namespace),
        services=[repository, rics, fleet],
        transport=lambda: HttpTransport(connection),
    )


if __name__ == "__main__":
    main()
