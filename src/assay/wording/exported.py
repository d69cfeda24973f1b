"""Rows of exported tables: models and tasks by their addresses, without paths of the machine of the study."""

from __future__ import annotations

from assay.findings.comparison import Comparison
from assay.findings.frames import Value
from assay.wording.names import model_addresses
from assay.wording.short_names import names_without_machine


def exported_names(comparison: Comparison) -> dict[str, str]:
    """Return the name of each model and task in exported tables, by address."""
    tasks = [findings.task.address for findings in comparison.tasks]
    return names_without_machine(model_addresses(comparison)) | names_without_machine(tasks)


def exported_rows(comparison: Comparison) -> list[dict[str, Value]]:
    """Return one row for each model, task and method."""
    names = exported_names(comparison)
    return [
        {**row, "model": names[str(row["model"])], "task": names.get(str(row["task"]), row["task"])}
        for row in comparison.rows()
    ]
