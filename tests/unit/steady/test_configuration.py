"""A tree of structs, a file, variables and options: what is taken, what is refused, and what each refusal says."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec
import pytest
from msgspec import Meta

from steady import Options
from steady.configuration import Given, load, reference, settings
from steady.errors import ConfigurationError


class Pace(StrEnum):
    SLOW = "slow"
    FAST = "fast"


class Limits(msgspec.Struct, frozen=True):
    """How much."""

    low: Annotated[int, Meta(ge=0, le=10, description="The least.")] = 1
    high: Annotated[int, Meta(gt=0, description="The most.")] = 5

    def __post_init__(self) -> None:
        if self.low > self.high:
            raise ValueError(f"low ({self.low}) is above high ({self.high})")


class Remote(msgspec.Struct, frozen=True):
    """Where to."""

    url: Annotated[str, Meta(description="Where it is.", extra={"option": "--url"})] = ""
    password: Annotated[str, Meta(description="Who we are.", extra={"secret": True})] = ""


class Tree(msgspec.Struct, frozen=True):
    """All of it."""

    name: Annotated[str, Meta(description="A | B.", pattern="^[a-z]*$", examples=["amf"])] = "x"
    level: Annotated[Literal["debug", "info"], Meta(description="How loud.")] = "info"
    pace: Annotated[Pace, Meta(description="How fast.")] = Pace.SLOW
    wait: Annotated[float, Meta(ge=0, le=60, description="Seconds.", extra={"live": True})] = 1.5
    active: Annotated[bool, Meta(description="Whether.")] = False
    hosts: Annotated[tuple[str, ...], Meta(description="Which.")] = ()
    images: Annotated[dict[str, str], Meta(description="What.")] = {}
    limits: Annotated[Limits, Meta(extra={"live": True})] = Limits(2, 8)
    remote: Remote = Remote()


class Inner(msgspec.Struct, frozen=True):
    b: int = 0


class Outer(msgspec.Struct, frozen=True):
    a: Inner = Inner()
    a_b: int = 0


def written(folder: Path, text: str, name: str = "c.yaml") -> Path:
    file = folder / name
    file.write_text(text, encoding="utf-8")
    return file


def wrong(folder: Path, text: str, name: str = "c.yaml", **environment: str) -> list[str]:
    """The lines that a file and variables are refused with; the folder is left out."""
    with pytest.raises(ConfigurationError) as refused:
        load(Tree(), written(folder, text, name), prefix="APP", environment=environment)
    return str(refused.value).replace(f"{folder}/", "").splitlines()


def test_nothing_said_leaves_the_defaults() -> None:
    """The tree's own values, also where they differ from its sections' defaults."""
    loaded = load(Tree())
    assert loaded.value == Tree()
    assert loaded.value.limits == Limits(2, 8)
    assert {shown.origin for shown in loaded.flat().values()} == {"default"}


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("c.yaml", "limits: {low: 3}\nhosts: [a, b]\nwait: 2\npace: fast\nremote:\n"),
        ("c.toml", 'hosts = ["a", "b"]\nwait = 2\npace = "fast"\n[limits]\nlow = 3\n'),
    ],
)
def test_yaml_and_toml_say_the_same(tmp_path: Path, name: str, text: str) -> None:
    """What a file leaves out keeps its value, within a section too; an empty section says nothing."""
    value = load(Tree(), written(tmp_path, text, name)).value
    assert value == Tree(limits=Limits(3, 8), hosts=("a", "b"), wait=2.0, pace=Pace.FAST)


def test_options_win_over_variables_and_these_over_the_file(tmp_path: Path) -> None:
    """Each value says where it comes from."""
    file = written(tmp_path, "name: file\nlevel: debug\nwait: 1\nlimits: {low: 3}\n")
    environment = {"APP_NAME": "variable", "APP_LEVEL": "debug", "APP_LIMITS_HIGH": "9", "OTHER": "1"}
    options = [Given("name", "option", "--name", text=True), Given("active", value=True, origin="--active")]
    loaded = load(Tree(), file, prefix="APP", environment=environment, options=options)
    assert (loaded.value.name, loaded.value.level, loaded.value.wait, loaded.value.active) == (
        "option",
        "debug",
        1.0,
        True,
    )
    origins = {name: shown.origin for name, shown in loaded.flat().items()}
    assert origins["name"] == "--name"
    assert origins["level"] == "$APP_LEVEL"
    assert origins["limits.high"] == "$APP_LIMITS_HIGH"
    assert origins["limits.low"] == origins["wait"] == str(file)
    assert origins["pace"] == "default"


def test_the_entries_of_maps_add_up_and_lists_are_replaced(tmp_path: Path) -> None:
    """In a text, entries stand between commas or blanks."""
    file = written(tmp_path, "images: {amf: 'r/amf:1', upf: 'r/upf:1'}\nhosts: [a]\n")
    environment = {"APP_IMAGES": "upf=r/upf:2,smf=r/smf:2", "APP_HOSTS": "b c, d"}
    loaded = load(Tree(), file, prefix="APP", environment=environment)
    assert loaded.value.images == {"amf": "r/amf:1", "upf": "r/upf:2", "smf": "r/smf:2"}
    assert loaded.value.hosts == ("b", "c", "d")
    shown = loaded.flat()
    assert [shown[f"images.{name}"].origin for name in ("amf", "upf")] == [str(file), "$APP_IMAGES"]


def test_a_variable_may_name_the_file(tmp_path: Path) -> None:
    """PREFIX_CONFIG, unless a file is given."""
    one, two = written(tmp_path, "name: one", "1.yaml"), written(tmp_path, "name: two", "2.yaml")
    environment = {"APP_CONFIG": str(one)}
    assert load(Tree(), prefix="APP", environment=environment).value.name == "one"
    assert load(Tree(), two, prefix="APP", environment=environment).value.name == "two"


def test_without_a_prefix_no_variable_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    """With one, the process's own environment does."""
    monkeypatch.setenv("APP_NAME", "mine")
    assert load(Tree()).value.name == "x"
    assert load(Tree(), prefix="APP").value.name == "mine"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("level: loud", 'c.yaml: level: "loud" is not allowed; use one of debug, info'),
        ("pace: 3", "c.yaml: pace: 3 is not allowed; use one of slow, fast"),
        ("wait: 61", "c.yaml: wait: 61 is not allowed; use a number from 0 to 60"),
        ("wait: .nan", "c.yaml: wait: nan is not allowed; use a number from 0 to 60"),
        ("wait: '1'", 'c.yaml: wait: "1" is not allowed; use a number from 0 to 60'),
        ("limits: {high: 0}", "c.yaml: limits.high: 0 is not allowed; use a whole number above 0"),
        ("limits: {high: 1.5}", "c.yaml: limits.high: 1.5 is not allowed; use a whole number above 0"),
        ("limits: {low: true}", "c.yaml: limits.low: true is not allowed; use a whole number from 0 to 10"),
        ("active: 1", "c.yaml: active: 1 is not allowed; use true or false"),
        ("name: AMF", 'c.yaml: name: "AMF" is not allowed; use text that matches `^[a-z]*$`, such as amf'),
        (
            "name: 2026-01-01",
            'c.yaml: name: "2026-01-01" is not allowed; use text that matches `^[a-z]*$`, such as amf',
        ),
        ("hosts: a", 'c.yaml: hosts: "a" is not allowed; use a list of: text'),
        ("images: {amf: 1}", 'c.yaml: images: {"amf":1} is not allowed; use a map of names to: text'),
        ("limits: 3", "c.yaml: limits: 3 is no section of keys"),
        ("- a", 'c.yaml: the top: ["a"] is no section of keys'),
        ("limits: {low: 9}", "c.yaml: limits: low (9) is above high (8)"),
        ("limits: {lwo: 1}", "c.yaml: limits.lwo: there is no such key; did you mean limits.low?"),
        ("limit: {low: 1}", "c.yaml: limit: there is no such key; did you mean limits?"),
        ("url: x", "c.yaml: url: there is no such key; did you mean remote.url?"),
        ("zzz: 1", "c.yaml: zzz: there is no such key"),
        ("1: 1", "c.yaml: 1: there is no such key"),
        ("name: a\nname: b", "c.yaml: line 2: not YAML: a key is written twice"),
        ("name: [", "c.yaml: line 2: not YAML: did not find expected node content"),
        ("name: !!python/name:os.system ''", "c.yaml: line 1: not YAML: could not determine a constructor for the tag"),
    ],
)
def test_an_error_names_the_place_the_key_the_value_and_what_is_allowed(tmp_path: Path, text: str, line: str) -> None:
    """One line for one thing that is wrong; a key that is not known is told with its nearest name."""
    (found,) = wrong(tmp_path, text)
    assert found.startswith(line)


@pytest.mark.parametrize(
    ("variable", "text", "line"),
    [
        ("APP_WAIT", "x", '$APP_WAIT: wait: "x" is not allowed; use a number from 0 to 60'),
        ("APP_WAIT", "nan", '$APP_WAIT: wait: "nan" is not allowed; use a number from 0 to 60'),
        ("APP_ACTIVE", "maybe", '$APP_ACTIVE: active: "maybe" is not allowed; use true or false'),
        (
            "APP_IMAGES",
            "amf",
            '$APP_IMAGES: images: "amf" is not allowed; use a map of names to: text, written NAME=VALUE',
        ),
        ("APP_LIMITS_LWO", "1", "$APP_LIMITS_LWO: there is no such variable; did you mean APP_LIMITS_LOW?"),
        ("APP_LIMITS", "1", "$APP_LIMITS: there is no such variable; did you mean APP_LIMITS_LOW?"),
        ("APP_URL", "x", "$APP_URL: there is no such variable; did you mean APP_REMOTE_URL?"),
        ("APP_RL", "x", "$APP_RL: there is no such variable"),
        ("APP_FOO", "1", "$APP_FOO: there is no such variable"),
        ("APP_LIMITS_LOW", "9", "$APP_LIMITS_LOW: limits: low (9) is above high (8)"),
    ],
)
def test_a_wrong_variable_is_told_by_its_name(tmp_path: Path, variable: str, text: str, line: str) -> None:
    """A misspelt one too: with the prefix, nothing is ignored."""
    assert wrong(tmp_path, "", **{variable: text}) == [line]


def test_what_two_keys_say_of_each_other_is_told_with_their_places(tmp_path: Path) -> None:
    """All places of that section, and no other's."""
    lines = wrong(tmp_path, "name: a\nlimits: {low: 9}", APP_LIMITS_HIGH="7", APP_WAIT="2")
    assert lines == ["$APP_LIMITS_HIGH, c.yaml: limits: low (9) is above high (7)"]


def test_all_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    """File and variables, a line each, in the order in which they are read."""
    lines = wrong(tmp_path, "level: loud\nwait: 99\nnmae: a\n", APP_ACTIVE="maybe")
    assert [line.split(": ")[:2] for line in lines] == [
        ["c.yaml", "level"],
        ["c.yaml", "wait"],
        ["c.yaml", "nmae"],
        ["$APP_ACTIVE", "active"],
    ]


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("c.toml", "name = \n", "c.toml: not TOML: "),
        ("c.toml", "name = 'a'\nname = 'b'", "c.toml: not TOML: "),
        ("c.json", "{}", "c.json: the name of a configuration must end in one of: .toml, .yaml, .yml"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(tmp_path: Path, name: str, text: str, words: str) -> None:
    """What the language is, and what is wrong with it."""
    (line,) = wrong(tmp_path, text, name)
    assert line.startswith(words)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    """With the system's own word for it."""
    with pytest.raises(ConfigurationError, match=r"absent\.yaml: cannot be read: No such file"):
        load(Tree(), tmp_path / "absent.yaml")


@pytest.mark.parametrize(
    "text",
    [
        "remote: {password: [s3cr3t]}",
        "remote: {url: 7, password: s3cr3t}",
        "remote: https://me:s3cr3t@host/x",
        "hosts: https://me:s3cr3t@host/x",
        "images: {a: ['https://s3cr3t@host/x']}",
        "remote: {token: s3cr3t}",
        "remote: {password: s3cr3t}\nremote: {}",
        "remote: {password: s3cr3t",
        "remote: {password: !s3cr3t x",
    ],
)
def test_no_error_shows_a_secret(tmp_path: Path, text: str) -> None:
    """Neither of a key that holds one, nor in a URL, nor from a line that cannot be read."""
    lines = wrong(tmp_path, text)
    assert lines
    assert "s3cr3t" not in "".join(lines).replace("!s3cr3t", "")


def test_nothing_shown_has_a_secret(tmp_path: Path) -> None:
    """In the tree, in the flat form and as a default; the value itself has it."""
    text = "remote: {url: 'https://me:s3cr3t@host/x', password: s3cr3t}\nhosts: ['ssh://s3cr3t@host']\n"
    loaded = load(Tree(), written(tmp_path, text))
    assert loaded.value.remote == Remote("https://me:s3cr3t@host/x", "s3cr3t")
    for shown in (loaded.tree(), loaded.flat(), reference(loaded.value, "APP")):
        assert "s3cr3t" not in str(shown)
    assert loaded.tree()["remote"] == {"url": "https://***@host/x", "password": "***"}


def test_the_tree_reads_back_as_it_was(tmp_path: Path) -> None:
    """What is shown is a file that gives the same configuration, where no secret is in it."""
    loaded = load(Tree(), written(tmp_path, "limits: {low: 3}\nimages: {a.b: c}\nhosts: [a]\nremote: {url: u}"))
    again = written(tmp_path, msgspec.yaml.encode(loaded.tree()).decode(), "again.yaml")
    assert load(Tree(), again).value == loaded.value


def test_what_stands_at_a_section_holds_for_its_keys() -> None:
    """`live` of the section, beside what a key says itself."""
    live = {name for name, setting in settings(Tree()).items() if setting.extra.get("live")}
    assert live == {"wait", "limits.low", "limits.high"}


def test_the_reference_has_a_table_for_each_section() -> None:
    """Key, variable, allowed values, the tree's own default, meaning, and what its marks say."""
    page = reference(Tree(), "APP")
    assert [line for line in page.splitlines() if line.startswith("## ")] == [
        "## At the top",
        "## `limits`",
        "## `remote`",
    ]
    assert "| `limits.low`<br>`APP_LIMITS_LOW` | a whole number from 0 to 10 | `2` | The least. *Live.* |" in page
    assert '| `remote.url`<br>`APP_REMOTE_URL` | text | `""` | Where it is. Option: `--url`. |' in page
    assert r"| A \| B. |" in page


def test_the_runtimes_own_options_are_such_a_tree(tmp_path: Path) -> None:
    """For those who use the runtime alone: no declaration of one's own is needed."""
    file = written(tmp_path, "namespace: edge\nlease: [kube-system, echo]\nlimiter: {burst: 3}\n")
    options = load(Options(name="echo"), file, prefix="ECHO", environment={"ECHO_GRACE": "5"}).value
    assert (options.name, options.namespace, options.grace, options.limiter.burst) == ("echo", "edge", 5.0, 3)
    assert str(options.lease) == "kube-system/echo"


def test_two_keys_with_one_variable_are_a_mistake_of_the_tree() -> None:
    """`a.b` and `a_b` could not be told apart."""
    with pytest.raises(ValueError, match="share a variable"):
        load(Outer(), prefix="APP", environment={})


def test_a_long_value_is_cut(tmp_path: Path) -> None:
    """An error stays a line."""
    (line,) = wrong(tmp_path, f"wait: {'x' * 500}")
    assert len(line) < 200


def test_types_of_all_kinds_have_words() -> None:
    """Optional values and sets too."""

    class All(msgspec.Struct, frozen=True):
        maybe: int | None = None
        some: frozenset[str] = frozenset()
        least: Annotated[float, Meta(ge=1)] = 1.0
        filled: Annotated[str, Meta(min_length=1)] = "a"
        anything: Any = None

    words = {name: setting.allowed for name, setting in settings(All()).items()}
    assert words == {
        "maybe": "a whole number or nothing",
        "some": "a list of: text",
        "least": "a number of at least 1",
        "filled": "some text",
        "anything": "a AnyType",
    }
