"""A sentence becomes a commit: what is stored, what is committed, and what it cost."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from itertools import filterfalse
from typing import Any

import msgspec
import pytest
import yaml

from nephoran.api import NetworkIntent
from nephoran.api.names import INTENT_FINALIZER
from nephoran.controllers import Settings, intent_controller, networkintent
from nephoran.intent.interpret import Interpreter, RuleInterpreter
from nephoran.intent.meaning import Meaning
from nephoran.intent.render import Rendering, render
from nephoran.knowledge import knowledge
from nephoran.repository.memory import MemoryCommit, MemoryRemote, MemoryRepository
from steady import BatchConfig, Manager
from steady.apiserver import Server
from steady.clock import ManualClock
from steady.schema import crd
from tests.behaviour.house import CRDS, Json, User, condition, pass_time, requests, running
from tests.kstatus import KStatus, awaited, kstatus

pytestmark = pytest.mark.looptime

INTENTS = "/apis/nephoran.com/v1/namespaces/default/networkintents"
STATUS = ("patch", "networkintents", "status")
FINALIZER = ("patch", "networkintents", "")
IMAGES = {component: f"registry.example/{component}:1" for component in knowledge().components}


class Counting:
    """Reads as the rules do, and remembers what it was given."""

    def __init__(self) -> None:
        self.texts: list[str] = []

    async def interpret(self, text: str) -> Meaning:
        self.texts.append(text)
        return await RuleInterpreter().interpret(text)


class House:
    """One server, one user, one remote; the operator may run several times on them."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.user = User(server)
        self.remote = MemoryRemote()
        self.clock = ManualClock()

    async def create(self, name: str, text: str) -> Json:
        """A new intent."""
        metadata = {"name": name}
        body = {
            "apiVersion": "nephoran.com/v1",
            "kind": "NetworkIntent",
            "metadata": metadata,
            "spec": {"intent": text},
        }
        return await self.user.send("POST", INTENTS, body)

    async def get(self, name: str) -> Json:
        """An intent as it is."""
        return await self.user.send("GET", f"{INTENTS}/{name}")

    async def seen(self, name: str) -> KStatus:
        """An intent as tools see it; `kubectl wait` agrees."""
        intent = await self.get(name)
        assert awaited(intent) == (kstatus(intent) == "Current")
        return kstatus(intent)

    def files(self, name: str) -> dict[str, bytes]:
        """The directory of an intent, as committed."""
        return dict(self.remote.tree.get(("default", name), {}))

    def edit(self, name: str, files: dict[str, bytes] | None) -> None:
        """Somebody else makes an intent's directory what `files` say; None removes it."""
        head, directory = self.remote.head, ("default", name)
        tree = {**self.remote.tree, directory: files or {}}
        if files is None:
            del tree[directory]
        commit = MemoryCommit(f"by-others-{name}", head.id if head else None, "theirs", self.clock.now(), (directory,))
        self.remote.push(commit, tree)

    @asynccontextmanager
    async def operator(
        self, settings: Settings | None = None, latency: float = 0.0, interpreter: Interpreter | None = None
    ) -> AsyncIterator[Manager]:
        """The operator at work."""
        repository = self.repository = MemoryRepository(self.remote, clock=ManualClock(), latency=latency)
        reader = interpreter or RuleInterpreter()
        controller = intent_controller(reader, repository, settings or Settings(images=IMAGES))
        async with running(self.server, controller, services=[repository], clock=self.clock) as manager:
            yield manager


@pytest.fixture
async def house() -> AsyncIterator[House]:
    async with Server(clock=ManualClock()) as server:
        house = House(server)
        await house.user.send("POST", CRDS, crd(NetworkIntent))
        yield house


async def test_an_intent_costs_one_finalizer_patch_and_one_status_patch(house: House) -> None:
    """Create to Completed without the policy: 2 patches, no read, one commit that holds the manifests."""
    async with house.operator():
        await house.create("upf", "Deploy UPF with 3 replicas for high availability")
        await pass_time()
        intent = await house.get("upf")
        assert intent["status"]["phase"] == "Completed"
        assert condition(intent, "Ready") == ("True", "AllPhasesCompleted")
        assert condition(intent, "DeploymentVerified") == ("Unknown", "NotObserved")
        assert intent["status"]["gitCommitHash"] == house.remote.commits[-1].id
        assert b"replicas: 3" in house.files("upf")["deployment-upf.yaml"]
        assert requests(house.server) == {FINALIZER: 1, STATUS: 1}
        assert len(house.remote.commits) == 1


async def test_with_the_admission_policy_an_intent_costs_one_patch(house: House) -> None:
    """Where the server adds the finalizer at CREATE, the status is the only write."""
    house.server.add_finalizer_on_create("nephoran.com", "networkintents", INTENT_FINALIZER)
    async with house.operator():
        for number in range(20):
            await house.create(f"amf-{number}", "Deploy AMF with 2 replicas")
        await pass_time(5.0)
        assert requests(house.server) == {STATUS: 20}


async def test_a_slow_commit_shows_progress_once_per_batch_timeout(house: House) -> None:
    """A commit of three seconds costs one progress patch more, and the phase can be seen meanwhile."""
    house.server.add_finalizer_on_create("nephoran.com", "networkintents", INTENT_FINALIZER)
    async with house.operator(latency=3.0):
        await house.create("amf", "Deploy AMF")
        await pass_time(2.5)
        assert (await house.get("amf"))["status"]["phase"] == "GitOpsCommit"
        await pass_time(2.0)
        assert (await house.get("amf"))["status"]["phase"] == "Completed"
        assert requests(house.server) == {STATUS: 2}


async def test_new_batch_times_hold_from_the_next_status_on(house: House) -> None:
    """Told while it runs, the batcher shows progress after half a second instead of two."""
    house.server.add_finalizer_on_create("nephoran.com", "networkintents", INTENT_FINALIZER)
    async with house.operator(latency=3.0) as manager:
        manager.use(BatchConfig(batch_timeout=0.5))
        await house.create("amf", "Deploy AMF")
        await pass_time()
        assert (await house.get("amf"))["status"]["phase"] == "GitOpsCommit"


async def test_what_others_do_at_the_remote_is_undone_within_an_hour_at_no_request(house: House) -> None:
    """The remote is asked for its head ever more rarely, whatever the number of intents; the API server is not."""
    async with house.operator():
        for number in range(20):
            await house.create(f"amf-{number}", "Deploy AMF with 2 replicas")
        await pass_time()
        house.server.log.clear()
        drift = house.repository.drift
        looks = []
        for _ in range(5):
            before = drift.looks
            await pass_time(3600.0)
            looks.append(drift.looks - before)
        assert looks[0] == 5  # after about 1, 3, 7, 15 and 31 minutes
        assert set(looks[2:]) <= {1, 2}
        assert requests(house.server) == {}

        told, before = house.files("amf-7"), drift.looks
        house.edit("amf-7", {**told, "deployment-amf.yaml": b"replicas: 0\n"})
        house.edit("amf-8", None)
        await pass_time(3600.0)
        assert house.files("amf-7") == told
        assert "deployment-amf.yaml" in house.files("amf-8")
        assert drift.found == 2
        assert len(house.remote.commits) == 1 + 2 + 1  # ours, theirs, and one that takes back both
        assert requests(house.server) == {STATUS: 2}
        commit = house.remote.commits[-1].id
        for name in ("amf-7", "amf-8"):
            intent = await house.get(name)
            assert (intent["status"]["phase"], intent["status"]["gitCommitHash"]) == ("Completed", commit)
        await pass_time(3600.0)
        assert drift.looks - before >= 1 + 5  # the one that found it, and then as after a start


async def test_an_unchanged_intent_costs_nothing_and_a_restart_neither(house: House) -> None:
    """An hour, a label and a restart later there was no request but watches, and no second commit."""
    async with house.operator():
        await house.create("amf", "Deploy AMF")
        await pass_time()
        house.server.log.clear()
        await house.user.merge(f"{INTENTS}/amf", {"metadata": {"labels": {"any": "change"}}})
        await pass_time(3600.0)
        assert requests(house.server) == {}
    house.server.log.clear()
    async with house.operator():
        await pass_time(10.0)
        assert requests(house.server) == {}
        assert len(house.remote.commits) == 1


async def test_a_restart_interprets_nothing_again(house: House) -> None:
    """What an earlier life has completed stands in the record and the status: reading them is enough."""
    async with house.operator():
        await house.create("amf", "Deploy AMF")
        await house.create("more", "Scale AMF to 4 replicas")
        await pass_time()
    house.server.log.clear()
    reader = Counting()
    async with house.operator(interpreter=reader):
        await pass_time(10.0)
        assert reader.texts == ["Scale AMF to 4 replicas"]
        assert requests(house.server) == {}


async def test_an_upgrade_renders_nothing_anew_by_itself(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another renderer has its say when the intent changes, or when asked to reconcile once more."""
    async with house.operator():
        await house.create("amf", "Deploy AMF")
        await pass_time()

    def upgraded(*args: Any, **options: Any) -> Rendering:
        rendering = render(*args, **options)
        return msgspec.structs.replace(rendering, files={**rendering.files, "new.yaml": b"new\n"}, digest="new")

    monkeypatch.setattr(networkintent, "render", upgraded)
    house.server.log.clear()
    async with house.operator():
        await pass_time(10.0)
        assert requests(house.server) == {}
        assert len(house.remote.commits) == 1
        await house.user.merge(f"{INTENTS}/amf", {"metadata": {"annotations": {"nephoran.com/reconcile": "now"}}})
        await pass_time()
        assert house.files("amf")["new.yaml"] == b"new\n"


@pytest.mark.parametrize(
    "meanwhile",
    ["another image", "a scaling", "an edit", "a lost directory", "a foreign directory", "a namespace no more allowed"],
)
async def test_what_changed_while_the_operator_was_away_counts(house: House, meanwhile: str) -> None:
    """A restart looks at all that the directory was made from."""
    settings = Settings(images=IMAGES, namespaces=frozenset({("default", "core")}))
    async with house.operator(settings):
        await house.create("amf", "Deploy AMF in namespace core")
        await pass_time()
    before = house.files("amf")
    if meanwhile == "another image":
        settings = msgspec.structs.replace(settings, images={**IMAGES, "amf": "registry.example/amf:2"})
    elif meanwhile == "a scaling":
        await house.create("more", "Scale AMF to 4 replicas")
    elif meanwhile == "an edit":
        await house.user.merge(f"{INTENTS}/amf", {"spec": {"intent": "Deploy AMF in namespace core with 5 replicas"}})
    elif meanwhile == "a lost directory":
        house.edit("amf", None)
    elif meanwhile == "a foreign directory":
        house.edit("amf", {**before, "intent.json": before["intent.json"].replace(b'"digest": "', b'"digest": "0')})
    else:
        settings = Settings(images=IMAGES)
    async with house.operator(settings):
        await pass_time(10.0)
        after, intent = house.files("amf"), await house.get("amf")
    changes = {
        "another image": b"registry.example/amf:2" in after["deployment-amf.yaml"],
        "a scaling": b"replicas: 4" in after["deployment-amf.yaml"],
        "an edit": b"replicas: 5" in after["deployment-amf.yaml"],
        "another directory": after == before and len(house.remote.commits) == 3,
        "a namespace no more allowed": condition(intent, "Validated") == ("False", "NamespaceNotAllowed"),
    }
    expected = "another directory" if meanwhile in ("a lost directory", "a foreign directory") else meanwhile
    assert [name for name, happened in changes.items() if happened] == [expected]


async def test_an_edit_runs_again(house: House) -> None:
    """A changed sentence is committed anew with one patch."""
    async with house.operator():
        await house.create("amf", "Deploy AMF with 2 replicas")
        await pass_time()
        house.server.log.clear()
        await house.user.merge(f"{INTENTS}/amf", {"spec": {"intent": "Deploy AMF with 4 replicas"}})
        await pass_time()
        assert requests(house.server) == {STATUS: 1}
        assert b"replicas: 4" in house.files("amf")["deployment-amf.yaml"]
        assert (await house.get("amf"))["status"]["observedGeneration"] == 2


async def test_deleting_removes_the_directory_then_the_finalizer(house: House) -> None:
    """One patch, and the directory is gone from the repository."""
    async with house.operator():
        await house.create("amf", "Deploy AMF")
        await pass_time()
        house.server.log.clear()
        await house.user.send("DELETE", f"{INTENTS}/amf")
        await pass_time()
        assert requests(house.server) == {FINALIZER: 1}
        assert house.files("amf") == {}
        assert house.server.objects("networkintents.nephoran.com") == []


@pytest.mark.parametrize("policy", [True, False])
async def test_a_scale_intent_changes_what_another_one_deployed(house: House, *, policy: bool) -> None:
    """The target's manifests change, both say so for a status each; deleting the scale intent restores the base."""
    if policy:
        house.server.add_finalizer_on_create("nephoran.com", "networkintents", INTENT_FINALIZER)
    async with house.operator():
        await house.create("core", "Deploy AMF with 2 replicas")
        await pass_time()
        house.server.log.clear()
        await house.create("more", "Scale AMF to 5 replicas")
        await pass_time(5.0)
        more, core = await house.get("more"), await house.get("core")
        assert more["status"]["target"] == "core"
        assert condition(more, "Ready") == ("True", "AllPhasesCompleted")
        assert [it["name"] for it in core["status"]["adjustments"]] == ["more"]
        assert b"replicas: 5" in house.files("core")["deployment-amf.yaml"]
        assert requests(house.server) == {STATUS: 2} | ({} if policy else {FINALIZER: 1})
        house.server.log.clear()
        await house.user.send("DELETE", f"{INTENTS}/more")
        await pass_time(5.0)
        assert b"replicas: 2" in house.files("core")["deployment-amf.yaml"]
        assert requests(house.server) == {FINALIZER: 1, STATUS: 1}


async def test_a_scale_intent_without_a_target_waits_for_one(house: House) -> None:
    """NothingToScale, looked at again when somebody deploys what it scales; it costs nothing meanwhile."""
    async with house.operator():
        await house.create("more", "Scale AMF to 5 replicas")
        await pass_time(3600.0)
        for type_, status in (("Ready", "False"), ("Reconciling", "True")):
            assert condition(await house.get("more"), type_) == (status, "NothingToScale")
        assert requests(house.server) == {FINALIZER: 1, STATUS: 1}
        await house.create("core", "Deploy AMF with 2 replicas")
        await pass_time(5.0)
        assert condition(await house.get("more"), "Ready") == ("True", "AllPhasesCompleted")
        assert b"replicas: 5" in house.files("core")["deployment-amf.yaml"]


async def test_tools_see_where_an_intent_stands_at_every_step(house: House) -> None:
    """InProgress until it is committed, Current then, Failed when only an edit can help, Terminating when deleted."""
    await house.create("amf", "Deploy AMF with 2 replicas")
    assert await house.seen("amf") == "InProgress"
    async with house.operator(latency=3.0):
        await pass_time(2.5)
        assert await house.seen("amf") == "InProgress"
        await pass_time(2.0)
        assert await house.seen("amf") == "Current"

        for text, end in (("Bake a cake", "Failed"), ("Deploy AMF with 4 replicas", "Current")):
            await house.user.merge(f"{INTENTS}/amf", {"spec": {"intent": text}})
            assert await house.seen("amf") == "InProgress"
            await pass_time(5.0)
            assert await house.seen("amf") == end

        await house.create("more", "Scale SMF to 5 replicas")
        await pass_time(60.0)
        assert await house.seen("more") == "InProgress"
        await house.create("smf", "Deploy SMF")
        await pass_time(10.0)
        assert await house.seen("more") == "Current"
        await house.create("most", "Scale SMF to 6 replicas")
        await pass_time(10.0)
        assert condition(await house.get("more"), "Superseded") == ("True", "NewerIntent")
        assert await house.seen("more") == "Current"

        suspended = {"metadata": {"annotations": {"nephoran.com/suspend": "true"}}}
        await house.user.merge(f"{INTENTS}/amf", suspended)
        await pass_time()
        assert await house.seen("amf") == "Current"
        await house.user.merge(f"{INTENTS}/amf", {"spec": {"intent": "Deploy AMF with 3 replicas"}})
        await pass_time(60.0)
        assert await house.seen("amf") == "InProgress"

        await house.user.send("DELETE", f"{INTENTS}/amf")
        await pass_time(1.0)
        assert kstatus(await house.get("amf")) == "Terminating"
        await pass_time(5.0)
    assert {intent["metadata"]["name"] for intent in house.server.objects("networkintents")} == {"more", "smf", "most"}


async def test_tools_see_an_intent_in_progress_while_its_remote_declines(house: House) -> None:
    """It is tried again, and nobody need touch it: InProgress, then Current."""
    async with house.operator():
        house.remote.hook = lambda _: "the branch is locked"
        await house.create("amf", "Deploy AMF")
        await pass_time(60.0)
        assert condition(await house.get("amf"), "Ready") == ("False", "Refused")
        assert await house.seen("amf") == "InProgress"
        house.remote.hook = None
        await pass_time(600.0)
        assert await house.seen("amf") == "Current"


async def test_an_intent_that_was_refused_and_edited_is_in_progress_while_its_remote_declines(house: House) -> None:
    """Neither the reason nor the hopelessness of what it said before outlives the edit."""
    async with house.operator():
        await house.create("amf", "Bake a cake")
        await pass_time(5.0)
        assert await house.seen("amf") == "Failed"
        house.remote.hook = lambda _: "the branch is locked"
        await house.user.merge(f"{INTENTS}/amf", {"spec": {"intent": "Deploy AMF"}})
        await pass_time(60.0)
        assert await house.seen("amf") == "InProgress"
        intent = await house.get("amf")
        assert condition(intent, "Ready") == ("False", "Refused")
        assert condition(intent, "Reconciling") == ("True", "Retrying")


async def test_the_newest_of_two_scale_intents_wins(house: House) -> None:
    """The older one says Superseded, and by whom."""
    async with house.operator():
        await house.create("core", "Deploy AMF with 2 replicas")
        await pass_time()
        await house.create("a", "Scale AMF to 5 replicas")
        await pass_time(5.0)
        await house.create("b", "Scale AMF to 6 replicas")
        await pass_time(5.0)
        assert b"replicas: 6" in house.files("core")["deployment-amf.yaml"]
        assert condition(await house.get("a"), "Superseded") == ("True", "NewerIntent")
        assert condition(await house.get("b"), "Ready") == ("True", "AllPhasesCompleted")


@pytest.mark.parametrize(
    ("text", "understood"),
    [("Please make it work somehow", "understood the action"), ("Bake a cake", "understood nothing")],
)
async def test_a_meaningless_sentence_is_refused_once(house: House, text: str, understood: str) -> None:
    """One status that says what was understood, with an example; no retry until the spec changes, nor by a restart."""
    async with house.operator():
        await house.create("what", text)
        await pass_time(3600.0)
        intent = await house.get("what")
        assert condition(intent, "Processed") == ("False", "NotUnderstood")
        assert condition(intent, "Stalled") == ("True", "NotUnderstood")
        assert intent["status"]["phase"] == "Error"
        assert intent["status"]["lastMessage"].startswith(understood)
        lacks = "a network function or slice: write for example 'Deploy AMF with 3 replicas"
        assert lacks in intent["status"]["lastMessage"]
        assert requests(house.server) == {FINALIZER: 1, STATUS: 1}
    house.server.log.clear()
    async with house.operator():
        await pass_time(60.0)
        assert requests(house.server) == {}
        assert house.remote.commits == []
        await house.user.merge(f"{INTENTS}/what", {"spec": {"intent": "Deploy AMF"}})
        await pass_time()
        assert condition(await house.get("what"), "Stalled") is None


TRICKS = {
    "documents": "Deploy AMF with 2 replicas.\n---\napiVersion: v1\nkind: Secret\nmetadata: {name: stolen}",
    "keys": "Deploy AMF with 2 replicas\nspec:\n  hostNetwork: true",
    "quotes": "Deploy AMF with 2 replicas \"'} ]: {{ .Values.x }} ${HOME} $(id) `id` %s",
    "tags": "Deploy AMF with 2 replicas !!python/object/apply:os.system [id] &a *a <<: *b",
    "paths": "Deploy AMF with 2 replicas in ../../../etc/passwd and /home/git/.git/hooks/pre-push",
    "commit": "Deploy AMF with 2 replicas\n\nSigned-off-by: root\n- remove default/other uid=1",
    "directions": "Deploy AMF with 2 replicas \u202e \u0000 \u2028 \x1b[31m",
}


@pytest.mark.parametrize("trick", TRICKS)
async def test_no_text_leaves_its_place(house: House, trick: str) -> None:
    """Whatever a sentence holds: one directory, the files of any such intent, each of one object, one line in git."""
    async with house.operator():
        await house.create("plain", "Deploy AMF with 2 replicas")
        await pass_time()
        await house.create("tricky", TRICKS[trick])
        await pass_time()
        assert (await house.get("tricky"))["status"]["phase"] == "Completed"
    assert set(house.remote.tree) == {("default", "plain"), ("default", "tricky")}
    assert _kinds(house.files("tricky")) == _kinds(house.files("plain"))
    message = house.remote.commits[-1].message
    assert message.isprintable() or set(filterfalse(str.isprintable, message)) == {"\n"}
    assert [line for line in message.splitlines() if line.startswith("- ")] == message.splitlines()[2:]
    deployment = yaml.safe_load(house.files("tricky")["deployment-amf.yaml"])
    assert deployment["spec"]["replicas"] == 2
    assert "hostNetwork" not in deployment["spec"]["template"]["spec"]


def _kinds(files: dict[str, bytes]) -> dict[str, list[str]]:
    """The kind of each document of each file; the record is none of them."""
    del files["intent.json"]
    return {file: [document["kind"] for document in yaml.safe_load_all(text)] for file, text in files.items()}


@pytest.mark.parametrize("name", ["kustomization.yaml", "intent.json", "a.b.c", "0", "con", "git", "n" * 253])
async def test_any_name_that_the_server_takes_is_a_directory(house: House, name: str) -> None:
    """Its own, whatever files and systems make of such a name."""
    async with house.operator():
        await house.create(name, "Deploy AMF")
        await pass_time()
        assert (await house.get(name))["status"]["phase"] == "Completed"
        assert list(house.remote.tree) == [("default", name)]


@pytest.mark.parametrize("name", ["..", ".git", "a/b", "-x", "A", "a..b", "a\\b", "a\n", "n" * 254])
async def test_a_name_that_is_none_is_refused_by_the_server(house: House, name: str) -> None:
    """So it never becomes a path; if it came to that, the repository would refuse it too."""
    with pytest.raises(AssertionError, match=r"metadata\.name"):
        await house.create(name, "Deploy AMF")


async def test_a_foreign_namespace_needs_the_owners_word(house: House) -> None:
    """A sentence may name a namespace; without the owner's allowance nothing is committed."""
    async with house.operator():
        await house.create("amf", "Deploy AMF with 2 replicas in namespace kube-system")
        await pass_time()
        assert condition(await house.get("amf"), "Validated") == ("False", "NamespaceNotAllowed")
        assert house.remote.commits == []


async def test_without_an_image_nothing_is_called_ready(house: House) -> None:
    """ImageUnknown names the component; the rest is committed."""
    async with house.operator(Settings()):
        await house.create("amf", "Deploy AMF")
        await pass_time()
        intent = await house.get("amf")
        assert condition(intent, "ImageUnknown") == ("True", "ImageUnknown")
        ready: Any = condition(intent, "Ready")
        assert ready[0] == "False"
        assert "deployment-amf.yaml" not in house.files("amf")


async def test_verified_by_deployments_an_intent_waits_for_this_digest(house: House) -> None:
    """One status says committed, one Ready when Deployments with this digest are available, one that they are lost."""
    deployments = "/apis/apps/v1/namespaces/default/deployments"
    async with house.operator(Settings(images=IMAGES, verify="deployments")):
        await house.create("amf", "Deploy AMF with 2 replicas")
        await pass_time(5.0)
        intent = await house.get("amf")
        assert condition(intent, "Ready") == ("False", "DeploymentMissing")
        assert intent["status"]["phase"] == "DeploymentVerification"
        await pass_time(60.0)
        assert requests(house.server) == {FINALIZER: 1, STATUS: 1}
        house.server.log.clear()
        manifest = yaml.safe_load(house.files("amf")["deployment-amf.yaml"])
        await house.user.send("POST", deployments, manifest)
        name = manifest["metadata"]["name"]
        numbers = {"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}
        await house.user.merge(f"{deployments}/{name}/status", {"status": numbers})
        await pass_time(60.0)
        assert condition(await house.get("amf"), "Ready") == ("True", "AllPhasesCompleted")
        assert condition(await house.get("amf"), "DeploymentVerified") == ("True", "DeploymentsAvailable")
        assert requests(house.server) == {STATUS: 1}
        await house.user.merge(f"{deployments}/{name}/status", {"status": {"availableReplicas": 0}})
        await pass_time(60.0)
        assert condition(await house.get("amf"), "Ready") == ("False", "DeploymentProgressing")
        assert requests(house.server) == {STATUS: 2}


async def test_deployments_that_never_come_stall_the_intent(house: House) -> None:
    """After the deadline the intent says Stalled, and nothing loops."""
    async with house.operator(Settings(images=IMAGES, verify="deployments", deadline=60.0)):
        await house.create("amf", "Deploy AMF with 2 replicas")
        await pass_time(30.0)
        assert condition(await house.get("amf"), "Stalled") is None
        house.clock.advance(120.0)
        await pass_time(60.0)
        assert condition(await house.get("amf"), "Stalled") == ("True", "DeploymentDeadlineExceeded")
        house.server.log.clear()
        await pass_time(3600.0)
        assert requests(house.server) == {}


async def test_a_suspended_intent_is_left_alone_until_it_is_resumed(house: House) -> None:
    """One patch that says so, one that resumes; edited meanwhile, nothing is committed before."""
    annotation = "nephoran.com/suspend"
    async with house.operator():
        await house.create("amf", "Deploy AMF with 2 replicas")
        await pass_time()
        house.server.log.clear()
        await house.user.merge(f"{INTENTS}/amf", {"metadata": {"annotations": {annotation: "true"}}})
        await pass_time()
        await house.user.merge(f"{INTENTS}/amf", {"spec": {"intent": "Deploy AMF with 4 replicas"}})
        await pass_time(3600.0)
        assert condition(await house.get("amf"), "Suspended") == ("True", "SuspendedByAnnotation")
        assert condition(await house.get("amf"), "Ready") == ("True", "AllPhasesCompleted")
        assert (await house.get("amf"))["status"]["observedGeneration"] == 1
        assert requests(house.server) == {STATUS: 1}
        assert len(house.remote.commits) == 1
        await house.user.merge(f"{INTENTS}/amf", {"metadata": {"annotations": {annotation: None}}})
        await pass_time()
        assert requests(house.server) == {STATUS: 2}
        assert b"replicas: 4" in house.files("amf")["deployment-amf.yaml"]
        assert condition(await house.get("amf"), "Suspended") is None


async def test_a_suspended_intent_is_still_removed(house: House) -> None:
    """Its directory goes, then its finalizer."""
    async with house.operator():
        await house.create("amf", "Deploy AMF")
        await pass_time()
        await house.user.merge(f"{INTENTS}/amf", {"metadata": {"annotations": {"nephoran.com/suspend": "true"}}})
        await pass_time()
        house.server.log.clear()
        await house.user.send("DELETE", f"{INTENTS}/amf")
        await pass_time()
        assert requests(house.server) == {FINALIZER: 1}
        assert house.files("amf") == {}


async def test_reconciling_once_more_costs_one_patch_and_no_commit_where_nothing_differs(house: House) -> None:
    """The sentence is read anew, the commit stays; the same value again and a restart cost nothing."""
    interpreter = Counting()
    async with house.operator(interpreter=interpreter):
        await house.create("amf", "Deploy AMF")
        await pass_time()
        commit = (await house.get("amf"))["status"]["gitCommitHash"]
        await house.create("smf", "Deploy SMF")
        await pass_time()
        house.server.log.clear()
        for _ in range(2):
            await house.user.merge(f"{INTENTS}/amf", {"metadata": {"annotations": {"nephoran.com/reconcile": "1"}}})
            await pass_time(5.0)
            assert requests(house.server) == {STATUS: 1}
            assert interpreter.texts == ["Deploy AMF", "Deploy SMF", "Deploy AMF"]
            assert (await house.get("amf"))["status"]["gitCommitHash"] == commit
    async with house.operator():
        await pass_time(10.0)
        assert requests(house.server) == {STATUS: 1}
    assert len(house.remote.commits) == 2


async def test_reconciling_once_more_undoes_what_others_did_to_the_directory(house: House) -> None:
    """A record that still reads as wanted hides it from ordinary reconciles."""
    async with house.operator():
        await house.create("amf", "Deploy AMF with 2 replicas")
        await pass_time()
        spoilt = {**house.files("amf"), "deployment-amf.yaml": b"replicas: 9\n"}
        foreign = MemoryCommit("f" * 40, house.remote.commits[-1].id, "by hand", ManualClock().now(), ())
        house.remote.push(foreign, {**house.remote.tree, ("default", "amf"): spoilt})
        await house.user.merge(f"{INTENTS}/amf", {"metadata": {"labels": {"any": "change"}}})
        await pass_time(5.0)
        assert house.files("amf") == spoilt
        house.server.log.clear()
        await house.user.merge(f"{INTENTS}/amf", {"metadata": {"annotations": {"nephoran.com/reconcile": "1"}}})
        await pass_time(5.0)
        assert b"replicas: 2" in house.files("amf")["deployment-amf.yaml"]
        assert requests(house.server) == {STATUS: 1}
        assert (await house.get("amf"))["status"]["gitCommitHash"] == house.remote.commits[-1].id
