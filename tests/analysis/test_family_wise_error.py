"""Whether significant differences and their intervals are right in simulations: it takes ten minutes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import pytest
from scipy import stats

from assay.analysis.pairwise import ALPHA, MOST_STEPPED, Pairwise, compare_pairs, holm
from assay.analysis.per_task.intervals import Draws, Measured
from assay.analysis.per_task.significance import pair_deviations, pair_p_values, swap_tests
from assay.core.metric import Metric
from assay.core.task import LabelKind, Labels
from assay.metrics.accuracy import Accuracy
from assay.metrics.macro_f1 import MacroF1
from assay.metrics.rmse import RMSE

pytestmark = pytest.mark.slow

CLASSES = 3
DRAWS, BOOTSTRAPS = 1000, 20
EXAMPLES = (50, 200, 1000)
STUDIES = {2: 700, 10: 500, 30: 250, 100: 100}  # for each number of examples
EASE, MEAN_EASE = 1.5, 1.2


class Study(NamedTuple):
    """The predictions of models on the same examples; errors are correlated."""

    measured: Measured
    values: np.ndarray  # models
    draws: np.ndarray  # draws x models
    scores: np.ndarray  # models x examples: which of two predictions is better
    true: np.ndarray  # models: what the values are of infinitely many examples


@lru_cache
def bootstraps(examples: int) -> list[np.ndarray]:
    """Return how often each example is drawn in some bootstraps, which studies share: draws x examples."""
    rng = np.random.default_rng(examples)
    all_rows = rng.integers(examples, size=(BOOTSTRAPS, DRAWS, examples))
    return [
        np.stack([np.bincount(row, minlength=examples) for row in rows]).astype(np.float32)
        for rows in all_rows
    ]


def simulated(metric: Metric, skills: np.ndarray, examples: int, rng: np.random.Generator) -> Study:
    """Return a study of models with these skills; equal skills have equal true values."""
    models, own, of_family = len(skills), rng.choice([0.3, 1.0]), rng.choice([0.0, 0.7])
    families = rng.integers(0, max(2, models // 5), size=models)
    ease = rng.normal(MEAN_EASE, EASE, size=(examples, 1))
    shared = of_family * rng.normal(size=(examples, families.max() + 1))[:, families]
    latent = (ease + shared + own * rng.normal(size=(examples, models)) + skills).T
    weights = bootstraps(examples)[rng.integers(BOOTSTRAPS)]
    spread = np.sqrt(EASE**2 + own**2 + of_family**2)
    if isinstance(metric, RMSE):
        truth = Labels(LabelKind.REGRESSION, np.zeros(examples))
        errors = latent * np.exp(-skills)[:, None]
        squares = np.square(errors)
        measured = Measured(truth, tuple(row[None] for row in errors))
        draws = -np.sqrt(weights @ squares.T.astype(np.float32) / examples)
        true = -np.exp(-skills) * np.hypot(MEAN_EASE + skills, spread)
        return Study(measured, -np.sqrt(squares.mean(axis=1)), draws, -squares, true)
    labels = rng.integers(CLASSES, size=examples)
    wrong = (labels + rng.integers(1, CLASSES, size=(models, examples))) % CLASSES
    predicted = np.where(latent > 0, labels, wrong)
    truth = Labels(LabelKind.CLASSIFICATION, labels, tuple("abc"))
    measured = Measured(truth, tuple(row[None] for row in predicted))
    right = predicted == labels
    true = stats.norm.cdf((MEAN_EASE + skills) / spread)  # of macro F1 too, as all classes are alike
    if isinstance(metric, Accuracy):
        draws = weights @ right.T.astype(np.float32) / examples
        return Study(measured, right.mean(axis=1), draws, right, true)
    draws = np.mean([_f1(weights, labels, predicted, label) for label in range(CLASSES)], axis=0)
    whole = np.ones((1, examples), dtype=np.float32)
    values = np.mean([_f1(whole, labels, predicted, label) for label in range(CLASSES)], axis=0)[0]
    return Study(measured, values, draws, right, true)


def _f1(weights: np.ndarray, labels: np.ndarray, predicted: np.ndarray, label: int) -> np.ndarray:
    of_class, said = labels == label, predicted == label
    hits = weights @ (said & of_class).T.astype(np.float32)
    total = weights @ said.T.astype(np.float32) + (weights @ of_class.astype(np.float32))[:, None]
    return 2 * hits / np.maximum(total, 1)


def compared(study: Study, metric: Metric) -> Pairwise:
    draws = Draws(study.draws, study.draws)
    p_values = pair_p_values(study.measured, metric, draws, 0)
    deviations = pair_deviations(study.measured, metric, draws, p_values)
    return compare_pairs(study.values, p_values, study.draws, 0, deviations)


def by_holm(study: Study) -> np.ndarray:
    """Return the p-values of exact sign tests, adjusted by Holm."""
    models = len(study.values)
    first, second = np.triu_indices(models, 1)
    if study.scores.dtype == bool:
        unadjusted = swap_tests(study.scores.astype(float), 0)[first, second]
    else:
        wins = np.concatenate(
            [(row > study.scores[at + 1 :]).sum(axis=1) for at, row in enumerate(study.scores)]
        )
        fewer = np.minimum(wins, study.scores.shape[1] - wins)
        unadjusted = np.minimum(1.0, 2 * stats.binom.cdf(fewer, study.scores.shape[1], 0.5))
    p_values = np.ones((models, models))
    p_values[first, second] = holm(unadjusted)
    return np.minimum(p_values, p_values.T)


def holds_all(pairs: Pairwise, true: np.ndarray) -> bool:
    """Return whether the intervals of the differences from the best measured model hold the true ones."""
    best = int(np.argmax(pairs.values))
    wanted = true - true[best]
    intervals = pairs.differences(best)
    return all(
        each.low - 1e-9 <= one <= each.high + 1e-9 for each, one in zip(intervals, wanted, strict=True)
    )


def upper_limit(errors: Sequence[bool] | np.ndarray) -> float:
    """Return the one-sided 95 % limit of the error rate."""
    return float(stats.binomtest(int(sum(errors)), len(errors), alternative="less").proportion_ci(0.95).high)


class Rates(NamedTuple):
    """What was found in simulated studies.

    Attributes:
        equal: Whether there was a false difference, with all models equal.
        half_equal: The same between the equal models, with the other half worse.
        missed: Whether an interval of a difference from the best misses the true one, in the latter studies.
        power: Share of the true differences that were found, by study.
        power_of_holm: The same by exact sign tests, adjusted by Holm.
    """

    equal: list[bool]
    half_equal: list[bool]
    missed: list[bool]
    power: list[float]
    power_of_holm: list[float]


def rates(metric: Metric, models: int, examples: int, studies: int) -> Rates:
    """Return what is found with this number of models and examples."""
    rng = np.random.default_rng([models, examples])
    half = models // 2
    found = Rates([], [], [], [], [])
    for _ in range(studies):
        pairs = compared(simulated(metric, np.zeros(models), examples, rng), metric)
        found.equal.append(bool((pairs.p_values < ALPHA).any()))
        skills = np.append(np.zeros(models - half), -0.5 * (1 + 2 * rng.random(half)))
        study = simulated(metric, skills, examples, rng)
        pairs = compared(study, metric)
        significant = pairs.p_values < ALPHA
        found.half_equal.append(bool(significant[:-half, :-half].any()))
        found.missed.append(not holds_all(pairs, study.true))
        found.power.append(float(significant[:-half, -half:].mean()))
        found.power_of_holm.append(float((by_holm(study) < ALPHA)[:-half, -half:].mean()))
    return found


@pytest.mark.parametrize("models", STUDIES)
@pytest.mark.parametrize("metric", [Accuracy(), MacroF1(), RMSE()], ids=lambda metric: metric.name)
def test_few_studies_have_any_false_difference_or_interval(metric, models):
    found = [rates(metric, models, examples, STUDIES[models]) for examples in EXAMPLES]
    equal, half_equal, missed, power, power_of_holm = (
        np.concatenate(each) for each in zip(*found, strict=True)
    )

    assert upper_limit(equal) <= 0.06
    assert all(np.mean(of_size.equal) <= 0.05 + 2 * (0.05 / len(of_size.equal)) ** 0.5 for of_size in found)
    assert upper_limit(half_equal) <= 0.06
    assert upper_limit(missed) <= 0.06
    assert np.mean(power) >= np.mean(power_of_holm)


def test_the_range_of_very_many_models_controls_errors_and_finds_differences():
    found = [rates(Accuracy(), MOST_STEPPED + 50, examples, 60) for examples in (50, 200)]
    equal, half_equal, missed, power, power_of_holm = (
        np.concatenate(each) for each in zip(*found, strict=True)
    )

    assert all(
        errors.mean() <= 0.05 + 2 * (0.05 / len(errors)) ** 0.5 for errors in (equal, half_equal, missed)
    )
    assert np.mean(power) >= np.mean(power_of_holm)


def test_few_examples_on_which_equal_models_differ_are_no_difference():
    rng = np.random.default_rng(0)
    errors = []
    for _ in range(1500):
        weights = bootstraps(60)[rng.integers(BOOTSTRAPS)]
        labels = rng.integers(2, size=60)
        flipped = rng.random((10, 60)) < 0.02  # about one error of each model
        predicted = np.where(flipped, 1 - labels, labels)
        truth = Labels(LabelKind.CLASSIFICATION, labels, ("a", "b"))
        measured = Measured(truth, tuple(row[None] for row in predicted))
        draws = np.mean([_f1(weights, labels, predicted, label) for label in range(2)], axis=0)
        values = np.array([MacroF1()(truth, row) for row in predicted])
        study = Study(measured, values, draws, predicted == labels, np.zeros(10))
        errors.append(bool((compared(study, MacroF1()).p_values < ALPHA).any()))

    assert upper_limit(errors) <= 0.06
