"""Whether significant differences are real in simulated studies, and how many are found: it takes an hour."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pytest
from scipy import stats

from assay.analysis.pairwise import ALPHA, Pairwise, compare_pairs, holm
from assay.analysis.per_task.intervals import Draws, Measured
from assay.analysis.per_task.significance import pair_p_values, swap_tests
from assay.core.metric import Metric
from assay.core.task import LabelKind, Labels
from assay.metrics.accuracy import Accuracy
from assay.metrics.macro_f1 import MacroF1
from assay.metrics.rmse import RMSE

pytestmark = pytest.mark.slow

CLASSES = 3
DRAWS = 1000
EXAMPLES = (50, 200, 1000)
STUDIES = {2: 700, 10: 500, 30: 400, 100: 300}  # for each number of examples


class Study(NamedTuple):
    """The predictions of models on the same examples; errors are correlated."""

    measured: Measured
    values: np.ndarray  # models
    draws: np.ndarray  # draws x models
    right: np.ndarray  # models x examples: whether the prediction is better than the median one


def simulated(metric: Metric, skills: np.ndarray, examples: int, rng: np.random.Generator) -> Study:
    """Return a study of models with these skills; equal skills have equal true values."""
    models, own = len(skills), rng.choice([0.3, 1.0])
    families = rng.integers(0, max(2, models // 5), size=models)
    ease = rng.normal(1.2, 1.5, size=(examples, 1))
    shared = rng.choice([0.0, 0.7]) * rng.normal(size=(examples, families.max() + 1))[:, families]
    latent = (ease + shared + own * rng.normal(size=(examples, models)) + skills).T
    weights = rng.multinomial(examples, np.full(examples, 1 / examples), size=DRAWS).astype(float)
    if isinstance(metric, RMSE):
        truth = Labels(LabelKind.REGRESSION, np.zeros(examples))
        errors = latent * np.exp(-skills)[:, None]
        squares = np.square(errors)
        measured = Measured(truth, tuple(row[None] for row in errors))
        values = -np.sqrt(squares.mean(axis=1))
        draws = -np.sqrt(weights @ squares.T / examples)
        return Study(measured, values, draws, squares < np.median(squares, axis=0))
    labels = rng.integers(CLASSES, size=examples)
    wrong = (labels + rng.integers(1, CLASSES, size=(models, examples))) % CLASSES
    predicted = np.where(latent > 0, labels, wrong)
    truth = Labels(LabelKind.CLASSIFICATION, labels, tuple("abc"))
    measured = Measured(truth, tuple(row[None] for row in predicted))
    right = predicted == labels
    if isinstance(metric, Accuracy):
        return Study(measured, right.mean(axis=1), weights @ right.T / examples, right)
    draws = np.mean([_f1(weights, labels, predicted, label) for label in range(CLASSES)], axis=0)
    whole = np.ones((1, examples))
    values = np.mean([_f1(whole, labels, predicted, label) for label in range(CLASSES)], axis=0)[0]
    return Study(measured, values, draws, right)


def _f1(weights: np.ndarray, labels: np.ndarray, predicted: np.ndarray, label: int) -> np.ndarray:
    of_class, said = labels == label, predicted == label
    hits = weights @ (said & of_class).T
    return 2 * hits / np.maximum(weights @ said.T + (weights @ of_class)[:, None], 1)


def compared(study: Study, metric: Metric) -> Pairwise:
    draws = Draws(study.draws, study.draws)
    return compare_pairs(study.values, pair_p_values(study.measured, metric, draws, 0), study.draws, 0)


def by_holm(study: Study) -> np.ndarray:
    """Return the p-values of exact sign tests, adjusted by Holm."""
    models = len(study.values)
    first, second = np.triu_indices(models, 1)
    p_values = np.ones((models, models))
    p_values[first, second] = holm(swap_tests(study.right.astype(float), 0)[first, second])
    return np.minimum(p_values, p_values.T)


def upper_limit(errors: Sequence[bool] | np.ndarray) -> float:
    """Return the one-sided 95 % limit of the error rate."""
    return float(stats.binomtest(int(sum(errors)), len(errors), alternative="less").proportion_ci(0.95).high)


class Rates(NamedTuple):
    """What was found in simulated studies.

    Attributes:
        equal: Whether there was a false difference, with all models equal.
        half_equal: The same between the equal models, with the other half worse.
        power: Share of the true differences that were found, by study.
        power_of_holm: The same by exact sign tests, adjusted by Holm.
    """

    equal: list[bool]
    half_equal: list[bool]
    power: list[float]
    power_of_holm: list[float]


def rates(metric: Metric, models: int, examples: int, studies: int) -> Rates:
    """Return what is found with this number of models and examples."""
    rng = np.random.default_rng([models, examples])
    half = models // 2
    found = Rates([], [], [], [])
    for _ in range(studies):
        pairs = compared(simulated(metric, np.zeros(models), examples, rng), metric)
        found.equal.append(bool((pairs.p_values < ALPHA).any()))
        skills = np.append(np.zeros(models - half), -0.5 * (1 + 2 * rng.random(half)))
        study = simulated(metric, skills, examples, rng)
        significant = compared(study, metric).p_values < ALPHA
        found.half_equal.append(bool(significant[:-half, :-half].any()))
        found.power.append(float(significant[:-half, -half:].mean()))
        found.power_of_holm.append(float((by_holm(study) < ALPHA)[:-half, -half:].mean()))
    return found


@pytest.mark.parametrize("models", STUDIES)
@pytest.mark.parametrize("metric", [Accuracy(), MacroF1(), RMSE()], ids=lambda metric: metric.name)
def test_few_studies_have_any_false_difference(metric, models):
    found = [rates(metric, models, examples, STUDIES[models]) for examples in EXAMPLES]
    equal, half_equal, power, power_of_holm = (np.concatenate(each) for each in zip(*found, strict=True))

    assert upper_limit(equal) <= 0.06
    assert upper_limit(half_equal) <= 0.06
    assert np.mean(power) >= np.mean(power_of_holm)


def test_few_examples_on_which_equal_models_differ_are_no_difference():
    rng = np.random.default_rng(0)
    errors = []
    for _ in range(1500):
        labels = rng.integers(2, size=60)
        predicted = np.repeat(labels[None], 10, axis=0)
        flipped = rng.random((10, 60)) < 0.02  # about one error of each model
        predicted = np.where(flipped, 1 - predicted, predicted)
        truth = Labels(LabelKind.CLASSIFICATION, labels, ("a", "b"))
        measured = Measured(truth, tuple(row[None] for row in predicted))
        weights = rng.multinomial(60, np.full(60, 1 / 60), size=DRAWS).astype(float)
        draws = np.mean([_f1(weights, labels, predicted, label) for label in range(2)], axis=0)
        values = np.array([MacroF1()(truth, row) for row in predicted])
        errors.append(
            bool(
                (
                    compared(Study(measured, values, draws, predicted == labels), MacroF1()).p_values < ALPHA
                ).any()
            )
        )

    assert upper_limit(errors) <= 0.06
