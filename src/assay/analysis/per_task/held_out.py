"""Bootstrap draws of estimates from predictions for held-out examples of train, paired between models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

import numpy as np

from assay.analysis.evidence import judged_rows
from assay.analysis.per_task.intervals import Measured, bootstrap
from assay.core.held_out import HeldOutPredictions
from assay.core.metric import Metric
from assay.core.predictor import Predicted
from assay.core.task import Labels

TRAINING_SETS = 1.5  # sqrt(1 + folds * (1/5) / (4/5)): Nadeau and Bengio's correction for five folds


class HeldOutRows(NamedTuple):
    """What the same score predicts of several models for the same held-out examples of train."""

    truth: Labels
    predicted: Mapping[str, np.ndarray]  # by model: seeds x inputs of the metric
    groups: np.ndarray | None  # for each example the number of its content; None if all differ


def held_out_rows(
    by_model: Mapping[str, Sequence[HeldOutPredictions]], metric: Metric, contents: np.ndarray | None
) -> HeldOutRows | None:
    """Return the predictions of all models for the same examples; None if their examples differ.

    Args:
        by_model: The held-out predictions of each seed, for each model.
        metric: The metric that the score predicts.
        contents: The number of the content of each example of train; None if all differ.
    """
    every = [held_out for of_model in by_model.values() for held_out in of_model]
    if not every or every[0].rows is None:
        return None
    truth, rows = every[0].truth, every[0].rows
    if any(held_out.rows is None or not np.array_equal(held_out.rows, rows) for held_out in every):
        return None
    if metric.judges_probs and any(held_out.predicted.probs is None for held_out in every):
        return None
    groups = None
    if contents is not None and truth.lengths is None:
        groups = np.unique(contents[rows], return_inverse=True)[1]
    predicted: dict[str, list[Predicted]] = {
        model: [held_out.predicted for held_out in of_model] for model, of_model in by_model.items()
    }
    judged = {model: judged_rows(of_model, metric) for model, of_model in predicted.items()}
    return HeldOutRows(truth, judged, groups)


def held_out_draws(
    held_out: HeldOutRows, values: Mapping[str, float], metric: Metric, seed: int
) -> np.ndarray | None:
    """Return draws of the estimates of these models, draws x models; None if some have no predictions.

    Cross-validation underestimates the variation over training sets, because its training sets overlap:
    deviations are widened by Nadeau and Bengio's correction. Simulations: docs/statistics.md.

    References:
        Inference for the Generalization Error (Nadeau and Bengio, 2003),
        https://doi.org/10.1023/A:1024068626366
    """
    if not set(values) <= set(held_out.predicted):
        return None
    predicted = tuple(held_out.predicted[model] for model in values)
    drawn = bootstrap(Measured(held_out.truth, predicted, held_out.groups), metric, seed).values
    if not len(drawn):
        return None
    centre = drawn.mean(axis=0)
    return np.asarray(np.array(list(values.values())) + TRAINING_SETS * (drawn - centre))
