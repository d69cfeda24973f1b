"""Findings as tables: flat rows for CSV and Parquet, and pandas frames."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import fields, is_dataclass
from enum import Enum
from typing import Any

from assay.core.errors import MissingPackage, UnknownName
from assay.findings.across import Across
from assay.findings.agreement import Agreements
from assay.findings.facts import ModelRow
from assay.findings.per_task import Cell, Standing, TaskFindings
from assay.findings.search import SearchFindings, SearchStatus

Value = str | float | int | bool | None

_FIXED: dict[str, type] = {
    "model": str,
    "task": str,
    "method": str,
    "is_score": bool,
    "is_ranking": bool,
    "status": str,
    "reason": str,
    "value": float,
    "val_value": float,
    "seeds": int,
    "seconds": float,
    "encode_seconds": float,
    "notes": str,
    "interval_low": float,
    "interval_high": float,
    "index": float,
    "rank": int,
    "rank_best": int,
    "rank_worst": int,
    "p_value": float,
    "may_be_best": bool,
    "is_recommended": bool,
    "expected_regret": float,
    "within_margin": float,
    "task_kind": str,
    "task_modality": str,
    "task_metric": str,
    "task_floor": float,
    "task_test_count": int,
    "task_fingerprint": str,
    "shown_negated": bool,
    "negated_metrics": str,
    "model_parameters": int,
    "model_macs": int,
    "model_width": int,
    "model_bytes": int,
    "model_licence": str,
    "model_latency_seconds": float,
    "model_latency_warning": str,
}

# columns of each slice of a task: main metric, ends of the interval, number of test examples
_OF_SLICE = {"": float, "_low": float, "_high": float, "_examples": int}


def columns_of(cells: Iterable[Cell], tasks: Iterable[TaskFindings]) -> dict[str, type]:
    """Return the columns of ``rows_of`` in order, with their types."""
    cells = list(cells)
    metrics = sorted({f"metric_{name}" for cell in cells for name in cell.metrics})
    tuned = sorted({f"tuned_{name}" for cell in cells for name in cell.tuned})
    slices = {f"slice_{part.column}={part.name}": None for findings in tasks for part in findings.slices}
    sliced = {f"{name}{end}": kind for name in slices for end, kind in _OF_SLICE.items()}
    return {**_FIXED, **dict.fromkeys([*metrics, *tuned], float), **sliced}


def rows_of(
    cells: Iterable[Cell], tasks: Iterable[TaskFindings], models: Iterable[ModelRow], ranked_by: str
) -> list[dict[str, Value]]:
    """Return one row for each cell as column -> value, without the columns that have no value."""
    by_task = {findings.task.address: findings for findings in tasks}
    of_models = {row.address: _of_model(row) for row in models}
    facts = {task: _of_task(findings) for task, findings in by_task.items()}
    standings = {task: findings.by_model for task, findings in by_task.items()}
    table = []
    for cell in cells:
        findings = by_task[cell.task]
        row = _of_cell(cell) | facts[cell.task] | of_models.get(cell.model, {})
        row["is_ranking"] = cell.method == ranked_by
        if row["is_ranking"]:
            standing = standings[cell.task].get(cell.model)
            row |= _of_standing(cell.model, standing, findings)
            row |= _of_slices(cell.model, findings)
        table.append(row)
    return table


def rows_of_search(
    search: SearchFindings, tasks: Iterable[TaskFindings], cells: Iterable[Cell], ranked_by: str
) -> list[dict[str, Value]]:
    """Return one row for each task and model of a search that has no cell: how far it came, and no value."""
    by_task = {findings.task.address: findings for findings in tasks}
    cells = list(cells)
    known = {(cell.model, cell.task) for cell in cells}
    is_score = any(cell.is_score for cell in cells if cell.method == ranked_by)
    examples = {one.model: f"on {one.examples:,} examples of train" for one in search.screened}
    return [
        {
            "model": model,
            "task": task,
            "method": ranked_by,
            "is_score": is_score,
            "is_ranking": True,
            "status": status.value,
            "reason": search.failed.get(model) or examples.get(model),
            **(_of_task(by_task[task]) if task in by_task else {}),
        }
        for model, status in search.statuses()
        for task in search.tasks
        if status is not SearchStatus.FINISHED and (model, task) not in known
    ]


def _of_cell(cell: Cell) -> dict[str, Value]:
    return {  # written out, as there may be 100,000 cells
        "model": cell.model,
        "task": cell.task,
        "method": cell.method,
        "is_score": cell.is_score,
        "status": cell.status.value,
        "value": cell.value,
        "val_value": cell.val_value,
        "seeds": cell.seeds,
        "seconds": cell.seconds,
        "encode_seconds": cell.encode_seconds,
        "reason": cell.reason or None,
        "notes": "\n".join(cell.notes) or None,
        **{f"metric_{name}": value for name, value in cell.metrics.items()},
        **{f"tuned_{name}": float(value) for name, value in cell.tuned.items()},
    }


def _of_task(findings: TaskFindings) -> dict[str, Value]:
    names = ("kind", "modality", "metric", "floor", "test_count", "fingerprint")
    return {
        **_named(findings.task, *names, prefix="task_"),
        "shown_negated": findings.shown_negated,
        "negated_metrics": " ".join(findings.negated_metrics) or None,
    }


def _of_model(row: ModelRow) -> dict[str, Value]:
    return {
        **_named(row.facts, "parameters", "macs", "width", "bytes", "licence", prefix="model_"),
        "model_latency_seconds": row.latency_seconds,
        "model_latency_warning": row.latency_warning or None,
    }


def _of_standing(model: str, standing: Standing | None, findings: TaskFindings) -> dict[str, Value]:
    if standing is None:
        return {}
    low, high = standing.ranks or (None, None)
    decision = findings.decision
    return {
        **_named(standing, "index", "rank", "p_value"),
        **(_named(standing.interval, "low", "high", prefix="interval_") if standing.interval else {}),
        "rank_best": low,
        "rank_worst": high,
        "may_be_best": standing.may_be_best if standing.ranks else None,
        "is_recommended": model == findings.recommended,
        "expected_regret": decision.expected_regret.get(model) if decision else None,
        "within_margin": decision.within_margin.get(model) if decision else None,
    }


def _named(value: object, *names: str, prefix: str = "") -> dict[str, Any]:
    """Return the named fields of a dataclass as a dict."""
    return {f"{prefix}{name}": _plain(getattr(value, name)) for name in names}


def _of_slices(model: str, findings: TaskFindings) -> dict[str, Value]:
    row: dict[str, Value] = {}
    for part in findings.slices:
        name = f"slice_{part.column}={part.name}"
        result = next((result for result in part.values if result.model == model), None)
        if result is not None:
            ends = (result.interval.low, result.interval.high) if result.interval else (None, None)
            values = (result.value, *ends, part.examples)
            row |= dict(zip((f"{name}{end}" for end in _OF_SLICE), values, strict=True))
    return row


def tables_of(
    tasks: Iterable[TaskFindings],
    models: Iterable[ModelRow],
    across: Iterable[Across],
    agreement: Iterable[Agreements],
) -> dict[str, list[dict[str, Any]]]:
    """Return the findings besides the cells as rows, by the name of their table."""
    tasks = list(tasks)
    return {
        "standings": [
            {"task": findings.task.address, "measure": findings.measure, **_flat(standing)}
            for findings in tasks
            for standing in findings.standings
        ],
        "slices": [
            {"task": findings.task.address, "column": part.column, "slice": part.name}
            | {"examples": part.examples, **_flat(result)}
            for findings in tasks
            for part in findings.slices
            for result in part.values
        ],
        "models": [_flat(row) for row in models],
        "across": [
            {"modality": _plain(part.modality), **_flat(generality)}
            for part in across
            for generality in part.models
        ],
        "agreement": [
            {"truth": part.truth, "modality": _plain(part.modality), **_flat(score)}
            for part in agreement
            for score in part.overall
        ],
    }


def frames_of(
    cells: list[dict[str, Value]],
    columns: list[str],
    tables: Mapping[str, list[dict[str, Any]]],
    library: str,
) -> dict[str, Any]:
    """Return rows as frames of pandas or polars, by name; the cells have these columns."""
    frame = _frame_of(library)
    return {"cells": frame(cells, columns), **{name: frame(table, None) for name, table in tables.items()}}


def _frame_of(library: str) -> Callable[[list[dict[str, Any]], list[str] | None], Any]:
    """Return the function that makes a frame of rows and columns in order; None for that of the rows."""
    if library not in {"pandas", "polars"}:
        raise UnknownName("library of frames", library, ("pandas", "polars"))
    try:
        if library == "pandas":
            import pandas as pd

            return lambda rows, columns: pd.DataFrame(rows, columns=columns)
        import polars as pl
    except ImportError as error:
        raise MissingPackage("frames", library, is_extra=False) from error
    return lambda rows, columns: pl.DataFrame(
        [{name: row.get(name) for name in columns} for row in rows] if columns else rows,
        infer_schema_length=None,
        strict=False,
    )


def _flat(value: object, prefix: str = "") -> dict[str, Any]:
    """Flatten a dataclass: nested fields join both names; lists are kept."""
    assert is_dataclass(value)
    row: dict[str, Any] = {}
    for field in fields(value):
        inner = getattr(value, field.name)
        name = f"{prefix}{field.name}"
        if is_dataclass(inner):
            row |= _flat(inner, f"{name}_")
        elif isinstance(inner, Mapping) and any(map(is_dataclass, inner.values())):
            for key, item in inner.items():
                row |= _flat(item, f"{name}_{key}_")
        elif isinstance(inner, Sequence) and not isinstance(inner, str) and any(map(is_dataclass, inner)):
            for number, item in enumerate(inner, start=1):
                row |= _flat(item, f"{name}_{number}_")
        else:
            row[name] = _plain(inner)
    return row


def _plain(value: object) -> object:
    return value.value if isinstance(value, Enum) else value
