"""Groups near-duplicates in train, such as augmented copies of images; folds keep groups together."""

from __future__ import annotations

from typing import Any

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from assay.core.task import LabelKind, Labels, Modality
from assay.readers.content_cache import remembered
from assay.readers.gathering import Gathered
from assay.readers.near_duplicates import BLOCK, MOST_TRAIN, comparison, even_subsample

_MOST_OF_LABEL = 0.5  # a larger group is what a label looks like, as to a fixed camera, and no copies of one


def near_duplicate_groups(gathered: Gathered, rows: np.ndarray) -> np.ndarray | None:
    """Return a number for each of these examples, equal for equal contents, near-duplicates and their chains.

    Near-duplicates have the same label and are compared as by
    :func:`assay.readers.near_duplicates.near_duplicates`; of more than 10,000 contents, an even subsample is.

    Args:
        gathered: All examples.
        rows: The positions of the examples of train.

    Returns:
        None if there are no near-duplicates, and for audio, which is not compared.
    """
    _, first, content = np.unique(gathered.digests[rows], return_index=True, return_inverse=True)
    contents = rows[np.sort(first)]  # in the order of the examples, which is fixed by the content
    if gathered.modality is Modality.AUDIO or len(contents) < 2:
        return None
    compared = even_subsample(np.arange(len(contents)), MOST_TRAIN)
    rows = contents[compared]
    pairs = remembered(
        f"near pairs 1 {gathered.modality}", gathered.digests[rows], lambda: _near_pairs(gathered, rows)
    )
    labels = gathered.labelled.labels.of(contents)
    one, other = (compared[pair] for pair in pairs)
    alike = _same_label(labels, one, other)
    groups = _joined(one[alike], other[alike], len(contents))
    groups = _without_large(groups, labels)
    if len(np.unique(groups)) == len(groups):
        return None
    return np.asarray(groups[np.argsort(np.argsort(first))[content]])


def _near_pairs(gathered: Gathered, rows: np.ndarray) -> np.ndarray:
    """Return the pairs of near-duplicates, 2 x pairs, as positions in ``rows``, the smaller first."""
    threshold, units = comparison(gathered.examples, gathered.modality, gathered.thumbnails)
    known = units(rows)
    is_dense = isinstance(known, np.ndarray)
    asked = known if is_dense else _rarest(known, threshold)
    found = []
    for start in range(0, len(rows), BLOCK):
        cosines = asked[start : start + BLOCK] @ known.T
        first, second = (cosines >= threshold if is_dense else cosines).nonzero()
        first = first + start
        first, second = first[first < second], second[first < second]
        if not is_dense:
            whole = np.asarray(known[first].multiply(known[second]).sum(axis=1)).ravel()
            first, second = first[whole >= threshold], second[whole >= threshold]
        found.append(np.stack([first, second]))
    return np.concatenate(found, axis=1)


def _rarest(known: Any, threshold: float) -> Any:
    """Return the rarest words of each text: two similar texts share one of them.

    The common words that are left out have together a length below the threshold, so that no other text
    reaches it by them alone.
    """
    from scipy.sparse import csr_array

    frequency = np.bincount(known.indices, minlength=known.shape[1])
    row = np.repeat(np.arange(known.shape[0]), np.diff(known.indptr))
    order = np.lexsort((known.indices, -frequency[known.indices], row))
    squares = np.square(known.data[order], dtype=np.float64)
    total = np.cumsum(squares)
    before_row = np.append(0.0, total)[known.indptr[:-1]][row]
    kept = total - before_row >= threshold**2 * (1 - 1e-6)  # words are float32
    entries = order[kept]
    return csr_array((known.data[entries], (row[kept], known.indices[entries])), shape=known.shape)


def _same_label(labels: Labels, one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Return whether both examples of each pair have the same label; texts with labelled words always do."""
    if labels.lengths is not None:
        return np.ones(len(one), dtype=bool)
    values = labels.values.reshape(labels.examples, -1)
    return np.asarray((values[one] == values[other]).all(axis=1))


def _joined(one: np.ndarray, other: np.ndarray, count: int) -> np.ndarray:
    graph = coo_array((np.ones(len(one)), (one, other)), shape=(count, count))
    return np.asarray(connected_components(graph, directed=False)[1], dtype=np.int64)


def _without_large(groups: np.ndarray, labels: Labels) -> np.ndarray:
    """Return the groups without those that are more than half of what has their label."""
    sizes, of_label = np.bincount(groups)[groups], np.full(len(groups), len(groups))
    if labels.kind is LabelKind.CLASSIFICATION and labels.lengths is None:
        of_label = np.bincount(labels.values)[labels.values]
    is_large = (sizes > 1) & (sizes > _MOST_OF_LABEL * of_label)
    return np.where(is_large, len(groups) + np.arange(len(groups)), groups)
