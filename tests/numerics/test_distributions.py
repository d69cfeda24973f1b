"""Quantiles and tails are those of ``scipy.stats``."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from assay.numerics import distributions

SHARES = np.array([1e-12, 0.001, 0.025, 0.4, 0.5, 0.8, 0.975, 0.999])
VALUES = np.array([-40.0, -3.2, 0.0, 0.1, 1.96, 8.0, 37.0])
FREEDOMS = np.array([1, 2, 4.5, 30, 1e5])[:, None]
COUNTS = np.array([0.0, 0.5, 1.0, 17.0, 4000.0])
TOSSES = np.arange(60)[:, None]
HEADS = np.minimum(np.arange(60), TOSSES)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (distributions.normal_quantile(SHARES), stats.norm.ppf(SHARES)),
        (distributions.normal_tail(VALUES), stats.norm.sf(VALUES)),
        (distributions.student_quantile(SHARES, FREEDOMS), stats.t.ppf(SHARES, FREEDOMS)),
        (distributions.student_tail(VALUES, FREEDOMS), stats.t.sf(VALUES, FREEDOMS)),
        (
            distributions.beta_quantile(0.025, COUNTS[:, None], COUNTS),
            stats.beta.ppf(0.025, COUNTS[:, None], COUNTS),
        ),
        (distributions.fair_coin_share(HEADS, TOSSES), stats.binom.cdf(HEADS, TOSSES, 0.5)),
    ],
    ids=["normal quantile", "normal tail", "t quantile", "t tail", "beta quantile", "fair coin"],
)
def test_distributions_are_those_of_scipy_stats(ours: np.ndarray, theirs: np.ndarray) -> None:
    np.testing.assert_allclose(ours, theirs, rtol=1e-12, atol=0)
