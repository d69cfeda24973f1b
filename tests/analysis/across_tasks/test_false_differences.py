"""Whether significant differences across tasks are right in simulations: it takes minutes."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
from scipy import stats

from assay.analysis.across_tasks import significance
from assay.analysis.across_tasks.intervals import draws_of_examples, interquartile_mean
from assay.analysis.across_tasks.significance import ROPE, Comparable, compare_over_tasks, fewest_tasks
from assay.analysis.per_task.index import index_matrix
from assay.analysis.per_task.intervals import ExampleDraws
from assay.findings.across import Generality, Unit
from assay.findings.matrix import Matrix

pytestmark = pytest.mark.slow

EXAMPLES, DRAWS, STUDIES, CHANCE = 200, 1000, 250, 0.1
TASKS = (2, 5, 20)
WORSE = -0.7  # in standard deviations of what makes an example hard


@lru_cache
def weights() -> np.ndarray:
    """Return how often each example is drawn in bootstraps, draws x examples."""
    drawn = np.random.default_rng(0).integers(EXAMPLES, size=(DRAWS, EXAMPLES))
    counts = [np.bincount(row, minlength=EXAMPLES) for row in drawn]
    return np.array(counts, np.float32) / EXAMPLES


def ranks_of(skills: np.ndarray, tasks: int, rng: np.random.Generator) -> np.ndarray:
    """Return the range of ranks of each model in a study of so many tasks, models x 2.

    Where tasks are resampled, models with the same skill differ on each of them, and are equal on average.
    """
    models = tuple(f"m{row:02}" for row in range(len(skills)))
    is_over_tasks = tasks >= fewest_tasks(len(models))
    values, draws = {}, {}
    for task in (f"t{number:02}" for number in range(tasks)):
        ease = rng.normal(rng.uniform(0.5, 1.5), 1, size=(EXAMPLES, 1))
        liking = rng.choice([0.1, 0.5]) * rng.normal(size=len(skills)) if is_over_tasks else 0.0
        right = (ease + skills + liking + 0.5 * rng.normal(size=(EXAMPLES, len(skills))) > 0).T
        values[task] = dict(zip(models, right.mean(axis=1).tolist(), strict=True))
        reach = max(values[task].values()) - CHANCE
        draws[task] = ExampleDraws(models, (weights() @ right.T.astype(np.float32) - CHANCE) / reach)
    index = index_matrix(Matrix.of(values), dict.fromkeys(values, CHANCE))
    here = draws_of_examples(index.models, index.tasks, draws, 0)
    ordered = [
        Generality(model, index.tasks, {}, 0.0, 0.0, 0.0, None, "", None, index=mean)
        for mean, model in sorted(zip(interquartile_mean(index.values), models, strict=True), reverse=True)
    ]
    tested, unit = compare_over_tasks(ordered, Comparable(index, here), ROPE, 0)
    assert unit is (Unit.TASKS if is_over_tasks else Unit.EXAMPLES)
    return np.array([model.ranks for model in sorted(tested, key=lambda model: model.model)])


def upper_limit(errors: list[bool]) -> float:
    """Return the one-sided 95 % limit of the error rate."""
    return float(stats.binomtest(sum(errors), len(errors), alternative="less").proportion_ci(0.95).high)


@pytest.mark.parametrize("models", [10, 20])
def test_few_studies_have_any_false_difference_across_tasks(models, monkeypatch):
    monkeypatch.setattr(
        significance, "_SAMPLES", 10
    )  # of what is not tested here, and takes most of the time
    rng, half = np.random.default_rng(models), models // 2
    equal, half_equal, power = [], [], []
    for tasks in TASKS:
        for _ in range(STUDIES):
            equal.append(bool((ranks_of(np.zeros(models), tasks, rng)[:, 0] > 1).any()))
            lowest = ranks_of(np.repeat([0.0, WORSE], half), tasks, rng)[:, 0]
            half_equal.append(bool((lowest[:half] > 1).any()))
            power.append(float(np.minimum(lowest[half:] - 1, half).mean() / half))

    assert upper_limit(equal) <= 0.06
    assert upper_limit(half_equal) <= 0.06
    assert np.mean(power) > 0.5
