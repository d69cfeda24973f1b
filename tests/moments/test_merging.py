"""Moments of parts are merged to those of one pass, whatever was subtracted from the features of each."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from tests.moments.test_moments import assert_same

from assay.core.task import LabelKind, Labels
from assay.moments.folded import FoldedMoments
from assay.moments.merging import about, merged_parts
from assay.moments.stream import MomentStream, moments_of

KIND = LabelKind.CLASSIFICATION


@pytest.mark.parametrize(("count", "width", "step"), [(3000, 20, 600), (900, 300, 256), (2100, 64, 2048)])
def test_moments_of_parts_are_those_of_one_pass(count: int, width: int, step: int) -> None:
    rng = np.random.default_rng(count)
    matrix = (rng.standard_normal((count, width)) * rng.uniform(0.1, 3, width) + 30).astype(np.float32)
    labels = Labels(KIND, rng.integers(0, 3, count), ("a", "b", "c"))
    folds = np.where(np.arange(count) < step, 0, rng.integers(0, 4, count))  # the first part has one fold

    def parts() -> Iterator[tuple[list[int], FoldedMoments]]:
        for start in range(0, count, step):
            rows, stream = np.arange(start, min(start + step, count)), MomentStream(labels, folds)
            stream.update(rows, matrix[rows])
            yield np.unique(folds[rows]).tolist(), stream.finish()

    merged, whole = merged_parts(parts(), KIND), moments_of(matrix, labels, folds)

    assert merged is not None
    shift = whole.total.scatter.shift
    for parted, theirs in zip((merged.total, *merged.folds), (whole.total, *whole.folds), strict=True):
        ours = about(shift, parted)
        assert_same(ours, theirs)
        gram = theirs.scatter.full_gram()
        assert np.linalg.norm(ours.scatter.full_gram() - gram) <= 1e-12 * np.linalg.norm(gram)


def test_without_parts_or_one_of_them_there_is_no_sum() -> None:
    labels = Labels(KIND, np.zeros(4, np.int64), ("a",))
    one = moments_of(np.eye(4), labels, np.zeros(4, np.int64))

    assert merged_parts([], KIND) is None
    assert merged_parts([([0], one), ([0], None)], KIND) is None
