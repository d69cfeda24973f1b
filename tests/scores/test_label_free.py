"""Scores without labels against dense formulas, closed cases, and the published code of ETran."""

from __future__ import annotations

from math import exp, log

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import assay
from assay.core.errors import NotApplicable, UsageError
from assay.scores.energy import Energy

SHAPES = [(60, 8), (40, 96), (300, 300), (301, 300), (5, 3), (2, 7), (500, 64)]


def features(shape: tuple[int, int], how: str, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    noise = rng.standard_normal(shape)
    rank = max(1, shape[1] // 3)
    return {
        "normal": noise,
        "rectified": np.maximum(noise @ rng.standard_normal((shape[1], shape[1])), 0.0),
        "far from zero": 0.01 * noise + 100.0,
        "of low rank": rng.standard_normal((shape[0], rank)) @ rng.standard_normal((rank, shape[1])),
        "half dead": noise * (np.arange(shape[1]) % 2),
    }[how]


HOW = ["normal", "rectified", "far from zero", "of low rank", "half dead"]


def label_free(score: str, matrix: np.ndarray) -> float:
    return float(assay.score(matrix, np.arange(len(matrix)) % 2, score))


def dense_rankme(matrix: np.ndarray, epsilon: float = 1e-7) -> float:
    singular = np.linalg.svd(matrix, compute_uv=False)
    total = sum(singular)
    entropy = 0.0
    for value in singular:
        share = value / total + epsilon
        entropy -= share * log(share)
    return exp(entropy)


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_rankme_is_that_of_the_singular_values_of_the_matrix(shape, how):
    matrix = features(shape, how)

    assert label_free("rankme", matrix) == pytest.approx(dense_rankme(matrix), rel=1e-7)


@given(seed=st.integers(0, 10_000), count=st.integers(2, 40), width=st.integers(1, 40))
@settings(max_examples=40, deadline=None)
def test_rankme_agrees_for_any_shape_in_single_precision(seed, count, width):
    matrix = np.random.default_rng(seed).gamma(2.0, size=(count, width)).astype(np.float32)

    assert label_free("rankme", matrix) == pytest.approx(dense_rankme(matrix.astype(float)), rel=1e-6)


def test_rankme_of_examples_that_are_all_one_multiple_is_one():
    matrix = np.outer(np.arange(1.0, 9.0), np.arange(1.0, 5.0))

    assert label_free("rankme", matrix) == pytest.approx(1.0, abs=1e-5)


def test_rankme_takes_another_epsilon():
    matrix = features((50, 6), "normal")

    assert label_free("rankme(epsilon=0.01)", matrix) == pytest.approx(dense_rankme(matrix, 0.01), rel=1e-9)


@pytest.mark.parametrize("how", HOW)
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_ranks_of_the_covariance_agree_with_dense_formulas(shape, how):
    matrix = features(shape, how)
    centred = matrix - matrix.mean(axis=0)
    singular = np.linalg.svd(centred, compute_uv=False)
    shares = singular**2 / (singular**2).sum()
    entropy = -sum(share * log(share) for share in shares if share > 1e-25)

    assert label_free("effective_rank", matrix) == pytest.approx(exp(entropy), rel=1e-8)
    stable = np.linalg.norm(centred) ** 2 / np.linalg.norm(centred, 2) ** 2
    assert label_free("stable_rank", matrix) == pytest.approx(stable, rel=1e-9)
    assert label_free("feature_variance", matrix) == pytest.approx(np.var(matrix, axis=0).mean(), rel=1e-9)


@pytest.mark.parametrize("score", ["effective_rank", "stable_rank"])
def test_features_of_equal_variance_have_their_number_as_rank(score):
    corners = np.array([[1, 1, 1], [1, -1, -1], [-1, 1, -1], [-1, -1, 1.0]])

    assert label_free(score, corners) == pytest.approx(3.0, rel=1e-12)


@pytest.mark.parametrize("score", ["effective_rank", "stable_rank"])
def test_constant_features_have_no_rank(score):
    with pytest.raises(NotApplicable, match="constant"):
        label_free(score, np.full((20, 5), 0.1, np.float32))


def test_constant_features_have_no_variance():
    assert label_free("feature_variance", np.full((20, 5), 0.1, np.float32)) == 0.0


def test_features_of_zero_have_no_rankme():
    with pytest.raises(NotApplicable, match="zero"):
        label_free("rankme", np.zeros((20, 5)))


PUBLISHED = [  # mgholamikn/ETran metrics.py at d4551ed, Energy_Score(features, percent, tail)
    (0, (600, 16), 0.5, "bot", 2.927921392376645),
    (0, (600, 16), 0.5, "top", 9.898645656891338),
    (0, (600, 16), 100.0, "bot", 5.862030564704176),
    (1, (1500, 64), 0.5, "bot", 5.726911974030203),
    (1, (1500, 64), 2.5, "top", 11.083047796194025),
    (2, (300, 400), 0.5, "bot", 8.890314129916943),
    (2, (300, 400), 33.3, "top", 10.852751132220565),
    (3, (2000, 8), 2.5, "bot", 1.264865556207984),
]


@pytest.mark.parametrize(("seed", "shape", "percent", "tail", "published"), PUBLISHED)
def test_energy_is_that_of_the_published_code(seed, shape, percent, tail, published):
    matrix = 3 * np.random.default_rng(seed).standard_normal(shape)

    value = label_free(f"energy(percent={percent}, tail='{tail}')", matrix)

    assert value == pytest.approx(published, rel=1e-12)


def test_energy_uses_the_lowest_200th_of_the_examples_by_default():
    matrix = features((1000, 3), "normal")
    energies = sorted(log(sum(exp(value) for value in row)) for row in matrix)

    assert label_free("energy", matrix) == pytest.approx(sum(energies[:5]) / 5, rel=1e-12)


def test_energy_of_few_examples_is_that_of_the_lowest_one():
    matrix = np.log(np.array([[1.0, 3.0], [1.0, 1.0], [5.0, 5.0]]))

    assert label_free("energy", matrix) == pytest.approx(log(2), rel=1e-12)


def test_energy_of_large_features_does_not_overflow():
    assert label_free("energy", np.full((4, 2), 1e4)) == pytest.approx(1e4 + log(2), rel=1e-12)


@pytest.mark.parametrize("settings", [{"percent": 0.0}, {"percent": 101.0}, {"tail": "left"}])
def test_energy_refuses_what_is_no_part(settings):
    with pytest.raises(UsageError, match="Write"):
        Energy(**settings)


def test_rankme_of_two_directions_is_worked_out_by_hand():
    matrix = np.array([[3.0, 0.0], [0.0, 1.0]])
    shares = (0.75, 0.25)

    expected = exp(-sum(share * log(share) for share in shares))

    assert label_free("rankme", matrix) == pytest.approx(expected, rel=1e-6)
