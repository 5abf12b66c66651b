"""What the operator's owner decides about the reconcilers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

Verification = Literal["commit", "deployments"]


class Effort(msgspec.Struct, frozen=True):
    """How much one controller does at a time."""

    concurrency: Annotated[int, Meta(ge=1, le=1024, description="Objects that are worked on at the same time.")]
    deadline: Annotated[float, Meta(gt=0, le=86_400, description="Seconds that one reconcile may take.")] = 300.0


INTENTS = Effort(concurrency=64)
NODE_SETS = Effort(concurrency=16)


class Settings(msgspec.Struct, frozen=True):
    """`images` by component; `namespaces` pairs (of the intent, of the manifests) that are allowed beside equal ones.

    `verify` says when an intent is complete; `deadline` (seconds) is how long Deployments may take before the intent is
    called stalled.
    """

    images: Mapping[str, str] = {}
    namespaces: frozenset[tuple[str, str]] = frozenset()
    verify: Verification = "commit"
    deadline: float = 600.0

    def allows(self, home: str, target: str) -> bool:
        """Whether an intent in namespace `home` may ask for manifests in namespace `target`."""
        return home == target or (home, target) in self.namespaces or ("*", target) in self.namespaces
