"""Whether the stated regret of recommendations is what they lose in simulated studies: it takes minutes."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from sklearn.datasets import load_digits
from sklearn.linear_model import RidgeClassifier

from assay.analysis.per_task.decision import regrets

pytestmark = pytest.mark.slow

KINDS = ("normal", "skewed", "equal", "outliers")
STUDIES = {2: 600, 3: 600, 10: 400, 30: 250, 100: 120}  # of each kind
EASE = 1.5  # standard deviation of what makes examples easy for all models


def draws_of(right: np.ndarray) -> np.ndarray:
    """Return draws with the covariance of the bootstrap, without its error."""
    values = right.mean(axis=0)
    return np.asarray(values + (right - values) / len(right) ** 0.5)


def skills_of(kind: str, models: int, rng: np.random.Generator) -> np.ndarray:
    if kind == "normal":
        return rng.normal(0, 0.4, models)
    if kind == "skewed":
        return 0.9 - rng.gamma(1.5, 0.5, models)
    if kind == "equal":
        return rng.normal(0, 0.05, models)
    skills = rng.normal(0.6, 0.25, models)
    skills[rng.random(models) < 0.2] -= 3
    return skills


def lost(kind: str, models: int, examples: int, rng: np.random.Generator) -> tuple[float, float, float]:
    """Return in points what the best measured and the recommended model lose, and what is stated."""
    skills = skills_of(kind, models, rng)
    own, shared = rng.choice([0.3, 0.7, 1.2]), rng.choice([0.0, 0.7])
    families = rng.integers(0, max(2, models // 5), models)
    true = stats.norm.cdf((1.2 + skills) / np.sqrt(EASE**2 + own**2 + shared**2))
    ease = rng.normal(1.2, EASE, size=(examples, 1))
    of_families = shared * rng.normal(size=(examples, families.max() + 1))[:, families]
    right = (ease + skills + of_families + own * rng.normal(size=(examples, models)) > 0).astype(float)
    values = right.mean(axis=0)
    found = regrets(values, draws_of(right), 0.01, 0, 1 / len(right))
    chosen = int(np.argmin(found.expected))
    regret = true.max() - true
    return 100 * regret[values.argmax()], 100 * regret[chosen], 100 * found.expected[chosen]


@pytest.mark.parametrize("examples", [50, 100, 200, 400])
@pytest.mark.parametrize("models", STUDIES)
def test_stated_regret_is_the_actual_one_and_hardly_above_that_of_the_best_value(models, examples):
    rng = np.random.default_rng([models, examples])
    studies = np.array([lost(kind, models, examples, rng) for kind in KINDS for _ in range(STUDIES[models])])
    best, recommended, stated = studies.mean(axis=0)
    noise = 2 * studies.std(axis=0) / len(studies) ** 0.5

    assert recommended <= best + 0.2
    assert abs(stated - recommended) <= 0.3 + noise[1]


def nearly_perfect(models: int, examples: int, rng: np.random.Generator) -> list[float]:
    """Return the stated and true regret of the recommended model, and whether it is within a point."""
    true = rng.uniform(0.98, 1.0, models) if rng.random() < 0.5 else 1 - 0.02 * rng.exponential(size=models)
    true = np.minimum(true, 0.9995)
    own = rng.choice([0.3, 0.7, 1.2])
    skills = stats.norm.ppf(true) * np.sqrt(EASE**2 + own**2)
    ease = rng.normal(0, EASE, size=(examples, 1))
    right = (ease + skills + own * rng.normal(size=(examples, models)) > 0).astype(float)
    found = regrets(right.mean(axis=0), draws_of(right), 0.01, 0, 1 / examples)
    chosen = int(np.argmin(found.expected))
    regret = true.max() - true[chosen]
    return [100 * found.expected[chosen], 100 * regret, found.within[chosen], regret <= 0.01]


@pytest.mark.parametrize("examples", [36, 60, 100, 200])
@pytest.mark.parametrize("models", [2, 3, 10, 30])
def test_models_that_are_nearly_always_right_are_within_a_point_as_often_as_stated(models, examples):
    rng = np.random.default_rng([models, examples])

    studies = np.array([nearly_perfect(models, examples, rng) for _ in range(500)])

    stated, lost, within, is_within = studies.mean(axis=0)
    assert lost - 0.1 <= stated <= lost + 0.35
    assert is_within - 0.12 <= within <= is_within + 0.04


@pytest.fixture(scope="module")
def digits() -> np.ndarray:
    """Which of 1,197 digits 24 ridge classifiers get right that see different pixels, examples x models."""
    images, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(labels))
    train, test = order[:600], order[600:]
    right = []
    for model in range(24):
        pixels = np.random.default_rng(model).choice(64, size=16 + 2 * model // 3, replace=False)
        classifier = RidgeClassifier().fit(images[train][:, pixels], labels[train])
        right.append(classifier.predict(images[test][:, pixels]) == labels[test])
    return np.array(right, dtype=float).T


@pytest.mark.parametrize("examples", [50, 100, 400])
def test_on_real_predictions_recommendations_lose_what_they_state(digits, examples):
    rng = np.random.default_rng(examples)
    true = digits.mean(axis=0)
    studies = []
    for _ in range(200):
        right = digits[rng.choice(len(digits), size=examples, replace=False)]
        values = right.mean(axis=0)
        found = regrets(values, draws_of(right), 0.01, 0, 1 / len(right))
        chosen = int(np.argmin(found.expected))
        studies.append([*(true.max() - true[[values.argmax(), chosen]]), found.expected[chosen]])
    best, recommended, stated = 100 * np.mean(studies, axis=0)

    assert recommended <= best + 0.2
    assert recommended - 0.3 <= stated <= recommended + 0.9  # the prior expects more spread near the best
