"""Writes a comparison as JSON for programs: all findings, in a stable schema."""

from __future__ import annotations

import dataclasses
import json
import types
from collections.abc import Collection, Mapping, Sequence
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any, ClassVar, Union, get_args, get_origin, get_type_hints

from assay.environment.atomic_file import replacing_text
from assay.findings.comparison import Comparison
from assay.plugins.report import Report

_TYPES = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}
Schema = dict[str, Any]
SCHEMA = 5  # increase it if a field is removed or changes its meaning, not for new fields
_FOR_PEOPLE = frozenset({"examples", "hardest"})  # pictures
DIRECTION = (
    "Every value, floor and interval is higher-is-better: where shown_negated is true, and in the metrics of "
    "negated_metrics, it is the negative of what people write (RMSE, log loss)."
)


class Json(Report):
    """One JSON object: ``schema``, ``direction``, and the fields of the comparison by their names.

    >>> from assay.testing.reports import rendered
    >>> report = json.loads(rendered(Json()))
    >>> report["schema"], report["ranked_by"], report["tasks"][0]["recommended"]
    (5, 'linear_probe', 'timm:resnet50.a1_in1k')
    """

    suffix: ClassVar[str] = ".json"
    summary: ClassVar[str] = "everything that was found, for programs"

    def render(self, comparison: Comparison, path: Path) -> None:
        """Write the whole comparison to ``path``, replacing any existing file."""
        content = as_json(comparison)
        with replacing_text(path) as file:  # which escapes as JSON does
            file.write(content)


def as_schema(kind: type) -> str:
    """Return the JSON schema of a findings type as written, with ``schema`` and ``direction``."""
    schema = _json_schema(kind, _FOR_PEOPLE)
    whole = schema["$defs"][kind.__name__]
    first = {"schema": {"const": SCHEMA}, "direction": {"type": "string"}}
    whole["properties"] = {**first, **whole["properties"]}
    whole["required"] = list(whole["properties"])
    return json.dumps(schema, indent=1, ensure_ascii=False) + "\n"


def as_json(findings: object) -> str:
    """Return findings (a frozen dataclass) as one JSON object with its schema version.

    Each field, and each item of a field that is a list, has a line: indented text would take
    several times as long, and a page for each cell.
    """
    fields = {name: value for name, value in _fields(findings).items() if name not in _FOR_PEOPLE}
    whole = {"schema": SCHEMA, "direction": DIRECTION, **fields}
    lines = ",\n ".join(f"{_written(name)}: {_lines(value)}" for name, value in whole.items())
    return f"{{\n {lines}\n}}\n"


def _lines(value: object) -> str:
    """Return a value in JSON, with a line for each item of a list."""
    if not value or isinstance(value, str) or not isinstance(value, Sequence):
        return _written(value)
    items = ",\n  ".join(map(_written, value))
    return f"[\n  {items}\n ]"


def _plain(value: object) -> object:
    """Return what JSON has for a value that it does not know: fields of a dataclass, lists, plain values."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return dict(value)
    return list(value) if isinstance(value, Sequence) else _fields(value)


def _fields(value: object) -> dict[str, object]:
    kind: type = type(value)
    return {name: getattr(value, name) for name in _names(kind)}


@cache  # there may be 100,000 cells
def _names(kind: type) -> tuple[str, ...]:
    return tuple(field.name for field in dataclasses.fields(kind))


_written = json.JSONEncoder(ensure_ascii=False, allow_nan=False, default=_plain).encode


def _json_schema(kind: type, without: Collection[str] = ()) -> Schema:
    """Return the JSON schema (draft 2020-12) of a dataclass, written as an object with its fields.

    Fields may be added later, so programs must ignore unknown fields. Libraries for this (msgspec, pydantic)
    treat fields with a default as optional and whole docstrings as descriptions; here every field is
    required, as the report guarantees.

    Args:
        kind: The dataclass.
        without: Fields that are not written.
    """
    schemas: dict[str, Schema] = {}
    whole = _of_dataclass(kind, schemas, without)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **whole,
        "$defs": dict(sorted(schemas.items())),
    }


def _of(kind: Any, schemas: dict[str, Schema]) -> Schema:
    if kind in _TYPES:
        return {"type": _TYPES[kind]}
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        return _of_dataclass(kind, schemas)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return {"enum": [member.value for member in kind]}
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return {"anyOf": [_of(inner_kind, schemas) for inner_kind in inner]}
    if origin in (tuple, Sequence):
        return _of_tuple(inner if origin is tuple else (*inner, ...), schemas)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return {"type": "object", "additionalProperties": _of(inner[1], schemas)}
    raise TypeError(f"{kind!r} has no schema. Give it one in {__name__}.")


def _of_tuple(inner: tuple[Any, ...], schemas: dict[str, Schema]) -> Schema:
    if inner[-1] is Ellipsis:
        return {"type": "array", "items": _of(inner[0], schemas)}
    return {
        "type": "array",
        "prefixItems": [_of(inner_kind, schemas) for inner_kind in inner],
        "minItems": len(inner),
        "maxItems": len(inner),
    }


def _of_dataclass(kind: type, schemas: dict[str, Schema], without: Collection[str] = ()) -> Schema:
    name = kind.__name__
    if name not in schemas:
        schemas[name] = {}  # a type may contain itself
        hints = get_type_hints(kind)
        names = [field.name for field in dataclasses.fields(kind) if field.name not in without]
        schemas[name] = {
            "type": "object",
            "description": (kind.__doc__ or "").partition("\n")[0],
            "properties": {field: _of(hints[field], schemas) for field in names},
            "required": names,
        }
    return {"$ref": f"#/$defs/{name}"}
