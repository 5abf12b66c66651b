"""What an object's status says to those who know only the conventions: kstatus, `kubectl wait`, and a strict reader.

`broken` holds a status to the API conventions, to what kstatus reads and to what Flux checks of its own kinds. Two more
rules of Flux do not apply:

- Ready carries reason and message of the worst condition. Ready of an E2NodeSet has the Go operator's reasons, which
  people watch for; what is wrong stands beside it, in Degraded or Stalled.
- The root's `observedGeneration` lags while Reconciling. By the conventions it says what was looked at last, and to
  kstatus such an object is InProgress either way.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any, Literal

from steady.clock import parse_timestamp

Json = dict[str, Any]
KStatus = Literal["InProgress", "Failed", "Current", "Terminating"]

POSITIVE = {
    *("Ready", "Available"),
    *("Validated", "Processed", "ResourcesPlanned", "ManifestsGenerated", "GitOpsCommitted", "DeploymentVerified"),
}
NEGATIVE = {"Reconciling", "Stalled", "Progressing", "Degraded", "ImageUnknown"}
NEUTRAL = {"Suspended", "Superseded"}
"""Neither good nor bad: what was asked for, and what took an object's place. They may be True beside Ready."""

_WORD = re.compile("[A-Z][A-Za-z0-9]*")


def kstatus(obj: Json) -> KStatus:
    """What the kstatus library computes of an object of a kind that it does not know."""
    metadata, status = obj["metadata"], obj.get("status", {})
    if metadata.get("deletionTimestamp"):
        return "Terminating"
    if status.get("observedGeneration", metadata["generation"]) != metadata["generation"]:
        return "InProgress"
    for condition in status.get("conditions", ()):
        if condition["status"] == "True" and condition["type"] in {"Reconciling", "Stalled"}:
            return "InProgress" if condition["type"] == "Reconciling" else "Failed"
    ready = _conditions(obj).get("Ready")
    return "Current" if ready is None or ready["status"] == "True" else "InProgress"


def awaited(obj: Json) -> bool:
    """Whether `kubectl wait --for=condition=Ready` ends here."""
    ready = _conditions(obj).get("Ready")
    if ready is None:
        return False
    observed = ready.get("observedGeneration", obj["status"].get("observedGeneration"))
    return ready["status"] == "True" and (observed is None or observed >= obj["metadata"]["generation"])


def broken(obj: Json, before: Json | None = None) -> list[str]:
    """The rules that the status of `obj` breaks, in words; with what it was `before`, also those of a change."""
    return [*_form(obj), *_sense(obj), *_generations(obj), *(_change(obj, before) if before else ())]


def _form(obj: Json) -> Iterator[str]:
    conditions = obj.get("status", {}).get("conditions", [])
    for type_, count in Counter(condition["type"] for condition in conditions).items():
        if count > 1:
            yield f"{type_} is there {count} times"
        if type_ not in POSITIVE | NEGATIVE | NEUTRAL:
            yield f"{type_} is neither known as good news nor as bad, nor as neither"
    for condition in conditions:
        if not _WORD.fullmatch(condition.get("reason", "")):
            yield f"the reason of {condition['type']} is no CamelCase word: {condition.get('reason', '')!r}"
        try:
            parse_timestamp(condition.get("lastTransitionTime", ""))
        except ValueError:
            yield f"{condition['type']} does not say since when"


def _sense(obj: Json) -> Iterator[str]:
    conditions = _conditions(obj)
    true = {type_ for type_, condition in conditions.items() if condition["status"] == "True"}
    ready = conditions["Ready"]["status"] if "Ready" in conditions else ""
    under_way = {"Reconciling", "Stalled"} & true
    if not ready:
        yield "Ready is not there"
    if kstatus(obj) != "Terminating" and awaited(obj) != (kstatus(obj) == "Current"):
        yield f"kstatus says {kstatus(obj)}, and kubectl wait {'ends' if awaited(obj) else 'goes on'}"
    for type_ in ("Reconciling", "Stalled"):
        if type_ in conditions and type_ not in true:
            yield f"{type_} is there, but not True"
    if len(under_way) == 2:
        yield "Reconciling and Stalled are both True"
    if ready == "True":
        for type_ in sorted(NEGATIVE & true):
            yield f"{type_} is True beside Ready"
    if ready == "Unknown" and under_way and obj["status"].get("observedGeneration"):
        yield f"Ready is Unknown beside {min(under_way)}, although the object was looked at"
    if "Suspended" in true:
        # What was last seen stays, Stalled too: only who works can be Reconciling.
        if "Reconciling" in true:
            yield "Reconciling is True beside Suspended"
    elif ready == "False" and not under_way:
        yield "Ready is False, and neither Reconciling nor Stalled says what comes next"


def _generations(obj: Json) -> Iterator[str]:
    generation, root = obj["metadata"]["generation"], obj.get("status", {}).get("observedGeneration")
    conditions = _conditions(obj)
    observed = {type_: condition.get("observedGeneration") for type_, condition in conditions.items()}
    for name, number in (("the status", root), *observed.items()):
        if number is not None and number > generation:
            yield f"{name} observed generation {number} of {generation}"
    if "Ready" not in conditions or conditions["Ready"]["status"] != "True":
        return
    if root is None:
        yield "Ready is True of no generation"
    for type_, number in observed.items():
        # Who suspends an object looks at nothing else: the rest stays at what was observed before.
        if number != root and type_ != "Suspended":
            yield f"Ready is True, but {type_} observed generation {number}, and the status {root}"


def _change(obj: Json, before: Json) -> Iterator[str]:
    earlier, status = before.get("status", {}).get("observedGeneration", 0), obj.get("status", {})
    if status.get("observedGeneration", 0) < earlier <= before["metadata"]["generation"]:
        yield f"observedGeneration went down from {earlier}"
    past = _conditions(before)
    for type_, condition in _conditions(obj).items():
        known = past.get(type_)
        if known is None or known["status"] != condition["status"] or "lastTransitionTime" not in known:
            continue
        if known["lastTransitionTime"] != condition["lastTransitionTime"]:
            yield f"{type_} is {condition['status']} as before, but since another time"
    held, holds = ({*each["metadata"].get("finalizers", ())} for each in (before, obj))
    for finalizer in sorted(holds - held):
        if "/" not in finalizer:
            yield f"the finalizer {finalizer!r} names no domain"
        if obj["metadata"].get("deletionTimestamp"):
            yield f"{finalizer} was added to an object that is being deleted"


def _conditions(obj: Json) -> dict[str, Json]:
    return {condition["type"]: condition for condition in obj.get("status", {}).get("conditions", ())}
