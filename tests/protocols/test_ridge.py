"""Ridge regression of classes and numbers against scikit-learn, over the whole path."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.datasets import load_diabetes, load_digits
from sklearn.linear_model import Ridge as Theirs
from sklearn.linear_model import RidgeClassifier
from sklearn.preprocessing import StandardScaler

from assay.core.errors import NotApplicable, UsageError
from assay.core.features import Features, LabelledFeatures
from assay.core.task import LabelKind, Labels
from assay.metrics.accuracy import Accuracy
from assay.metrics.macro_f1 import MacroF1
from assay.metrics.r2 import R2
from assay.numerics.linear import L2_PATH
from assay.protocols.linear_probe import LinearProbe
from assay.protocols.ridge import Ridge


def digits(rows: slice) -> LabelledFeatures:
    matrix, values = load_digits(return_X_y=True)
    return LabelledFeatures(
        Features(matrix[rows]), Labels(LabelKind.CLASSIFICATION, values[rows], tuple("0123456789"))
    )


def diabetes(rows: slice) -> LabelledFeatures:
    matrix, values = load_diabetes(return_X_y=True)
    return LabelledFeatures(Features(matrix[rows]), Labels(LabelKind.REGRESSION, values[rows]))


@pytest.mark.parametrize("count", [40, 600])  # fewer than features, and more
@pytest.mark.parametrize("l2", [1.0, 1e-3])
def test_classes_equal_scikit_learn(count: int, l2: float) -> None:
    train, test = digits(slice(0, count)), digits(slice(600, None))
    scaler = StandardScaler().fit(train.matrix)
    theirs = RidgeClassifier(alpha=count * l2, solver="svd")
    theirs.fit(scaler.transform(train.matrix), train.labels.values)

    predictor = Ridge(l2=l2).fit(train, digits(slice(0, 0)), Accuracy()).predictor

    np.testing.assert_array_equal(
        predictor(test.matrix).values, theirs.predict(scaler.transform(test.matrix))
    )


def test_several_classes_at_once_equal_scikit_learn() -> None:
    numbers = digits(slice(None)).labels.values
    marks = np.column_stack([numbers % 2, numbers > 4, numbers % 3 == 0])
    matrix = digits(slice(None)).matrix
    train = LabelledFeatures(
        Features(matrix[:600]), Labels(LabelKind.MULTILABEL, marks[:600], ("odd", "large", "3s"))
    )
    scaler = StandardScaler().fit(train.matrix)
    theirs = Theirs(alpha=600 * 0.1).fit(scaler.transform(train.matrix), marks[:600])

    predictor = Ridge(l2=0.1).fit(train, train.take(np.array([], dtype=int)), MacroF1()).predictor

    wanted = theirs.predict(scaler.transform(matrix[600:])) > 0.5
    np.testing.assert_array_equal(predictor(matrix[600:]).values, wanted)


def test_the_penalty_is_the_best_of_scikit_learn_on_val() -> None:
    train, val = diabetes(slice(0, 100)), diabetes(slice(100, 200))
    scaler = StandardScaler().fit(train.matrix)
    x, seen = scaler.transform(train.matrix), scaler.transform(val.matrix)
    values = [
        Theirs(alpha=100 * l2).fit(x, train.labels.values).score(seen, val.labels.values) for l2 in L2_PATH
    ]

    assert Ridge().fit(train, val, R2()).tuned == {"l2": L2_PATH[int(np.argmax(values))]}


def test_of_numbers_it_is_the_linear_probe() -> None:
    train, val, test = (diabetes(slice(at, at + 100)) for at in (0, 100, 200))

    ours, probe = (protocol.fit(train, val, R2()).predictor for protocol in (Ridge(), LinearProbe()))

    np.testing.assert_array_equal(ours(test.matrix).values, probe(test.matrix).values)


def test_without_val_the_penalty_must_be_given() -> None:
    with pytest.raises(NotApplicable, match=r"Write ridge\(l2=0.01\)"):
        Ridge().fit(diabetes(slice(0, 9)), diabetes(slice(0, 0)), R2())


def test_no_penalty_is_refused() -> None:
    with pytest.raises(UsageError, match=r"Write l2=0.01"):
        Ridge(l2=0.0)
