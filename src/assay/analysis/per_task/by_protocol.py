"""The values of each model on one task by protocol; several train sizes make a learning curve."""

from __future__ import annotations

import math
import re
from typing import NamedTuple

from assay.analysis.pairwise import ALPHA
from assay.findings.comparison import Comparison
from assay.findings.per_task import Cell, TaskFindings
from assay.numerics.distributions import student_quantile
from assay.wording.numbers import value_text


class ByProtocol(NamedTuple):
    """The values of all models of a task, best first, by each protocol."""

    models: tuple[str, ...]
    rows: tuple[tuple[str, tuple[Cell | None, ...]], ...]  # protocol, and a cell for each model


def by_protocol(comparison: Comparison, findings: TaskFindings) -> ByProtocol | None:
    """Return the values of a task by protocol, sorted by name; None with only one protocol."""
    cells = {
        (cell.method, cell.model): cell
        for cell in comparison.cells
        if cell.task == findings.task.address and not cell.is_score and cell.value is not None
    }
    methods = sorted({method for method, _ in cells}, key=natural)
    if len(methods) < 2 or comparison.is_estimate:
        return None
    models = tuple(standing.model for standing in findings.standings)
    rows = [(method, tuple(cells.get((method, model)) for model in models)) for method in methods]
    return ByProtocol(models, tuple(rows))


def seed_error(cell: Cell) -> float | None:
    """Return half the 95 % interval (Student) of the mean over seeds or draws; None with fewer than two."""
    if cell.spread is None:
        return None
    student = float(student_quantile(1 - ALPHA / 2, cell.seeds - 1))
    return student * cell.spread / math.sqrt(cell.seeds)


def cell_text(cell: Cell | None, *, negated: bool, places: int | None = None) -> str:
    """Return the value of a cell with its error over seeds or draws, as text."""
    if cell is None or cell.value is None:
        return "–"
    value, error = value_text(cell.value, negated=negated, places=places), seed_error(cell)
    return value if error is None else f"{value} ± {value_text(error, places=places)}"


def natural(name: str) -> list[tuple[bool, int, str]]:
    """Return a natural sort key: few_shot(k=5) comes before few_shot(k=16)."""
    parts = re.split(r"(\d+)", name)
    return [(part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in parts]
