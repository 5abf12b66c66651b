"""The operator on kopf, with the settings that it has by itself: `kopf run --module=bench.peers.kopf_peer`."""

from __future__ import annotations

from typing import Any

import kopf

from bench.peers.kopf_job import Job
from nephoran.api.names import GROUP, VERSION

_job = Job(group=False)


@kopf.on.create(GROUP, VERSION, "networkintents")
@kopf.on.update(GROUP, VERSION, "networkintents", field="spec")
async def carry_out(meta: kopf.Meta, spec: kopf.Spec, patch: kopf.Patch, **_: Any) -> None:
    """Bring a new or changed intent to its end."""
    patch.status.update(await _job.carry_out(meta, spec["intent"]))


@kopf.on.delete(GROUP, VERSION, "networkintents")
async def undo(meta: kopf.Meta, **_: Any) -> None:
    """Remove what a deleted intent has committed."""
    await _job.undo(meta)
