"""A comparison as one flat table: a row for each model, task and method, plain columns."""

from __future__ import annotations

from assay.findings.comparison import Cell, Comparison, ModelRow, Standing, TaskFindings

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
    "is_tied_best": bool,
    "is_recommended": bool,
    "task_kind": str,
    "task_modality": str,
    "task_metric": str,
    "task_floor": float,
    "task_test_count": int,
    "task_fingerprint": str,
    "shown_negated": bool,
    "model_parameters": int,
    "model_macs": int,
    "model_width": int,
    "model_bytes": int,
    "model_licence": str,
    "model_latency_seconds": float,
}

# of each slice of a task: its main metric, the ends of its interval, its test examples
_OF_SLICE = {"": float, "_low": float, "_high": float, "_examples": int}


def columns(comparison: Comparison) -> dict[str, type]:
    """Return the columns in their order, each with the type of what it holds; any cell may be empty."""
    metrics = sorted({f"metric_{name}" for cell in comparison.cells for name in cell.metrics})
    tuned = sorted({f"tuned_{name}" for cell in comparison.cells for name in cell.tuned})
    slices = {f"slice_{of.column}={of.name}": None for found in comparison.tasks for of in found.slices}
    sliced = {f"{name}{end}": kind for name in slices for end, kind in _OF_SLICE.items()}
    return {**_FIXED, **dict.fromkeys([*metrics, *tuned], float), **sliced}


def rows(comparison: Comparison) -> list[dict[str, Value]]:
    """Return one row for each cell, by the names of its columns; a column that has no value is not there."""
    found = {one.task.address: one for one in comparison.tasks}
    models = {row.address: row for row in comparison.models}
    table = []
    for cell in comparison.cells:
        findings = found[cell.task]
        row = _of_cell(cell) | _of_task(findings) | _of_model(models.get(cell.model))
        row["is_ranking"] = cell.method == comparison.ranked_by
        if row["is_ranking"]:
            row |= _of_standing(cell.model, findings) | _of_slices(cell.model, findings)
        table.append(row)
    return table


def _of_cell(cell: Cell) -> dict[str, Value]:
    return {
        "model": cell.model,
        "task": cell.task,
        "method": cell.method,
        "is_score": cell.is_score,
        "status": cell.status.value,
        "reason": cell.reason or None,
        "value": cell.value,
        "seeds": cell.seeds,
        "seconds": cell.seconds,
        "encode_seconds": cell.encode_seconds,
        "notes": "\n".join(cell.notes) or None,
        **{f"metric_{name}": value for name, value in cell.metrics.items()},
        **{f"tuned_{name}": float(value) for name, value in cell.tuned.items()},
    }


def _of_task(findings: TaskFindings) -> dict[str, Value]:
    return {
        "task_kind": findings.task.kind.value,
        "task_modality": findings.task.modality.value,
        "task_metric": findings.task.metric,
        "task_floor": findings.task.floor,
        "task_test_count": findings.task.test_count,
        "task_fingerprint": findings.task.fingerprint,
        "shown_negated": findings.shown_negated,
    }


def _of_model(row: ModelRow | None) -> dict[str, Value]:
    if row is None:
        return {}
    return {
        "model_parameters": row.facts.parameters,
        "model_macs": row.facts.macs,
        "model_width": row.facts.width,
        "model_bytes": row.facts.bytes,
        "model_licence": row.facts.licence,
        "model_latency_seconds": row.latency_seconds,
    }


def _of_standing(model: str, findings: TaskFindings) -> dict[str, Value]:
    standing: Standing | None = next((one for one in findings.standings if one.model == model), None)
    if standing is None:
        return {}
    return {
        "interval_low": standing.interval.low if standing.interval else None,
        "interval_high": standing.interval.high if standing.interval else None,
        "index": standing.index,
        "rank": standing.rank,
        "rank_best": standing.ranks[0],
        "rank_worst": standing.ranks[1],
        "p_value": standing.p_value,
        "is_tied_best": standing.is_tied_best,
        "is_recommended": model == findings.recommended,
    }


def _of_slices(model: str, findings: TaskFindings) -> dict[str, Value]:
    row: dict[str, Value] = {}
    for of in findings.slices:
        name = f"slice_{of.column}={of.name}"
        for one in of.values:
            if one.model == model:
                ends = (one.interval.low, one.interval.high) if one.interval else (None, None)
                row |= dict(
                    zip((f"{name}{end}" for end in _OF_SLICE), (one.value, *ends, of.examples), strict=True)
                )
    return row
