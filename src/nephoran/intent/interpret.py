"""From a sentence to its meaning, by grammar and vocabulary: no network, no table of sentences."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from nephoran.intent.actions import Case, action, slice_type
from nephoran.intent.meaning import Detail, Meaning
from nephoran.intent.mentions import Mention, mentions
from nephoran.intent.phrases import FUNCTION_NAMES
from nephoran.intent.places import NotANamespace, Places, places
from nephoran.intent.quantities import detail
from nephoran.intent.replicas import replicas
from nephoran.intent.request import Request, request
from nephoran.intent.sanitise import redact, sanitise
from nephoran.intent.tokens import Atom, tokenise
from nephoran.intent.vocabulary import SUBJECTS
from steady.backoff import ErrorType

_ALL: Final = frozenset({"everything", "all"})
_NOTHING: Final = Detail()
_ACTION: Final = "what to do (deploy, scale, configure, optimize …)"
_TARGET: Final = "a network function or slice"
EXAMPLE: Final = "Deploy AMF with 3 replicas in namespace 5g-core"


class Meaningless(Exception):
    """A text without a meaning that could be acted on.

    `understood` is what was, `missing` what was not, `example` a sentence that would do; `message` says it all.
    """

    error_type = ErrorType.VALIDATION

    def __init__(self, understood: str, missing: str, message: str, example: str = EXAMPLE) -> None:
        super().__init__(message)
        self.understood = understood
        self.missing = missing
        self.message = message
        self.example = example


class Interpreter(Protocol):
    """Whatever turns a sentence into its meaning."""

    async def interpret(self, text: str) -> Meaning:
        """The meaning of one sentence. Raises `Meaningless`, and `Rejected` where the text is no sentence."""
        ...


class RuleInterpreter:
    """The embedded interpreter: pure, deterministic, linear in the text's length."""

    async def interpret(self, text: str) -> Meaning:
        """The meaning of one sentence. Raises `Meaningless` and `Rejected`."""
        return self.meaning(text)

    def meaning(self, text: str) -> Meaning:
        """The meaning of one sentence, its text sanitised and redacted. Raises `Meaningless` and `Rejected`."""
        clean = redact(sanitise(text))
        atoms = tokenise(clean)
        where = _where(atoms)
        stated, taken = detail(atoms, where)
        functions = list(FUNCTION_NAMES.hits(atoms, where.taken))
        asked = request(atoms, functions, where.taken)
        _guard(asked, stated, atoms)
        type_ = slice_type(atoms, where.taken)
        named = mentions(atoms, functions, where.taken, asked)
        counts = replicas(atoms, taken, named, asked)
        components = tuple(dict.fromkeys(mention.name for mention in named if mention.role == "object"))
        sized = bool(counts) or any((stated.cpu, stated.memory, stated.change, stated.factor))
        told = sized or where.namespace is not None or stated != _NOTHING
        done = action(Case(atoms, where.taken, asked, stated, type_, bool(components), told, sized))
        if done is None or not (components or type_ or _of_the_trade(atoms, stated, where)):
            raise Meaningless(*_understood(done, named))
        return Meaning(clean, done, components, counts, where.namespace, type_, stated)


def _where(atoms: Sequence[Atom]) -> Places:
    try:
        return places(atoms)
    except NotANamespace as wrong:
        message = f"{wrong.name!r} cannot be a namespace: use lower-case letters, digits and hyphens, as in {EXAMPLE!r}"
        raise Meaningless("a namespace", "a name that a namespace can have", message) from wrong


def _guard(asked: Request, stated: Detail, atoms: Sequence[Atom]) -> None:
    if asked.negated:
        message = f"the sentence says what not to do: say what to do, for example {EXAMPLE!r}"
        raise Meaningless("a negation", "what to do instead", message)
    if asked.question:
        message = f"the sentence asks instead of saying what to do: write for example {EXAMPLE!r}"
        raise Meaningless("a question", "what to do", message)
    removal = asked.mood == "change" and not any(atom.number is not None for atom in atoms)
    removal = removal and stated.change is None and any(atom.word in {"remove", "removing"} for atom in atoms[:3])
    if asked.mood == "delete" or (removal and (asked.component or not _ALL.isdisjoint(asked.head))):
        message = (
            "an intent does not delete: delete the NetworkIntent that deployed the function and it goes, or scale it,"
            " for example 'Scale AMF to 0 replicas'"
        )
        raise Meaningless("a deletion", "what to do instead", message, "Scale AMF to 0 replicas")


def _of_the_trade(atoms: Sequence[Atom], stated: Detail, where: Places) -> bool:
    return where.namespace is not None or stated != _NOTHING or any(atom.word in SUBJECTS for atom in atoms)


def _understood(done: str | None, named: Sequence[Mention]) -> tuple[str, str, str]:
    parts = [f"the action {done}"] if done else []
    parts += [f"the function {mention.name}" for mention in named]
    if not parts:
        lacks = f"neither {_ACTION} nor {_TARGET}"
        return "nothing", f"{_ACTION}, and {_TARGET}", f"understood nothing, {lacks}: write for example {EXAMPLE!r}"
    understood, missing = ", ".join(dict.fromkeys(parts)), _TARGET if done else _ACTION
    return understood, missing, f"understood {understood}, but not {missing}: write for example {EXAMPLE!r}"
