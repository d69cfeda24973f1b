"""The part of a matrix without holes: the models and tasks that can be compared by means."""

from __future__ import annotations

import numpy as np

from assay.findings.matrix import Matrix


def complete_block(matrix: Matrix) -> Matrix:
    """Return a large part of a matrix in which every model has a value on every task.

    From each task in turn the block grows by the task that keeps most models; the largest block on the way
    is taken. (The largest of all is a hard problem; with few holes this finds it.) It has two models and two
    tasks at least, or it is empty.

    >>> matrix = Matrix.of({"a": {"x": 1, "y": 1}, "b": {"x": 1, "y": 1}, "c": {"x": 1}})
    >>> complete_block(matrix).models, complete_block(matrix).tasks
    (('x', 'y'), ('a', 'b'))
    """
    known = matrix.known.astype(np.int64)
    largest, models, tasks = 0, np.array([], dtype=int), np.array([], dtype=int)
    for first in range(len(matrix.tasks)):
        chosen, kept, left = [first], known[:, first], np.ones(len(matrix.tasks), dtype=bool)
        left[first] = False
        while left.any():
            counts = np.where(left, kept @ known, -1)
            added = int(np.argmax(counts))
            chosen, kept = [*chosen, added], kept * known[:, added]
            left[added] = False
            if counts[added] > 1 and counts[added] * len(chosen) > largest:
                largest = int(counts[added]) * len(chosen)
                models, tasks = np.flatnonzero(kept), np.array(sorted(chosen))
    return matrix.take([matrix.models[row] for row in models], [matrix.tasks[column] for column in tasks])
