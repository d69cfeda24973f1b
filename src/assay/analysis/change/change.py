"""Measures the differences between two models, with intervals and tests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from scipy import stats

from assay.analysis.across_tasks.intervals import FEWEST_TASKS
from assay.analysis.across_tasks.significance import practical, wilcoxon
from assay.analysis.change.feature_spaces import spaces
from assay.analysis.change.flips import flips
from assay.analysis.evidence import Evidence, decided_rows, judged_rows
from assay.analysis.pairwise import ALPHA, holm
from assay.analysis.per_task.answer_cost import one_answer
from assay.analysis.per_task.cells import gather
from assay.analysis.per_task.intervals import (
    LEVEL,
    Draws,
    Measured,
    bootstrap,
    example_values,
    interval,
    is_mean,
)
from assay.analysis.per_task.significance import pair_p_values
from assay.core.errors import UsageError
from assay.core.estimate import Interval
from assay.core.metric import Metric
from assay.core.task import LabelKind, SplitName, TaskKind
from assay.findings.change import Change, FeatureSpaceSimilarity, OverTasks, TaskChange
from assay.findings.facts import TaskFacts
from assay.findings.per_task import OTHER_MODALITY, Cell
from assay.wording.change import change_remarks

HALF_A_POINT = 0.005  # region of practical equivalence


@dataclass(frozen=True, slots=True)
class Pair:
    """Addresses of two models, and the method that measured both."""

    before: str
    after: str
    method: str


def change(evidence: Evidence, pair: Pair, *, seed: int = 0) -> Change:
    """Compare two models task by task.

    Args:
        evidence: Results, predictions and facts about models and tasks.
        pair: The two models, and the method.
        seed: Seed of all draws.

    Raises:
        UsageError: There is no task on which both models have a value by the method.
    """
    if pair.before == pair.after:
        raise UsageError(f"'{pair.before}' stands twice. Name two models.")
    cells = {
        (cell.task, cell.model): cell
        for cell in gather(evidence.on_these_data(), evidence.scores)
        if cell.method == pair.method and cell.model in {pair.before, pair.after}
    }
    changes, missing = [], []
    for task in evidence.tasks:
        both = [cells.get((task.address, model)) for model in (pair.before, pair.after)]
        first, second = both
        if first is not None and second is not None and first.value is not None and second.value is not None:
            changes.append(_on_task(evidence, task, (first, second), seed))
        else:
            missing += _reasons(task, pair, both)
    if not changes:
        reasons = " ".join(missing) or "They have no task in common: name two models that read the same."
        raise UsageError(f"{pair.method} measured both models on no task. {reasons}")
    rows = {row.address: row for row in evidence.models}
    whole = Change(
        before=rows[pair.before],
        after=rows[pair.after],
        method=pair.method,
        tasks=_corrected(changes),
        missing=tuple(missing),
        over_tasks=_over_tasks(changes, seed),
    )
    return replace(whole, remarks=change_remarks(whole, ALPHA))


def _reasons(task: TaskFacts, pair: Pair, both: Sequence[Cell | None]) -> list[str]:
    """Return the reasons for missing values on a task; empty for a model of another modality."""
    reasons = []
    for model, cell in zip((pair.before, pair.after), both, strict=True):
        if cell is None:
            reasons.append(f"{task.address}: {pair.method} has not run for {model}.")
        elif cell.value is None and not cell.reason.startswith(OTHER_MODALITY):
            reasons.append(f"{task.address}: {cell.status} for {model}: {cell.reason}")
    return reasons if any(both) else []


def _on_task(evidence: Evidence, task: TaskFacts, cells: tuple[Cell, Cell], seed: int) -> TaskChange:
    before, after = cells
    assert before.value is not None
    assert after.value is not None
    is_score = before.is_score
    metric = evidence.metrics[task.metric]
    truth = None if is_score else evidence.truths.get(task.fingerprint)
    seeds = {} if is_score else evidence.by_seed(task, before.method)
    both = [seeds.get(cell.model) for cell in cells]
    difference, turned = None, None
    if truth is not None and both[0] and both[1]:
        rows = (judged_rows(both[0], metric), judged_rows(both[1], metric))
        contents = evidence.contents(task, SplitName.TEST)
        difference = paired(Measured(truth, rows, contents), metric, seed)
        names = evidence.names(task.fingerprint) or ()
        turned = flips(truth, decided_rows(both[0]), decided_rows(both[1]), names)
    return TaskChange(
        task=task,
        measure=before.metric or before.method if is_score else metric.measure(task.metric, task.classes),
        shown_negated=metric.shown_negated and (not is_score or before.metric == task.metric),
        before=before.value,
        after=after.value,
        difference=after.value - before.value,
        interval=difference.interval if difference else None,
        p_value=difference.p_value if difference else None,
        seeds=(before.seeds, after.seeds),
        flips=turned,
        spaces=_spaces(evidence, task, cells, seed),
    )


def _spaces(
    evidence: Evidence, task: TaskFacts, cells: tuple[Cell, Cell], seed: int
) -> FeatureSpaceSimilarity | None:
    rows = {row.address: row for row in evidence.models}
    both = [evidence.features(rows[cell.model], task.fingerprint) for cell in cells]
    first, second = both
    return None if first is None or second is None else spaces(first, second, seed)


def _corrected(changes: Sequence[TaskChange]) -> tuple[TaskChange, ...]:
    """Return the changes with p-values Holm-corrected over the tasks."""
    tested = [number for number, change in enumerate(changes) if change.p_value is not None]
    corrected = dict(
        zip(tested, holm(np.array([changes[number].p_value for number in tested], dtype=float)), strict=True)
    )
    return tuple(
        replace(change, p_value=float(corrected[number])) if number in corrected else change
        for number, change in enumerate(changes)
    )


def _over_tasks(changes: Sequence[TaskChange], seed: int) -> OverTasks | None:
    """Return the expected change on tasks like these: the task is the unit."""
    shares = [
        change.difference
        for change in changes
        if change.task.kind is not TaskKind.REGRESSION and not change.shown_negated
    ]
    if len(shares) < FEWEST_TASKS:
        return None
    differences = np.array([shares])
    return OverTasks(
        tasks=len(shares),
        mean=float(differences.mean()),
        p_value=float(wilcoxon(differences)[0]),
        practical=practical(differences, HALF_A_POINT, seed)[0],
    )


class Paired(NamedTuple):
    """The difference of two models on the same test examples: the second minus the first."""

    interval: Interval | None
    p_value: float


def paired(measured: Measured, metric: Metric, seed: int) -> Paired:
    """Return the difference of two models with its interval and p-value.

    The test is McNemar's exact test for accuracy and one seed, a permutation test for other means, and else
    Student's t with the standard error of the paired bootstrap; all include the variance over seeds.

    Args:
        measured: The predictions of both models.
        metric: The main metric of the task.
        seed: Seed of draws and permutations.
    """
    draws = bootstrap(measured, metric, seed)
    p_value = float(pair_p_values(measured, metric, draws, seed)[0, 1])
    return Paired(_interval(measured, metric, draws), p_value)


def _interval(measured: Measured, metric: Metric, draws: Draws) -> Interval | None:
    drawn = draws.values[:, 1] - draws.values[:, 0]
    bootstrapped, truth = interval(drawn), measured.truth
    if bootstrapped is None:
        return None
    if truth.kind is LabelKind.CLASSIFICATION and is_mean(metric, truth) and measured.groups is None:
        first, second = (
            example_values(metric, truth, predicted).mean(axis=0) for predicted in measured.predicted
        )
        few = share_difference(second - first)
    else:
        answer = one_answer(metric, truth, measured.groups).lost
        if not answer:
            return bootstrapped
        reach = stats.norm.ppf((1 + LEVEL) / 2) * float(np.hypot(drawn.std(), answer))
        few = Interval(float(drawn.mean()) - reach, float(drawn.mean()) + reach, LEVEL)
    return Interval(min(bootstrapped.low, few.low), max(bootstrapped.high, few.high), LEVEL)


def share_difference(differences: np.ndarray) -> Interval:
    """Return the interval of a difference of paired shares; it is valid for few examples too.

    Two models with the same errors on few examples are not proved equal, though a bootstrap would say so. The
    caller widens it to this interval, which adds half a gain and half a loss.

    Args:
        differences: Difference on each example: -1, 0 or 1, or between if seeds differ.

    References:
        Simple improved confidence intervals for comparing matched proportions (Agresti and Min, 2005),
        https://doi.org/10.1002/sim.1781
    """
    count = len(differences) + 2
    mean = differences.sum() / count
    variance = (np.square(differences).sum() + 1) / count - mean**2
    reach = stats.norm.ppf((1 + LEVEL) / 2) * np.sqrt(variance / count)
    return Interval(float(max(-1.0, mean - reach)), float(min(1.0, mean + reach)), LEVEL)
