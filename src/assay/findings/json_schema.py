"""The JSON schema of a frozen dataclass: what a program may expect of it."""

from __future__ import annotations

import types
from collections.abc import Collection, Mapping
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any, Union, get_args, get_origin, get_type_hints

_PLAIN = {str: "string", int: "integer", float: "number", bool: "boolean", type(None): "null"}
Schema = dict[str, Any]


def json_schema(kind: type, without: Collection[str] = ()) -> Schema:
    """Return the schema (draft 2020-12) of a dataclass, written as an object with its fields by name.

    Fields may be added later: a program must not mind what it does not know.

    Args:
        kind: The dataclass.
        without: Fields of it that are not written.

    >>> from assay.core.estimate import Interval
    >>> json_schema(Interval)["$defs"]["Interval"]["properties"]["low"]
    {'type': 'number'}
    """
    schemas: dict[str, Schema] = {}
    whole = _of_dataclass(kind, schemas, without)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **whole,
        "$defs": dict(sorted(schemas.items())),
    }


def _of(kind: Any, schemas: dict[str, Schema]) -> Schema:
    if kind in _PLAIN:
        return {"type": _PLAIN[kind]}
    if is_dataclass(kind) and isinstance(kind, type):
        return _of_dataclass(kind, schemas)
    if isinstance(kind, type) and issubclass(kind, Enum):
        return {"enum": [member.value for member in kind]}
    origin, inner = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return {"anyOf": [_of(inner_kind, schemas) for inner_kind in inner]}
    if origin is tuple:
        return _of_tuple(inner, schemas)
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
        schemas[name] = {}  # it may hold itself
        hints = get_type_hints(kind)
        names = [field.name for field in fields(kind) if field.name not in without]
        schemas[name] = {
            "type": "object",
            "description": (kind.__doc__ or "").partition("\n")[0],
            "properties": {field: _of(hints[field], schemas) for field in names},
            "required": names,
        }
    return {"$ref": f"#/$defs/{name}"}
