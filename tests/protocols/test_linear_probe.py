"""The linear probe against scikit-learn, and the choice of its penalty."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pytest
from scipy.special import logsumexp
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.preprocessing import StandardScaler

from assay.core.errors import NotApplicable, UsageError
from assay.core.features import Features, LabelledFeatures
from assay.core.metric import Metric
from assay.core.task import LabelKind, Labels
from assay.metrics.accuracy import Accuracy
from assay.metrics.macro_f1 import MacroF1
from assay.metrics.r2 import R2
from assay.numerics.linear import L2_PATH, LinearPredictor
from assay.plugins.protocol import FeatureProtocol
from assay.protocols.linear_probe import LinearProbe

SHAPES = [(120, 8, 3), (60, 90, 4), (150, 20, 2)]


def blobs(count: int, width: int, classes: int, seed: int, separation: float = 1.0) -> LabelledFeatures:
    rng = np.random.default_rng(seed)
    values = rng.integers(0, classes, count)
    centres = separation * np.random.default_rng(99).standard_normal((classes, width)) / np.sqrt(width / 8)
    matrix = (centres[values] + rng.standard_normal((count, width)) + 2).astype(np.float32)
    return LabelledFeatures(
        Features(matrix), Labels(LabelKind.CLASSIFICATION, values, tuple(map(str, range(classes))))
    )


def line(count: int, width: int, seed: int) -> LabelledFeatures:
    rng = np.random.default_rng(seed)
    matrix = rng.standard_normal((count, width)) * 3 + 1
    values = matrix @ np.random.default_rng(99).standard_normal(width) + rng.standard_normal(count) * 5 + 40
    return LabelledFeatures(Features(matrix), Labels(LabelKind.REGRESSION, values))


def marks(count: int, width: int, seed: int) -> LabelledFeatures:
    rng = np.random.default_rng(seed)
    matrix = rng.standard_normal((count, width)).astype(np.float32)
    directions = np.random.default_rng(99).standard_normal((width, 3)) / np.sqrt(width)
    values = (matrix @ directions + rng.standard_normal((count, 3)) / 2 > [0.5, 0.0, -0.5]).astype(np.int64)
    return LabelledFeatures(Features(matrix), Labels(LabelKind.MULTILABEL, values, ("a", "b", "c")))


def digits(rows: slice) -> LabelledFeatures:
    bunch = load_digits()
    labels = Labels(LabelKind.CLASSIFICATION, bunch.target[rows], tuple("0123456789"))
    return LabelledFeatures(Features(bunch.data[rows].astype(np.float32)), labels)


def standardised(fitted: LabelledFeatures, matrix: np.ndarray) -> np.ndarray:
    return StandardScaler().fit(fitted.matrix.astype(np.float64)).transform(matrix.astype(np.float64))


class Answer(NamedTuple):
    values: np.ndarray
    tuned: Mapping[str, float]
    notes: tuple[str, ...]


def answer(
    protocol: FeatureProtocol, train: LabelledFeatures, val: LabelledFeatures, test: Features, metric: Metric
) -> Answer:
    fitted = protocol.fit(train, val, metric)
    return Answer(fitted.predictor(test.matrix).values, fitted.tuned, fitted.notes)


def none_of(split: LabelledFeatures) -> LabelledFeatures:
    return LabelledFeatures(Features(split.matrix[:0]), split.labels.take([]))


def penalised_loss(logits: np.ndarray, truth: np.ndarray, weights: np.ndarray, l2: float) -> float:
    entropy = (logsumexp(logits, axis=1) - logits[np.arange(len(truth)), truth]).mean()
    return float(entropy + l2 / 2 * np.square(weights).sum())


@pytest.mark.parametrize("l2", [1.0, 1e-2, 1e-4])
@pytest.mark.parametrize(("count", "width", "classes"), SHAPES)
def test_classification_equals_scikit_learn(count: int, width: int, classes: int, l2: float) -> None:
    train, test = blobs(count, width, classes, seed=0), blobs(1000, width, classes, seed=1)
    x, truth = standardised(train, train.matrix), train.labels.values
    strength = (2 if classes == 2 else 1) / (count * l2)
    theirs = LogisticRegression(C=strength, tol=1e-9, max_iter=20000).fit(x, truth)
    weights, intercept = theirs.coef_, theirs.intercept_
    if classes == 2:
        weights, intercept = np.vstack([-weights, weights]) / 2, np.append(-intercept, intercept) / 2

    predictor = LinearProbe(l2=l2).fit(train, none_of(train), Accuracy()).predictor

    assert isinstance(predictor, LinearPredictor)
    own = predictor.weights * train.matrix.astype(np.float64).std(axis=0)[:, None]
    ours = penalised_loss(predictor.outputs(train.matrix), truth, own, l2)
    assert ours == pytest.approx(penalised_loss(x @ weights.T + intercept, truth, weights, l2), rel=1e-6)
    predicted = predictor(test.matrix).values
    assert (predicted == theirs.predict(standardised(train, test.matrix))).mean() >= 0.999


@pytest.mark.parametrize("l2", [1.0, 1e-2, 1e-4])
@pytest.mark.parametrize(("count", "width"), [(120, 8), (60, 90)])
def test_several_classes_at_once_equal_one_vs_rest_of_scikit_learn(count: int, width: int, l2: float) -> None:
    train, test = marks(count, width, seed=0), marks(1000, width, seed=1)
    x, asked = standardised(train, train.matrix), standardised(train, test.matrix)
    theirs = [
        LogisticRegression(C=1 / (count * l2), tol=1e-9, max_iter=20000).fit(x, column)
        for column in train.labels.values.T
    ]

    predictor = LinearProbe(l2=l2).fit(train, none_of(train), MacroF1()).predictor

    probs = np.stack([model.predict_proba(asked)[:, 1] for model in theirs], axis=1)
    np.testing.assert_allclose(predictor(test.matrix).probs, probs, atol=1e-3)
    assert (predictor(test.matrix).values == (probs > 0.5)).mean() >= 0.999


@pytest.mark.parametrize("l2", [1e-1, 1e-3, 1e-5])
def test_real_digits_equal_scikit_learn(l2: float) -> None:
    train, test = digits(slice(0, 900)), digits(slice(900, None))
    x, truth, asked = standardised(train, train.matrix), train.labels.values, standardised(train, test.matrix)
    theirs = LogisticRegression(C=1 / (len(train) * l2), tol=1e-8, max_iter=20000).fit(x, truth)

    predictor = LinearProbe(l2=l2).fit(train, none_of(train), Accuracy()).predictor

    assert isinstance(predictor, LinearPredictor)
    own = predictor.weights * train.matrix.astype(np.float64).std(axis=0)[:, None]
    ours = penalised_loss(predictor.outputs(train.matrix), truth, own, l2)
    optimum = penalised_loss(x @ theirs.coef_.T + theirs.intercept_, truth, theirs.coef_.T, l2)
    assert ours == pytest.approx(optimum, rel=1e-3)
    assert (predictor(test.matrix).values == theirs.predict(asked)).mean() >= 0.999


def test_words_are_classified_like_other_examples() -> None:
    train, val = blobs(60, 8, 3, seed=0), blobs(60, 8, 3, seed=1)
    texts = [
        LabelledFeatures(
            split.features,
            Labels(LabelKind.CLASSIFICATION, split.labels.values, split.labels.classes, np.full(12, 5)),
        )
        for split in (train, val)
    ]

    ours = answer(LinearProbe(), *texts, val.features, Accuracy())

    np.testing.assert_array_equal(
        ours.values, answer(LinearProbe(), train, val, val.features, Accuracy()).values
    )


@pytest.mark.parametrize("l2", [10.0, 1e-2, 1e-5])
@pytest.mark.parametrize(("count", "width"), [(100, 8), (40, 90)])
def test_regression_equals_scikit_learn(count: int, width: int, l2: float) -> None:
    train, test = line(count, width, seed=0), line(50, width, seed=1)
    x = standardised(train, train.matrix)
    theirs = Ridge(alpha=count * l2, solver="svd").fit(x, train.labels.values)

    predicted = answer(LinearProbe(l2=l2), train, none_of(train), test.features, R2()).values

    np.testing.assert_allclose(predicted, theirs.predict(standardised(train, test.matrix)), rtol=1e-7)


def test_several_numbers_at_once_equal_scikit_learn() -> None:
    train = line(100, 8, seed=0)
    columns = np.column_stack([train.labels.values, -2 * train.labels.values, train.matrix[:, 0] ** 2])
    both = LabelledFeatures(train.features, Labels(LabelKind.REGRESSION, columns))
    theirs = Ridge(alpha=100 * 0.1, solver="svd").fit(standardised(train, train.matrix), columns)

    values = answer(LinearProbe(l2=0.1), both, none_of(both), train.features, R2()).values

    np.testing.assert_allclose(values, theirs.predict(standardised(train, train.matrix)), rtol=1e-7)


def test_a_val_of_one_class_leaves_the_choice_to_the_loss() -> None:
    train, test = blobs(90, 8, 3, seed=0), blobs(60, 8, 3, seed=2, separation=3.0)
    val = train.take(np.flatnonzero(train.labels.values == 0))

    fitted = answer(LinearProbe(), train, val, test.features, Accuracy())

    assert np.isfinite(fitted.tuned["l2"])


def test_the_penalty_is_the_best_on_val_and_the_refit_uses_val() -> None:
    train, val, test = line(60, 40, seed=0), line(60, 40, seed=1), line(50, 40, seed=2)
    values = []
    for l2 in L2_PATH:
        model = Ridge(alpha=60 * l2).fit(standardised(train, train.matrix), train.labels.values)
        values.append(R2()(val.labels, model.predict(standardised(train, val.matrix))))
    both = train.followed_by(val)

    prediction = answer(LinearProbe(), train, val, test.features, R2())

    chosen = L2_PATH[int(np.argmax(values))]
    refit = Ridge(alpha=120 * chosen).fit(standardised(both, both.matrix), both.labels.values)
    assert prediction.tuned == {"l2": chosen}
    np.testing.assert_allclose(prediction.values, refit.predict(standardised(both, test.matrix)), rtol=1e-6)


def test_the_penalty_of_noisy_classes_lies_inside_the_path() -> None:
    train, val, test = (blobs(150, 30, 3, seed, separation=0.3) for seed in range(3))

    prediction = answer(LinearProbe(), train, val, test.features, Accuracy())

    assert L2_PATH[-1] < prediction.tuned["l2"] < L2_PATH[0]
    assert prediction.notes == ()


def test_a_penalty_at_the_end_of_the_path_is_noted() -> None:
    rng = np.random.default_rng(0)
    matrix = rng.standard_normal((60, 20))
    exact = LabelledFeatures(Features(matrix), Labels(LabelKind.REGRESSION, matrix @ np.arange(20.0)))

    prediction = answer(LinearProbe(), exact, exact, exact.features, R2())

    assert prediction.tuned == {"l2": L2_PATH[-1]}
    assert "last" in prediction.notes[0]


def test_an_optimiser_that_did_not_arrive_is_noted() -> None:
    train = blobs(120, 8, 3, seed=0)

    prediction = answer(LinearProbe(l2=1e-4, max_steps=1), train, none_of(train), train.features, Accuracy())

    assert "before it converged" in prediction.notes[0]


def test_a_class_without_examples_is_never_predicted() -> None:
    train, val = blobs(60, 5, 2, seed=0), blobs(30, 5, 2, seed=1)
    names = ("0", "nobody", "1")
    gapped = [
        LabelledFeatures(split.features, Labels(LabelKind.CLASSIFICATION, 2 * split.labels.values, names))
        for split in (train, val)
    ]

    values = answer(LinearProbe(), *gapped, val.features, Accuracy()).values

    np.testing.assert_array_equal(
        values, 2 * answer(LinearProbe(), train, val, val.features, Accuracy()).values
    )


def test_a_class_that_only_val_has_is_learned_from_val() -> None:
    train, val = blobs(60, 8, 2, seed=0, separation=3.0), blobs(60, 8, 3, seed=1, separation=3.0)
    train = LabelledFeatures(
        train.features, Labels(LabelKind.CLASSIFICATION, train.labels.values, ("0", "1", "2"))
    )
    test = blobs(60, 8, 3, seed=2, separation=3.0)

    values = answer(LinearProbe(), train, val, test.features, Accuracy()).values

    assert Accuracy()(test.labels, values) > 0.9


def test_one_class_alone_is_always_predicted() -> None:
    train = blobs(20, 5, 1, seed=0)

    assert answer(LinearProbe(), train, train, train.features, Accuracy()).values.tolist() == [0] * 20


def test_a_feature_that_varies_on_test_only_counts_nothing() -> None:
    train, test = blobs(60, 8, 3, seed=0), blobs(30, 8, 3, seed=1)
    flat = np.full((60, 1), 0.1, dtype=np.float32)
    wild = np.random.default_rng(0).standard_normal((30, 1)).astype(np.float32) * 1e6
    widened = LabelledFeatures(Features(np.hstack([train.matrix, flat])), train.labels)

    values = answer(
        LinearProbe(), widened, widened, Features(np.hstack([test.matrix, wild])), Accuracy()
    ).values

    np.testing.assert_array_equal(
        values, answer(LinearProbe(), train, train, test.features, Accuracy()).values
    )


def test_the_scale_of_a_feature_changes_nothing() -> None:
    train, val, test = (blobs(80, 8, 3, seed) for seed in range(3))
    scale = np.logspace(-6, 6, 8)
    scaled = [LabelledFeatures(Features(split.matrix * scale), split.labels) for split in (train, val, test)]

    values = answer(LinearProbe(), scaled[0], scaled[1], scaled[2].features, Accuracy()).values

    np.testing.assert_array_equal(values, answer(LinearProbe(), train, val, test.features, Accuracy()).values)


def test_without_val_the_penalty_must_be_given() -> None:
    train = blobs(20, 5, 2, seed=0)

    with pytest.raises(NotApplicable, match="Write linear_probe"):
        answer(LinearProbe(), train, none_of(train), train.features, Accuracy())


@pytest.mark.parametrize("settings", [{"l2": 0.0}, {"l2": -1.0}, {"max_steps": 0}])
def test_settings_that_cannot_work_are_refused(settings: dict[str, float]) -> None:
    with pytest.raises(UsageError, match="Write"):
        LinearProbe(**settings)  # type: ignore[arg-type]  # wrong on purpose
