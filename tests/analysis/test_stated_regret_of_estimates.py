"""Whether the regret that estimates state is what the recommended model loses: it takes minutes."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.linear_model import RidgeClassifierCV

from assay.actions.score import resolve_score, view_of
from assay.analysis.per_task.decision import regrets
from assay.analysis.per_task.held_out import TRAINING_SETS, held_out_draws, held_out_rows
from assay.core.held_out import HeldOutPredictions
from assay.metrics.accuracy import Accuracy

pytestmark = pytest.mark.slow

CLASSES, LATENT, WIDTH, TEST = 5, 12, 64, 6000
STUDIES = {3: 120, 15: 60}


def lost(models: int, examples: int, rng: np.random.Generator) -> tuple[float, float, float]:
    """Return in points what the highest estimate and the recommended model lose, and what is stated.

    Models see the same latent variables through projections and noise of their own.
    """
    centres = 0.9 * rng.normal(size=(CLASSES, LATENT))
    labels = rng.integers(CLASSES, size=examples + TEST)
    latent = centres[labels] + rng.normal(size=(len(labels), LATENT))
    noise, spread = rng.choice([1.0, 2.0, 4.0]), rng.choice([0.05, 0.3])
    estimates, held_out, true = {}, {}, []
    for model in map(str, range(models)):
        projected = latent @ rng.normal(size=(LATENT, WIDTH)) / LATENT**0.5
        own = noise * np.exp(spread * rng.normal())
        matrix = projected + own * rng.normal(size=projected.shape)
        estimate = resolve_score("ridge_cv").estimate(
            view_of(matrix[:examples], labels[:examples]), Accuracy()
        )
        estimates[model] = float(estimate)
        predicted, truth = estimate.held_out.predicted, estimate.held_out.truth
        held_out[model] = [HeldOutPredictions(predicted, truth, np.arange(examples))]
        probe = RidgeClassifierCV(np.geomspace(1e-2, 1e5, 15)).fit(matrix[:examples], labels[:examples])
        true.append((probe.predict(matrix[examples:]) == labels[examples:]).mean())
    rows = held_out_rows(held_out, Accuracy(), None)
    values = np.array(list(estimates.values()))
    draws = held_out_draws(rows, estimates, Accuracy(), 0)
    found = regrets(values, draws, 0.01, 0, TRAINING_SETS / examples)
    chosen = int(np.argmin(found.expected))
    regret = 100 * (max(true) - np.array(true))
    return regret[values.argmax()], regret[chosen], 100 * found.expected[chosen]


@pytest.mark.parametrize("examples", [300, 1000])
@pytest.mark.parametrize("models", STUDIES)
def test_estimates_lose_what_they_state_and_no_more_than_the_highest_estimate(models, examples):
    rng = np.random.default_rng([models, examples])

    studies = np.array([lost(models, examples, rng) for _ in range(STUDIES[models])])

    highest, recommended, stated = studies.mean(axis=0)
    noise = 2 * studies[:, 1].std() / len(studies) ** 0.5
    assert recommended <= highest + 0.2
    assert abs(stated - recommended) <= 0.3 + noise
