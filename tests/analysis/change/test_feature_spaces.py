import numpy as np
import pytest

from assay.analysis.change.feature_spaces import EXAMPLES, spaces
from assay.analysis.per_task.model_similarity import linear_cka


def features(seed: int, examples: int = 60, width: int = 7) -> np.ndarray:
    return np.random.default_rng(seed).normal(size=(examples, width)) + 5.0


def rotated(matrix: np.ndarray) -> np.ndarray:
    turn = np.linalg.qr(np.random.default_rng(9).normal(size=(matrix.shape[1], matrix.shape[1])))[0]
    return matrix @ turn


def dense_hsic(first: np.ndarray, second: np.ndarray) -> float:
    """Song et al. (2012), Feature selection via dependence maximization, equation 4: kernels written out."""
    kernels = [side @ side.T for side in (first, second)]
    for kernel in kernels:
        np.fill_diagonal(kernel, 0)
    left, right = kernels
    n, ones = len(left), np.ones(len(left))
    sums = (ones @ left @ ones) * (ones @ right @ ones) / ((n - 1) * (n - 2))
    return (np.trace(left @ right) + sums - 2 / (n - 2) * (ones @ left @ right @ ones)) / (n * (n - 3))


@pytest.mark.parametrize("examples", [12, 60])
def test_cka_is_the_dense_formula(examples):
    first, second = features(0, examples), features(1, examples, width=20)
    second[:, :3] += first[:, :3]

    expected = dense_hsic(first, second) / np.sqrt(dense_hsic(first, first) * dense_hsic(second, second))

    assert linear_cka(first, second) == pytest.approx(expected)


def test_cka_ignores_rotation_and_scale_and_is_0_for_unrelated_features_of_any_width():
    wide = [linear_cka(features(seed, 60, 300), features(seed + 100, 60, 300)) for seed in range(20)]

    assert linear_cka(features(0), 3 * rotated(features(0))) == pytest.approx(1.0)
    assert np.mean(wide) == pytest.approx(0.0, abs=0.05)  # the plain form is above 0.8 here


def test_features_that_are_all_alike_have_no_alignment():
    assert linear_cka(np.ones((30, 4)), features(0, 30)) == 0.0


def test_a_rotated_space_keeps_its_neighbours_but_not_its_index():
    result = spaces(features(0) - 5, rotated(features(0) - 5), seed=0)

    assert result.overlap == pytest.approx(1.0)
    assert result.in_old_index < 2 * result.by_chance


def test_an_index_of_the_same_features_can_stay():
    result = spaces(features(0), features(0) * 2, seed=0)

    assert (result.overlap, result.in_old_index, result.by_chance) == (1.0, 1.0, 10 / 59)


def test_of_other_widths_there_is_no_index_to_keep():
    result = spaces(features(0), features(1, width=9), seed=0)

    assert result.in_old_index is None
    assert result.widths == (7, 9)


def test_too_few_examples_say_nothing():
    assert spaces(features(0, 19), features(1, 19), seed=0) is None


def test_of_many_examples_the_same_are_drawn_from_both():
    many = features(0, EXAMPLES + 200, 3)

    assert spaces(many, many, seed=1).overlap == 1.0
