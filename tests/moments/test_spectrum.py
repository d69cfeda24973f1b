"""One more row below a diagonal, against the singular value decomposition as a whole."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.moments.spectrum import with_one_more_row


@settings(deadline=None, max_examples=200)
@given(
    size=st.integers(1, 30),
    seed=st.integers(0, 10_000),
    equal=st.booleans(),
    zeros=st.booleans(),
    scale=st.sampled_from([1e-12, 1e-3, 1.0, 1e3, 1e6]),
)
def test_it_is_the_decomposition_of_the_whole(
    size: int, seed: int, equal: bool, zeros: bool, scale: float
) -> None:
    rng = np.random.default_rng(seed)
    roots, row = np.abs(rng.standard_normal(size)), scale * rng.standard_normal(size)
    roots = np.round(roots, 1) if equal else roots
    row[:: 2 if zeros else size + 1] = 0
    whole = np.vstack([np.diag(roots), row])

    result = with_one_more_row(roots, row)

    vectors = result.project(np.eye(size)).T
    largest = max(result.singular.max(), 1e-300)
    expected = np.linalg.svd(whole, compute_uv=False)
    np.testing.assert_allclose(np.sort(result.singular)[::-1], expected, atol=1e-8 * largest)
    np.testing.assert_allclose(vectors.T @ vectors, np.eye(size), atol=1e-8)
    np.testing.assert_allclose(vectors.T @ row, result.along, atol=1e-8 * largest)
    gram = (vectors * np.square(result.singular)) @ vectors.T
    np.testing.assert_allclose(gram, whole.T @ whole, atol=1e-8 * largest**2)


@pytest.mark.parametrize("count", [1, 3])
def test_a_row_of_zeros_changes_nothing(count: int) -> None:
    result = with_one_more_row(np.arange(count, dtype=float), np.zeros(count))

    assert result.singular.tolist() == list(range(count))
    np.testing.assert_array_equal(result.project(np.eye(count)).T, np.eye(count))
