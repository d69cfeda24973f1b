"""Heavy tail: the fit against exact power laws and naive loops, the value against WeightWatcher."""

from __future__ import annotations

from math import log, log10

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.core.errors import NotApplicable, UsageError
from assay.scores.heavy_tail import HeavyTail, eigenvalues, tail_exponent


def naive_exponent(values: list[float]) -> float:
    """The fit of Clauset et al.: equation 3.1 for each beginning, and the least distance of all."""
    best = (float("inf"), float("nan"))
    for start in sorted(set(values))[:-1]:
        tail = [value for value in sorted(values) if value >= start]
        alpha = 1 + len(tail) / sum(log(value / start) for value in tail)
        distance = max(
            abs(1 - (value / start) ** (1 - alpha) - rank / len(tail)) for rank, value in enumerate(tail)
        )
        best = min(best, (distance, alpha))
    return best[1]


@given(seed=st.integers(0, 10_000), count=st.integers(3, 40), spread=st.sampled_from([0.3, 1.0, 3.0]))
@settings(max_examples=50, deadline=None)
def test_the_fit_is_that_of_naive_loops(seed, count, spread):
    values = np.sort(np.exp(spread * np.random.default_rng(seed).standard_normal(count)))

    assert tail_exponent(values) == pytest.approx(naive_exponent(values.tolist()), rel=1e-9)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=20, deadline=None)
def test_values_that_occur_twice_count_twice(seed):
    values = np.sort(np.random.default_rng(seed).integers(1, 9, 20).astype(float))

    assert tail_exponent(values) == pytest.approx(naive_exponent(values.tolist()), rel=1e-9)


@pytest.mark.parametrize("alpha", [1.5, 2.5, 4.0])
def test_an_exact_power_law_gets_its_exponent(alpha):
    quantiles = (np.arange(20_00) + 0.5) / 2000
    values = (1 - quantiles) ** (-1 / (alpha - 1))

    assert tail_exponent(values) == pytest.approx(alpha, rel=0.02)


def test_only_the_tail_is_fitted():
    rng = np.random.default_rng(0)
    tail = 10 * (1 - (np.arange(1000) + 0.5) / 1000) ** (-1 / 1.5)
    values = np.sort(np.concatenate([rng.uniform(1, 10, 1000), tail]))

    assert tail_exponent(values) == pytest.approx(2.5, rel=0.05)


def test_the_scale_of_values_does_not_matter_for_the_exponent():
    values = np.sort(np.random.default_rng(0).pareto(2.0, 100))

    assert tail_exponent(1e6 * values) == pytest.approx(tail_exponent(values), rel=1e-9)


@pytest.mark.parametrize("shape", [(40, 60), (60, 40), (12, 12)])
def test_eigenvalues_are_squared_singular_values(shape):
    matrix = np.random.default_rng(0).standard_normal(shape)

    expected = np.sort(np.linalg.svd(matrix, compute_uv=False) ** 2)

    np.testing.assert_allclose(eigenvalues(matrix), expected, rtol=1e-9)


def matrices(seed: int) -> list[np.ndarray]:
    rng = np.random.default_rng(seed)
    return [
        rng.standard_normal((40, 60)),
        rng.standard_t(2, (64, 32)) / 8,
        rng.standard_normal((24, 100)) @ rng.standard_normal((100, 30)) / 10,
    ]


PUBLISHED = [  # CalculatedContent/WeightWatcher weightwatcher/WW_powerlaw.py at d6fd015: WWFit of the squared
    (0, 6.214346159175022),  # singular values above 1e-5; the mean of alpha log10(largest)
    (1, 6.195900720317476),
    (2, 5.38917111625801),
]


@pytest.mark.parametrize(("seed", "published"), PUBLISHED)
def test_it_is_minus_the_weighted_alpha_of_weightwatcher(seed, published):
    assert HeavyTail()(matrices(seed)) == pytest.approx(-published, rel=1e-9)


def test_it_is_the_mean_over_matrices():
    first, second, _ = matrices(0)

    assert HeavyTail()([first, second]) == pytest.approx((HeavyTail()([first]) + HeavyTail()([second])) / 2)


def test_the_dense_formula_of_one_matrix():
    matrix = matrices(3)[1]
    values = np.linalg.svd(matrix, compute_uv=False)[::-1] ** 2

    expected = -naive_exponent(values.tolist()) * log10(values[-1])

    assert HeavyTail()([matrix]) == pytest.approx(expected, rel=1e-9)


def test_matrices_come_one_at_a_time():
    assert HeavyTail()(matrix for matrix in matrices(0)) == HeavyTail()(matrices(0))


def test_small_matrices_are_left_out():
    small = np.random.default_rng(0).standard_normal((9, 100))

    assert HeavyTail()([small, *matrices(0)]) == HeavyTail()(matrices(0))
    assert HeavyTail(least=9)([small, *matrices(0)]) != HeavyTail()(matrices(0))


ORTHOGONAL = 2 * np.linalg.qr(np.random.default_rng(0).standard_normal((30, 30)))[0].astype(np.float32)


@pytest.mark.parametrize(
    "weights", [[], [np.eye(20)], [ORTHOGONAL], [np.zeros((20, 20))], [np.ones((20, 30))]]
)
def test_spectra_without_a_tail_have_no_value(weights):
    with pytest.raises(NotApplicable, match="10 eigenvalues"):
        HeavyTail()(weights)


def test_at_least_two_eigenvalues_make_a_tail():
    with pytest.raises(UsageError, match="least=10"):
        HeavyTail(least=1)
