"""Which models the data do not tell from the one that leads across tasks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
from scipy import stats

from assay.analysis.signed_rank import fewest_tasks, practical, wilcoxon
from assay.analysis.task_draws import FEWEST_TASKS, interquartile_mean
from assay.analysis.ties import ALPHA, holm
from assay.findings.across import Generality, Practical, Unit
from assay.findings.matrix import Matrix


class Comparable(NamedTuple):
    """What models are told apart by."""

    indices: Matrix  # without holes
    here: np.ndarray | None  # draws x models: the mean index on these tasks, examples drawn anew


def against_leader(
    ordered: Sequence[Generality], comparable: Comparable, rope: float, seed: int
) -> tuple[tuple[Generality, ...], Unit | None]:
    """Return the models with what tells them from the first one, and what was drawn anew to tell.

    The task is the unit: Wilcoxon's signed ranks of the index. Where tasks are too few for that test to tell
    anything of so many models, they are compared on these very tasks: the standard error of the difference
    is that of the paired bootstrap over seeds and examples. Both are corrected by Holm.

    Args:
        ordered: Best first.
        comparable: The index of those that have one on all tasks.
        rope: Differences of the index up to this are practically none.
        seed: Decides the draws.
    """
    index, here = comparable
    place = {model: row for row, model in enumerate(index.models)}
    if ordered[0].index is None:
        return tuple(ordered), None
    others = [one.model for one in ordered[1:] if one.index is not None]
    leader, rows = place[ordered[0].model], [place[model] for model in others]
    differences = index.values[rows] - index.values[leader]
    if len(index.tasks) >= fewest_tasks(len(others)):
        p_values, unit = wilcoxon(differences), Unit.TASKS
    else:
        means = interquartile_mean(index.values)
        p_values, unit = _by_examples(means[rows] - means[leader], here, leader, rows), Unit.EXAMPLES
    told = np.isfinite(p_values)
    corrected = dict(zip(np.array(others, dtype=object)[told], holm(p_values[told]), strict=True))
    many = len(index.tasks) >= FEWEST_TASKS
    equal = dict(zip(others, practical(differences, rope, seed) if many else (), strict=many))
    first = replace(ordered[0], p_value=1.0, is_tied_best=True) if corrected else ordered[0]
    rest = [_with(one, corrected.get(one.model), equal.get(one.model)) for one in ordered[1:]]
    return (first, *rest), unit if corrected else None


def _with(one: Generality, p_value: float | None, equal: Practical | None) -> Generality:
    if p_value is None:
        return replace(one, practical=equal)
    return replace(one, p_value=float(p_value), is_tied_best=bool(p_value >= ALPHA), practical=equal)


def _by_examples(
    differences: np.ndarray, here: np.ndarray | None, leader: int, rows: Sequence[int]
) -> np.ndarray:
    """Return the p-value of each difference on these tasks; NaN where predictions are not kept."""
    if here is None:
        return np.full(len(rows), np.nan)
    spread = (here[:, rows] - here[:, [leader]]).std(axis=0)
    ratio = np.divide(np.abs(differences), spread, out=np.zeros(len(rows)), where=spread != 0)  # twins: 0
    return np.asarray(2 * stats.norm.sf(np.where(np.isnan(spread), np.nan, ratio)))
