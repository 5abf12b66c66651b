"""What an owner decides: a tree of frozen structs, read from a file and the environment, checked key by key.

The tree's defaults hold where nobody says otherwise. Ahead of them come a YAML or TOML file, then environment variables
(`PREFIX_GIT_URL` for the key `git.url`), then a command line's options. Maps are merged entry by entry, any other value
is replaced. All that is wrong is told at once, a line each: where it stands, the key, the value and what is allowed.

The types say what is allowed: msgspec's `Meta` (limits, pattern, description, examples), literals, enumerations; and a
struct's `__post_init__`, which raises ValueError, for what its keys say of each other. `Meta(extra=…)` knows `secret`
(the value is never shown), `option` (of a command line) and `live` (it may change while the process runs); what stands
at a section holds for all of its keys.
"""

from __future__ import annotations

import difflib
import inspect
import os
import re
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, Generic, NamedTuple, TypeVar

import msgspec
import yaml
from msgspec import inspect as types

from steady.errors import ConfigurationError

T = TypeVar("T", bound=msgspec.Struct)

LIVE: Final = {"live": True}
"""For `Meta(extra=…)`: the key may change while the process runs."""

DEFAULT: Final = "default"
"""The origin of a value that nobody gave."""

_HIDDEN = "***"
_CREDENTIALS = re.compile(r"(?<=://)[^/\s]*@")
_LONGEST_VALUE = 100  # characters of a wrong value that an error repeats


class Setting(NamedTuple):
    """One key of a tree: `name` is its dotted path, `allowed` tells people which values it takes."""

    name: str
    type: Any
    default: Any
    description: str
    allowed: str
    extra: Mapping[str, Any]

    @property
    def many(self) -> bool:
        """Whether the value is a list."""
        return isinstance(self.default, tuple | list | set | frozenset)

    @property
    def mapped(self) -> bool:
        """Whether the value maps names to values."""
        return isinstance(self.default, Mapping)

    def variable(self, prefix: str) -> str:
        """The environment variable that sets it."""
        return f"{prefix}_{self.name.replace('.', '_')}".upper()

    def converted(self, value: Any, *, text: bool) -> Any:
        """`value` as the type wants it. Raises ValueError; msgspec.ValidationError is one."""
        if text and (self.many or self.mapped):
            value = value.replace(",", " ").split() if isinstance(value, str) else list(value)
        if text and self.mapped:
            value = dict(_pair(entry) for entry in value)
        return msgspec.convert(value, self.type, strict=not text)

    def shown(self, value: Any) -> Any:
        """`value` as plain data without secrets."""
        if self.extra.get("secret"):
            return _HIDDEN if value else value
        return _masked(msgspec.to_builtins(value))


class Given(NamedTuple):
    """A value that somebody gave, and where; a `text` is yet to be read as what the key's type wants."""

    key: str
    value: Any
    origin: str
    text: bool = False


class Shown(NamedTuple):
    """One value of a loaded tree, fit to be shown."""

    value: Any
    origin: str


class Loaded(Generic[T]):
    """A tree (`value`) that knows where each value comes from."""

    def __init__(self, value: T, origins: Mapping[str, str]) -> None:
        self.value = value
        self._origins = origins

    def flat(self) -> dict[str, Shown]:
        """Every value by its dotted key, without secrets; the entries of a map by theirs."""
        return {name: Shown(value, self._origins.get(name, DEFAULT)) for name, value in self._entries()}

    def tree(self) -> dict[str, Any]:
        """The whole tree as plain data, without secrets, as a file would hold it."""
        whole: dict[str, Any] = {}
        for setting in settings(self.value).values():
            *path, last = setting.name.split(".")
            section = whole
            for part in path:
                section = section.setdefault(part, {})
            section[last] = setting.shown(setting.default)
        return whole

    def _entries(self) -> Iterator[tuple[str, Any]]:
        for setting in settings(self.value).values():
            value = setting.shown(setting.default)
            if setting.mapped and isinstance(value, dict) and value:
                yield from ((f"{setting.name}.{entry}", each) for entry, each in value.items())
            else:
                yield setting.name, value


def load(
    defaults: T,
    file: Path | None = None,
    *,
    prefix: str = "",
    environment: Mapping[str, str] | None = None,
    options: Iterable[Given] = (),
) -> Loaded[T]:
    """`defaults` with what the file, the environment and the options say.

    With a `prefix` its variables are read, and `PREFIX_CONFIG` names the file where none is given. `environment` is the
    process's own by default. Raises ConfigurationError with a line for each thing that is wrong.
    """
    reader = _Reader(defaults)
    variables = dict(os.environ if environment is None else environment) if prefix else {}
    named = variables.pop(f"{prefix}_CONFIG", "")
    if file or named:
        reader.read(file or Path(named))
    reader.overlay(prefix, variables)
    for given in options:
        reader.take(given)
    return reader.loaded()


def settings(tree: msgspec.Struct, above: str = "", extra: Mapping[str, Any] | None = None) -> dict[str, Setting]:
    """The keys of `tree` by dotted path, in their order, with the tree's own values as defaults."""
    found: dict[str, Setting] = {}
    fields = zip(msgspec.structs.fields(type(tree)), _fields(type(tree)), strict=True)
    for field, described in fields:
        name, value = above + field.name, getattr(tree, field.name)
        own = {**(extra or {}), **_extra(described.type)}
        if isinstance(value, msgspec.Struct):
            found |= settings(value, f"{name}.", own)
        else:
            description = _json_schema(described.type).get("description", "")
            found[name] = Setting(name, field.type, value, description, _allowed(described.type), own)
    return found


def check(tree: msgspec.Struct) -> None:
    """For a `__post_init__`: the values of `tree` are what its types allow, also where no file was read.

    Raises ConfigurationError naming key, value and what is allowed.
    """
    for setting in settings(tree).values():
        try:
            setting.converted(setting.default, text=False)
        except ValueError as error:
            shown = setting.shown(setting.default)
            raise ConfigurationError(f"{setting.name}: {shown!r} is not allowed; use {setting.allowed}") from error


def reference(tree: msgspec.Struct, prefix: str) -> str:
    """The keys of `tree` as Markdown: a table for each section, headed by the section's name and docstring."""
    sections: dict[str, list[Setting]] = {}
    for setting in settings(tree).values():
        sections.setdefault(setting.name.rpartition(".")[0], []).append(setting)
    return "\n".join(_table(tree, name, keys, prefix) for name, keys in sections.items())


class _Reader(Generic[T]):
    """Takes what is given, the later ahead of the earlier, and remembers what is wrong with it."""

    def __init__(self, defaults: T) -> None:
        self._defaults = defaults
        self._settings = settings(defaults)
        self._sections = {name[:end] for name in self._settings for end in range(len(name)) if name[end] == "."}
        self._values: dict[str, Any] = {}
        self._origins: dict[str, str] = {}
        self._problems: list[str] = []

    def read(self, file: Path) -> None:
        """Take what a file says."""
        try:
            tree = _parsed(file)
        except ConfigurationError as error:
            self._problems.append(str(error))
        else:
            self._descend(tree, "", str(file))

    def overlay(self, prefix: str, variables: Mapping[str, str]) -> None:
        """Take what the variables with `prefix` say."""
        start = f"{prefix}_"
        known = {setting.variable(prefix): name for name, setting in self._settings.items()}
        if len(known) < len(self._settings):
            raise ValueError(f"two keys of {type(self._defaults).__name__} share a variable")
        for variable, text in variables.items():
            if variable in known:
                self.take(Given(known[variable], text, f"${variable}", text=True))
            elif variable.startswith(start):
                # Without the prefix, or every variable would be near.
                names = [name.removeprefix(start) for name in known]
                near = _meant(variable.removeprefix(start), names, "_", start)
                self._problems.append(f"${variable}: there is no such variable{near}")

    def take(self, given: Given) -> None:
        """Take one value."""
        setting = self._settings.get(given.key)
        if setting is None:
            near = _meant(given.key, [*self._settings, *self._sections])
            self._problems.append(f"{given.origin}: {given.key}: there is no such key{near}")
            return
        try:
            value = setting.converted(given.value, text=given.text)
        except ValueError:
            form = ", written NAME=VALUE" if given.text and setting.mapped else ""
            self._problems.append(
                f"{given.origin}: {given.key}: {_quoted(setting.shown(given.value))} is not allowed; "
                f"use {setting.allowed}{form}"
            )
            return
        if setting.mapped:
            self._origins |= {f"{given.key}.{entry}": given.origin for entry in value}
            value = {**self._values.get(given.key, setting.default), **value}
        else:
            self._origins[given.key] = given.origin
        self._values[given.key] = value

    def loaded(self) -> Loaded[T]:
        """The tree. Raises ConfigurationError with all that is wrong."""
        tree = self._built(self._defaults, "")
        if self._problems:
            raise ConfigurationError("\n".join(self._problems))
        return Loaded(tree, self._origins)

    def _descend(self, tree: Any, section: str, origin: str) -> None:
        if tree is None:
            return
        if not isinstance(tree, dict):
            self._problems.append(f"{origin}: {section or 'the top'}: {_quoted(_masked(tree))} is no section of keys")
            return
        for name, value in tree.items():
            key = f"{section}.{name}" if section else str(name)
            if key in self._sections:
                self._descend(value, key, origin)
            else:
                self.take(Given(key, value, origin))

    def _built(self, tree: Any, above: str) -> Any:
        changes: dict[str, Any] = {}
        for field in type(tree).__struct_fields__:
            name, value = above + field, getattr(tree, field)
            if isinstance(value, msgspec.Struct):
                changes[field] = self._built(value, f"{name}.")
            elif name in self._values:
                changes[field] = self._values[name]
        try:
            return None if self._problems else msgspec.structs.replace(tree, **changes)
        except (ValueError, ConfigurationError) as error:
            section = above.rstrip(".")
            origins = {origin for name, origin in self._origins.items() if name.rpartition(".")[0] == section}
            self._problems.append(": ".join(filter(None, (", ".join(sorted(origins)), section, str(error)))))
            return None


class _Yaml(yaml.CSafeLoader):
    """Refuses a key that is written twice, as TOML does."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[str] = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                raise yaml.constructor.ConstructorError(None, None, "a key is written twice", key.start_mark)
            seen.add(str(key.value))
        return super().construct_mapping(node, deep)


_PARSERS: dict[str, tuple[str, Callable[[bytes], Any]]] = {
    ".toml": ("TOML", lambda content: tomllib.loads(content.decode())),
    **dict.fromkeys([".yaml", ".yml"], ("YAML", lambda content: yaml.load(content, Loader=_Yaml))),  # noqa: S506
}


def _parsed(file: Path) -> Any:
    if file.suffix not in _PARSERS:
        raise ConfigurationError(f"{file}: the name of a configuration must end in one of: {', '.join(_PARSERS)}")
    language, parse = _PARSERS[file.suffix]
    try:
        return parse(file.read_bytes())
    except OSError as error:
        raise ConfigurationError(f"{file}: cannot be read: {error.strerror}") from error
    except yaml.MarkedYAMLError as error:
        # Not the error's own text: it may quote a line, and so a value.
        place = f"line {error.problem_mark.line + 1}: " if error.problem_mark else ""
        raise ConfigurationError(f"{file}: {place}not {language}: {error.problem}") from error
    except (ValueError, yaml.YAMLError) as error:
        raise ConfigurationError(f"{file}: not {language}: {' '.join(str(error).split())}") from error


def _pair(entry: str) -> tuple[str, str]:
    name, equals, value = entry.partition("=")
    if not name or not equals:
        raise ValueError("no NAME=VALUE")
    return name, value


def _meant(word: str, known: Sequence[str], joint: str = ".", start: str = "") -> str:
    """The nearest known name after `start`, as a question; else the first that ends alike, at a `joint`."""
    end = joint + word.rpartition(".")[2]
    near = difflib.get_close_matches(word, known, 1, 0.7) or [name for name in known if (joint + name).endswith(end)]
    return f"; did you mean {start}{near[0]}?" if near else ""


def _masked(value: Any) -> Any:
    """Plain data without the credentials of its URLs."""
    match value:
        case str():
            return _CREDENTIALS.sub(f"{_HIDDEN}@", value)
        case dict():
            return {name: _masked(each) for name, each in value.items()}
        case list() | tuple():
            return [_masked(each) for each in value]
        case _:
            return value


def _quoted(value: Any) -> str:
    text = repr(value) if isinstance(value, float) else msgspec.json.encode(value, enc_hook=str).decode()
    return text if len(text) <= _LONGEST_VALUE else text[:_LONGEST_VALUE] + "…"


# What types say.


def _fields(cls: type[msgspec.Struct]) -> tuple[types.Field, ...]:
    described = types.type_info(cls)
    return described.fields if isinstance(described, types.StructType) else ()


def _json_schema(info: types.Type) -> Mapping[str, Any]:
    return (info.extra_json_schema or {}) if isinstance(info, types.Metadata) else {}


def _extra(info: types.Type) -> Mapping[str, Any]:
    return (info.extra or {}) if isinstance(info, types.Metadata) else {}


def _allowed(info: types.Type) -> str:
    """Which values `info` allows, in words."""
    words = _WORDS.get(type(info))
    return words(info) if words else f"a {getattr(info, 'cls', type(info)).__name__}"


def _exemplified(info: types.Metadata) -> str:
    examples = _json_schema(info).get("examples")
    return _allowed(info.type) + (f", such as {examples[0]}" if examples else "")


def _text(info: types.StrType) -> str:
    return ("some text" if info.min_length else "text") + (f" that matches `{info.pattern}`" if info.pattern else "")


def _either(info: types.UnionType) -> str:
    members = [_allowed(member) for member in info.types if not isinstance(member, types.NoneType)]
    return " or ".join([*members, *(["nothing"] if info.includes_none else [])])


def _one_of(choices: Iterable[Any]) -> str:
    return f"one of {', '.join(map(str, choices))}"


def _list_of(info: types.VarTupleType | types.ListType | types.SetType | types.FrozenSetType) -> str:
    return f"a list of: {_allowed(info.item_type)}"


def _range(info: types.IntType | types.FloatType) -> str:
    if info.ge is not None and info.le is not None:
        return f" from {info.ge:.15g} to {info.le:.15g}"
    bounds = {"of at least": info.ge, "above": info.gt, "at most": info.le, "below": info.lt}
    return " and".join(f" {word} {bound:.15g}" for word, bound in bounds.items() if bound is not None)


_WORDS: dict[type[types.Type], Callable[[Any], str]] = {
    types.Metadata: _exemplified,
    types.UnionType: _either,
    types.BoolType: lambda _: "true or false",
    types.IntType: lambda info: f"a whole number{_range(info)}",
    types.FloatType: lambda info: f"a number{_range(info)}",
    types.StrType: _text,
    types.LiteralType: lambda info: _one_of(info.values),
    types.EnumType: lambda info: _one_of(member.value for member in info.cls),
    types.DictType: lambda info: f"a map of names to: {_allowed(info.value_type)}",
    **dict.fromkeys((types.VarTupleType, types.ListType, types.SetType, types.FrozenSetType), _list_of),
}


def _table(tree: msgspec.Struct, section: str, keys: Iterable[Setting], prefix: str) -> str:
    holder = tree
    for part in section.split(".") if section else ():
        holder = getattr(holder, part)
    lines = [f"## `{section}`" if section else "## At the top", ""]
    lines += [inspect.cleandoc(type(holder).__doc__ or "").split("\n\n", 1)[0], ""]
    lines += ["| key | value | default | meaning |", "|---|---|---|---|"]
    for setting in keys:
        option = f" Option: `{setting.extra['option']}`." if "option" in setting.extra else ""
        live = " *Live.*" if setting.extra.get("live") else ""
        key = f"`{setting.name}`<br>`{setting.variable(prefix)}`"
        default = f"`{_quoted(setting.shown(setting.default))}`"
        cells = (key, setting.allowed, default, f"{setting.description}{live}{option}")
        lines.append(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |")
    return "\n".join([*lines, ""])
