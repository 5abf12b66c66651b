"""What the kopf peers do for one intent: the same phases, the same final status, the same manifests."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
import shutil
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

_SENTENCE = re.compile(
    r"deploy (?P<component>\S+)(?: with (?P<replicas>\d+) replicas)?(?: and (?P<memory>\S+) memory)?", re.IGNORECASE
)
_PHASES = (
    ("Processed", "LLMProcessingSucceeded", "True"),
    ("ResourcesPlanned", "ResourcePlanningSucceeded", "True"),
    ("ManifestsGenerated", "ManifestGenerationSucceeded", "True"),
    ("GitOpsCommitted", "GitCommitSucceeded", "True"),
    ("DeploymentVerified", "NotObserved", "Unknown"),
    ("Ready", "AllPhasesCompleted", "True"),
)

Json = dict[str, Any]


class Job:
    """Carries out intents. The environment names the remote, a folder to work in and one of templates, if git is used.

    `group` lets all that wait share one commit; else each intent has its own.
    """

    def __init__(self, *, group: bool, environment: Mapping[str, str] = os.environ) -> None:
        self._slow = float(environment.get("PEER_SLOW", "0"))
        self._templates = _templates(environment.get("PEER_MANIFESTS"))
        self._repository = Repository(environment, group=group) if "PEER_GIT" in environment else None

    async def carry_out(self, metadata: Mapping[str, Any], sentence: str) -> Json:
        """Do all phases; the final status."""
        await asyncio.sleep(self._slow)
        found = _SENTENCE.match(sentence)
        component = found["component"].lower() if found else "unknown"
        replicas = int(found["replicas"] or 1) if found else 1
        memory = (found["memory"] or "") if found else ""
        digest, files = self._rendered(metadata, sentence, component, replicas, memory)
        if self._repository:
            commit = await self._repository.write(metadata["namespace"], metadata["name"], files)
        else:
            commit = hashlib.sha1(digest.encode(), usedforsecurity=False).hexdigest()
        messages = (
            f"understood as: deploy {component}",
            "1 network functions planned",
            "6 files rendered",
            f"committed as {commit[:12]}",
            "verified by its commit only",
            "the manifests are committed",
        )
        return {
            "observedGeneration": metadata["generation"],
            "phase": "Completed",
            "lastMessage": f"completed with commit {commit[:12]}",
            "interpretation": {"action": "deploy", "components": [component], "replicas": {component: replicas}},
            "gitCommitHash": commit,
            "digest": digest,
            "deployedComponents": [{"name": component, "type": component}],
            "conditions": _conditions(messages, metadata["generation"]),
        }

    async def undo(self, metadata: Mapping[str, Any]) -> None:
        """Remove what was committed."""
        if self._repository:
            await self._repository.write(metadata["namespace"], metadata["name"], {})

    def _rendered(
        self, metadata: Mapping[str, Any], sentence: str, component: str, replicas: int, memory: str
    ) -> tuple[str, dict[str, str]]:
        if not self._templates:
            content = f"{metadata['namespace']}\0{metadata['name']}\0{sentence}"
            return hashlib.sha256(content.encode()).hexdigest(), {}
        values = {
            "@NAME@": metadata["name"],
            "@NAMESPACE@": metadata["namespace"],
            "@SENTENCE@": sentence,
            "@REPLICAS@": str(replicas),
            "@MEMORY@": memory,
            "@UID@": metadata["uid"],
        }
        files = {name: _filled(text, values) for name, text in self._templates[component].items()}
        digest = hashlib.sha256("".join(f"{name}\0{text}" for name, text in sorted(files.items())).encode()).hexdigest()
        return digest, {name: text.replace("@DIGEST@", digest) for name, text in files.items()}


class Repository:
    """Commits and pushes by the git command, one writer for all."""

    def __init__(self, environment: Mapping[str, str], *, group: bool) -> None:
        self._remote = environment["PEER_GIT"]
        self._folder = Path(environment["PEER_WORK"]) / "repository"
        self._group = group
        self._busy = asyncio.Lock()
        self._waiting: list[tuple[Path, Mapping[str, str], asyncio.Future[str]]] = []

    async def write(self, namespace: str, name: str, files: Mapping[str, str]) -> str:
        """Make the intent's directory hold exactly `files`; the pushed commit."""
        future: asyncio.Future[str] = asyncio.get_running_loop().create_future()
        self._waiting.append((self._folder / "networkintents" / namespace / name, files, future))
        async with self._busy:
            if not future.done():
                await self._commit()
        return await future

    async def _commit(self) -> None:
        if not self._folder.exists():
            await self._clone()
        count = len(self._waiting) if self._group else 1
        batch, self._waiting = self._waiting[:count], self._waiting[count:]
        try:
            for directory, files, _ in batch:
                _put(directory, files)
            await self._git("add", "--all", "networkintents")
            subject = f"{batch[0][0].name} and {len(batch) - 1} more"
            await self._git("commit", "--quiet", "--allow-empty", "--message", subject)
            await self._git("push", "--quiet", "origin", "HEAD:main")
            commit = (await self._git("rev-parse", "HEAD")).strip()
        except Exception as error:
            for _, _, future in batch:
                future.set_exception(error)
            raise
        for _, _, future in batch:
            future.set_result(commit)

    async def _clone(self) -> None:
        self._folder.mkdir(parents=True)
        await self._git("clone", "--quiet", self._remote, ".")
        for name, value in (("user.name", "peer"), ("user.email", "peer@example.com"), ("gc.auto", "0")):
            await self._git("config", name, value)

    async def _git(self, *arguments: str) -> str:
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec("git", *arguments, cwd=self._folder, stdout=pipe, stderr=pipe)
        out, err = await process.communicate()
        if process.returncode:
            raise RuntimeError(f"git {arguments[0]}: {err.decode()}")
        return out.decode()


def _put(directory: Path, files: Mapping[str, str]) -> None:
    shutil.rmtree(directory, ignore_errors=True)
    directory.parent.mkdir(parents=True, exist_ok=True)
    if not files:
        return
    directory.mkdir()
    for name, text in files.items():
        (directory / name).write_text(text, encoding="utf-8")


def _templates(folder: str | None) -> dict[str, dict[str, str]]:
    if not folder:
        return {}
    return {
        each.name: {file.name: file.read_text(encoding="utf-8") for file in each.iterdir()}
        for each in Path(folder).iterdir()
    }


def _filled(text: str, values: Mapping[str, str]) -> str:
    for placeholder, value in values.items():
        text = text.replace(placeholder, value)
    return text


def _conditions(messages: tuple[str, ...], generation: int) -> list[Json]:
    now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return [
        {
            "type": kind,
            "status": value,
            "reason": reason,
            "message": message,
            "lastTransitionTime": now,
            "observedGeneration": generation,
        }
        for (kind, reason, value), message in zip(_PHASES, messages, strict=True)
    ]
