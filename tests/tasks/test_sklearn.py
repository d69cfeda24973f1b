from __future__ import annotations

import pytest

from assay.core.errors import UnknownName
from assay.testing.tasks import load_task


def test_digits_use_the_whole_range_of_grey() -> None:
    task = load_task("sklearn:digits")

    images = [task.train.examples.read(row) for row in range(20)]

    assert len(task.train) + len(task.val) + len(task.test) == 1797
    assert {image.shape for image in images} == {(8, 8, 3)}  # type: ignore[union-attr]
    assert (min(image.min() for image in images), max(image.max() for image in images)) == (0, 255)  # type: ignore[union-attr]


def test_a_limit_is_shared_among_the_digits() -> None:
    task = load_task("sklearn:digits(limit=100)")

    assert len(task.train) + len(task.val) + len(task.test) == 100
    assert set(task.test.labels.values) == set(range(10))


def test_an_unknown_set_lists_those_there_are() -> None:
    with pytest.raises(UnknownName, match=r"No image set of scikit-learn called 'wine'\. Known: digits"):
        load_task("sklearn:wine")
