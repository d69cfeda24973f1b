"""Estimates from linear rules that are fitted to folds of train by their Moments."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from assay.core.estimate import Estimate
from assay.core.held_out import HeldOutPredictions
from assay.core.metric import Metric
from assay.core.predictor import Predicted
from assay.moments.folded import FoldedMoments
from assay.moments.ridge import LeftOut
from assay.numerics.expected import FoldEvidence, SubsetPredictions, expected, in_order
from assay.plugins.train_view import HeldOut

_UNLIKE = 0.1  # relative deviation of the probe's error from that of these rules: benchmarks/expected.py
Predict = Callable[[LeftOut, np.ndarray], Predicted]  # from a rule and features to predictions


def estimate_by_rules(train: FoldedMoments, held_out: HeldOut, metric: Metric, predict: Predict) -> Estimate:
    """Return the expected result of the linear probe, from rules of pairs of folds up to all folds."""
    truth, matrix, val = held_out.examples.labels, held_out.examples.matrix, held_out.beyond.val
    rows = [np.flatnonzero(held_out.folds == number) for number in range(len(train.folds))]
    predicted = in_order(
        [predict(rule, matrix[some]) for rule, some in zip(train.left_out, rows, strict=True)], rows
    )
    on_parts = []
    for pair, rule in zip(train.rules.pairs, train.rules.on_pairs, strict=True):
        examples = held_out.outside(pair)
        on_parts.append(SubsetPredictions(examples, predict(rule, matrix[truth.rows_of(examples)])))
    on_val = None if val is None else predict(train.on_all, val.matrix)
    share = held_out.train_count / len(train.folds)
    counts = (held_out.train_count - share, 2 * share, held_out.train_count)
    estimate = expected(held_out, metric, FoldEvidence(predicted, tuple(on_parts), on_val, counts, _UNLIKE))
    kept = HeldOutPredictions(predicted, truth, held_out.rows)
    return Estimate(estimate.value, estimate.interval, metric.name, estimate.notes, kept)
