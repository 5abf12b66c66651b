"""The operator on kopf with frugal settings: `kopf run --quiet --module=bench.peers.kopf_frugal`.

As its documentation offers: no events are posted, what it remembers is kept in the status (so that it goes with the
status itself), the cluster is not scanned, and the first list is streamed. Workers have no limit by default.
"""

from __future__ import annotations

from typing import Any

import kopf

from bench.peers.kopf_job import Job
from nephoran.api.names import GROUP, INTENT_FINALIZER, VERSION

_job = Job(group=True)


@kopf.on.startup()
async def configure(settings: kopf.OperatorSettings, **_: Any) -> None:
    """Choose what costs least."""
    settings.posting.enabled = False
    settings.scanning.disabled = True
    settings.watching.initial_streaming = True
    settings.persistence.finalizer = INTENT_FINALIZER
    settings.persistence.diffbase_storage = kopf.StatusDiffBaseStorage()
    settings.persistence.progress_storage = kopf.StatusProgressStorage()


@kopf.on.create(GROUP, VERSION, "networkintents")
@kopf.on.update(GROUP, VERSION, "networkintents", field="spec")
async def carry_out(meta: kopf.Meta, spec: kopf.Spec, patch: kopf.Patch, **_: Any) -> None:
    """Bring a new or changed intent to its end."""
    patch.status.update(await _job.carry_out(meta, spec["intent"]))


@kopf.on.delete(GROUP, VERSION, "networkintents")
async def undo(meta: kopf.Meta, **_: Any) -> None:
    """Remove what a deleted intent has committed."""
    await _job.undo(meta)
