"""Sentences about comparisons across tasks: warnings about the ranking, and similarities."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from assay.core.text import few, listing, plural
from assay.findings.across import Across, Criterion, Unit
from assay.findings.similarity import Similarity, SimilarityMatrix
from assay.wording.numbers import value_text

INDEX, MEAN_RANK, WORST = "index", "mean rank", "worst task"  # the names of criteria
STRENGTH, BORDA = "strength on shared tasks", "Borda points"
_PLACES = {INDEX: 3, MEAN_RANK: 1, WORST: 3, STRENGTH: 2, BORDA: 1}  # decimals
_NAMED = 3  # models or tasks that a sentence names
_SIMILAR = 4  # names of a group that a sentence lists


def across_remarks(across: Across, tasks_needed: int, alpha: float, bounded: int = 0) -> tuple[str, ...]:
    """Return warnings about the order, in sentences.

    Args:
        across: The comparison without these sentences.
        tasks_needed: The smallest number of tasks with which a test can be significant.
        alpha: The significance level.
        bounded: How many indices are below -1, and count as -1.
    """
    sentences = (
        _who_leads(across),
        _missing(across),
        _without_index(across),
        _bounded(bounded),
        _unit(across, tasks_needed),
        _chance(across, alpha),
    )
    return tuple(filter(None, sentences))


def _who_leads(across: Across) -> str:
    first = across.models[0].model
    agreeing = [criterion for criterion in across.criteria if first in criterion.leaders]
    others = [criterion for criterion in across.criteria if first not in criterion.leaders]
    if not across.criteria:
        return ""
    names = listing([criterion.name for criterion in agreeing]) if agreeing else ""
    sentence = f"{first} is first by {names}" if agreeing else f"{first} is first"
    if not others:
        return f"{sentence}." if len(agreeing) > 1 else ""
    by_leaders: dict[tuple[str, ...], list[str]] = {}
    for criterion in others:
        by_leaders.setdefault(criterion.leaders, []).append(_criterion(criterion))
    against = [f"{few(leaders, _NAMED)} by {listing(ways)}" for leaders, ways in by_leaders.items()]
    return f"{sentence}, but {'; '.join(against)}."


def _criterion(criterion: Criterion) -> str:
    places = _PLACES[criterion.name]
    value = value_text(criterion.value, places=places)
    return f"{criterion.name} ({value} against {value_text(criterion.value_of_first, places=places)})"


def _missing(across: Across) -> str:
    incomplete = [model for model in across.models if model.missing]
    if not incomplete:
        return ""
    total = len(across.all_tasks)
    if len(incomplete) <= _NAMED:
        start = listing(
            f"{model.model} has a value on {len(model.tasks)} of {total} tasks "
            f"(not {few(tuple(model.missing), _NAMED)})"
            for model in incomplete
        )
    else:
        start = f"{len(incomplete)} of {len(across.models)} models have no value on some of the {total} tasks"
    means = f"the {_compared(across)} models with a value on all of {plural(len(across.tasks), 'task')}"
    return f"{start}; index and mean rank compare {means}, wins and strength all models on shared tasks."


def _without_index(across: Across) -> str:
    """Return a sentence about tasks without an index, if others have one."""
    left_out = [task for task in across.tasks if task not in across.index_tasks]
    if not left_out or not across.index_tasks:
        return ""
    names = few(left_out, _NAMED)
    return f"On {names} no model is better than {across.index_zero}: it counts for ranks, not for the index."


def _bounded(bounded: int) -> str:
    """Return a sentence about indices that count as -1; empty without any."""
    if not bounded:
        return ""
    what = "1 index below −1 counts" if bounded == 1 else f"{bounded:,} indices below −1 count"
    return f"{what} as −1 in means and their intervals, so that one task does not decide alone."


def _unit(across: Across, tasks_needed: int) -> str:
    if across.models[0].index is None or across.unit is Unit.TASKS:
        return ""
    tasks = plural(len(across.index_tasks), "task")
    models = _compared(across)
    start = f"With {tasks} no test over tasks can find a significant difference between {models} models"
    if across.unit is Unit.EXAMPLES:
        here = "Significant differences are about these tasks, not about other tasks like them."
        return f"{start}: at least {tasks_needed} tasks are needed. {here}"
    return f"{start}: at least {tasks_needed} tasks are needed. Differences were not tested."


def _chance(across: Across, alpha: float) -> str:
    if across.omnibus is None or across.omnibus.p_value < alpha:
        return ""
    p_value = f"{across.omnibus.p_value:.2f}"
    return f"The mean ranks differ no more than expected by chance (Friedman p = {p_value})."


def _compared(across: Across) -> int:
    return sum(model.average_rank is not None for model in across.models)


def similarity_remarks(similarity: Similarity, left_out: int = 0) -> tuple[str, ...]:
    """Return sentences about similar tasks and models.

    Args:
        similarity: What was compared.
        left_out: The number of models whose errors and features were not compared.
    """
    remarks = []
    if similarity.tasks is not None:
        remarks += [
            f"{few(group, _SIMILAR)} rank the models similarly "
            f"(rank correlation {_mean(similarity.tasks, group)}): testing one is nearly enough."
            for group in similarity.tasks.groups
        ]
    against = {task: fit for task, fit in similarity.fits.items() if fit < 0}
    if against:
        worst = sorted(against, key=lambda task: against[task])
        named = [f"{task} ({value_text(against[task], places=2)})" for task in worst]
        remarks.append(
            f"Ranking models unlike other tasks (rank correlation with their mean): {few(named, _SIMILAR)}."
        )
    same = ("err on the same examples", "error consistency")
    if similarity.is_of_residuals:
        same = ("have similar residuals", "correlation")
    for of_models, what, measure in (
        (similarity.errors, *same),
        (similarity.features, "have similar features on test", "CKA"),
    ):
        if of_models is not None:
            remarks += [
                f"{few(group, _SIMILAR)} {what} ({measure} {_mean(of_models, group)})."
                for group in of_models.groups
            ]
    if left_out and (similarity.errors or similarity.features):
        remarks.append(
            f"{'Residuals' if similarity.is_of_residuals else 'Errors'} and features of "
            f"{plural(left_out, 'model')} with lower ranks were not compared."
        )
    return tuple(remarks)


def similarity_title(similarity: Similarity) -> str:
    """Return what is compared: tasks, models, or both."""
    kind = f"{similarity.modality} " if similarity.modality else ""
    compared = ["tasks"] * (similarity.tasks is not None)
    compared += ["models"] * (similarity.errors is not None or similarity.features is not None)
    return f"Similarity of {kind}{listing(compared)}"


def _mean(matrix: SimilarityMatrix, group: Sequence[str]) -> str:
    rows = [matrix.names.index(name) for name in group]
    pairs = [matrix.values[row][column] for row in rows for column in rows if row < column]
    return value_text(float(np.mean([value for value in pairs if value is not None])), places=2)
