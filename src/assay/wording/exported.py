"""Rows of exported tables: models and tasks by their addresses, without paths of the machine of the study."""

from __future__ import annotations

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
    return names_without_machine(list(models)) | names_without_machine(list(tasks))


def exported_rows(comparison: Comparison) -> list[dict[str, Value]]:
    """Return one row for each model, task and method."""
    names = exported_names(comparison)
    return [
        {**row, "model": names[str(row["model"])], "task": names.get(str(row["task"]), row["task"])}
        for row in comparison.rows()
    ]
