"""Objects as a reconciler sees them: typed, immutable, decoded once and only when asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Annotated, Any, ClassVar, Generic, TypeVar, get_args

import msgspec
from msgspec import UNSET, Meta, UnsetType

from steady.errors import DecodeError
from steady.objects.conditions import Condition
from steady.objects.keys import Key, Resource
from steady.objects.meta import ObjectMeta
from steady.objects.raw import RawObject

longest_reconcile = 128  # characters of a reconcile annotation that count


class Spec(msgspec.Struct, frozen=True, gc=False, rename="camel", omit_defaults=True):
    """What a user asks for. Subclass it, with `frozen=True`."""


class Status(msgspec.Struct, frozen=True, gc=False, rename="camel", omit_defaults=True):
    """What was observed. Subclass it, with `frozen=True`; the runtime fills in all but `conditions`."""

    observed_generation: int = 0
    conditions: tuple[Condition, ...] = ()
    last_handled_reconcile: (
        Annotated[
            str, Meta(max_length=longest_reconcile, description="Value of the reconcile annotation handled last.")
        ]
        | UnsetType
    ) = UNSET


SpecT = TypeVar("SpecT", bound=Spec)
StatusT = TypeVar("StatusT", bound=Status)


class Scale(msgspec.Struct, frozen=True):
    """JSON paths of the scale subresource."""

    spec_replicas: str = ".spec.replicas"
    status_replicas: str = ".status.replicas"
    selector: str = ".status.selector"


class Column(msgspec.Struct, frozen=True):
    """A printer column. `type` is read from the schema when empty; `priority` 1 shows it only with `-o wide`."""

    path: str
    type: str = ""
    priority: int = 0
    description: str = ""


class Declaration(msgspec.Struct, frozen=True):
    """What `@resource` says of a kind beyond its types."""

    resource: Resource
    short_names: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    columns: Mapping[str, str | Column] = {}
    scale: Scale | None = None
    rules: Mapping[str, str] = {}
    initial: Mapping[str, Any] = {}


class Object(Generic[SpecT, StatusT]):
    """One object of a declared kind: a thin view on what the cache holds."""

    __slots__ = ("_spec", "_status", "raw")

    declaration: ClassVar[Declaration]
    spec_type: ClassVar[type[Spec]]
    status_type: ClassVar[type[Status]]

    def __init_subclass__(cls) -> None:
        for base in getattr(cls, "__orig_bases__", ()):
            if len(args := get_args(base)) == 2 and all(isinstance(arg, type) for arg in args):
                cls.spec_type, cls.status_type = args

    def __init__(self, raw: RawObject) -> None:
        self.raw = raw
        self._spec: SpecT | None = None
        self._status: StatusT | None = None

    @property
    def metadata(self) -> ObjectMeta:
        """Name, labels, owners and the rest."""
        return self.raw.metadata

    @property
    def key(self) -> Key:
        """Where the object is found within its kind."""
        return self.raw.key

    @property
    def spec(self) -> SpecT:
        """What the user asks for. Raises DecodeError naming the field that is not what the type declares."""
        if self._spec is None:
            self._spec = _decode(self.raw.spec, self.spec_type, "spec")
        return self._spec

    @property
    def status(self) -> StatusT:
        """What was observed last. Raises DecodeError naming the field that is not what the type declares."""
        if self._status is None:
            self._status = _decode(self.raw.status, self.status_type, "status")
        return self._status


_decoders: dict[type, msgspec.json.Decoder[Any]] = {}


def _decode(raw: msgspec.Raw, type_: type, part: str) -> Any:
    decoder = _decoders.get(type_)
    if decoder is None:
        decoder = _decoders[type_] = msgspec.json.Decoder(type_)
    try:
        return decoder.decode(bytes(raw) or b"{}")
    except msgspec.DecodeError as error:
        raise DecodeError(f"{part}: {error}") from error


ObjectT = TypeVar("ObjectT", bound=Object[Any, Any])


def resource(
    api_version: str,
    *,
    plural: str = "",
    namespaced: bool = True,
    short_names: Sequence[str] = (),
    categories: Sequence[str] = (),
    columns: Mapping[str, str | Column] | None = None,
    scale: Scale | None = None,
    rules: Mapping[str, str] | None = None,
    initial: Mapping[str, Any] | None = None,
) -> Callable[[type[ObjectT]], type[ObjectT]]:
    """Declare the kind that a subclass of `Object` stands for; its docstring becomes the CRD's description.

    `plural` defaults to the lower-case name with an `s`; `columns` maps a printer column's title to its JSON path or
    `Column`; `rules` maps a CEL expression over the spec (`self`) to the message when it is false; `initial` is what
    the server puts into the status of a new object besides `Ready=Unknown`.
    """
    group, _, version = api_version.rpartition("/")

    def declare(cls: type[ObjectT]) -> type[ObjectT]:
        kind = Resource(group, version, cls.__name__, plural or cls.__name__.lower() + "s", namespaced)
        cls.declaration = Declaration(
            kind, tuple(short_names), tuple(categories), columns or {}, scale, rules or {}, initial or {}
        )
        return cls

    return declare
