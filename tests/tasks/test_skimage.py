from __future__ import annotations

import numpy as np
import pytest

from assay.core.errors import UnknownName, UsageError
from assay.testing.tasks import load_task


def test_each_photograph_has_its_share_of_each_split() -> None:
    task = load_task("skimage:patches(size=24, per_class=10)")

    assert np.bincount(task.train.labels.values).tolist() == [6] * 12
    assert np.bincount(task.val.labels.values).tolist() == [2] * 12
    assert np.bincount(task.test.labels.values).tolist() == [2] * 12


def test_patches_are_grey_and_of_equal_brightness() -> None:
    task = load_task("skimage:patches(size=24, per_class=5)")

    patches = np.stack([task.train.examples.read(row) for row in range(len(task.train))])

    assert patches.shape[1:] == (24, 24, 3)
    assert (patches[..., 0] == patches[..., 2]).all()
    assert np.abs(patches.mean(axis=(1, 2, 3)) - 128).max() < 12  # clipping moves a mean a little


def test_brightness_does_not_give_the_photograph_away() -> None:
    task = load_task("skimage:patches(size=24, per_class=30)")
    means = np.array([task.train.examples.read(row).mean() for row in range(len(task.train))])  # type: ignore[union-attr]

    nearest = np.abs(means[:, None] - means[None, :])
    np.fill_diagonal(nearest, np.inf)
    guessed = task.train.labels.values[nearest.argmin(axis=1)]

    assert (guessed == task.train.labels.values).mean() < 0.3


def test_the_seed_decides_the_patches() -> None:
    address = "skimage:patches(size=16, per_class=5)"

    assert load_task(address, 0).fingerprint != load_task(address, 1).fingerprint


def test_patches_that_do_not_fit_are_refused() -> None:
    with pytest.raises(
        UsageError, match=r"size=100 does not fit: the narrowest part of 'astronaut' has 60 pixels"
    ):
        load_task("skimage:patches(size=100)")


def test_too_few_patches_are_refused() -> None:
    with pytest.raises(UsageError, match="per_class=2 leaves a split empty"):
        load_task("skimage:patches(per_class=2)")


def test_an_unknown_set_lists_those_there_are() -> None:
    with pytest.raises(UnknownName, match=r"No image set of scikit-image called 'cats'\. Known: patches"):
        load_task("skimage:cats")
