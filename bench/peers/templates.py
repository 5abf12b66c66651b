"""What intents are rendered to, as templates for the peers: our own renderer's files with placeholders in them."""

from __future__ import annotations

from pathlib import Path

import msgspec

from bench.workload import COMPONENTS
from nephoran.controllers.networkintent import RENDERER
from nephoran.intent.interpret import RuleInterpreter
from nephoran.intent.plan import plan
from nephoran.intent.render import IntentIdentity, Rendering, render
from nephoran.knowledge import knowledge
from nephoran.repository import Record

_NAME, _NAMESPACE, _UID = "zz-name", "zz-namespace", "zz-uid"
_REPLICAS, _MEMORY = 77, "77777Mi"


def write_templates(folder: Path) -> None:
    """Write `folder/<component>/<file>` for every component of the workload."""
    for component in COMPONENTS:
        sentence = f"Deploy {component} with {_REPLICAS} replicas and {_MEMORY} memory"
        home = folder / component.lower()
        home.mkdir(parents=True)
        for name, text in _files(sentence).items():
            (home / name).write_text(text, encoding="utf-8")


def _files(sentence: str) -> dict[str, str]:
    meaning = RuleInterpreter().meaning(sentence)
    images = {component: f"registry.example/{component}:1" for component in knowledge().components}
    identity = IntentIdentity(_NAME, _NAMESPACE, _UID, 1)
    rendering = render(identity, plan(meaning, ()), target_namespace=_NAMESPACE, images=images)
    record = Record(
        spec_digest=rendering.digest,
        interpretation=msgspec.Raw(msgspec.json.encode(meaning, order="sorted")),
        renderer_version=RENDERER,
        digest=rendering.digest,
        cluster="default",
        uid=_UID,
        generation=1,
    )
    files = {name: content.decode() for name, content in rendering.files.items()}
    files["intent.json"] = msgspec.json.format(msgspec.json.encode(record)).decode() + "\n"
    return {name: _template(text, sentence, rendering) for name, text in files.items()}


def _template(text: str, sentence: str, rendering: Rendering) -> str:
    for found, placeholder in (
        (sentence, "@SENTENCE@"),
        (rendering.digest, "@DIGEST@"),
        (_NAMESPACE, "@NAMESPACE@"),
        (_NAME, "@NAME@"),
        (_UID, "@UID@"),
        (_MEMORY, "@MEMORY@"),
        (f"replicas: {_REPLICAS}\n", "replicas: @REPLICAS@\n"),
        (f": {_REPLICAS}\n", ": @REPLICAS@\n"),
    ):
        text = text.replace(found, placeholder)
    return text
