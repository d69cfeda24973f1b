"""Scores that predict held-out examples hand back what they predicted, for which rows of train."""

from __future__ import annotations

import pickle

import numpy as np
import pytest

from assay.core.held_out import HeldOutPredictions
from assay.core.metric import Metric
from assay.core.predictor import Predicted
from assay.core.task import LabelKind, Labels
from assay.metrics.accuracy import Accuracy
from assay.metrics.log_loss import LogLoss
from assay.metrics.macro_f1 import MacroF1
from assay.metrics.r2 import R2
from assay.plugins.array_view import ArrayView
from assay.plugins.method import Score
from assay.plugins.train_view import SAMPLE
from assay.scores.lda_cv import LDACV
from assay.scores.logistic_cv import LogisticCV
from assay.scores.logme import LogME
from assay.scores.loo_knn import LooKNN
from assay.scores.ped import PED
from assay.scores.ridge_cv import RidgeCV

CLASSES = ("ant", "bee", "cat")


def view(kind: LabelKind = LabelKind.CLASSIFICATION, count: int = 90) -> ArrayView:
    rng = np.random.default_rng(0)
    values = {
        LabelKind.CLASSIFICATION: rng.integers(0, 3, count),
        LabelKind.MULTILABEL: rng.integers(0, 2, (count, 3)),
        LabelKind.REGRESSION: rng.standard_normal(count),
    }[kind]
    labels = Labels(kind, values, () if kind is LabelKind.REGRESSION else CLASSES)
    targets = labels.targets()
    matrix = rng.standard_normal((count, 5))
    matrix[:, : targets.shape[1]] += targets
    return ArrayView(labels, matrix)


@pytest.mark.parametrize(
    ("score", "kind", "metric"),
    [
        (RidgeCV(), LabelKind.CLASSIFICATION, Accuracy()),
        (RidgeCV(), LabelKind.CLASSIFICATION, LogLoss()),
        (RidgeCV(), LabelKind.MULTILABEL, MacroF1()),
        (RidgeCV(), LabelKind.REGRESSION, R2()),
        (LDACV(), LabelKind.CLASSIFICATION, Accuracy()),
        (LogisticCV(), LabelKind.CLASSIFICATION, Accuracy()),
        (LooKNN(), LabelKind.CLASSIFICATION, Accuracy()),
    ],
)
def test_the_value_is_the_metric_of_the_returned_predictions(score: Score, kind: LabelKind, metric: Metric):
    train = view(kind)

    estimate = score.estimate(train, metric)

    held_out = estimate.held_out
    assert held_out is not None
    judged = held_out.predicted.judged(metric, held_out.truth)
    if isinstance(score, LooKNN):
        assert judged == estimate
    else:  # the error of one fold less shrinks by at most its share, and by nothing where parts were as good
        best = 0.0 if metric.judges_probs else 1.0
        assert judged - 1e-12 <= estimate <= best - (best - judged) * 0.8
    np.testing.assert_array_equal(held_out.rows, np.arange(90))
    np.testing.assert_array_equal(held_out.truth.values, train.labels.values)


@pytest.mark.parametrize("kind", [LabelKind.MULTILABEL, LabelKind.REGRESSION])
def test_leave_one_out_predictions_are_votes_and_means_of_neighbours(kind):
    train = view(kind)

    estimate = LooKNN(k=3).estimate(train, None)

    predicted, truth = estimate.held_out.predicted.values, train.labels.values
    assert predicted.shape == truth.shape
    if kind is LabelKind.MULTILABEL:
        assert estimate == (predicted == truth).mean()
    else:
        assert np.corrcoef(predicted, truth)[0, 1] > 0.5


@pytest.mark.parametrize("score", [RidgeCV(), LDACV(), LooKNN()])
def test_of_many_examples_the_rows_of_the_sample_are_told(score):
    train = view(count=SAMPLE + 1000)

    held_out = score.estimate(train, Accuracy()).held_out

    assert len(held_out.rows) == SAMPLE
    assert len(np.unique(held_out.rows)) == SAMPLE
    np.testing.assert_array_equal(train.labels.values[held_out.rows], held_out.truth.values)


def test_a_prediction_does_not_depend_on_the_label_of_its_example():
    train = view()
    values = train.labels.values.copy()
    before = LooKNN().estimate(train, None).held_out.predicted.values
    values[17] = (values[17] + 1) % 3

    after = LooKNN().estimate(ArrayView(Labels(train.labels.kind, values, CLASSES), train.matrix), None)

    assert after.held_out.predicted.values[17] == before[17]


def test_scores_that_predict_nothing_hand_back_nothing():
    assert LogME().estimate(view(), Accuracy()).held_out is None
    assert PED().estimate(view(), Accuracy()).held_out is None
    assert RidgeCV().estimate(view(), None).held_out is None


def test_an_estimate_is_pickled_with_its_predictions():
    estimate = RidgeCV().estimate(view(), Accuracy())

    again = pickle.loads(pickle.dumps(estimate))

    np.testing.assert_array_equal(again.held_out.predicted.values, estimate.held_out.predicted.values)


def test_predictions_that_do_not_fit_the_labels_are_refused():
    labels = view().labels

    with pytest.raises(ValueError, match=r"\(89,\) predictions of held-out examples for \(90,\) labels"):
        HeldOutPredictions(Predicted(np.zeros(89)), labels)
