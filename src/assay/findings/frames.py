"""A comparison as pandas frames: what was found, in tables to go on with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any

from assay.core.errors import MissingPackage
from assay.findings.flat import columns, rows

if TYPE_CHECKING:
    import pandas as pd

    from assay.findings.comparison import Comparison


def frames(comparison: Comparison) -> dict[str, pd.DataFrame]:
    """Return what was found as frames, by name.

    Returns:
        ``cells`` (one row for each model, task and method), ``standings`` (each model on each task),
        ``slices`` (each model on each slice of a task), ``models``, ``across`` (each model over the tasks of
        a modality), ``agreement`` (each score against each measured outcome).
        Fields of fields have both names: ``interval_low``.
    """
    try:
        import pandas as pd
    except ImportError as error:
        raise MissingPackage("frames", "pandas", is_extra=False) from error
    tables: dict[str, list[dict[str, Any]]] = {
        "standings": [
            {"task": found.task.address, "measure": found.measure, **_flat(one)}
            for found in comparison.tasks
            for one in found.standings
        ],
        "slices": [
            {"task": found.task.address, "column": of.column, "slice": of.name, "examples": of.examples}
            | _flat(one)
            for found in comparison.tasks
            for of in found.slices
            for one in of.values
        ],
        "models": [_flat(one) for one in comparison.models],
        "across": [
            {"modality": _plain(across.modality), **_flat(one)}
            for across in comparison.across
            for one in across.models
        ],
        "agreement": [
            {"truth": found.truth, "modality": _plain(found.modality), **_flat(one)}
            for found in comparison.agreement
            for one in found.overall
        ],
    }
    cells = pd.DataFrame(rows(comparison), columns=list(columns(comparison)))
    return {"cells": cells, **{name: pd.DataFrame(table) for name, table in tables.items()}}


def _flat(value: object, prefix: str = "") -> dict[str, Any]:
    """Return the fields of a value, those of its fields with both names; what is a list stays one."""
    assert is_dataclass(value)
    found: dict[str, Any] = {}
    for field in fields(value):
        inner = getattr(value, field.name)
        name = f"{prefix}{field.name}"
        if is_dataclass(inner):
            found |= _flat(inner, f"{name}_")
        elif isinstance(inner, Mapping) and any(map(is_dataclass, inner.values())):
            for key, one in inner.items():
                found |= _flat(one, f"{name}_{key}_")
        elif isinstance(inner, Sequence) and not isinstance(inner, str) and any(map(is_dataclass, inner)):
            for place, one in enumerate(inner, start=1):
                found |= _flat(one, f"{name}_{place}_")
        else:
            found[name] = _plain(inner)
    return found


def _plain(value: object) -> object:
    return value.value if isinstance(value, Enum) else value
