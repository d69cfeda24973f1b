"""LEAD against numerical gradients, scikit-learn's support vector machine and the evolution with loops."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.svm import LinearSVC

import assay
from assay.core.errors import NotApplicable, UsageError
from assay.scores import lead
from assay.scores.lead import LEAD
from assay.scores.lead.machines import LinearSVMs

WIDTHS = (5, 7)


def made(seed: int, examples: int, width: int, classes: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    values = np.arange(examples) % classes
    noise = rng.standard_normal((examples, width))
    return np.maximum(noise + rng.standard_normal((classes, width))[values], 0), values


def kernels(rows: np.ndarray, values: np.ndarray, classes: int) -> list[np.ndarray]:
    """The kernel of each class, from gradients of the sum of the logits that are taken numerically."""
    rng = np.random.default_rng(0)
    width, (first, second) = rows.shape[1], WIDTHS
    v, w2, w1 = (rng.standard_normal(shape) for shape in (second, (first, second), (width, first)))
    flat = np.concatenate([v, w2.ravel(), w1.ravel()])

    def head(weights: np.ndarray, row: np.ndarray) -> float:
        v, w2, w1 = np.split(weights, [second, second + first * second])
        a1 = np.sqrt(2 / width) * np.maximum(row @ w1.reshape(width, first), 0)
        a2 = np.sqrt(2 / first) * np.maximum(a1 @ w2.reshape(first, second), 0)
        return float(a2 @ v) / np.sqrt(second)

    step = 1e-6
    gradients = np.array(
        [
            [
                (head(flat + step * e, row) - head(flat - step * e, row)) / (2 * step)
                for e in np.eye(len(flat))
            ]
            for row in rows
        ]
    )
    return [gradients[values == k] @ gradients[values == k].T for k in range(classes)]


def initial(rows: np.ndarray, values: np.ndarray, classes: int) -> np.ndarray:
    """Probabilities from one support vector machine for each class; its intercept is as good as free."""
    margins = np.empty((len(rows), classes))
    for k in range(classes):
        machine = LinearSVC(dual=False, tol=1e-10, intercept_scaling=1e3, max_iter=100_000)
        margins[:, k] = machine.fit(rows, values == k).decision_function(rows)
    probs = 1 / (1 + np.exp(-margins))
    return probs / probs.sum(axis=1, keepdims=True)


@pytest.mark.parametrize("shape", [(0, 30, 4, 3), (1, 16, 20, 2)])
@pytest.mark.parametrize("time", [0.0, 0.3, 1.0])
def test_it_equals_the_evolution_with_loops(shape: tuple[int, int, int, int], time: float) -> None:
    features, values = made(*shape)
    rows = features - features.mean(axis=0)
    rows /= np.sqrt(np.square(rows).mean())
    speeds = [np.linalg.eigvalsh(kernel).mean() for kernel in kernels(rows, values, shape[3])]
    start = initial(rows, values, shape[3])
    total = 0.0
    for row, label in enumerate(values):
        kept = np.exp(-speeds[label] * time)
        evolved = (1 - kept) * np.eye(shape[3])[label] + kept * start[row]
        total += np.log(evolved[label])

    value = assay.score(features, values, f"lead(time={time}, widths={WIDTHS})")

    assert value == pytest.approx(total / len(values), rel=1e-4)  # as far as numerical gradients go


def test_the_machine_is_that_of_scikit_learn() -> None:
    features, values = made(2, 90, 12, 4)
    expected = initial(features - features.mean(axis=0), values, 4)[np.arange(90), values]

    value = lead._initial_probability(features - features.mean(axis=0), values)

    np.testing.assert_allclose(value, expected, rtol=1e-5)


@pytest.mark.parametrize(("shape", "outliers"), [((3, 60, 8, 3), 0), ((4, 40, 30, 2), 0), ((5, 60, 8, 3), 3)])
def test_no_weights_have_less_loss_than_those_of_a_machine(
    shape: tuple[int, int, int, int], outliers: int
) -> None:
    features, values = made(*shape)
    features[:outliers] *= 1e3
    rows = features - features.mean(axis=0)
    with_one = np.column_stack([rows, np.ones(len(rows))])
    signs = np.where(values == 0, 1.0, -1.0)

    outputs = LinearSVMs(rows).outputs(values == 0)

    weights = np.linalg.lstsq(with_one, outputs)[0]
    np.testing.assert_allclose(with_one @ weights, outputs, atol=1e-8)
    pulls = 2 * signs * np.maximum(1 - signs * outputs, 0)
    np.testing.assert_allclose(with_one.T @ pulls, [*weights[:-1], 0], atol=1e-6 * np.abs(rows).max())


def test_the_speed_does_not_grow_with_the_head() -> None:
    rows = np.random.default_rng(0).standard_normal((20, 30))

    small, large = (lead._kernel_diagonal(rows, widths, 0).mean() for widths in ((256, 512), (1024, 2048)))

    assert small == pytest.approx(large, rel=0.2)
    assert large == pytest.approx(3 * np.square(rows).mean(), rel=0.2)  # 3 layers of the infinite head


def test_all_logits_arrive_in_the_end() -> None:
    features, values = made(0, 30, 4, 3)

    assert assay.score(features, values, "lead(time=1000)") == pytest.approx(0.0, abs=1e-9)


def test_constant_features_are_a_reason() -> None:
    with pytest.raises(NotApplicable, match="All features are constant"):
        assay.score(np.full((8, 3), 0.1), np.arange(8) % 2, "lead")


@pytest.mark.parametrize("setting", [{"time": -1.0}, {"widths": (8,)}, {"widths": (8, 0)}, {"seed": -1}])
def test_wrong_settings_say_what_to_write(setting: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="Write"):
        LEAD(**setting)  # type: ignore[arg-type]
