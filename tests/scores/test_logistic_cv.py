"""Cross-validated logistic regression against scikit-learn's own pipeline."""

from __future__ import annotations

import warnings

import numpy as np
import pytest
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import balanced_accuracy_score
from sklearn.model_selection import PredefinedSplit, cross_val_predict
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import assay
from assay.core.errors import NotApplicable, UsageError
from assay.core.task import LabelKind, Labels
from assay.metrics.accuracy import Accuracy
from assay.plugins.array_view import ArrayView
from assay.scores.logistic_cv import LogisticCV


def made(seed: int, examples: int, width: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Unbalanced classes and features of several scales, one of them constant."""
    rng = np.random.default_rng(seed)
    share = 1 / np.arange(1, classes + 1)
    values = np.concatenate(
        [np.arange(classes), rng.choice(classes, examples - classes, p=share / share.sum())]
    )
    features = rng.standard_normal((examples, width)) + 0.6 * rng.standard_normal((classes, width))[values]
    features[:, -1] = 0.1
    return features * np.exp(rng.standard_normal(width)), values


def by_scikit_learn(features: np.ndarray, values: np.ndarray, folds: np.ndarray, C: float) -> np.ndarray:
    pipeline = make_pipeline(StandardScaler(), LogisticRegression(C=C, max_iter=5000, tol=1e-8))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return np.asarray(cross_val_predict(pipeline, features, values, cv=PredefinedSplit(folds)))


@pytest.mark.parametrize("shape", [(0, 150, 10, 4), (1, 60, 90, 3), (2, 80, 5, 2)])
@pytest.mark.parametrize("C", [1.0, 0.01])
def test_each_fold_is_predicted_as_by_scikit_learn(shape: tuple[int, int, int, int], C: float) -> None:
    features, values = made(*shape)
    view = ArrayView(Labels(LabelKind.CLASSIFICATION, values, tuple("abcd")), features)

    predicted = LogisticCV(C).estimate(view, Accuracy()).held_out.predicted.values

    assert np.mean(predicted == by_scikit_learn(features, values, view.folds, C)) > 0.98


def test_it_predicts_the_metric_that_is_asked_for() -> None:
    features, values = made(0, 150, 10, 4)
    folds = ArrayView(Labels(LabelKind.CLASSIFICATION, values, tuple("abcd")), features).folds

    value = assay.score(features, values, "logistic_cv(C=1.0)", metric="balanced_accuracy")

    judged = balanced_accuracy_score(values, by_scikit_learn(features, values, folds, 1.0))
    assert judged - 0.02 < value < judged + 0.1
    assert value.metric == "balanced_accuracy"
    assert value.interval.low <= value <= value.interval.high


def test_the_penalty_is_chosen_unless_it_is_given() -> None:
    rng = np.random.default_rng(0)
    labels = np.arange(400) % 2
    features = rng.standard_normal((400, 150)) + 0.12 * labels[:, None]

    chosen, weak = (assay.score(features, labels, name) for name in ("logistic_cv", "logistic_cv(C=1e4)"))

    assert chosen > weak + 0.03


def test_probabilities_are_judged_too() -> None:
    features, values = made(0, 150, 10, 4)

    assert -1.3 < assay.score(features, values, "logistic_cv", metric="log_loss") < 0


@pytest.mark.parametrize("width", [8, 400])
def test_noise_of_any_width_is_guessing(width: int) -> None:
    labels = np.arange(200) % 4
    noise = np.random.default_rng(width).standard_normal((200, width))

    assert assay.score(noise, labels, "logistic_cv") == pytest.approx(0.25, abs=0.12)


def test_too_few_steps_are_noted() -> None:
    features, values = made(0, 150, 10, 4)

    assert "stopped after 2 steps" in assay.score(features, values, "logistic_cv(max_steps=2)").notes[0]
    assert not assay.score(features, values, "logistic_cv").notes


def test_folds_whose_features_are_constant_have_a_value() -> None:
    features = np.zeros((10, 30))
    features[0] = 1.0

    assert 0.0 <= assay.score(features, np.arange(10) % 2, "logistic_cv") <= 1.0


def test_what_no_metric_judges_is_a_reason() -> None:
    view = ArrayView(Labels(LabelKind.CLASSIFICATION, np.arange(10) % 2, ("a", "b")), np.eye(10))

    with pytest.raises(NotApplicable, match="Nothing judges"):
        LogisticCV().estimate(view, None)


@pytest.mark.parametrize("setting", [{"C": 0.0}, {"max_steps": 0}])
def test_wrong_settings_say_what_to_write(setting: dict[str, int]) -> None:
    with pytest.raises(UsageError, match="Write"):
        LogisticCV(**setting)
