"""Agreement of scores with training results over many tasks, compared with baselines."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from assay.analysis.across_tasks.intervals import FEWEST_TASKS, task_interval
from assay.analysis.per_task.intervals import DRAWS
from assay.analysis.scores.agreement import CORRELATIONS, agreement
from assay.analysis.scores.baselines import STATIC, baselines
from assay.analysis.scores.intervals import (
    FEWEST_MODELS,
    correlation_interval,
    draw_models,
    resampled_correlations,
)
from assay.core.estimate import Interval
from assay.core.task import Modality
from assay.findings.agreement import Agreement, Agreements, OverallAgreement, Shortlist
from assay.findings.facts import ModelRow, TaskFacts
from assay.findings.matrix import Matrix
from assay.findings.per_task import Cell
from assay.wording.scores import agreement_remarks


class Past(NamedTuple):
    """Knowledge that does not need the target data.

    Attributes:
        facts: Facts about models by name, such as parameters or source accuracy.
        truth: Training results on more tasks.
    """

    facts: Mapping[str, Mapping[str, float]] = {}
    truth: Matrix | None = None


NOTHING_KNOWN = Past()


class _ScoreAgreement(NamedTuple):
    """The agreement of one score on all tasks."""

    by_task: tuple[Agreement, ...]
    drawn: dict[str, np.ndarray] | None  # draws of models: the mean of each correlation over tasks


def agreements(
    scores: Mapping[str, Matrix],
    truth: Matrix,
    name: str,
    past: Past = NOTHING_KNOWN,
    *,
    modality: Modality | None = None,
    seed: int = 0,
) -> Agreements:
    """Compare scores and baseline rankings with training results.

    Args:
        scores: Values of each score, higher is better; tasks and models without a truth are left out, and so
            is a score with the name of a baseline.
        truth: Training results, higher is better.
        name: Name of the truth.
        past: Knowledge that does not need the target data.
        modality: Modality of the tasks.
        seed: Seed of all draws.
    """
    counts = draw_models(len(truth.models), seed)
    known = baselines(truth, past.facts, past.truth)
    ranked = dict(scores) | known  # one random order is luck: random is the mean over all orders
    scored = [task for task in truth.tasks if any(_meets(matrix, truth, task) for matrix in scores.values())]
    kept = truth.take(tasks=scored or truth.tasks)  # every ranking is compared on the same tasks
    judged = {
        score: _judge(score, matrix, kept, counts, is_baseline=score in known)
        for score, matrix in ranked.items()
    }
    overall = []
    for score, judgement in judged.items():
        if judgement.by_task:
            static = None
            if STATIC in known and score != STATIC:
                static = _on_same(judged[STATIC], known[STATIC], ranked[score], kept, counts)
            overall.append(_overall(judgement, static, seed))
    agreements = Agreements(
        truth=name,
        modality=modality,
        by_task=tuple(result for of_score in judged.values() for result in of_score.by_task),
        overall=tuple(
            sorted(overall, key=lambda score: (-score.weighted_tau, score.shortlists[0].regret, score.score))
        ),
    )
    return replace(agreements, remarks=agreement_remarks(agreements.overall))


def _meets(matrix: Matrix, truth: Matrix, task: str) -> bool:
    """Return whether scores and truth have models in common on a task."""
    return task in matrix.tasks and bool(matrix.column(task).keys() & truth.column(task).keys())


def _on_same(
    whole: _ScoreAgreement, static: Matrix, other: Matrix, truth: Matrix, counts: np.ndarray
) -> _ScoreAgreement:
    """Return the agreement of the static ranking on the models and tasks of a score."""
    table = {
        task: {model: value for model, value in static.column(task).items() if model in known}
        for task in truth.tasks
        if task in other.tasks
        for known in [other.column(task)]
    }
    same = Matrix.of(table)
    if same.known.sum() == static.take(tasks=truth.tasks).known.sum():
        return whole
    return _judge(STATIC, same, truth, counts, is_baseline=True)


def _judge(
    score: str, matrix: Matrix, truth: Matrix, counts: np.ndarray, *, is_baseline: bool
) -> _ScoreAgreement:
    column = {model: column for column, model in enumerate(truth.models)}
    by_task, drawn = [], []
    for task in truth.tasks:
        if task not in matrix.tasks:
            continue
        estimates, values = matrix.column(task), truth.column(task)
        both = sorted(estimates.keys() & values.keys())
        draws = None
        if len(both) >= FEWEST_MODELS:
            estimated, true = (np.array([side[model] for model in both]) for side in (estimates, values))
            draws = resampled_correlations(estimated, true, counts[:, [column[model] for model in both]])
        result = agreement(score, task, estimates, values, is_baseline=is_baseline, draws=draws)
        if result is not None:
            by_task.append(result)
            drawn.append(draws)
    complete = [draws for draws in drawn if draws is not None]
    if not by_task or len(complete) < len(by_task) or all(result.weighted_tau is None for result in by_task):
        return _ScoreAgreement(tuple(by_task), None)
    means = {
        name: np.mean([np.nan_to_num(draws[name]) for draws in complete], axis=0) for name in CORRELATIONS
    }
    return _ScoreAgreement(tuple(by_task), means)


def _overall(judged: _ScoreAgreement, static: _ScoreAgreement | None, seed: int) -> OverallAgreement:
    by_task = judged.by_task
    values = {name: np.array([getattr(result, name) or 0.0 for result in by_task]) for name in CORRELATIONS}
    means = {name: float(of_tasks.mean()) for name, of_tasks in values.items()}
    within = {name: correlation_interval(means[name], draws) for name, draws in (judged.drawn or {}).items()}
    over = None
    if static is not None and static.drawn and judged.drawn:
        over = correlation_interval(0.0, judged.drawn["weighted_tau"] - static.drawn["weighted_tau"])
    constant = sum(result.weighted_tau is None for result in by_task)
    return OverallAgreement(
        score=by_task[0].score,
        is_baseline=by_task[0].is_baseline,
        tasks=len(by_task),
        constant=constant,
        **means,
        shortlists=_mean_shortlists(by_task),
        models={name: interval for name, interval in within.items() if interval is not None},
        others={} if constant == len(by_task) else _over_tasks(values, by_task, seed),
        static_tau=None
        if static is None or not static.by_task
        else float(np.mean([result.weighted_tau or 0.0 for result in static.by_task])),
        over_static=over,
    )


def _over_tasks(
    values: Mapping[str, np.ndarray], by_task: Sequence[Agreement], seed: int
) -> dict[str, Interval]:
    tasks = len(by_task)
    if tasks < FEWEST_TASKS:
        return {}
    rows = np.random.default_rng(seed).integers(tasks, size=(DRAWS, tasks))
    every = {**values, "regret": np.array([result.regret for result in by_task])}
    return {name: task_interval(of_tasks[rows].mean(axis=1), tasks) for name, of_tasks in every.items()}


def _mean_shortlists(by_task: Sequence[Agreement]) -> tuple[Shortlist, ...]:
    """Return the mean over tasks of the shortlist sizes that every task has."""
    shortlists = []
    for position, first in enumerate(by_task[0].shortlists):
        same = [result.shortlists[position] for result in by_task if len(result.shortlists) > position]
        if len(same) < len(by_task):
            break
        scaled = [shortlist.normalised for shortlist in same if shortlist.normalised is not None]
        shortlists.append(
            Shortlist(
                size=first.size,
                regret=float(np.mean([shortlist.regret for shortlist in same])),
                normalised=float(np.mean(scaled)) if scaled else None,
                hit=float(np.mean([shortlist.hit for shortlist in same])),
            )
        )
    return tuple(shortlists)


def outcomes(cells: Sequence[Cell], scores: Collection[str]) -> list[str]:
    """Return the protocols with a value, which are what scores predict."""
    return sorted({cell.method for cell in cells if cell.value is not None} - set(scores))


def study_agreements(
    truth: str,
    cells: Sequence[Cell],
    scores: Collection[str],
    tasks: Sequence[TaskFacts],
    rows: Mapping[str, ModelRow],
    seed: int,
) -> tuple[Agreements, ...]:
    """Compare scores and cheaper protocols with a protocol, on the tasks of each modality.

    Args:
        truth: The protocol.
        cells: Cells of pretrained models only: separating random weights from others is trivial.
        scores: The methods that are scores.
        tasks: Tasks in the order of the report.
        rows: The models by address.
        seed: Seed of all draws.
    """
    known = [cell for cell in cells if cell.value is not None]
    seconds = _seconds(known)
    values: dict[tuple[str, str], dict[str, float | None]] = {}
    for cell in known:
        values.setdefault((cell.method, cell.task), {})[cell.model] = cell.value

    def matrix_of(method: str, tasks: Sequence[str]) -> Matrix:
        return Matrix.of({task: values.get((method, task), {}) for task in tasks})

    past = Past(_facts(rows))
    results = []
    cheaper = [method for method in seconds if method in scores or seconds[method] < seconds[truth]]
    for modality in sorted({task.modality for task in tasks}):
        addresses = [task.address for task in tasks if task.modality == modality]
        matrix = matrix_of(truth, addresses)
        predictors = {method: matrix_of(method, addresses) for method in cheaper if method != truth}
        results.append(agreements(predictors, matrix, truth, past, modality=modality, seed=seed))
    return tuple(result for result in results if result.by_task)


def _facts(rows: Mapping[str, ModelRow]) -> dict[str, dict[str, float]]:
    """Return task-independent facts about models: their size, and the accuracy their authors report."""
    stated = {model: row.facts.source_accuracy for model, row in rows.items()}
    return {
        "parameters": {model: float(row.facts.parameters) for model, row in rows.items()},
        "source accuracy": {model: value for model, value in stated.items() if value is not None},
    }


def _seconds(cells: Sequence[Cell]) -> dict[str, float]:
    """Return the mean time of each method, without encoding."""
    seconds: dict[str, list[float]] = {}
    for cell in cells:
        seconds.setdefault(cell.method, []).append(cell.seconds)
    return {method: float(np.mean(seconds[method])) for method in sorted(seconds)}
