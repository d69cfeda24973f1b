"""What examples are alike: by what they are spread over splits, and by what they are ordered."""

from __future__ import annotations

import hashlib

import numpy as np

from assay.core.task import LabelKind, Labels

_RANGES = 10  # numbers are spread over splits by tenths
_RANGE_EXAMPLES = 5  # fewer than this in a range cannot be cut 60 : 20 : 20


def strata(labels: Labels) -> np.ndarray:
    """Return a number for each example; those of one number are spread evenly over splits.

    It is the class; of numbers the range that the first column lies in; where an example has several classes,
    or a class for each word, the one of them that the fewest examples have: common classes are in every
    split anyway.

    References:
        On the Stratification of Multi-label Data (Sechidis et al., 2011),
        https://doi.org/10.1007/978-3-642-23808-6_10, which begins with the rarest class as well.
    """
    if labels.kind is LabelKind.REGRESSION:
        return _ranges(labels.values if labels.values.ndim == 1 else labels.values[:, 0])
    if labels.kind is LabelKind.CLASSIFICATION and labels.lengths is None:
        return labels.values
    counts = class_counts(labels)
    order = np.argsort(counts, kind="stable")  # of equals the first by name
    rarity = np.argsort(order)
    if labels.lengths is None:
        ranks = np.where(labels.values > 0, rarity, len(order)).min(axis=1)  # the last: no class applies
    else:
        ranks = np.full(labels.examples, len(order))
        np.minimum.at(ranks, _texts(labels), rarity[labels.values])
    return np.asarray(np.append(order, len(order))[ranks])


def class_counts(labels: Labels) -> np.ndarray:
    """Return how many examples have each class; a text has the classes of its words."""
    if labels.kind is LabelKind.MULTILABEL:
        return np.asarray(labels.values.sum(axis=0))
    values = labels.values
    if labels.lengths is not None:
        pairs = _texts(labels) * len(labels.classes) + values
        values = np.unique(pairs) % len(labels.classes)
    return np.bincount(values, minlength=len(labels.classes))


def _texts(labels: Labels) -> np.ndarray:
    """Return for each word the position of its text."""
    return np.repeat(np.arange(labels.examples), labels.lengths if labels.lengths is not None else 1)


def label_keys(labels: Labels) -> np.ndarray:
    """Return a number for each example that tells its labels from others; of one label the label itself."""
    if labels.lengths is None and labels.values.ndim == 1:
        return labels.values
    ends = np.arange(1, len(labels) + 1) if labels.lengths is None else labels.lengths.cumsum()
    little = labels.values.astype(labels.values.dtype.newbyteorder("<"))
    keys = (hashlib.blake2b(rows.tobytes(), digest_size=8) for rows in np.split(little, ends[:-1]))
    return np.array([int.from_bytes(key.digest(), "little") for key in keys], dtype=np.uint64)


def _ranges(numbers: np.ndarray) -> np.ndarray:
    count = int(np.clip(len(numbers) // _RANGE_EXAMPLES, 1, _RANGES))
    edges = np.quantile(numbers, np.linspace(0, 1, count + 1)[1:-1])
    ranges: np.ndarray = np.searchsorted(edges, numbers, side="right")
    return ranges
