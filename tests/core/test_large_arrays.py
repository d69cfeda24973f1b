"""Arrays with a row for each example, which lie on disk where they exceed a share of the memory."""

from __future__ import annotations

import resource
import signal
from pathlib import Path

import numpy as np
import pytest

from assay.core.features import Features, LabelledFeatures
from assay.core.large_arrays import concatenated, empty, is_large, memory_bound
from assay.core.task import LabelKind, Labels
from assay.metrics.accuracy import Accuracy
from assay.metrics.r2 import R2
from assay.plugins.protocol import FeatureProtocol
from assay.protocols.knn import KNN
from assay.protocols.linear_probe import LinearProbe
from assay.protocols.nearest_mean import NearestMean
from assay.protocols.ridge import Ridge

TINY = 1000  # bytes; an eighth of it is less than any matrix below
TOLERANCE = 1e-9  # of outputs, relative to the largest: sums of blocks differ in the last digits


def features(count: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return np.round(rng.normal(size=(count, 24)), 1).astype(np.float32)  # with ties


def test_without_a_bound_everything_is_in_memory(tmp_path: Path) -> None:
    assert not is_large(1e15)
    with memory_bound(None, tmp_path):
        assert not isinstance(empty((1000, 1000), np.float32), np.memmap)


def test_a_large_array_is_in_a_file_that_leaves_nothing_behind(tmp_path: Path) -> None:
    with memory_bound(TINY, tmp_path):
        small, large = empty((3, 2), np.float32), empty((300, 20), np.float32)

    assert not isinstance(small, np.memmap)
    assert isinstance(large, np.memmap)
    large[:] = 1
    assert large.sum() == 6000
    assert not list(tmp_path.iterdir())
    assert not is_large(1e15)


def test_a_large_array_for_which_the_disk_has_no_room_is_an_error(tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    before = signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with memory_bound(TINY, tmp_path), pytest.raises(OSError, match="File too large"):
            empty((300, 20), np.float32)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        signal.signal(signal.SIGXFSZ, before)


def test_rows_are_joined_in_order_on_disk_as_in_memory(tmp_path: Path) -> None:
    first, second = features(50, 0), features(7, 1)

    with memory_bound(TINY, tmp_path):
        joined = concatenated(first, second)

    assert isinstance(joined, np.memmap)
    assert np.array_equal(joined, np.concatenate([first, second]))


@pytest.mark.parametrize(
    ("protocol", "kind"),
    [
        (LinearProbe(), LabelKind.CLASSIFICATION),
        (LinearProbe(), LabelKind.REGRESSION),
        (Ridge(), LabelKind.CLASSIFICATION),
        (KNN(), LabelKind.CLASSIFICATION),
        (KNN(k=7), LabelKind.CLASSIFICATION),
        (NearestMean(), LabelKind.CLASSIFICATION),
    ],
)
def test_protocols_give_the_same_from_disk_as_from_memory(
    protocol: FeatureProtocol, kind: LabelKind, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("assay.numerics.neighbours._QUERIES", 16)
    monkeypatch.setattr("assay.numerics.neighbours._CHUNK", 1600)  # blocks of 50 or 66 rows
    rng = np.random.default_rng(5)
    if kind is LabelKind.CLASSIFICATION:
        labels, metric = Labels(kind, rng.integers(0, 3, 240), ("a", "b", "c")), Accuracy()
    else:
        labels, metric = Labels(kind, rng.normal(size=240)), R2()
    both = LabelledFeatures(Features(features(240, 2)), labels)
    train, val, test = both.take(np.arange(180)), both.take(np.arange(180, 240)), features(90, 3)

    in_memory = protocol.fit(train, val, metric)
    expected = in_memory.predictor(test)
    with memory_bound(TINY, tmp_path):
        on_disk = protocol.fit(train, val, metric)
        found = on_disk.predictor(test)

    assert on_disk.tuned == in_memory.tuned
    assert on_disk.val_value == in_memory.val_value
    scale = max(1.0, float(np.abs(expected.values).max()))
    assert np.abs(found.values - expected.values).max() <= TOLERANCE * scale
    if expected.probs is not None:
        assert np.abs(found.probs - expected.probs).max() <= TOLERANCE
