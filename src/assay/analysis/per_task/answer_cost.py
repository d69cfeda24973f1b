"""The change of a metric when one prediction becomes wrong: a lower bound on its uncertainty."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from assay.analysis.per_task.intervals import RightCounts, is_mean
from assay.core.errors import NotApplicable
from assay.core.metric import Metric
from assay.core.task import LabelKind, Labels

_ANSWERS = 50  # that are made wrong, one after the other


class OneAnswer(NamedTuple):
    """What a metric says of right answers, and what it loses if one of them becomes wrong."""

    lost: float  # the root mean square over test examples; 0 if it cannot be said
    perfect: float
    in_part: bool = False  # whether an answer may be right in part: the metric is no mean over examples


_UNKNOWN = OneAnswer(0.0, 0.0)


def one_answer(metric: Metric, truth: Labels, groups: np.ndarray | None = None) -> OneAnswer:
    """Return what one wrong answer costs.

    Two models with the same answers on a few test examples are not necessarily equal, but the bootstrap never
    draws an example on which they differ. This is the weight of such an example. It is 0 for metrics of
    numbers and of confidence (lower is better): two models agree in all digits only if they are the same.

    Args:
        metric: Any metric.
        truth: The labels of the test examples.
        groups: The number of the content of each example; None if all differ.
    """
    present = np.unique(truth.values)
    if len(present) < 2:  # as in a slice of one class
        present = np.arange(len(truth.classes))
    if truth.kind is LabelKind.REGRESSION or metric.shown_negated or len(present) < 2:
        return _UNKNOWN
    chosen = np.linspace(0, truth.examples - 1, min(_ANSWERS, truth.examples)).astype(int)
    if truth.values.ndim == 1 and truth.lengths is None:
        chosen = np.argsort(truth.values, kind="stable")[chosen]  # each class in its share
    try:
        perfect = metric(truth, _judged(metric, truth))
        lost = [perfect - metric(truth, _with_one_wrong(metric, truth, present, row)) for row in chosen]
    except NotApplicable:
        return _UNKNOWN
    repeats = 1.0 if groups is None else truth.examples / (int(groups.max()) + 1)
    cost = float(np.sqrt(np.mean(np.square(lost)))) * repeats
    return OneAnswer(cost, perfect, not is_mean(metric, truth))


def right_answers(metric: Metric, answer: OneAnswer, values: np.ndarray) -> RightCounts | None:
    """Return how many answers of each model are right, in units of one answer; None if they have no count.

    Args:
        metric: Any metric.
        answer: What one answer costs.
        values: The value of each model; of rankings by probabilities only perfect ones are counted.
    """
    if not answer.lost or answer.perfect != 1:
        return None
    counted = np.where(values < 1, np.nan, values) if metric.judges_probs else np.maximum(values, 0.0)
    return RightCounts(counted / answer.lost, 1 / answer.lost, answer.in_part)


def _judged(metric: Metric, truth: Labels) -> np.ndarray:
    return truth.targets().astype(float) if metric.judges_probs else truth.values


def _with_one_wrong(metric: Metric, truth: Labels, present: np.ndarray, example: int) -> np.ndarray:
    """Return perfect predictions but for one example: the next class, or one of many classes turned."""
    wrong, rows = truth.values.copy(), truth.rows_of([example])
    if wrong.ndim == 1:
        wrong[rows] = present[(np.searchsorted(present, wrong[rows]) + 1) % len(present)]
    else:
        wrong[example, example % wrong.shape[1]] ^= 1
    return _judged(metric, Labels(truth.kind, wrong, truth.classes, truth.lengths))
