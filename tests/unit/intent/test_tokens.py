"""A sentence as words and numbers: numbers in every spelling, slips of the finger, other languages."""

from __future__ import annotations

import pytest

from nephoran.intent.spelling import Speller, fold
from nephoran.intent.tokens import tokenise


def words(text: str) -> list[str]:
    return [atom.word for atom in tokenise(text)]


def numbers(text: str) -> list[float]:
    return [atom.number for atom in tokenise(text) if atom.number is not None]


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("3", [3]),
        ("2.5", [2.5]),
        ("10,000", [10_000]),
        ("10 000", [10_000]),
        ("2..5 and 2-5", [2, 5, 2, 5]),
        ("x3 3x", [3, 3]),
        ("twelve", [12]),
        ("twenty-five", [25]),
        ("twenty five", [25]),
        ("one hundred and twenty", [120]),
        ("half a dozen", [6]),
        ("two dozen", [24]),
        ("two, three", [2, 3]),
        ("一百二十", [120]),
        ("三十五", [35]),
        ("十二", [12]),
        ("三个", [3]),
        ("drei", [3]),
        ("für 10.000 Nutzer mit 0,5 ms", [10_000, 0.5]),
        ("for 2,3 users", [2, 3]),
    ],
)
def test_a_number_is_read_in_every_spelling(text: str, read: list[float]) -> None:
    """Digits, words, groups, ranges; commas and points as the sentence's language has them."""
    assert numbers(text) == read


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("deply", "deploy"),
        ("depoly", "deploy"),
        ("Scael", "scale"),
        ("replcias", "replicas"),
        ("namepsace", "namespace"),
        ("instaces", "instances"),
        ("optimise", "optimise"),
        ("stale", "stale"),
        ("reduced", "reduced"),
        ("deploys", "deploys"),
        ("employ", "employ"),
    ],
)
def test_one_slip_of_the_finger_is_put_right(typed: str, meant: str) -> None:
    """A letter too many, too few, wrong or in the wrong order; another word or an inflection stays what it is."""
    assert words(typed) == [meant]


def test_what_is_near_to_two_words_is_left_alone() -> None:
    """Guessing would be worse than not knowing."""
    assert Speller(["reports", "resorts"]).meant("reeorts") == "reeorts"
    assert Speller(["reports"]).meant("reeorts") == "reports"


def test_a_name_is_never_put_right() -> None:
    """What a slip would change is only how the word is understood; as typed it stays."""
    (atom,) = tokenise("namepsace")
    assert (atom.text, atom.word) == ("namepsace", "namespace")


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("Erhöhe UPF auf fünf Instanzen", ["increase", "upf", "to", "five", "replicas"]),
        ("Déployez l'AMF avec trois répliques", ["deploy", "the", "'", "amf", "with", "three", "replicas"]),
        ("Escala el SMF a 4 réplicas", ["scale", "the", "smf", "to", "4", "replicas"]),
        ("Aumente o UPF para 6 réplicas", ["increase", "the", "upf", "to", "6", "replicas"]),
        ("Riduci UPF a due istanze", ["reduce", "upf", "to", "two", "replicas"]),
        ("Schaal UPF naar 4 replica's", ["scale", "upf", "to", "4", "replicas", "'", "s"]),
        ("Wdróż AMF z 3 replikami", ["deploy", "amf", "with", "3", "replicas"]),
        ("Масштабируй UPF до 4 реплик", ["scale", "upf", "to", "4", "replicas"]),
        ("将UPF扩容到6个副本", ["the", "upf", "scale", "to", "6", "the", "replicas"]),
        ("Deploy the installer on a large red node", ["deploy", "the", "installer", "on", "a", "large", "red", "node"]),
    ],
)
def test_the_language_that_knows_most_of_the_words_is_read(text: str, read: list[str]) -> None:
    """Other languages become our words; a word that two languages share is read in the sentence's own."""
    assert words(text) == read


def test_folding_drops_case_and_accents_and_never_the_whole_word() -> None:
    """A text of nothing but an accent stays."""
    assert (fold("Déployer"), fold("WDRÓŻ"), fold("Łódź"), fold("\u0301")) == ("deployer", "wdroz", "lodz", "\u0301")


def test_an_abbreviation_ends_no_sentence() -> None:
    """The full stop of "min." is none of the sentence's."""
    assert {atom.sentence for atom in tokenise("with min. 2 and max. 6 replicas")} == {0}
    assert [atom.sentence for atom in tokenise("One. Two")][-1] == 1
