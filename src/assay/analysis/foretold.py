"""How well the scores and the cheap protocols of a study foretold what its protocols measured."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

import numpy as np

from assay.analysis.agreements import Past, agreements
from assay.findings.agreement import Agreements
from assay.findings.facts import ModelRow, TaskFacts
from assay.findings.matrix import Matrix
from assay.findings.per_task import Cell


def foretold(
    cells: Sequence[Cell],
    scores: Collection[str],
    tasks: Sequence[TaskFacts],
    rows: Mapping[str, ModelRow],
    seed: int,
) -> tuple[Agreements, ...]:
    """Compare what is cheap with each measured outcome, on the tasks of each modality.

    Args:
        cells: Those of pretrained models: to tell random weights from others is no merit of a score.
        scores: The methods that are scores.
        tasks: In the order of the report.
        rows: The models by address.
        seed: Decides all draws.
    """
    known = [cell for cell in cells if cell.value is not None]
    seconds = _seconds(known)
    protocols = sorted({cell.method for cell in known} - set(scores))
    past = Past(_facts(rows))
    found = []
    for truth in protocols:
        cheaper = [one for one in seconds if one in scores or seconds[one] < seconds[truth]]
        for modality in sorted({task.modality for task in tasks}):
            addresses = [task.address for task in tasks if task.modality == modality]
            matrix = _matrix(known, truth, addresses)
            predictors = {one: _matrix(known, one, addresses) for one in cheaper if one != truth}
            found.append(agreements(predictors, matrix, truth, past, modality=modality, seed=seed))
    return tuple(one for one in found if one.by_task)


def _facts(rows: Mapping[str, ModelRow]) -> dict[str, dict[str, float]]:
    """Return what is known of models without any task: their size, and what their authors say of them."""
    stated = {model: row.facts.source_accuracy for model, row in rows.items()}
    return {
        "parameters": {model: float(row.facts.parameters) for model, row in rows.items()},
        "source accuracy": {model: value for model, value in stated.items() if value is not None},
    }


def _seconds(cells: Sequence[Cell]) -> dict[str, float]:
    """Return the mean time of each method, encoding left out."""
    methods = sorted({cell.method for cell in cells})
    return {one: float(np.mean([cell.seconds for cell in cells if cell.method == one])) for one in methods}


def _matrix(cells: Sequence[Cell], method: str, tasks: Sequence[str]) -> Matrix:
    return Matrix.of(
        {
            task: {cell.model: cell.value for cell in cells if cell.method == method and cell.task == task}
            for task in tasks
        }
    )
