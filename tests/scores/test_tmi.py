"""TMI against loops over examples, and against the published code."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.special import digamma

from assay.core.errors import NotApplicable, UsageError
from assay.core.features import Features, LabelledFeatures
from assay.core.task import LabelKind, Labels
from assay.scores import tmi
from assay.scores.tmi import TMI

SHAPES = [(300, 16, 5, 0), (200, 64, 4, 1), (60, 96, 3, 2)]


def rectified(count: int, width: int, classes: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    values = rng.choice(classes, count, p=np.arange(1, classes + 1) / (classes * (classes + 1) / 2))
    matrix = rng.standard_normal((count, width)) + rng.standard_normal((classes, width))[values]
    return np.maximum(matrix, 0), values


def labelled(matrix: np.ndarray, values: np.ndarray) -> LabelledFeatures:
    names = tuple(f"class {number}" for number in range(values.max() + 1))
    return LabelledFeatures(Features(matrix), Labels(LabelKind.CLASSIFICATION, values, names))


def dense_entropy(rows: np.ndarray, k: int) -> float:
    logs = [np.log(2 * np.sort(np.abs(rows - row).max(axis=1))[k]) for row in rows]
    return float(digamma(len(rows)) - digamma(k) + rows.shape[1] * np.mean(logs))


@pytest.mark.parametrize("k", [1, 3, 6])
@pytest.mark.parametrize("shape", SHAPES)
def test_it_equals_a_loop_over_examples(shape: tuple[int, int, int, int], k: int) -> None:
    matrix, values = rectified(*shape)
    expected = sum(
        (values == label).mean() * dense_entropy(matrix[values == label], k) for label in np.unique(values)
    )

    assert TMI(k)(labelled(matrix, values)) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(
    ("shape", "published"),
    [
        ((300, 16, 5, 0), 3.552551455558928),
        ((200, 64, 4, 1), 23.255522346821046),
        ((60, 96, 3, 2), 50.87160615245093),
    ],
)
def test_the_published_average_gives_the_published_code(
    shape: tuple[int, int, int, int], published: float
) -> None:
    """snudatalab/TMI src/trf_measurement.py @ 72e57479, TMI."""
    train = labelled(*rectified(*shape))

    assert TMI(average="published", minimum_distance=1.0)(train) == pytest.approx(published, rel=1e-9)


def test_features_twice_as_large_have_the_width_times_log_two_more() -> None:
    matrix, values = rectified(*SHAPES[0])
    first, two = TMI()(labelled(matrix, values)), TMI()(labelled(2 * matrix, values))

    assert two - first == pytest.approx(16 * np.log(2), rel=1e-9)


def test_classes_of_k_examples_are_left_out() -> None:
    matrix, values = rectified(*SHAPES[0])
    small = np.concatenate([values, [5, 5, 5]])
    more = np.concatenate([matrix, np.full((3, 16), 0.5) + np.eye(3, 16)])

    assert TMI()(labelled(more, small)) == pytest.approx(TMI()(labelled(matrix, values)), rel=1e-12)


def test_examples_that_are_equal_name_the_floor() -> None:
    matrix, values = rectified(*SHAPES[0])
    repeated = np.repeat(matrix, 4, axis=0)

    with pytest.raises(
        NotApplicable, match=r"76 of [0-9]+ examples of a class have 3 equal ones.*minimum_distance=1.0"
    ):
        TMI()(labelled(repeated, np.repeat(values, 4)))
    assert np.isfinite(TMI(minimum_distance=1.0)(labelled(repeated, np.repeat(values, 4))))


def test_the_size_of_chunks_does_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    train = labelled(*rectified(*SHAPES[0]))
    whole = TMI()(train)

    monkeypatch.setattr(tmi, "_CHUNK", 1)

    assert TMI()(train) == whole


def test_classes_that_are_all_too_small_say_which_k_they_allow() -> None:
    with pytest.raises(NotApplicable, match="Write k=1"):
        TMI()(labelled(np.eye(6), np.arange(6) // 2))


@pytest.mark.parametrize("wrong", [{"k": 0}, {"average": "mean"}, {"minimum_distance": -1.0}])
def test_wrong_settings_say_what_to_write(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="Write"):
        TMI(**wrong)  # type: ignore[arg-type]
