"""Sentences about the values of several methods in one table."""

from __future__ import annotations

from collections.abc import Sequence

from assay.core.text import listing
from assay.findings.per_task import Cell


def methods_notes(cells: Sequence[Cell], measure: str) -> tuple[str, ...]:
    """Return what the values in a table of models x methods are: means, estimates from train, other scales.

    Args:
        cells: The cells with a value.
        measure: The name of the task's metric.
    """
    scores = {cell.method: cell.metric for cell in cells if cell.is_score}
    expected = [method for method, metric in scores.items() if metric]
    notes = []
    if any(cell.spread is not None for cell in cells):
        notes.append("Means over seeds or draws; ± is the 95 % CI of the mean.")
    if expected:
        verb = "estimates" if len(expected) == 1 else "estimate"
        notes.append(
            f"{listing(expected)} {verb} {measure} from train alone, on examples drawn like it: a test from "
            "other sources may be harder."
        )
    if len(expected) < len(scores):
        other = "Other scores" if expected else "Scores"
        notes.append(f"{other} rank models before any training, each on a scale of its own.")
    return tuple(notes)
