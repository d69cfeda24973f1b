"""Estimates are decided by the same rule, from what scores predicted for held-out examples of train."""

from __future__ import annotations

import dataclasses

import numpy as np
import pytest

from assay.analysis.compare import compare
from assay.analysis.per_task.held_out import held_out_draws, held_out_rows
from assay.core.held_out import HeldOutPredictions
from assay.core.predictor import Predicted
from assay.core.task import LabelKind, Labels, SplitName
from assay.testing.simulated_study import SimulatedAccuracy, simulate_study

CLASSES = ("cat", "dog")
TRUTH = Labels(LabelKind.CLASSIFICATION, np.arange(200) % 2, CLASSES)
ROWS = np.arange(200) * 3


def predictions(wrong: int, rows: np.ndarray = ROWS) -> HeldOutPredictions:
    """Return predictions of which so many are wrong, the first ones."""
    values = TRUTH.values.copy()
    values[:wrong] = 1 - values[:wrong]
    return HeldOutPredictions(Predicted(values), TRUTH, rows)


def draws(by_model: dict, values: dict[str, float], contents: np.ndarray | None = None) -> np.ndarray | None:
    held_out = held_out_rows(by_model, SimulatedAccuracy(), contents)
    return None if held_out is None else held_out_draws(held_out, values, SimulatedAccuracy(), 0)


def test_draws_are_centred_on_the_estimates_and_wider_than_sampling_noise():
    by_model = {"good": [predictions(20)], "bad": [predictions(60)]}

    drawn = draws(by_model, {"bad": 0.72, "good": 0.93})

    assert drawn.mean(axis=0) == pytest.approx([0.72, 0.93], abs=1e-9)
    binomial = np.sqrt(np.array([0.3 * 0.7, 0.1 * 0.9]) / 200)
    assert drawn.std(axis=0) == pytest.approx(1.5 * binomial, rel=0.05)  # Nadeau and Bengio: five folds


def test_repeated_contents_of_train_are_one_piece_of_evidence():
    by_model = {"good": [predictions(20)], "bad": [predictions(60)]}
    contents = np.arange(600) // 30  # ten held-out examples of each content

    once, repeated = (
        draws(by_model, {"good": 0.9, "bad": 0.7}, groups).std(axis=0) for groups in (None, contents)
    )

    assert (repeated > 2 * once).all()


def test_no_draws_for_different_examples_or_missing_predictions():
    other_rows = {"good": [predictions(20)], "bad": [predictions(60, ROWS + 1)]}

    assert draws(other_rows, {"good": 0.9, "bad": 0.7}) is None
    assert draws({"good": [predictions(20)]}, {"good": 0.9, "bad": 0.7}) is None
    assert draws({}, {"good": 0.9}) is None


@pytest.fixture(scope="module")
def estimated():
    """A study whose ridge_cv expects an accuracy on the tasks of images, and keeps what it predicted."""
    study = simulate_study()
    kept = {}
    results = []
    for result in study.results:
        is_image = result.job.task.startswith("folder:")
        if result.job.method == "ridge_cv" and result.value is not None and is_image:
            value = min(max(result.value / 2.5, 0.0), 1.0)
            kept[result.job.key] = predictions(round(200 * (1 - value)))
            results.append(dataclasses.replace(result, metric="accuracy", value=value))
        else:
            results.append(result)
    return dataclasses.replace(
        study, results=results, held_out=lambda keys: {key: kept[key] for key in keys if key in kept}
    )


def test_an_estimate_states_its_expected_regret_and_the_probability_of_the_margin(estimated):
    comparison = compare(estimated, ranked_by="ridge_cv", seed=0)

    for findings in comparison.tasks[:2]:
        decision = findings.decision
        assert decision.recommended == min(decision.expected_regret, key=decision.expected_regret.get)
        assert 0 <= decision.within_margin[decision.recommended] <= 1
        assert "expected regret" in findings.because
        assert "nothing was trained" in findings.because


def test_a_score_with_a_scale_of_its_own_only_ranks_and_says_so(estimated):
    comparison = compare(estimated, ranked_by="logme", seed=0)

    for findings in comparison.tasks:
        assert not findings.decision.expected_regret
        assert findings.decision.cheaper is None
        assert "ranks models, and does not say how much better one is" in findings.because


def test_the_regret_of_estimates_over_tasks_is_the_mean(estimated):
    comparison = compare(estimated, ranked_by="ridge_cv", seed=0)

    first, second = (findings.decision.expected_regret for findings in comparison.tasks[:2])
    for model, regret in comparison.decisions["image"].expected_regret.items():
        assert regret == pytest.approx((first[model] + second[model]) / 2)
    assert "points, mean over tasks" in comparison.headline[0]


def test_contents_of_train_are_asked_for(estimated):
    asked = []
    study = dataclasses.replace(estimated, contents=lambda task, split: asked.append(split))

    compare(study, ranked_by="ridge_cv", seed=0)

    assert set(asked) == {SplitName.TRAIN}
