"""The main metric of models on each slice of the test split, with intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from assay.analysis.per_task.answer_cost import one_answer, right_answers
from assay.analysis.per_task.intervals import METRIC_CALLS, Measured, bootstrap, intervals
from assay.core.errors import NotApplicable
from assay.core.metric import Metric
from assay.core.slices import SliceColumn
from assay.core.task import Labels
from assay.findings.error_analysis import SliceFindings, SliceValue

FEWEST = 10  # examples; with fewer, bootstrap intervals are much too narrow


def slice_findings(
    slices: Sequence[SliceColumn],
    truth: Labels,
    predicted: Mapping[str, np.ndarray],
    metric: Metric,
    seed: int,
) -> tuple[SliceFindings, ...]:
    """Compute the metric of each model on each slice, with the same draws for all models.

    Args:
        slices: The columns of the test examples.
        truth: The test labels.
        predicted: Predictions by model, seeds x labels (x classes).
        metric: The main metric.
        seed: Seed of the bootstrap.
    """
    of_slices = []
    for slicing in slices:
        present = [number for number in range(len(slicing.names)) if (slicing.positions == number).any()]
        for number in present:
            rows = np.flatnonzero(slicing.positions == number)
            values: tuple[SliceValue, ...] = ()
            reason = ""
            try:
                values = _values(rows, truth, predicted, metric, (seed, METRIC_CALLS // len(present)))
            except NotApplicable as why:  # such as a slice with one class only
                reason = str(why)
            of_slices.append(SliceFindings(slicing.column, slicing.names[number], len(rows), values, reason))
    return tuple(of_slices)


def _values(
    rows: np.ndarray,
    truth: Labels,
    predicted: Mapping[str, np.ndarray],
    metric: Metric,
    draws: tuple[int, int],
) -> tuple[SliceValue, ...]:
    labels, places = truth.of(rows), truth.rows_of(rows)
    of_slice = {model: seeds[:, places] for model, seeds in predicted.items()}
    means = {
        model: float(np.mean([metric(labels, predictions) for predictions in of]))
        for model, of in of_slice.items()
    }
    seed, calls = draws
    if len(rows) < FEWEST:
        return tuple(SliceValue(model, value, None) for model, value in means.items())
    drawn = bootstrap(Measured(labels, tuple(of_slice.values())), metric, seed, calls).values
    right = right_answers(metric, one_answer(metric, labels), np.array([*means.values()]))
    return tuple(
        SliceValue(model, value, within)
        for (model, value), within in zip(means.items(), intervals(drawn, right), strict=True)
    )
