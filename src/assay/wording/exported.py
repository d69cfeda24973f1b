"""Rows of exported tables: models and tasks by address, without local paths."""

from __future__ import annotations

import json
from collections.abc import Sequence
from hashlib import sha256
from typing import NamedTuple

from assay.findings.comparison import Comparison
from assay.findings.frames import Value
from assay.wording.names import model_addresses
from assay.wording.short_names import names_without_machine


def exported_names(comparison: Comparison) -> dict[str, str]:
    """Return the name of each model and task in exported tables, by address."""
    models = dict.fromkeys(model_addresses(comparison))
    tasks = dict.fromkeys(findings.task.address for findings in comparison.tasks)
    if comparison.search is not None:
        models |= dict.fromkeys(model for model, _ in comparison.search.statuses())
        tasks |= dict.fromkeys(comparison.search.tasks)
    names = names_without_machine(list(models)) | names_without_machine(list(tasks))
    return {address: name.encode("utf-8", "backslashreplace").decode() for address, name in names.items()}


def exported_rows(comparison: Comparison) -> list[dict[str, Value]]:
    """Return one row for each model, task and method."""
    names = exported_names(comparison)
    rows = comparison.rows()
    for row in rows:
        row["model"], row["task"] = names[str(row["model"])], names.get(str(row["task"]), row["task"])
    return rows


class ExportedRun(NamedTuple):
    """A model on a task with a method, as tools for tracking experiments keep it.

    Attributes:
        name: Model, task and method.
        key: The same for the same content, and a name for tools: 16 hexadecimal digits.
        config: What it is, in words.
        metrics: What was measured; every value is higher-is-better, as in the other tables.
    """

    name: str
    key: str
    config: dict[str, str]
    metrics: dict[str, float]


def exported_runs(comparison: Comparison) -> list[ExportedRun]:
    """Return one run for each row that has a value."""
    runs = []
    for row in exported_rows(comparison):
        if row.get("value") is None:
            continue
        config = {
            name: str(value) for name, value in row.items() if isinstance(value, str | bool) and value != ""
        }
        metrics = {
            name: float(value)
            for name, value in row.items()
            if isinstance(value, int | float) and not isinstance(value, bool)
        }
        content = json.dumps([config, metrics], sort_keys=True).encode()
        name = f"{row['model']} on {row['task']}, {row['method']}"
        runs.append(ExportedRun(name, sha256(content).hexdigest()[:16], config, metrics))
    return runs


def receipt(tool: str, runs: Sequence[ExportedRun]) -> str:
    """Return the reason why a tool keeps its runs elsewhere."""
    return "\n".join([f"{len(runs)} runs in {tool}", *(f"{run.key}  {run.name}" for run in runs)]) + "\n"
