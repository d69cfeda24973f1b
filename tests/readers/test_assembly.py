"""Splits of an assembled task: rows, labels and content digests belong together."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from assay.core.task import SplitName
from assay.readers.digests import digest_bytes
from assay.run.plan import resolve_tasks


def test_each_example_of_a_split_has_the_digest_of_its_content(photos: Path) -> None:
    task = resolve_tasks([str(photos)], 0)[0]
    splits = [task.split(name) for name in SplitName]
    some = task.train.take([5, 3])

    for split in [*splits, some, task.train.followed_by(task.val)]:
        names = [split.examples.name(row) for row in range(len(split))]
        wanted = [digest_bytes((photos / name).read_bytes()) for name in names]
        assert split.digests is not None
        np.testing.assert_array_equal(split.digests, np.array(wanted, dtype=np.uint64))
