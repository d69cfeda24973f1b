"""Describes the settings of a plug-in: types, defaults, and the text of its docstring."""

from __future__ import annotations

import dataclasses
import inspect
import re
from typing import NamedTuple

from assay.plugins.settings import types_in_words

_ATTRIBUTE = re.compile(r"^(\w+): (.+)$")


class Setting(NamedTuple):
    """A setting that a user may write."""

    name: str
    type: str  # in words
    default: str  # as it is written
    doc: str  # one sentence or more; empty if there is none


def settings_of(member: type[object]) -> list[Setting]:
    """Return the settings of a plug-in in their order, without the name of a model or task."""
    if not dataclasses.is_dataclass(member):
        return []
    docs, types = _docs(member), types_in_words(member)
    return [
        Setting(field.name, types[field.name], _default(field), docs.get(field.name, "").replace("``", ""))
        for field in dataclasses.fields(member)
        if field.init and field.name != "name"
    ]


def _default(field: dataclasses.Field[object]) -> str:
    return "" if field.default is dataclasses.MISSING else repr(field.default)


def _docs(member: type[object]) -> dict[str, str]:
    """Return the entries under "Attributes:" in the docstrings of a class and of its bases."""
    docs: dict[str, str] = {}
    for base in reversed(member.__mro__):
        _, _, section = inspect.cleandoc(vars(base).get("__doc__") or "").partition("Attributes:\n")
        name = ""
        for line in section.split("\n"):
            entry = _ATTRIBUTE.match(line.strip()) if line.startswith("    ") else None
            if entry is not None and not line.startswith("     "):
                name = entry[1]
                docs[name] = entry[2]
            elif line.startswith("     ") and name:
                docs[name] += f" {line.strip()}"
            else:
                name = ""
    return docs
