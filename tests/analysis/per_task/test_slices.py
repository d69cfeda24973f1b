"""Values on slices, against scikit-learn, pandas and the bootstrap of scipy."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import accuracy_score

from assay.analysis.per_task.slices import slice_findings
from assay.core.slices import SliceColumn
from assay.core.task import LabelKind, Labels
from assay.metrics.accuracy import Accuracy
from assay.metrics.auroc import AUROC
from assay.metrics.rmse import RMSE

RNG = np.random.default_rng(0)
LANGUAGE = SliceColumn("language", ("de", "en", "fr"), RNG.choice([-1, 0, 1], p=[0.1, 0.3, 0.6], size=300))
TRUTH = Labels(LabelKind.CLASSIFICATION, RNG.integers(3, size=300), ("a", "b", "c"))
SAID = {
    model: np.where(RNG.uniform(size=(2, 300)) < share, TRUTH.values, RNG.integers(3, size=(2, 300)))
    for model, share in (("good", 0.8), ("poor", 0.3))
}


def test_values_are_those_of_scikit_learn_on_the_rows_of_each_slice():
    result = slice_findings([LANGUAGE], TRUTH, SAID, Accuracy(), 0)

    rows = pd.Series(LANGUAGE.positions)
    assert [(item.name, item.examples) for item in result] == [
        ("de", (rows == 0).sum()),
        ("en", (rows == 1).sum()),
    ]
    for row, position in zip(result, (0, 1), strict=True):
        chosen = np.flatnonzero(rows == position)
        for value in row.values:
            means = [accuracy_score(TRUTH.values[chosen], seed[chosen]) for seed in SAID[value.model]]
            assert value.value == pytest.approx(np.mean(means))


def test_an_interval_of_one_seed_is_that_of_the_bootstrap_of_scipy():
    single = {"good": SAID["good"][:1]}
    chosen = LANGUAGE.positions == 1
    right = (single["good"][0] == TRUTH.values)[chosen].astype(float)

    result = slice_findings([LANGUAGE], TRUTH, single, Accuracy(), 0)[1].values[0]

    theirs = stats.bootstrap((right,), np.mean, n_resamples=9999, method="percentile", rng=0)
    assert result.interval.low == pytest.approx(theirs.confidence_interval.low, abs=0.01)
    assert result.interval.high == pytest.approx(theirs.confidence_interval.high, abs=0.01)


def test_a_metric_that_is_no_mean_has_values_and_intervals_on_slices_too():
    truth = Labels(LabelKind.REGRESSION, RNG.normal(size=60))
    predicted = {"m": truth.values[None] + RNG.normal(size=(1, 60))}
    halves = SliceColumn("half", ("first", "second"), np.repeat([0, 1], 30))

    first, _ = slice_findings([halves], truth, predicted, RMSE(), 0)

    value = first.values[0]
    assert value.value == pytest.approx(-np.sqrt(np.mean((predicted["m"][0, :30] - truth.values[:30]) ** 2)))
    assert value.interval.low < value.value < value.interval.high


def test_few_examples_have_a_value_and_no_interval():
    few = SliceColumn("who", ("few", "many"), np.repeat([0, 1], [9, 291]))

    result = slice_findings([few], TRUTH, SAID, Accuracy(), 0)

    assert [value.interval is None for item in result for value in item.values] == [True, True, False, False]


def test_a_slice_on_which_a_metric_has_no_value_says_why():
    truth = Labels(LabelKind.CLASSIFICATION, np.repeat([0, 1, 0], [20, 20, 20]), ("no", "yes"))
    probs = np.stack([1 - (share := RNG.uniform(size=60)), share], axis=1)
    halves = SliceColumn("half", ("both", "one"), np.repeat([0, 1], [40, 20]))

    both, item = slice_findings([halves], truth, {"m": probs[None]}, AUROC(), 0)

    assert (len(both.values), both.reason) == (1, "")
    assert item.values == ()
    assert "class" in item.reason
