"""The command line as a user meets it: outputs to pipe, one-line errors, exit codes."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import yaml


def nephoran(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command line in a process of its own."""
    code = "import sys; from nephoran.cli import main; sys.exit(main())"
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("KUBE", "NEPHORAN"))}
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**kept, "HOME": "/nonexistent", **environment},
    )


def test_interpret_prints_the_keys_of_the_collection() -> None:
    """A sentence's meaning as JSON, fit for a pipe."""
    done = nephoran("interpret", "Deploy UPF with 3 replicas for high availability", "-o", "json")
    assert done.returncode == 0
    meaning = json.loads(done.stdout)
    assert (meaning["action"], meaning["components"], meaning["replicas"]) == ("deploy", ["upf"], {"upf": 3})


def test_a_meaningless_sentence_is_one_line_and_exit_code_1() -> None:
    """The error says what would be understood."""
    done = nephoran("interpret", "Please make it work somehow")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("text", "reason", "understood", "missing"),
    [
        ("Deploy something nice", "NotUnderstood", "the action deploy", "a network function or slice"),
        ("Hello AMF", "NotUnderstood", "the function amf", "what to do (deploy, scale, configure, optimize …)"),
        ("Do not deploy AMF", "NotUnderstood", "a negation", "what to do instead"),
        ("", "Empty", "nothing", "one sentence of at most 2000 characters"),
    ],
)
def test_as_json_a_meaningless_sentence_is_a_document_too(
    text: str, reason: str, understood: str, missing: str
) -> None:
    """Whoever reads standard output learns what was understood, what is missing, and what would do."""
    done = nephoran("interpret", text, "-o", "json")
    assert (done.returncode, done.stderr) == (1, "")
    error = json.loads(done.stdout)["error"]
    assert (error["reason"], error["understood"], error["missing"]) == (reason, understood, missing)
    assert error["message"]
    assert nephoran("interpret", error["example"]).returncode == 0


@pytest.mark.parametrize("arguments", [[], ["Deploy AMF", "--check", os.devnull], ["--check", "/nonexistent/file"]])
def test_interpret_wants_either_a_sentence_or_a_file(arguments: list[str]) -> None:
    """One of both would be ignored without a word; standard output stays empty."""
    done = nephoran("interpret", *arguments, "-o", "json")
    assert (done.returncode, done.stdout) == (2, "")


def test_check_scores_a_file(tmp_path: Path) -> None:
    """Exit code 0 only if every sentence is read as stated."""
    good = {"text": "Scale AMF to 5 replicas", "action": "scale", "components": ["amf"], "replicas": {"amf": 5}}
    (tmp_path / "good.jsonl").write_text(json.dumps(good))
    (tmp_path / "bad.jsonl").write_text(json.dumps({**good, "action": "deploy"}))
    assert nephoran("interpret", "--check", str(tmp_path / "good.jsonl")).returncode == 0
    bad = nephoran("interpret", "--check", str(tmp_path / "bad.jsonl"), "-o", "json")
    assert bad.returncode == 1
    assert json.loads(bad.stdout)["right"] == 0
    (tmp_path / "none.jsonl").write_text(json.dumps({**good, "text": "Bake a cake"}))
    none = nephoran("interpret", "--check", str(tmp_path / "none.jsonl"), "-o", "json")
    assert (none.returncode, none.stderr) == (1, "")
    assert json.loads(none.stdout)["right"] == 0
    (tmp_path / "broken.jsonl").write_text("no JSON")
    broken = nephoran("interpret", "--check", str(tmp_path / "broken.jsonl"), "-o", "json")
    assert (broken.returncode, broken.stdout) == (2, "")
    assert "line 1" in broken.stderr


def test_install_prints_manifests_and_leaves_the_policy_out_where_nobody_can_be_asked() -> None:
    """Standard output is YAML alone; the note goes to standard error."""
    done = nephoran("install")
    kinds = [manifest["kind"] for manifest in yaml.safe_load_all(done.stdout)]
    assert done.returncode == 0
    assert "CustomResourceDefinition" in kinds
    assert "MutatingAdmissionPolicy" not in kinds
    assert "without the admission policy" in done.stderr
    forced = nephoran("install", "--admission-policy=on")
    assert "MutatingAdmissionPolicy" in [manifest["kind"] for manifest in yaml.safe_load_all(forced.stdout)]


def test_monitoring_prints_rules_and_dashboard_for_a_place_of_ones_own() -> None:
    """Nothing but what is asked for goes to standard output."""
    rules = yaml.safe_load(nephoran("monitoring", "rules", "--job=oran", "--runbooks=https://docs.example").stdout)
    manifest = yaml.safe_load(nephoran("monitoring", "prometheusrule", "--namespace=oran").stdout)
    config_map = yaml.safe_load(nephoran("monitoring", "configmap", "--namespace=oran").stdout)
    dashboard = json.loads(nephoran("monitoring", "dashboard").stdout)
    down = rules["groups"][0]["rules"][5]
    assert (down["alert"], down["expr"]) == ("OperatorDown", 'absent(up{job="oran"} == 1)')
    assert down["annotations"]["runbook_url"] == "https://docs.example/operator-down.md"
    assert (manifest["kind"], manifest["metadata"]["namespace"]) == ("PrometheusRule", "oran")
    assert json.loads(config_map["data"]["nephoran.json"]) == dashboard


@pytest.mark.parametrize(
    ("arguments", "environment", "words"),
    [
        (["run", "--probes", "nowhere"], {}, "--probes"),
        (["run", "--kubeconfig", "/nonexistent/config"], {}, "/nonexistent/config"),
        (["run", "--image", "amf"], {}, "NAME=VALUE"),
        (["run", "--verify", "never"], {}, "commit, deployments"),
        (["run", "--config", "/nonexistent/c.yaml"], {}, "/nonexistent/c.yaml"),
        (
            ["run"],
            {"NEPHORAN_GIT_URI": "x"},
            "$NEPHORAN_GIT_URI: there is no such variable; did you mean NEPHORAN_GIT_URL?",
        ),
        (["run"], {"NEPHORAN_ADDRESSES": "x"}, "did you mean NEPHORAN_ALLOW_ADDRESSES?"),
        (["run"], {"NEPHORAN_FOO": "x"}, "nephoran: $NEPHORAN_FOO: there is no such variable\n"),
        (["monitoring", "rules", "--job", 'a"b'], {}, "job"),
        (["run"], {"NEPHORAN_KUBECONFIG": "/nonexistent/other"}, "/nonexistent/other"),
    ],
)
def test_a_wrong_option_is_one_line_and_exit_code_2(
    arguments: list[str], environment: dict[str, str], words: str
) -> None:
    """What is wrong, where, and nothing else; environment variables count as options."""
    done = nephoran(*arguments, **environment)
    assert done.returncode == 2
    assert words in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_server_that_is_not_there_is_one_line_and_exit_code_1(tmp_path: Path, scheme: str) -> None:
    """It says where nobody answers; whoever started the operator starts it again."""
    with socket.create_server(("127.0.0.1", 0)) as held:
        address = f"127.0.0.1:{held.getsockname()[1]}"
    config = {
        "current-context": "c",
        "contexts": [{"name": "c", "context": {"cluster": "c"}}],
        "clusters": [{"name": "c", "cluster": {"server": f"{scheme}://{address}"}}],
    }
    (tmp_path / "config").write_text(yaml.safe_dump(config))
    done = nephoran("run", "--kubeconfig", str(tmp_path / "config"), "--work", str(tmp_path / "work"))
    assert done.returncode == 1
    assert done.stderr == f"nephoran: cannot connect to {address}: Connection refused\n"


HELP = """
import json, sys
from click.testing import CliRunner
from nephoran.cli import cli
from nephoran.cli.configured import Configured

def commands(command, *path):
    yield path, command
    for name, inner in getattr(command, "commands", {}).items():
        yield from commands(inner, *path, name)

shown = {}
# Those that take the configuration's options come last: they load what declares them.
for path, command in sorted(commands(cli), key=lambda found: isinstance(found[1], Configured)):
    done = CliRunner().invoke(cli, [*path, "--help"], prog_name="nephoran")
    shown[" ".join(path)] = done.exit_code, done.output, sorted({name.partition(".")[0] for name in sys.modules})
print(json.dumps(shown))
"""
HEAVY = {
    "aiohttp",
    "cel_expr_python",
    "google",
    "jsonschema_rs",
    "openai",
    "prometheus_client",
    "pygit2",
    "rich",
    "steady",
}
CONFIGURED = {"aiohttp", "prometheus_client", "pygit2", "steady"}


def test_every_command_has_help_and_loads_no_library_for_it() -> None:
    """Only `run` and `config show` load the operator, whose declaration is where their options come from."""
    done = subprocess.run([sys.executable, "-c", HELP], capture_output=True, text=True, timeout=60, check=True)
    shown = json.loads(done.stdout)
    assert {"", "demo", "run", "config show", "monitoring rules", "interpret"} <= shown.keys()
    for path, (code, output, modules) in shown.items():
        assert code == 0
        assert output.startswith(f"Usage: nephoran {path}".rstrip() + " [OPTIONS]")
        allowed = CONFIGURED if path in {"run", "config show"} else set()
        assert HEAVY & {*modules} <= allowed, path


def test_help_and_errors_call_the_program_by_its_name() -> None:
    """However it was started."""
    assert nephoran("--help").stdout.startswith("Usage: nephoran [OPTIONS] COMMAND")
    assert nephoran("run", "--bogus").stderr.startswith("Usage: nephoran run [OPTIONS]\n")
