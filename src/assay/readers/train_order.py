"""The fixed order in which train is encoded; every subset of train that is used is a prefix of it."""

from __future__ import annotations

import numpy as np

from assay.core.task import LabelKind, Split
from assay.readers.splits import mixed, ranked, strata

_SEED = 0  # of the order among examples of one class, as in assay.plugins.train_view
_ODD = np.uint64(0x9E3779B97F4A7C15)  # the increment of splitmix64, which tells equal contents apart


def train_order(train: Split) -> np.ndarray:
    """Return a permutation of the rows of train whose every prefix has the class proportions of train.

    It depends on the contents and labels alone, so that two studies of the same train share features. A class
    of size s has its k-th example at position (k + u) / s, where u is spread evenly over the classes of equal
    size: with distinct sizes the first n examples are Webster's apportionment of n. Numbers are spread by
    deciles, examples with several classes by sets of classes, and texts with labelled words by their rarest
    class. Equal contents count as independent examples.

    Without digests, the row positions take the place of the contents.
    """
    count = len(train)
    if not count:
        return np.arange(0)
    keys = mixed(_distinct(train), _SEED)
    is_multilabel = train.labels.kind is LabelKind.MULTILABEL
    values = train.labels.strata() if is_multilabel else strata(train.labels)
    _, groups, sizes = np.unique(values, return_inverse=True, return_counts=True)
    order, ranks = ranked(groups, keys)
    of = groups[order]
    positions = np.empty(count)
    positions[order] = (ranks + _offsets(sizes, keys[order[ranks == 0]])[of]) / sizes[of]
    return np.lexsort((keys, positions))


def _distinct(train: Split) -> np.ndarray:
    """Return a different number for each example: its digest, and which of several equal examples it is."""
    if train.digests is None:
        return np.arange(len(train), dtype=np.uint64)
    _, same = np.unique(train.digests, return_inverse=True)
    order, ranks = ranked(same, np.arange(len(same)))
    occurrences = np.empty(len(same), dtype=np.uint64)
    occurrences[order] = ranks
    distinct: np.ndarray = train.digests + occurrences * _ODD
    return distinct


def _offsets(sizes: np.ndarray, keys: np.ndarray) -> np.ndarray:
    """Return the offset of each stratum, from 0 to 1: spread evenly over the strata of equal size."""
    _, equals, counts = np.unique(sizes, return_inverse=True, return_counts=True)
    order, ranks = ranked(equals, keys)
    offsets = np.empty(len(sizes))
    offsets[order] = (ranks + 0.5) / counts[equals[order]]
    return offsets
