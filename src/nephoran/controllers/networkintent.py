"""NetworkIntent: sanitise, interpret, plan, render, commit, verify — all of it derived again from what is stored."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import msgspec

from nephoran.api import NetworkIntent, NetworkIntentStatus
from nephoran.api.names import INTENT_FINALIZER, INTENT_LABEL, MANAGED_LABEL
from nephoran.api.networkintent import IntentPhase, Interpretation
from nephoran.controllers import progress
from nephoran.controllers.neighbours import MODIFIERS, PROVIDERS, Neighbours, concerns, known, modifying, providing
from nephoran.controllers.progress import Refusal, Work
from nephoran.controllers.settings import INTENTS, Effort, Settings
from nephoran.intent.interpret import Interpreter, Meaningless
from nephoran.intent.meaning import Meaning
from nephoran.intent.memory import Memory
from nephoran.intent.plan import Adjustment, Unplannable, effective, modifies, plan, provides, superseded
from nephoran.intent.render import IntentIdentity, render
from nephoran.intent.sanitise import Rejected, redact, sanitise
from nephoran.intent.verify import verify
from nephoran.repository.protocol import Adjustment as Recorded
from nephoran.repository.protocol import Change, IntentRepository, Record
from steady import Context, Controller, Done, Failed, Result, Waiting, Watched
from steady.cache import Store
from steady.clock import parse_timestamp
from steady.errors import SteadyError
from steady.objects import Key, RawObject
from steady.objects.conditions import false, find, true, unknown
from steady.objects.keys import DEPLOYMENTS

RENDERER = "1"
"""Version of the renderer, kept in every record: an upgrade re-renders nothing by itself."""

REMEMBERED = 4096
"""Meanings that are kept by text."""

Meanings = Memory[str, Meaning]
IntentContext = Context[NetworkIntentStatus]
IntentResult = Result[NetworkIntentStatus]


class IntentReconciler:
    """Brings one intent after another to its commit."""

    def __init__(
        self,
        interpreter: Interpreter,
        repository: IntentRepository,
        settings: Settings,
        meanings: Meanings | None = None,
    ) -> None:
        self.neighbours = Neighbours()
        self.meanings = Meanings(REMEMBERED) if meanings is None else meanings
        self._interpreter = interpreter
        self._repository = repository
        self._settings = settings

    async def reconcile(self, intent: NetworkIntent, context: IntentContext) -> IntentResult:
        """Do what the intent says, as far as it is not done."""
        if (_completed_elsewhere(intent) and not context.forced) or await self._as_left(intent, context):
            return Done(None)
        try:
            with context.phase("interpret"):
                meaning = await self._meaning(intent, anew=context.forced)
            if modifies(meaning):
                return self._modify(intent, meaning, context)
            self.neighbours.withdraw(intent.raw)
            return await self._deploy(intent, meaning, context)
        except Refusal as refusal:
            return Failed(progress.refused(intent, refusal), refusal, terminal=True)

    async def cleanup(self, intent: NetworkIntent, context: IntentContext) -> None:
        """Remove the intent's directory; what it had changed elsewhere is restored by those whom its deletion wakes."""
        self.neighbours.withdraw(intent.raw)
        self.neighbours.wake(self.neighbours.related(intent.raw, context.store))
        await self._repository.remove(intent.metadata.namespace, intent.metadata.name, intent.metadata.uid)

    async def _as_left(self, intent: NetworkIntent, context: IntentContext) -> bool:
        """Whether an earlier life has completed the intent, and nothing that it was made from has changed since.

        Asked once, at the first sight of it: then nothing is interpreted, planned or rendered again. So a restart costs
        little more than reading, and an upgrade renders nothing anew by itself.
        """
        if not context.starting or context.forced or self._settings.verify != "commit":
            return False
        record = self._repository.record(*intent.key)
        if record is None or self._repository.drift.touched(*intent.key) or not _stands(intent, record):
            return False
        try:
            meaning = _meanings.decode(record.interpretation)
        except msgspec.DecodeError:
            return False
        target = meaning.namespace or intent.metadata.namespace
        if modifies(meaning) or not self._settings.allows(intent.metadata.namespace, target):
            return False
        adjustments = await self._adjustments(intent, meaning, context.store)
        return (record.images, record.adjustments) == (self._images(meaning), _recorded(adjustments))

    # Deploying.

    async def _deploy(self, intent: NetworkIntent, meaning: Meaning, context: IntentContext) -> IntentResult:
        adjustments = await self._adjustments(intent, meaning, context.store)
        work = self._work(intent, meaning, adjustments, context)
        with context.phase("commit"):
            commit = await self._commit(work, context)
        status = progress.committed(work, commit)
        if work.rendering.missing_images:
            missing = ", ".join(work.rendering.missing_images)
            refusal = Refusal(
                "ImageUnknown", "ImageUnknown", f"the operator's configuration names no image for {missing}"
            )
            return Failed(progress.without_image(status, refusal), refusal, terminal=True)
        if self._settings.verify == "commit":
            return Done(
                progress.completed(status, unknown("DeploymentVerified", "NotObserved", "verified by its commit only"))
            )
        with context.phase("verify"):
            return self._observe(work, status, context)

    def _work(
        self, intent: NetworkIntent, meaning: Meaning, adjustments: tuple[Adjustment, ...], context: IntentContext
    ) -> Work:
        metadata = intent.metadata
        target = meaning.namespace or metadata.namespace
        if not self._settings.allows(metadata.namespace, target):
            raise Refusal(
                "Validated",
                "NamespaceNotAllowed",
                f"namespace {target!r} is not allowed for intents of {metadata.namespace!r}: ask the operator's owner",
            )
        try:
            with context.phase("plan"):
                planned = plan(meaning, adjustments)
        except Unplannable as error:
            raise Refusal("ResourcesPlanned", "NothingToPlan", str(error)) from error
        identity = IntentIdentity(metadata.name, metadata.namespace, metadata.uid, metadata.generation)
        with context.phase("render"):
            rendering = render(identity, planned, target_namespace=target, images=self._settings.images)
        return Work(intent, meaning, adjustments, planned, rendering)

    async def _commit(self, work: Work, context: IntentContext) -> str:
        """The commit that holds the work's manifests: the one that does already, or a new one.

        When forced, or when others were at it, the directory itself is compared, not only its record: what others did
        to it is undone.
        """
        intent, rendering = work.intent, work.rendering
        metadata = intent.metadata
        record = self._repository.record(metadata.namespace, metadata.name)
        wanted = _record(work, self._images(work.meaning))
        known = record is not None and record.uid == metadata.uid and _same(record, wanted)
        doubtful = context.forced or self._repository.drift.touched(metadata.namespace, metadata.name)
        if known and not doubtful and self._repository.head:
            return progress.shown(intent).git_commit_hash or self._repository.head
        context.report(progress.committing(work))
        change = Change(
            namespace=metadata.namespace,
            name=metadata.name,
            uid=metadata.uid,
            generation=metadata.generation,
            files=rendering.files,
            record=wanted,
            summary=redact(work.meaning.text)[:100],
            valid=lambda: _holds(context.store, intent.raw),
        )
        commit = await self._repository.write(change)
        return commit.id if commit.changed or not known else progress.shown(intent).git_commit_hash or commit.id

    def _observe(self, work: Work, status: NetworkIntentStatus, context: IntentContext) -> IntentResult:
        namespace = work.meaning.namespace or work.intent.metadata.namespace
        deployments = {
            name: raw
            for name in work.rendering.deployments
            if (raw := context.get(DEPLOYMENTS, Key(namespace, name))) is not None
        }
        verdict = verify(work.rendering.deployments, work.rendering.digest, deployments)
        if verdict.available:
            return Done(progress.completed(status, true("DeploymentVerified", verdict.reason, verdict.message)))
        condition = false("DeploymentVerified", verdict.reason, verdict.message)
        pending = msgspec.structs.replace(
            status,
            phase=IntentPhase.DEPLOYMENT_VERIFICATION,
            last_message=verdict.message,
            conditions=(*status.conditions, condition, false("Ready", verdict.reason, verdict.message)),
        )
        waited = _seconds_since(progress.shown(work.intent), "GitOpsCommitted", context)
        if waited >= self._settings.deadline:
            stalled = true("Stalled", "DeploymentDeadlineExceeded", verdict.message)
            return Done(msgspec.structs.replace(pending, conditions=(*pending.conditions, stalled)))
        return Waiting(pending, after=self._settings.deadline - waited)

    async def _adjustments(self, intent: NetworkIntent, meaning: Meaning, store: Store) -> tuple[Adjustment, ...]:
        """What other intents change of this one, oldest first, those without effect left out.

        Those that the directory names count even if their own status, lost with an earlier life, does not tell of it:
        else the next life would take back what they changed, until they have announced themselves again.
        """
        found = []
        namespace = intent.metadata.namespace
        record = self._repository.record(*intent.key)
        recorded = [Key(namespace, applied.name) for applied in record.adjustments] if record else ()
        for raw in self.neighbours.modifiers(store, namespace, recorded):
            other = await self._readable(NetworkIntent(raw))
            if other is None or not concerns(other, meaning):
                continue
            if intent.key not in {provider.key for provider in self._providers(store, intent, other)}:
                continue
            found.append(Adjustment(raw.metadata.name, raw.metadata.uid, raw.metadata.generation, other))
        return effective(found, meaning.components)

    def _providers(self, store: Store, intent: NetworkIntent, meaning: Meaning) -> list[RawObject]:
        providers = self.neighbours.providers(store, intent.metadata.namespace, meaning)
        return providers or [intent.raw]

    # Changing what others deploy.

    def _modify(self, intent: NetworkIntent, meaning: Meaning, context: IntentContext) -> IntentResult:
        self.neighbours.announce(intent.raw)
        providers = self.neighbours.providers(context.store, intent.metadata.namespace, meaning)
        understood = NetworkIntentStatus(
            interpretation=progress.interpretation_of(meaning), conditions=(progress.processed(meaning),)
        )
        if not providers:
            message = f"no intent of namespace {intent.metadata.namespace!r} deploys {progress.names(meaning)} yet"
            return Waiting(
                msgspec.structs.replace(
                    understood,
                    phase=IntentPhase.RESOURCE_PLANNING,
                    last_message=message,
                    conditions=(
                        *understood.conditions,
                        false("ResourcesPlanned", "NothingToScale", message),
                        false("Ready", "NothingToScale", message),
                        true("Reconciling", "NothingToScale", message),
                    ),
                )
            )
        target = ", ".join(provider.metadata.name for provider in providers)
        named = msgspec.structs.replace(understood, target=target)
        states = [progress.shown(NetworkIntent(provider)) for provider in providers]
        if all(_applied(intent, status) for status in states):
            return Done(progress.taken_over(named, states[0], f"applied to {target}"))
        if winner := self._winner(intent, meaning, providers, context.store):
            message = f"{winner} changes the same of {target} and is newer"
            superseded_by = true("Superseded", "NewerIntent", message)
            taken = progress.taken_over(named, states[0], message)
            return Done(msgspec.structs.replace(taken, conditions=(*taken.conditions, superseded_by)))
        self.neighbours.wake(provider.key for provider in providers)
        message = f"waiting for {target} to be committed with this change"
        return Waiting(msgspec.structs.replace(named, phase=IntentPhase.GITOPS_COMMIT, last_message=message))

    def _winner(self, intent: NetworkIntent, meaning: Meaning, providers: list[RawObject], store: Store) -> str:
        """The newer intent that leaves this one without effect, if there is one."""
        own = Adjustment(intent.metadata.name, intent.metadata.uid, intent.metadata.generation, meaning)
        others = []
        for raw in self.neighbours.modifiers(store, intent.metadata.namespace):
            if raw.key == intent.key:
                others.append(own)
            elif (other := self._remembered(raw)) is not None:
                others.append(Adjustment(raw.metadata.name, raw.metadata.uid, raw.metadata.generation, other))
        components = {
            component for provider in providers for component in (known(provider).interpretation or _none).components
        }
        return superseded(others, components).get(intent.metadata.name, "")

    def _images(self, meaning: Meaning) -> str:
        """A digest of the images that the operator's owner names for what `meaning` deploys."""
        images = {name: self._settings.images.get(name, "") for name in sorted(provides(meaning))}
        return _digest(msgspec.json.encode(images))

    # Meaning.

    async def _meaning(self, intent: NetworkIntent, *, anew: bool = False) -> Meaning:
        try:
            text = sanitise(intent.spec.intent)
        except Rejected as error:
            raise Refusal("Validated", error.reason, error.message) from error
        if not anew and (remembered := self.meanings.recall(text)) is not None:
            return remembered
        try:
            meaning = await self._interpreter.interpret(text)
        except Meaningless as error:
            raise Refusal("Processed", "NotUnderstood", redact(str(error))) from error
        self.meanings.keep(text, meaning)
        return meaning

    async def _readable(self, intent: NetworkIntent) -> Meaning | None:
        try:
            return await self._meaning(intent)
        except (Refusal, SteadyError):
            return None

    def _remembered(self, raw: RawObject) -> Meaning | None:
        try:
            return self.meanings.recall(sanitise(NetworkIntent(raw).spec.intent))
        except (Rejected, SteadyError):
            return None


def intent_controller(
    interpreter: Interpreter,
    repository: IntentRepository,
    settings: Settings,
    effort: Effort = INTENTS,
    meanings: Meanings | None = None,
) -> Controller[NetworkIntent, NetworkIntentStatus]:
    """The controller of NetworkIntents; `meanings` is its memory, for those who count its use."""
    reconciler = IntentReconciler(interpreter, repository, settings, meanings)
    watches = [Watched(NetworkIntent.declaration.resource, reconciler.neighbours.related)]
    if settings.verify == "deployments":
        watches.append(Watched(DEPLOYMENTS, _owner_of, selector=f"{MANAGED_LABEL}=true"))
    return Controller(
        NetworkIntent,
        reconciler.reconcile,
        cleanup=reconciler.cleanup,
        finalizer=INTENT_FINALIZER,
        watches=watches,
        wakes=[reconciler.neighbours.wakes, repository.drift.keys],
        indexes={PROVIDERS: providing, MODIFIERS: modifying},
        concurrency=effort.concurrency,
        deadline=effort.deadline,
    )


def _owner_of(deployment: RawObject, _: Store) -> Iterable[Key]:
    name = (deployment.metadata.labels or {}).get(INTENT_LABEL)
    return [Key(deployment.metadata.namespace, name)] if name else ()


_none = Interpretation(action="deploy")
_meanings = msgspec.json.Decoder(Meaning)


def _completed_elsewhere(intent: NetworkIntent) -> bool:
    """Whether another operator (ours notes its interpretation) has completed this very spec.

    Its word stands until the spec changes, or a change of operators would commit and write everything anew. The Go
    operator keeps no generation with its conditions, and that of the status only by chance: without one, a spec that
    was never edited is meant.
    """
    status = progress.shown(intent)
    ready = find(status.conditions, "Ready")
    return (
        status.phase is IntentPhase.COMPLETED
        and status.interpretation is None
        and ready is not None
        and ready.status == "True"
        and (status.observed_generation or 1) == intent.metadata.generation
    )


def _stands(intent: NetworkIntent, record: Record) -> bool:
    """Whether the status tells of the completion of the present spec by what the directory's `record` tells of."""
    status, metadata = progress.shown(intent), intent.metadata
    ready = find(status.conditions, "Ready")
    if status.phase is not IntentPhase.COMPLETED or ready is None or ready.status != "True":
        return False
    made = (record.uid, record.spec_digest, record.digest)
    return (status.observed_generation, *made) == (
        metadata.generation,
        metadata.uid,
        _digest(intent.raw.spec),
        status.digest,
    )


def _applied(intent: NetworkIntent, provider: NetworkIntentStatus) -> bool:
    wanted = (intent.metadata.uid, intent.metadata.generation)
    return any((it.uid, it.generation) == wanted for it in provider.adjustments)


def _record(work: Work, images: str) -> Record:
    return Record(
        spec_digest=_digest(work.intent.raw.spec),
        interpretation=msgspec.Raw(msgspec.json.encode(work.meaning, order="sorted")),
        renderer_version=RENDERER,
        digest=work.rendering.digest,
        images=images,
        adjustments=_recorded(work.adjustments),
    )


def _recorded(adjustments: Iterable[Adjustment]) -> tuple[Recorded, ...]:
    return tuple(Recorded(it.name, it.uid, it.generation) for it in adjustments)


def _digest(data: msgspec.Raw | bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _same(record: Record, wanted: Record) -> bool:
    return (record.digest, record.spec_digest, record.adjustments) == (
        wanted.digest,
        wanted.spec_digest,
        wanted.adjustments,
    )


def _holds(store: Store, raw: RawObject) -> bool:
    current = store.get(raw.key)
    return (
        current is not None
        and not current.metadata.deleting
        and (current.metadata.uid, current.metadata.generation) == (raw.metadata.uid, raw.metadata.generation)
    )


def _seconds_since(status: NetworkIntentStatus, type_: str, context: IntentContext) -> float:
    condition = find(status.conditions, type_)
    if condition is None or not condition.last_transition_time or condition.status != "True":
        return 0.0
    return (context.now() - parse_timestamp(condition.last_transition_time)).total_seconds()
