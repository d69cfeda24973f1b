"""Settings of plug-ins: frozen dataclass fields, checked by name and type before anything runs."""

from __future__ import annotations

import dataclasses
import functools
import types
import typing
from collections.abc import Hashable, Mapping
from typing import TypeVar

from assay.core.errors import UnknownName, UsageError
from assay.plugins.address import Address, FrozenDict, Literal

Plugin = TypeVar("Plugin")


def construct(member: type[Plugin], address: Address, settings: Mapping[str, Literal]) -> Plugin:
    """Create a plug-in from the user's settings; errors about names and types suggest a fix."""
    hints = _hints(typing.cast("Hashable", member))  # classes are hashable
    known = {field.name: hints[field.name] for field in _fields(member) if field.init}
    for key, value in settings.items():
        if key not in known:
            raise UnknownName(f"setting of '{address.source or address.name}'", key, known.keys() - {"name"})
        if not _fits(value, known[key]):
            raise UsageError(
                f"Setting '{key}' of '{address}' is {value!r}; it must be {_in_words(known[key])}. "
                f"Write for example {key}={_example(known[key])}."
            )
    return member(**settings)


def without_defaults(plugin: object, address: Address) -> Address:
    """Return the address without settings equal to their default, so that equal plug-ins have one address."""
    defaults = {field.name: field.default for field in _fields(type(plugin))}
    kept = [(key, value) for key, value in address.settings if value != defaults[key]]
    return Address(address.source, address.name, tuple(kept))


def all_settings(plugin: object) -> dict[str, object]:
    """Return all settings of a plug-in, including defaults; they are part of the key of a job."""
    return {field.name: getattr(plugin, field.name) for field in _fields(type(plugin)) if field.init}


def types_in_words(plugin: type[object]) -> dict[str, str]:
    """Return what each setting of a plug-in must be, in words."""
    hints = _hints(typing.cast("Hashable", plugin))
    return {field.name: _in_words(hints[field.name]) for field in _fields(plugin)}


@functools.cache
def _hints(member: Hashable) -> dict[str, object]:
    return typing.get_type_hints(member)


def _fields(member: type[object]) -> tuple[dataclasses.Field[typing.Any], ...]:
    return dataclasses.fields(member) if dataclasses.is_dataclass(member) else ()


def _options(hint: object) -> tuple[object, ...]:
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        return typing.get_args(hint)
    return (hint,)


def _fits(value: object, hint: object) -> bool:
    return any(_fits_one(value, option) for option in _options(hint))


def _fits_one(value: object, hint: object) -> bool:
    if hint is type(None) or hint is None:
        return value is None
    kind = typing.get_origin(hint) or hint
    if isinstance(value, FrozenDict) and _inner(hint) in _LISTS:
        return False
    if kind is float:
        return isinstance(value, (int, float)) and not isinstance(value, bool)
    if kind is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(kind, type) and isinstance(value, kind)


_IN_WORDS: dict[object, tuple[str, str]] = {
    int: ("an integer", "5"),
    float: ("a number", "0.1"),
    str: ("a string", "'text'"),
    bool: ("True or False", "False"),
    tuple: ("a list or dict", "(1, 2)"),
    type(None): ("None", "None"),
}
_LISTS: dict[object, str] = {float: "a list of numbers", int: "a list of integers", str: "a list of strings"}


def _in_words(hint: object) -> str:
    return " or ".join(_one_in_words(option) for option in _options(hint))


def _one_in_words(hint: object) -> str:
    kind = typing.get_origin(hint) or hint
    if kind is tuple and _inner(hint) in _LISTS:
        return _LISTS[_inner(hint)]
    return _IN_WORDS[kind][0] if kind in _IN_WORDS else str(kind)


def _inner(hint: object) -> object:
    """Return the type of the values of a list; None for other types."""
    return next(iter(typing.get_args(hint)), None) if typing.get_origin(hint) is tuple else None


def _example(hint: object) -> str:
    first = _options(hint)[0]
    return _IN_WORDS[typing.get_origin(first) or first][1]
