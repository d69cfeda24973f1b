"""Events as JSON and arrays: what a worker sends cannot run code in the receiving process."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping
from dataclasses import is_dataclass
from enum import Enum
from functools import cache
from typing import Any

import numpy as np

from assay.core.result import Finished, Opened
from assay.plugins.engine import Stage
from assay.workers.channel import Message


def message_of(kind: str, value: Finished | Opened | Stage) -> Message:
    """Return the message of an event or a stage; raise ``TypeError`` for what is not plain."""
    arrays: dict[str, np.ndarray] = {}
    return Message({"is": kind, "value": _packed(value, arrays)}, arrays)


def value_of(message: Message) -> Finished | Opened | Stage:
    """Return the event or stage of a message; raise ``ValueError`` if there is none."""
    try:
        value: Finished | Opened | Stage = _unpacked(message.fields["value"], message.arrays)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not an event: {error!r}") from error
    if type(value) not in (Finished, Opened, Stage):
        raise ValueError(f"not an event: {type(value).__name__}")
    return value


def _packed(value: object, arrays: dict[str, np.ndarray]) -> Any:
    if type(value) in _plain_types().values():
        return {"type": type(value).__name__, "fields": _packed_fields(value, arrays)}
    if isinstance(value, np.ndarray):
        name = str(len(arrays))
        arrays[name] = np.asarray(value)
        return {"array": name}
    if isinstance(value, (tuple, list)):
        return [_packed(item, arrays) for item in value]
    if isinstance(value, Mapping):
        return {"pairs": [[_packed(key, arrays), _packed(item, arrays)] for key, item in value.items()]}
    return _scalar(value)


def _scalar(value: object) -> str | float | bool | None:
    if isinstance(value, np.generic):
        value = value.item()
    if value is None or isinstance(value, bool):
        return value
    for plain in (str, float, int):
        if isinstance(value, plain):  # an instance of a derived class too, such as an Estimate
            return plain(value)
    raise TypeError(f"a {type(value).__name__} is not a plain value")


def _packed_fields(value: Any, arrays: dict[str, np.ndarray]) -> Any:
    if isinstance(value, Enum):
        return value.value
    names = [field.name for field in dataclasses.fields(value)] if is_dataclass(value) else value._fields
    return {name: _packed(getattr(value, name), arrays) for name in names}


def _unpacked(packed: Any, arrays: Mapping[str, np.ndarray]) -> Any:
    if isinstance(packed, list):
        return tuple(_unpacked(item, arrays) for item in packed)
    if not isinstance(packed, dict):
        return packed
    if "array" in packed:
        return arrays[packed["array"]]
    if "pairs" in packed:
        return {_unpacked(key, arrays): _unpacked(item, arrays) for key, item in packed["pairs"]}
    plain, fields = _plain_types()[packed["type"]], packed["fields"]
    if issubclass(plain, Enum):
        return plain(fields)
    return plain(**{name: _unpacked(item, arrays) for name, item in fields.items()})


@cache
def _plain_types() -> dict[str, type]:
    """Return every class that an event or a stage can hold, by name."""
    found: dict[str, type] = {}
    left: list[Any] = [Finished, Opened, Stage]
    while left:
        hint = left.pop()
        if not isinstance(hint, type) or typing.get_args(hint):
            left.extend(typing.get_args(hint))
        elif _is_plain(hint) and hint.__name__ not in found:
            found[hint.__name__] = hint
            left.extend(() if issubclass(hint, Enum) else typing.get_type_hints(hint).values())
    return found


def _is_plain(hint: type) -> bool:
    return is_dataclass(hint) or issubclass(hint, Enum) or (issubclass(hint, tuple) and hint is not tuple)
