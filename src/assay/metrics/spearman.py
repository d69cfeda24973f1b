"""Spearman correlation: how well predictions order the examples."""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from typing import ClassVar

import numpy as np

from assay.core.metric import Metric
from assay.core.task import Kind, Labels


@dataclass(frozen=True, slots=True)
class Spearman(Metric):
    """The correlation of the ranks of true and predicted numbers, from -1 to 1; equal numbers share a rank.

    It is 0.0 where either is constant: a constant prediction orders nothing.

    References:
        The Proof and Measurement of Association between Two Things (Spearman, 1904),
        https://doi.org/10.2307/1412159

    >>> Spearman()(Labels(Kind.REGRESSION, np.array([1.0, 2.0, 3.0])), np.array([1.0, 10.0, 100.0]))
    1.0
    """

    kinds: ClassVar[frozenset[Kind]] = frozenset({Kind.REGRESSION})

    def __call__(self, truth: Labels, predicted: np.ndarray) -> float:
        """Return the rank correlation."""
        true = truth.values
        x, y = _centred_ranks(true), _centred_ranks(predicted)
        squares = float(x @ x) * float(y @ y)
        return float(np.clip((x @ y) / sqrt(squares), -1.0, 1.0)) if squares > 0 else 0.0


def _centred_ranks(numbers: np.ndarray) -> np.ndarray:
    """Return twice the ranks about their mean, ties averaged: whole numbers, so that sums are exact."""
    order = np.argsort(numbers)
    ordered = numbers[order]
    first = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))  # where each run of equals begins
    last = np.append(first[1:], len(numbers))
    ranks = np.empty(len(numbers))
    ranks[order] = np.repeat(first + last - len(numbers), last - first)
    return ranks
