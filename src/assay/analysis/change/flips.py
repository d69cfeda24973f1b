"""Finds the test examples and classes on which two models differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats

from assay.analysis.pairwise import holm
from assay.analysis.per_task.error_analysis import example_names, majority_vote
from assay.core.task import Labels
from assay.findings.change import ClassChange, Flip, Flips

SHOWN = 10  # flips of each sign that are listed


class _Prediction(NamedTuple):
    """The combined prediction of all seeds of one model for each example."""

    value: np.ndarray  # the class that most seeds predict
    is_right: np.ndarray
    share_right: np.ndarray


def flips(truth: Labels, before: np.ndarray, after: np.ndarray, names: Sequence[str]) -> Flips | None:
    """Return the flips between two models; None if examples do not have exactly one class.

    Args:
        truth: The test labels.
        before: Predicted classes of the current model, seeds x examples.
        after: Predicted classes of the new model, seeds x examples.
        names: Names of the test examples; for labelled words, names of their texts.
    """
    if not truth.classes or truth.values.ndim != 1:
        return None
    first, second = (_prediction(truth.values, rows) for rows in (before, after))
    lost, won = first.is_right & ~second.is_right, second.is_right & ~first.is_right
    name_of = example_names(truth, names)

    def named(rows: np.ndarray) -> tuple[Flip, ...]:
        return tuple(
            Flip(
                name_of[row],
                *(truth.classes[of[row]] for of in (truth.values, first.value, second.value)),
            )
            for row in np.flatnonzero(rows)[:SHOWN]
        )

    return Flips(
        examples=len(truth.values),
        negative=int(lost.sum()),
        positive=int(won.sum()),
        both_wrong=int((~first.is_right & ~second.is_right).sum()),
        regressed=named(lost),
        improved=named(won),
        classes=_classes(truth, (first, second), lost, won),
    )


def _prediction(truth: np.ndarray, rows: np.ndarray) -> _Prediction:
    values = majority_vote(rows)
    return _Prediction(values, np.asarray(values == truth), np.asarray((rows == truth).mean(axis=0)))


def _classes(
    truth: Labels, both: tuple[_Prediction, _Prediction], lost: np.ndarray, won: np.ndarray
) -> tuple[ClassChange, ...]:
    labels = np.unique(truth.values)
    of_class = [truth.values == label for label in labels]
    counts = [(int(lost[rows].sum()), int(won[rows].sum())) for rows in of_class]
    p_values = holm(np.array([_mcnemar(*pair) for pair in counts]))
    changes = [
        ClassChange(
            name=truth.classes[label],
            examples=int(rows.sum()),
            before=float(both[0].share_right[rows].mean()),
            after=float(both[1].share_right[rows].mean()),
            negative=negative,
            positive=positive,
            p_value=float(p_value),
        )
        for label, rows, (negative, positive), p_value in zip(labels, of_class, counts, p_values, strict=True)
    ]
    return tuple(sorted(changes, key=lambda change: (change.after - change.before, change.name)))


def _mcnemar(negative: int, positive: int) -> float:
    if not negative + positive:
        return 1.0
    return float(stats.binomtest(negative, negative + positive).pvalue)
