"""Writes a comparison as JSON, for programs: everything that was found, in a schema that stays."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from enum import Enum
from pathlib import Path
from typing import ClassVar

from assay.findings.comparison import Comparison
from assay.findings.json_schema import json_schema
from assay.plugins.report import Report

SCHEMA = 3  # raise it when a field goes away or changes its meaning; a new field leaves it
_FOR_PEOPLE = frozenset({"examples"})  # pictures
DIRECTION = (
    "Every value, floor and interval is higher-is-better; shown_negated marks those that people negate."
)


class Json(Report):
    """One JSON object: ``schema``, ``direction``, and the fields of the comparison by their names."""

    suffix: ClassVar[str] = ".json"
    summary: ClassVar[str] = "everything that was found, for programs"

    def render(self, comparison: Comparison, path: Path) -> None:
        """Write the whole comparison to ``path``, replacing what was there."""
        path.write_text(as_json(comparison), encoding="utf-8")


def as_schema(kind: type) -> str:
    """Return the JSON schema of findings of a kind as they are written: with ``schema`` and ``direction``."""
    found = json_schema(kind, _FOR_PEOPLE)
    whole = found["$defs"][kind.__name__]
    first = {"schema": {"const": SCHEMA}, "direction": {"type": "string"}}
    whole["properties"] = {**first, **whole["properties"]}
    whole["required"] = list(whole["properties"])
    return json.dumps(found, indent=1, ensure_ascii=False) + "\n"


def as_json(findings: object) -> str:
    """Return any findings, a frozen dataclass, as one JSON object with its schema."""
    found = {name: value for name, value in _fields(findings).items() if name not in _FOR_PEOPLE}
    told = {"schema": SCHEMA, "direction": DIRECTION, **found}
    return json.dumps(told, ensure_ascii=False, indent=1, allow_nan=False) + "\n"


def _fields(value: object) -> dict[str, object]:
    assert dataclasses.is_dataclass(value)
    return {field.name: _plain(getattr(value, field.name)) for field in dataclasses.fields(value)}


def _plain(value: object) -> object:
    if dataclasses.is_dataclass(value):
        return _fields(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(inner) for inner in value]
    return value.value if isinstance(value, Enum) else value
