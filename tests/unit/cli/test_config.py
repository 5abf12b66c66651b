"""The operator's configuration on the command line, and what of it changes while the operator runs."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
from pathlib import Path

import click
import msgspec
import pytest
import yaml
from click.testing import CliRunner, Result

from nephoran.cli import cli
from nephoran.cli.embedded import install
from nephoran.cli.live import Live
from nephoran.cli.run import _serve, manager, run
from nephoran.configuration import Configuration, configured
from nephoran.metrics import OperatorMetrics
from nephoran.repository.memory import MemoryRepository
from steady import BackoffManager, ErrorType, Manager
from steady.apiserver import Server
from steady.client import Connection
from steady.clock import ManualClock
from steady.configuration import settings
from steady.errors import ConfigurationError
from steady.tasks import Scope
from steady.testing.memory import MemoryTransport

WHOLE = """\
namespace: edge
images: {amf: registry.example/amf:1}
allow: {namespaces: [default=5g-core, default=oran], addresses: ["10.0.0.0/8"]}
verify: deployments
verify_deadline: 60
probes: ""
grace: 7
lease: {namespace: ops, duration: 30}
controllers: {networkintent: {concurrency: 3}, e2nodeset: {deadline: 9}}
batch: {batch_timeout: 1}
backoff: {transient: {max_delay: 60}}
limiter: {burst: 5}
"""


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """None of the variables of whoever runs the tests."""
    for setting in settings(Configuration()).values():
        monkeypatch.delenv(setting.variable("NEPHORAN"), raising=False)
    monkeypatch.delenv("NEPHORAN_CONFIG", raising=False)


def nephoran(*arguments: str) -> Result:
    """The output of one command."""
    return CliRunner().invoke(cli, ["config", *arguments])


def written(folder: Path, text: str) -> Path:
    file = folder / "nephoran.yaml"
    file.write_text(text, encoding="utf-8")
    return file


def put_together(configuration: Configuration) -> Manager:
    """The operator, never started."""
    repository = MemoryRepository(clock=ManualClock())
    return manager(configuration, repository, lambda: MemoryTransport(Server(clock=ManualClock())), home="home")


def test_every_key_reaches_the_part_that_it_is_about(tmp_path: Path) -> None:
    """From the file to the manager's options and controllers."""
    made = put_together(configured(written(tmp_path, WHOLE)).value)
    options = made.options
    assert (options.namespace, options.grace, options.probe_port) == ("edge", 7.0, None)
    assert options.lease is not None
    assert (options.lease.namespace, options.lease_config.duration) == ("ops", 30.0)
    assert (options.batch.batch_timeout, options.limiter.burst) == (1.0, 5)
    intents, sets = made._controllers
    assert (intents.concurrency, intents.deadline) == (3, 300.0)
    assert (sets.concurrency, sets.deadline) == (16, 9.0)
    assert [watched.resource.kind for watched in intents.watches] == ["NetworkIntent", "Deployment"]
    assert made._backoff._config[ErrorType.TRANSIENT].max_delay == 60.0


def test_one_namespace_may_send_to_several(tmp_path: Path) -> None:
    """Each pair counts, also where the first namespace is the same."""
    pairs = configured(written(tmp_path, WHOLE)).value.allow.pairs
    assert pairs == {("default", "5g-core"), ("default", "oran")}


def test_without_a_word_the_lease_is_where_the_connection_is() -> None:
    """And there is none where it is switched off."""
    assert str(put_together(Configuration()).options.lease) == "home/nephoran-intent-operator"
    off = msgspec.structs.replace(Configuration().lease, enabled=False)
    assert put_together(Configuration(lease=off)).options.lease is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("git: {branch: a..b}", "git branch 'a..b' is not a branch name"),
        ("git: {path: ../x}", "'..' is not a folder name"),
        ("git: {url: 'ext::sh -c x'}", "use an absolute path or one of the protocols"),
        ("git: {protocols: [ext]}", "one of file, http, https, ssh"),
        ("allow: {addresses: ['http://x']}", "is no host"),
        ("allow: {namespaces: [default]}", "such as default=5g-core"),
        ("lease: {duration: 5}", "duration (5) must be above renew_deadline (10)"),
        (
            "backoff: {transient: {base_delay: 400}}",
            "base_delay is 400.0; it must be more than 0 and at most max_delay, 300 s",
        ),
        ("probes: 127.0.0.1:99999", "99999 is no port"),
        ("token: abc", "there is no such key"),
    ],
)
def test_check_finds_what_run_would_refuse(tmp_path: Path, text: str, words: str) -> None:
    """Before anything is started; with the file and the section."""
    file = written(tmp_path, text)
    with pytest.raises(ConfigurationError) as refused:
        configured(file)
    assert words in str(refused.value)
    assert str(refused.value).startswith(f"{file}: {text.partition(':')[0]}")


def test_check_says_ok_or_raises(tmp_path: Path) -> None:
    """The file alone counts."""
    file = written(tmp_path, WHOLE)
    assert nephoran("check", str(file)).output == f"{file}: ok\n"
    assert isinstance(nephoran("check", str(written(tmp_path, "a: 1\nb: 2"))).exception, ConfigurationError)


def test_show_prints_what_run_would_have(tmp_path: Path) -> None:
    """The same options; as YAML it can be read back."""
    file = written(tmp_path, WHOLE)
    shown = nephoran("show", f"--config={file}", "--no-lease", "--image=upf=u", "--git-url=https://me:s3cr3t@h/x")
    assert "s3cr3t" not in shown.output
    tree = yaml.safe_load(shown.output)
    assert tree["images"] == {"amf": "registry.example/amf:1", "upf": "u"}
    assert tree["lease"]["enabled"] is False
    assert tree["git"]["url"] == "https://***@h/x"
    again = tmp_path / "again.yaml"
    again.write_text(nephoran("show", f"--config={file}").output, encoding="utf-8")
    assert configured(again).value == configured(file).value


def test_show_says_where_each_value_comes_from(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Key by key, as JSON for programs."""
    monkeypatch.setenv("NEPHORAN_LOG_LEVEL", "debug")
    file = written(tmp_path, WHOLE)
    shown = json.loads(nephoran("show", f"--config={file}", "--verify=commit", "--origins", "-o", "json").output)
    assert shown["verify"] == {"value": "commit", "origin": "--verify"}
    assert shown["log.level"] == {"value": "debug", "origin": "$NEPHORAN_LOG_LEVEL"}
    assert shown["grace"] == {"value": 7.0, "origin": str(file)}
    assert shown["git.branch"] == {"value": "main", "origin": "default"}


def test_an_option_that_is_not_given_says_nothing(tmp_path: Path) -> None:
    """Neither a flag nor a list takes the file's word back."""
    file = written(tmp_path, "lease: {enabled: false}\nallow: {addresses: [ric]}\n")
    tree = yaml.safe_load(nephoran("show", f"--config={file}").output)
    assert (tree["lease"]["enabled"], tree["allow"]["addresses"]) == (False, ["ric"])


def test_run_has_an_option_for_every_key_that_names_one() -> None:
    """And no other but --config and --help."""
    made = {option for parameter in run.get_params(click.Context(run)) for option in parameter.opts}
    named = {
        setting.extra["option"].partition("/")[0]
        for setting in settings(Configuration()).values()
        if "option" in setting.extra
    }
    assert made == named | {"--config", "--help"}


def test_every_type_of_error_has_its_delays() -> None:
    """The section and the enumeration name the same."""
    assert set(Configuration().backoff.by_type()) == set(ErrorType)
    assert [*Configuration().backoff.__struct_fields__] == [error_type.value for error_type in ErrorType]


class Running:
    """An operator that was put together from a file, and what it says when it reads that file again."""

    def __init__(self, file: Path) -> None:
        self.file = file
        loaded = configured(file)
        self.backoff = BackoffManager(loaded.value.backoff.by_type())
        self.manager = put_together(loaded.value)
        self.live = Live(lambda: configured(file), loaded, self.manager, self.backoff)

    def reread(self, text: str) -> None:
        self.file.write_text(text, encoding="utf-8")
        self.live.reload()


@pytest.fixture
def running(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> Running:
    caplog.set_level(logging.INFO)
    return Running(written(tmp_path, WHOLE))


def test_live_keys_change_while_the_operator_runs(running: Running, caplog: pytest.LogCaptureFixture) -> None:
    """Backoff, batching and the log level, each told with its new value."""
    changed = WHOLE.replace("max_delay: 60", "max_delay: 90").replace("batch_timeout: 1", "batch_timeout: 4")
    running.reread(changed + "log: {level: warning}\n")
    assert running.backoff._config[ErrorType.TRANSIENT].max_delay == 90.0
    assert running.manager.options.batch.batch_timeout == 4.0
    assert logging.getLogger().level == logging.WARNING
    logging.getLogger().setLevel(logging.INFO)
    running.reread(changed)
    assert "backoff.transient.max_delay is now 90.0" in caplog.text
    assert "log.level is now info" in caplog.text
    assert caplog.text.count("is now") == 4


def test_a_key_that_is_not_live_is_named_until_the_restart(running: Running, caplog: pytest.LogCaptureFixture) -> None:
    """It changes nothing; put back, nothing is said."""
    running.reread(WHOLE.replace("burst: 5", "burst: 6"))
    running.reread(WHOLE.replace("burst: 5", "burst: 6"))
    assert caplog.text.count("limiter.burst has changed, which needs a restart") == 2
    assert running.manager.options.limiter.burst == 5
    caplog.clear()
    running.reread(WHOLE)
    assert "limiter" not in caplog.text


def test_a_broken_file_changes_nothing_and_says_why(running: Running, caplog: pytest.LogCaptureFixture) -> None:
    """Not even those of its keys that are right."""
    running.reread("backoff: {transient: {max_delay: 90}}\nbatch: {batch_timeout: -1}\n")
    assert running.backoff._config[ErrorType.TRANSIENT].max_delay == 60.0
    assert "the configuration stays as it is" in caplog.text
    assert "batch.batch_timeout: -1 is not allowed; use a number from 0 to 86400" in caplog.text


@pytest.mark.looptime
async def test_a_hangup_reads_the_file_again_and_ends_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """As `nephoran run` does it; SIGTERM still stops in order."""
    caplog.set_level(logging.INFO)
    file = written(tmp_path, "probes: ''\nbackoff: {transient: {max_delay: 60}}\n")
    async with Server(clock=ManualClock()) as server, Scope("test") as scope:
        await install(server)
        monkeypatch.setattr("steady.client.HttpTransport", lambda _: MemoryTransport(server))
        repository, connection = MemoryRepository(clock=ManualClock()), Connection("http://unused")
        operator = _serve(lambda: configured(file), configured(file), repository, connection, OperatorMetrics())
        serving = scope.start(operator, "run")
        await asyncio.sleep(5.0)
        written(tmp_path, "probes: ''\nbackoff: {transient: {max_delay: 90}}\n")
        os.kill(os.getpid(), signal.SIGHUP)
        await asyncio.sleep(5.0)
        assert "backoff.transient.max_delay is now 90.0" in caplog.text
        assert not serving.done()
        os.kill(os.getpid(), signal.SIGTERM)
        await serving
