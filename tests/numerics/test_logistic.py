"""Logistic regression along the whole path of penalties, against scikit-learn."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from scipy.special import logsumexp
from sklearn.datasets import load_breast_cancer, load_digits
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from assay.core.features import Features, LabelledFeatures
from assay.core.task import LabelKind, Labels
from assay.metrics.accuracy import Accuracy
from assay.numerics.lbfgs import Stop, minimise
from assay.numerics.linear import L2_PATH
from assay.numerics.logistic import LogisticPath
from assay.protocols.linear_probe import LinearProbe

DATA = {"digits": load_digits(return_X_y=True), "cancer": load_breast_cancer(return_X_y=True)}


def split(name: str, rows: slice) -> LabelledFeatures:
    matrix, values = DATA[name]
    labels = Labels(LabelKind.CLASSIFICATION, values[rows], tuple(map(str, np.unique(values))))
    return LabelledFeatures(Features(matrix[rows].astype(np.float32)), labels)


def loss_of(logits: np.ndarray, truth: np.ndarray, weights: np.ndarray, l2: float) -> float:
    entropy = (logsumexp(logits, axis=1) - logits[np.arange(len(truth)), truth]).mean()
    return float(entropy + l2 / 2 * np.square(weights).sum())


@pytest.mark.parametrize("name", ["digits", "cancer"])
def test_the_path_is_at_the_optimum_of_scikit_learn(name: str) -> None:
    train = split(name, slice(0, 400))
    x, truth = StandardScaler().fit_transform(train.matrix.astype(np.float64)), train.labels.values
    path = list(LogisticPath(1000, train).along())

    assert len(path) == len(L2_PATH) == 46
    for number in (4, 24, 44):
        l2, ours = L2_PATH[number], path[number]
        strength = (2 if name == "cancer" else 1) / (400 * l2)  # they keep one column where we keep two
        theirs = LogisticRegression(C=strength, tol=1e-7, max_iter=20000).fit(x, truth)
        weights, intercept = theirs.coef_, theirs.intercept_
        if name == "cancer":
            weights, intercept = np.vstack([-weights, weights]) / 2, np.append(-intercept, intercept) / 2
        optimum = loss_of(x @ weights.T + intercept, truth, weights, l2)
        own = ours.weights * train.matrix.astype(np.float64).std(axis=0)[:, None]
        assert loss_of(ours.outputs(train.matrix), truth, own, l2) == pytest.approx(optimum, rel=1e-3)


def test_problems_of_one_batch_do_not_touch_each_other() -> None:
    rng = np.random.default_rng(0)
    curvatures = torch.from_numpy(rng.uniform(0.1, 10, (5, 8)))
    minima = torch.from_numpy(rng.standard_normal((5, 8)))

    def bowls(points: torch.Tensor, members: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        apart = points - minima[members]
        return 1 + (curvatures[members] * apart**2).sum(1) / 2, curvatures[members] * apart

    together = minimise(bowls, torch.zeros((5, 8), dtype=torch.float64), Stop(1e-12, 100))

    assert together.arrived.all()
    np.testing.assert_allclose(together.points, minima, atol=1e-5)


def test_the_grid_in_one_batch_chooses_and_predicts_as_in_several(monkeypatch: pytest.MonkeyPatch) -> None:
    train, val = split("digits", slice(0, 300)), split("digits", slice(300, 500))
    several = LinearProbe().fit(train, val, Accuracy())
    monkeypatch.setattr("assay.numerics.logistic._TOGETHER", len(L2_PATH))  # as on a GPU

    together = LinearProbe().fit(train, val, Accuracy())

    assert (together.tuned, together.val_value) == (several.tuned, several.val_value)
    ours, theirs = (fitted.predictor(val.matrix) for fitted in (together, several))
    np.testing.assert_array_equal(ours.values, theirs.values)
    np.testing.assert_allclose(ours.probs, theirs.probs, atol=1e-5)  # type: ignore[arg-type]  # they have some
