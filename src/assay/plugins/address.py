"""Addresses: names with settings such as ``timm:resnet50(pretrained=False)``, parsed and formatted."""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from assay.core.errors import UsageError
from assay.core.paths import expanded


class FrozenDict(tuple[tuple[Any, Any], ...]):
    """A dict in a setting, as pairs in its order: it can be hashed, and is written as a dict."""

    __slots__ = ()

    def __repr__(self) -> str:
        return repr(dict(self))


Literal = str | int | float | bool | None | tuple["Literal", ...]

ALIAS = "alias"  # a setting that names a model or task for the reader, and sets nothing

_NO_TEXT = re.compile(r"\\u(dc[89a-f][0-9a-f])")
_SOURCE_CHARACTERS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789_")


@dataclass(frozen=True, slots=True)
class Address:
    """A name with settings, ``source:name(setting=literal)``; addresses of methods have no source.

    >>> Address.parse("timm:resnet50.a1_in1k(pretrained=False)")
    Address(source='timm', name='resnet50.a1_in1k', settings=(('pretrained', False),))
    >>> str(Address.parse("knn( k = 5 )"))
    'knn(k=5)'
    """

    source: str
    name: str
    settings: tuple[tuple[str, Literal], ...] = field(default=())

    @classmethod
    def parse(cls, text: str) -> Address:
        """Parse an address; settings are Python literals and are never evaluated as code."""
        head, settings = _split_settings(text.strip())
        head = _NO_TEXT.sub(lambda escaped: chr(int(escaped[1], 16)), head)  # as __str__ shows them
        source, colon, name = head.partition(":")
        if not colon or len(source) < 2 or not _SOURCE_CHARACTERS.issuperset(source):
            source, name = "", head  # a bare name, a bare path, or C:\ on Windows
        if not name:
            raise UsageError(f"Cannot read '{text}'. Write source:name, as in 'timm:resnet50'.")
        return cls(source, name, tuple(sorted(settings.items())))

    def __str__(self) -> str:
        inside = ", ".join(f"{key}={value!r}" for key, value in self.settings)
        head = f"{self.source}:{self.name}" if self.source else self.name
        text = f"{head}({inside})" if inside else head
        return text.encode("utf-8", "backslashreplace").decode("utf-8")  # bytes of a path that are no UTF-8

    @property
    def alias(self) -> str:
        """The name that the user gave; empty without one.

        Raises:
            UsageError: It is not a string, or empty.
        """
        alias = dict(self.settings).get(ALIAS, "")
        if not isinstance(alias, str) or (ALIAS in dict(self.settings) and not alias.strip()):
            raise UsageError(f"The alias of '{self}' is {alias!r}. Write a string, as in alias='resnet50'.")
        return alias

    def without_alias(self) -> Address:
        """Return the same address without the alias, which is in no key and no setting of a plug-in."""
        return Address(self.source, self.name, tuple(pair for pair in self.settings if pair[0] != ALIAS))

    def with_alias(self, alias: str) -> Address:
        """Return the same address with this alias; none if it is empty."""
        bare = self.without_alias()
        settings = (*bare.settings, (ALIAS, alias)) if alias else bare.settings
        return Address(self.source, self.name, tuple(sorted(settings)))

    def with_source(self, source: str) -> Address:
        """Return the same address under another source."""
        return Address(source, self.name, self.settings)

    def with_name(self, name: str) -> Address:
        """Return the same address with another name."""
        return Address(self.source, name, self.settings)


def _split_settings(text: str) -> tuple[str, Mapping[str, Literal]]:
    """Split ``name(a=1)`` into its name and settings; a path may itself contain parentheses."""
    if not text.endswith(")"):
        if text.count("(") > text.count(")") and "=" in text.partition("(")[2]:
            raise UsageError(f"The parenthesis of '{text}' is not closed. Write name(k=5, mode='mean').")
        return text, {}
    if _is_path(text):
        return text, {}
    starts = [position for position, letter in enumerate(text) if letter == "("]
    for start in starts:
        settings = _read_settings(text[start:])
        if settings is not None:
            return text[:start].rstrip(), settings
    if starts and "=" in text[starts[0] :]:
        raise UsageError(
            f"Cannot read the settings of '{text}'. Write Python literals, as in name(k=5, mode='mean')."
        )
    return text, {}


def _is_path(text: str) -> bool:
    """Return whether a text names a file or folder, of which the parentheses are a part."""
    source, _, name = text.partition(":")
    paths = (expanded(path) for path in (text, name) if path and source)
    return any(map(os.path.exists, paths))  # Path.exists raises for a name that no file can have


def _read_settings(parenthesised: str) -> Mapping[str, Literal] | None:
    try:
        call = ast.parse("f" + parenthesised, mode="eval").body
    except (
        SyntaxError,
        ValueError,
        RecursionError,
        MemoryError,
    ):  # of half a pair of UTF-16, of deep nesting
        return None
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Name):
        return None
    if call.args or any(word.arg is None for word in call.keywords):
        return None
    try:
        return {str(word.arg): _freeze(ast.literal_eval(word.value)) for word in call.keywords}
    except (ValueError, TypeError, RecursionError, MemoryError):
        return None


def _freeze(value: object) -> Literal:
    if isinstance(value, (list, tuple)):
        return tuple(_freeze(item) for item in value)
    if isinstance(value, dict):
        return FrozenDict((_freeze(key), _freeze(inside)) for key, inside in value.items())
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    raise ValueError(value)


def thawed(value: object) -> object:
    """Return a setting as it was written: with dicts in it."""
    if isinstance(value, FrozenDict):
        return {thawed(key): thawed(inside) for key, inside in value}
    return tuple(map(thawed, value)) if isinstance(value, tuple) else value
