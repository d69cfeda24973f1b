"""Compares models across tasks: the ranking, its uncertainty, and other criteria."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from assay.analysis.across_tasks.bradley_terry import bradley_terry
from assay.analysis.across_tasks.intervals import (
    FEWEST_TASKS,
    LOWEST_INDEX,
    draws_of_examples,
    draws_of_tasks,
    interquartile_mean,
    task_interval,
)
from assay.analysis.across_tasks.ranks import average_ranks, borda, cliques, friedman, task_ranks, win_rates
from assay.analysis.across_tasks.significance import ROPE, Comparable, compare_over_tasks, fewest_tasks
from assay.analysis.pairwise import ALPHA
from assay.analysis.per_task.index import index_matrix
from assay.analysis.per_task.intervals import LEVEL, ExampleDraws, interval
from assay.core.estimate import Interval
from assay.core.task import Modality
from assay.findings.across import Across, Criterion, Generality
from assay.findings.matrix import Matrix
from assay.wording.across_tasks import BORDA, INDEX, MEAN_RANK, STRENGTH, WORST, across_remarks

GUESSING, MEDIAN = "chance level", "the median model"
_CLOSE = 1e-9
THRESHOLDS = tuple(round(0.05 * step, 2) for step in range(21))


@dataclass(frozen=True, slots=True)
class CombinedEvidence:
    """The inputs of a comparison across tasks.

    Attributes:
        values: Models x tasks; higher is better.
        index: The compatibility index of each value; NaN where undefined, everywhere for estimates.
        draws: Bootstrap draws of the index on each task with stored predictions.
        index_zero: What an index of 0 means.
    """

    values: Matrix
    index: Matrix
    draws: Mapping[str, ExampleDraws] = field(default_factory=dict)
    modality: Modality | None = None
    index_zero: str = MEDIAN


def across(
    matrix: Matrix, floors: Mapping[str, float] | None = None, *, rope: float = ROPE, seed: int = 0
) -> Across | None:
    """Compare models across the tasks of a matrix; None if no two models share two tasks.

    Models with a value on all tasks of a large complete block are compared by means over the block; models
    with missing values by pairwise wins on shared tasks. The order of models and tasks does not matter.

    Args:
        matrix: Higher is better.
        floors: Chance level on each task. Without them an index of 0 is the median model of a task.
        rope: Region of practical equivalence of the index.
        seed: Seed of all draws.

    >>> matrix = Matrix.of({"t": {"a": 0.9, "b": 0.5}, "u": {"a": 0.8, "b": 0.7}})
    >>> [(model.model, round(model.index, 3)) for model in across(matrix, {"t": 0.1, "u": 0.6}).models]
    [('a', 1.0), ('b', 0.5)]
    """
    zero = MEDIAN if floors is None else GUESSING
    return across_tasks(
        CombinedEvidence(matrix, index_matrix(matrix, floors), index_zero=zero), rope=rope, seed=seed
    )


def across_tasks(evidence: CombinedEvidence, *, rope: float = ROPE, seed: int = 0) -> Across | None:
    """Compare models across tasks; see :func:`across`."""
    evidence = _sorted(evidence)
    block = complete_block(evidence.values)
    if not block.models:
        return None
    index = evidence.index.take(block.models, block.tasks)
    has_index = index.known.all(axis=0)  # a task on which no model is above chance level has none
    index = index.take(tasks=np.array(block.tasks, dtype=object)[has_index])
    here = None
    if index.tasks and evidence.draws:
        here = draws_of_examples(index.models, index.tasks, evidence.draws, seed)
    rows = {model.model: model for model in _of_all(evidence)}
    rows |= {model.model: model for model in _of_block(rows, block, index, here, seed)}
    ordered = sorted(rows.values(), key=_merit)
    tested, unit = compare_over_tasks(ordered, Comparable(index, here), rope, seed)
    omnibus = friedman(block.values)
    by_rank = sorted((model for model in ordered if model.average_rank is not None), key=_rank)
    runs = cliques([_rank(model)[0] for model in by_rank], omnibus.critical_difference) if omnibus else ()
    comparison = Across(
        modality=evidence.modality,
        tasks=block.tasks,
        index_tasks=index.tasks,
        all_tasks=evidence.values.tasks,
        index_zero=evidence.index_zero,
        models=tested,
        unit=unit,
        omnibus=omnibus,
        cliques=tuple(tuple(model.model for model in by_rank[first : last + 1]) for first, last in runs),
        thresholds=THRESHOLDS,
        criteria=criteria(tested),
    )
    compared = sum(model.average_rank is not None for model in tested)
    bounded = int((index.values < LOWEST_INDEX).sum())
    return replace(comparison, remarks=across_remarks(comparison, fewest_tasks(compared), ALPHA, bounded))


def _sorted(evidence: CombinedEvidence) -> CombinedEvidence:
    """Sort models and tasks by name, so that no draw depends on their order."""
    models, tasks = sorted(evidence.values.models), sorted(evidence.values.tasks)
    values, index = (matrix.take(models, tasks) for matrix in (evidence.values, evidence.index))
    return replace(evidence, values=values, index=index)


def _merit(model: Generality) -> tuple[bool, float, float, float, str]:
    """Return the sort key: index, mean rank, strength; models with missing values come last."""
    index = 0.0 if model.index is None else model.index
    return model.average_rank is None, -index, model.average_rank or 0.0, -model.strength, model.model


def _rank(model: Generality) -> tuple[float, str]:
    return model.average_rank or 0.0, model.model


def _of_all(evidence: CombinedEvidence) -> list[Generality]:
    """Return win rate, Borda points and strength of every model with a value on any task."""
    has_any = evidence.values.known.any(axis=1)
    values = evidence.values.take(np.array(evidence.values.models, dtype=object)[has_any])
    wins, points = win_rates(values.values), borda(values.values)
    strengths = bradley_terry(values.values)
    ranks = task_ranks(values.values)
    models = []
    for row, model in enumerate(values.models):
        of_tasks = evidence.index.values[evidence.index.models.index(model)]
        has_index = np.isfinite(of_tasks).any()
        merits = of_tasks if has_index else -ranks[row]
        worst = int(np.lexsort((values.values[row], merits))[0])  # missing ones come last
        missing = values.missing(model)
        low, high = float(strengths.low[row]), float(strengths.high[row])
        models.append(
            Generality(
                model=model,
                tasks=tuple(task for task in values.tasks if task not in missing),
                missing=missing,
                win_rate=float(wins[row]),
                borda=float(points[row]),
                strength=float(strengths.values[row]),
                strength_interval=Interval(low, high, LEVEL) if np.isfinite(high) else None,
                worst_task=values.tasks[worst],
                worst_index=float(of_tasks[worst]) if has_index else None,
            )
        )
    return models


def _of_block(
    rows: Mapping[str, Generality], block: Matrix, index: Matrix, here: np.ndarray | None, seed: int
) -> list[Generality]:
    """Add index, ranks and intervals to the models without missing values in the block."""
    ranks = average_ranks(block.values)
    plain = [
        replace(rows[model], average_rank=float(rank))
        for model, rank in zip(block.models, ranks, strict=True)
    ]
    if not index.tasks:
        return plain
    tasks = len(index.tasks)
    drawn = draws_of_tasks(index.values, seed) if tasks >= FEWEST_TASKS else None
    reached = index.values[:, :, None] >= np.array(THRESHOLDS) - 1e-12
    return [
        replace(
            model,
            index=float(interquartile_mean(index.values[row])),
            interval=None if drawn is None else task_interval(drawn[:, row], tasks),
            interval_here=None if here is None or np.isnan(here[:, row]).any() else interval(here[:, row]),
            profile=tuple(float(share) for share in reached[row].mean(axis=0)),
        )
        for row, model in enumerate(plain)
    ]


def complete_block(matrix: Matrix) -> Matrix:
    """Return a large part of a matrix in which every model has a value on every task.

    Greedy: from each task in turn the block grows by the task that keeps most models; the largest block seen
    is returned. (The exact problem is NP-hard; with few missing values this solves it.) The block has at
    least two models and two tasks, or it is empty.

    >>> matrix = Matrix.of({"a": {"x": 1, "y": 1}, "b": {"x": 1, "y": 1}, "c": {"x": 1}})
    >>> complete_block(matrix).models, complete_block(matrix).tasks
    (('x', 'y'), ('a', 'b'))
    """
    known = matrix.known.astype(np.int64)
    largest, models, tasks = 0, np.array([], dtype=int), np.array([], dtype=int)
    for first in range(len(matrix.tasks)):
        chosen, kept, left = [first], known[:, first], np.ones(len(matrix.tasks), dtype=bool)
        left[first] = False
        most = kept.sum()
        while left.any() and most * len(matrix.tasks) > largest:  # else no larger block can follow
            counts = np.where(left, kept @ known, -1)
            added = int(np.argmax(counts))
            most = counts[added]
            chosen, kept = [*chosen, added], kept * known[:, added]
            left[added] = False
            if counts[added] > 1 and counts[added] * len(chosen) > largest:
                largest = int(counts[added]) * len(chosen)
                models, tasks = np.flatnonzero(kept), np.array(sorted(chosen))
    return matrix.take([matrix.models[row] for row in models], [matrix.tasks[column] for column in tasks])


class _RankingCriterion(NamedTuple):
    """A criterion that orders models; a higher merit is better."""

    name: str
    merit: Callable[[Generality], float | None]
    lower_is_better: bool  # for the number that is shown
    is_for_missing: bool  # it differs from the mean rank only if values are missing


_CRITERIA = (
    _RankingCriterion(INDEX, lambda model: model.index, False, False),
    _RankingCriterion(
        MEAN_RANK, lambda model: None if model.average_rank is None else -model.average_rank, True, False
    ),
    _RankingCriterion(WORST, lambda model: None if model.index is None else model.worst_index, False, False),
    _RankingCriterion(STRENGTH, lambda model: model.strength, False, True),
    _RankingCriterion(BORDA, lambda model: model.borda, False, True),
)


def criteria(models: Sequence[Generality]) -> tuple[Criterion, ...]:
    """Return the best model by each criterion.

    Without missing values mean rank, wins, Borda and strength give the same order.

    Args:
        models: In the order of the table.
    """
    has_missing = any(model.missing for model in models)
    compared = [model.model for model in models if model.average_rank is not None]
    rows = []
    for way in _CRITERIA:
        if way.is_for_missing and not has_missing:
            continue
        merits = {model.model: merit for model in models if (merit := way.merit(model)) is not None}
        if models[0].model not in merits:
            continue
        best = max(merits.values())
        sign = -1.0 if way.lower_is_better else 1.0
        rows.append(
            Criterion(
                name=way.name,
                leaders=tuple(model for model, merit in merits.items() if merit >= best - _CLOSE),
                value=sign * best,
                value_of_first=sign * merits[models[0].model],
                tau=_tau([merits[model] for model in compared if model in merits]),
            )
        )
    return tuple(rows)


def _tau(merits: Sequence[float]) -> float | None:
    """Return Kendall's tau-b of merits, given in the order of the table, with that order."""
    if len(merits) < 2 or np.ptp(merits) == 0:
        return None
    from scipy import stats

    return float(stats.kendalltau(-np.arange(len(merits)), merits).statistic)
