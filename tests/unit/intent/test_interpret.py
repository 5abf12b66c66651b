"""Sentences get the meaning that a person reads in them."""

from __future__ import annotations

import contextlib
import time
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nephoran.intent.interpret import EXAMPLE, Meaningless, RuleInterpreter
from nephoran.intent.meaning import Meaning, to_json
from nephoran.intent.sanitise import LIMIT, Rejected
from nephoran.intent.score import KEYS, BadLine, score
from nephoran.intent.vocabulary import COMPONENTS

HERE = Path(__file__).parent
READ = RuleInterpreter().meaning


def _lines(name: str) -> list[str]:
    return (HERE / name).read_text(encoding="utf-8").splitlines()


def _sentences(name: str) -> list[Any]:
    return [pytest.param(line, id=msgspec.json.decode(line)["text"][:60]) for line in _lines(name)]


@pytest.mark.parametrize("line", _sentences("intents.jsonl"))
def test_a_collected_sentence_is_read_as_stated(line: str) -> None:
    """Every key of the reference sentences."""
    assert not score([line], RuleInterpreter()).differences


@pytest.mark.parametrize("line", _sentences("corpus.jsonl"))
def test_a_sentence_of_the_corpus_is_read_as_stated(line: str) -> None:
    """Every key of our own sentences."""
    assert not score([line], RuleInterpreter()).differences


def test_most_sentences_that_nothing_was_tuned_on_are_read_as_stated() -> None:
    """Written before the grammar was changed and never looked at while it was: what to expect of new sentences."""
    counted = score(_lines("heldout.jsonl"), RuleInterpreter())
    assert counted.right / counted.sentences >= 0.93
    assert all(counted.accuracy_of(key) >= 0.97 for key in KEYS)


@pytest.mark.parametrize(("spelling", "name"), [(" ".join(phrase), name) for phrase, name in COMPONENTS.items()])
def test_every_spelling_of_a_function_is_known_in_any_joint(spelling: str, name: str) -> None:
    """With spaces, hyphens or underscores, in any case, a spelling names the same function."""
    variants = (spelling, spelling.upper(), spelling.replace(" ", "-"), spelling.replace(" ", "_"))
    assert {READ(f"Deploy {variant} with 3 replicas").components for variant in variants} == {(name,)}


@pytest.mark.parametrize(
    "text",
    [
        "Bake a cake",
        "hello",
        "make it work",
        "Deploy something nice",
        "???",
        "— < % )-(",
        "42",
        "do it",
        "今天天气很好",
        "AMF",
        "Hello AMF",
        "The UPF crashed again",
        "We deployed the AMF yesterday and it works fine",
    ],
)
def test_a_text_without_a_meaning_says_what_was_understood_and_gives_an_example(text: str) -> None:
    """The message helps to write a better sentence, and the example is one."""
    with pytest.raises(Meaningless) as caught:
        READ(text)
    assert "understood" in caught.value.message
    assert caught.value.example in caught.value.message
    assert READ(caught.value.example).action == "deploy"


def test_where_nothing_was_understood_both_things_are_missing() -> None:
    """What was understood is not said to be missing, and nothing is not a thing that was understood."""
    with pytest.raises(Meaningless) as nothing:
        READ("Bake a cake")
    assert (nothing.value.understood, nothing.value.missing) == (
        "nothing",
        "what to do (deploy, scale, configure, optimize …), and a network function or slice",
    )
    assert nothing.value.message == (
        "understood nothing, neither what to do (deploy, scale, configure, optimize …) nor a network function or slice:"
        f" write for example {EXAMPLE!r}"
    )
    with pytest.raises(Meaningless, match="understood the action deploy, but not a network function or slice: "):
        READ("Deploy something nice")


@pytest.mark.parametrize(
    "text", ["Delete the AMF", "remove AMF", "Undeploy UPF in ns core", "Do not deploy AMF", "Don't scale UPF to 3"]
)
def test_what_must_not_run_is_never_deployed(text: str) -> None:
    """A deletion and a negation are no intent of their own."""
    with pytest.raises(Meaningless):
        READ(text)


@pytest.mark.parametrize(
    "text", ["What is an AMF?", "How many UPF replicas are running in core?", "Is the AMF healthy?", "Which SMF is it?"]
)
def test_a_question_is_no_request(text: str) -> None:
    """The operator does not answer; asking politely is not asking a question."""
    with pytest.raises(Meaningless, match="asks instead of saying what to do"):
        READ(text)
    assert READ("Can you deploy an AMF?").action == "deploy"


@pytest.mark.parametrize("name", ["../etc", "core/../kube-system", "Core_5G", "$(id)", "core..b", "x" * 64, "-core"])
def test_a_namespace_that_cannot_be_one_is_refused(name: str) -> None:
    """It is not silently replaced by another namespace."""
    with pytest.raises(Meaningless, match="cannot be a namespace"):
        READ(f"Deploy AMF in namespace {name}")


@pytest.mark.parametrize(
    "place",
    [
        "in production",
        "in high-availability mode",
        "in 3 sites",
        "in Europe",
        "in real-time",
        "in edge01",
        "in parallel",
        "in us-east-1",
    ],
)
def test_a_place_that_is_no_namespace_names_none(place: str) -> None:
    """Environments, sites, regions and common nouns are not namespaces."""
    meaning = READ(f"Deploy AMF {place}")
    assert (meaning.namespace, meaning.replicas) == (None, {})


@pytest.mark.parametrize(
    "rest",
    [
        "with 3 cells", "for 10,000 users", "at 70 percent CPU", "with 100 MHz bandwidth", "with 3 component carriers",
        "with priority level 5", "on port 8080", "version 2", "with 4 CPU cores", "with 5G SA", "for 2 slices",
        "-3 replicas", "across 2 sites", "with 99999999999999999999 replicas", "with 2.5 replicas", "at 02:00",
        "with 4x4 MIMO",
    ],
)  # fmt: skip
def test_a_number_of_something_else_is_no_replica_count(rest: str) -> None:
    """Only instances are counted."""
    assert READ(f"Deploy UPF {rest}").replicas == {}


async def test_interpreting_is_asynchronous_for_those_who_ask_elsewhere() -> None:
    """`interpret` gives what `meaning` gives."""
    assert await RuleInterpreter().interpret(EXAMPLE) == READ(EXAMPLE)


def test_the_json_has_the_documented_keys_and_omits_what_is_not_stated() -> None:
    """`components` is always there; the rest only where stated; decoding gives the meaning back."""
    assert to_json(READ("Create a network slice")) == {
        "text": "Create a network slice",
        "action": "slice",
        "components": [],
    }
    meaning = READ("Deploy auto-scaling UPF with HPA min 2 max 10 replicas in ns core")
    assert msgspec.convert(to_json(meaning), Meaning) == meaning
    assert msgspec.json.decode(msgspec.json.encode(meaning), type=Meaning) == meaning


def test_credentials_are_not_in_the_meaning() -> None:
    """A sentence is echoed in status, git and logs."""
    assert "hunter2" not in str(READ("Deploy AMF from https://me:hunter2@git.example/charts"))


_WORDS = [
    *sorted({word for phrase in COMPONENTS for word in phrase}),
    "deploy", "scale", "to", "with", "for", "and", ",", "3", "in", "namespace", "ns", "-", "from", "%", ".", "each",
    "min", "max", "slice", "xapp", "gi", "x3", "02:00", "not", "的", "部署", "\u0301", "/", "=", ":", '"',
    "version", "v2",
]  # fmt: skip


@settings(max_examples=60, deadline=2_000)
@given(
    st.one_of(
        st.text(min_size=1, max_size=LIMIT), st.lists(st.sampled_from(_WORDS), min_size=1, max_size=350).map(" ".join)
    )
)
def test_any_text_is_read_or_refused(text: str) -> None:
    """Garbage raises nothing but the two documented errors, and what is read can be written."""
    try:
        meaning = READ(text)
    except (Meaningless, Rejected):
        return
    assert msgspec.json.encode(meaning)


@pytest.mark.parametrize(
    "unit",
    ["a", "a-", "1,", "1:", "://", "AMF ", "AMF,", "3 ", "in ", "to 3 AMF ", "02:0", "-", "of ", "é", "部", "up "],
)
def test_the_longest_text_is_read_quickly(unit: str) -> None:
    """No text of the longest length makes a rule walk back and forth: far below a second of CPU."""
    text = ("Deploy AMF " + unit * LIMIT)[:LIMIT]
    begun = time.process_time()
    with contextlib.suppress(Meaningless):
        READ(text)
    assert time.process_time() - begun < 1.0


def test_a_score_counts_keys_and_whole_sentences() -> None:
    """One wrong key makes one wrong sentence and one difference; details count where stated."""
    right = (
        '{"text": "Deploy HA AMF with monitoring", "action": "deploy", "components": ["amf"], "detail": {"ha": true}}'
    )
    wrong = '{"text": "Deploy SMF", "action": "scale", "components": ["smf"]}'
    counted = score([right, "", wrong], RuleInterpreter())
    assert (counted.sentences, counted.right, counted.accuracy) == (2, 1, 0.5)
    assert {key: counted.accuracy_of(key) for key in KEYS} == dict.fromkeys(KEYS, 1.0) | {"action": 0.5}
    assert [(found.line, found.key, found.stated, found.read) for found in counted.differences] == [
        (3, "action", "scale", "deploy")
    ]


def test_a_meaningless_sentence_is_wrong_in_the_keys_that_are_stated() -> None:
    """A refusal is scored, not raised."""
    assert [
        found.key
        for found in score(['{"text": "hm", "action": "deploy", "components": []}'], RuleInterpreter()).differences
    ] == [
        "action",
        "components",
    ]


@pytest.mark.parametrize("line", ["nonsense", "[]", '{"action": "deploy"}'])
def test_a_line_that_is_no_sentence_is_named(line: str) -> None:
    """The message says which line."""
    with pytest.raises(BadLine, match="line 1"):
        score([line], RuleInterpreter())
