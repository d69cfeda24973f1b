"""Heavy tail: alpha-hat, a measure of heavy tails in the spectra of the weights; it needs no data."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from assay.core.errors import NotApplicable, UsageError
from assay.plugins.method import WeightScore

_SAME = (
    1e-5  # relative: so far are the eigenvalues of orthogonal weights apart by rounding in single precision
)


@dataclass(frozen=True, slots=True)
class HeavyTail(WeightScore):
    """Alpha-hat, negated: the mean over weight matrices W of alpha log10(largest eigenvalue of W'W).

    Alpha is the exponent of a power law that is fitted to the largest eigenvalues of W'W by maximum
    likelihood; where its tail begins is chosen by the least Kolmogorov-Smirnov distance. In the paper
    alpha-hat is lower for better models, so that its negative is the score: higher is better here.

    References:
        Predicting Trends in the Quality of State-of-the-Art Neural Networks without Access to Training or
        Testing Data (Martin, Peng and Mahoney, 2021), https://arxiv.org/abs/2002.06716
        Power-Law Distributions in Empirical Data (Clauset, Shalizi and Newman, 2009),
        https://arxiv.org/abs/0706.1062, for the fit.

    Note:
        Weights are taken as they are, without 1/N. A convolution is one matrix of outputs x (inputs and
        places of the kernel); CalculatedContent/WeightWatcher takes a matrix for each place, scales it and
        pools their eigenvalues, so that values of convolutional models differ from its ``alpha_weighted``.
        For two-dimensional weights both agree, except for eigenvalues up to 1e-5, which it leaves out.

    Attributes:
        least: Matrices with fewer eigenvalues above 0 are left out, as there is no tail to fit.

    >>> rng = np.random.default_rng(0)
    >>> light = rng.standard_normal((40, 60))
    >>> heavy = rng.standard_t(2, (40, 60))
    >>> tail_exponent(eigenvalues(heavy)) < tail_exponent(eigenvalues(light))
    True
    >>> HeavyTail()([light / 100]) > HeavyTail()([light])
    True
    """

    least: int = 10

    def __post_init__(self) -> None:
        if self.least < 2:
            raise UsageError(f"heavy_tail(least={self.least}) leaves no tail to fit. Write least=10.")

    def __call__(self, weights: Iterable[np.ndarray]) -> float:
        """Return minus the mean over matrices of alpha log10(largest eigenvalue)."""
        products = []
        for matrix in weights:
            values = eigenvalues(matrix)
            if len(values) >= self.least and values[-1] > values[0] * (1 + _SAME):
                products.append(tail_exponent(values) * np.log10(values[-1]))
        if not products:
            raise NotApplicable(f"No weight matrix has {self.least} eigenvalues, not all the same.")
        return -float(np.mean(products))


def eigenvalues(matrix: np.ndarray) -> np.ndarray:
    """Return the eigenvalues of W'W above rounding, smallest first, from the smaller of W'W and WW'."""
    tall = np.asarray(matrix, dtype=np.float64)
    tall = tall if tall.shape[0] >= tall.shape[1] else tall.T
    values = np.linalg.eigvalsh(tall.T @ tall)
    return np.asarray(values[values > values[-1] * len(tall) * np.finfo(np.float64).eps])


def tail_exponent(values: np.ndarray) -> float:
    """Return the exponent alpha of a density x^-alpha that fits the tail of some positive values best.

    Args:
        values: Smallest first, not all the same. Each distinct one but the largest may begin the tail.
    """
    logs = np.log(values)
    starts = np.flatnonzero(np.diff(logs, prepend=-np.inf) > 0)
    best = (np.inf, np.nan)
    for start in starts[logs[starts] < logs[-1]]:
        gaps = logs[start:] - logs[start]
        slope = len(gaps) / gaps.sum()  # alpha - 1, by maximum likelihood
        below = np.arange(len(gaps)) / len(gaps)  # the share of the tail below each value
        distance = np.abs(-np.expm1(-slope * gaps) - below).max()
        best = min(best, (distance, slope))
    return 1.0 + float(best[1])
