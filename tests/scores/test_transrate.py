"""TransRate against dense determinants, and against the published code."""

from __future__ import annotations

import numpy as np
import pytest

from assay.core.errors import NotApplicable, UsageError
from assay.core.features import Features, LabelledFeatures
from assay.core.task import LabelKind, Labels
from assay.scores.transrate import TransRate

SHAPES = [(300, 16, 5, 0), (200, 80, 4, 1), (60, 96, 3, 2)]


def rectified(count: int, width: int, classes: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    values = rng.choice(classes, count, p=np.arange(1, classes + 1) / (classes * (classes + 1) / 2))
    matrix = rng.standard_normal((count, width)) + rng.standard_normal((classes, width))[values]
    return np.maximum(matrix, 0), values


def labelled(matrix: np.ndarray, values: np.ndarray) -> LabelledFeatures:
    names = tuple(f"class {number}" for number in range(values.max() + 1))
    return LabelledFeatures(Features(matrix), Labels(LabelKind.CLASSIFICATION, values, names))


def dense_rate(rows: np.ndarray, epsilon: float) -> float:
    return float(np.linalg.slogdet(np.eye(rows.shape[1]) + rows.T @ rows / (len(rows) * epsilon))[1] / 2)


@pytest.mark.parametrize("epsilon", [1e-4, 1.0])
@pytest.mark.parametrize("shape", SHAPES)
def test_it_equals_the_determinants(shape: tuple[int, int, int, int], epsilon: float) -> None:
    matrix, values = rectified(*shape)
    centred = matrix - matrix.mean(axis=0)
    within = sum(
        (values == label).mean() * dense_rate(centred[values == label], epsilon)
        for label in np.unique(values)
    )

    value = TransRate(epsilon)(labelled(matrix, values))

    assert value == pytest.approx(dense_rate(centred, epsilon) - within, rel=1e-9)


@pytest.mark.parametrize(
    ("shape", "published"),
    [
        ((300, 16, 5, 0), 7.630963961972327),
        ((200, 64, 4, 1), 86.98940245174504),
        ((60, 96, 3, 2), 150.67363422335),
    ],
)
def test_equal_weights_give_the_published_code(shape: tuple[int, int, int, int], published: float) -> None:
    """thuml/Transfer-Learning-Library tllib/ranking/transrate.py @ c4aa59eb, transrate."""
    train = labelled(*rectified(*shape))

    assert TransRate(weighting="equal")(train) == pytest.approx(published, rel=1e-9)


def test_huge_features_keep_their_small_directions() -> None:
    rng = np.random.default_rng(0)
    values = np.arange(60) % 2
    small = rng.standard_normal((60, 3)) + values[:, None]
    huge = 1e9 * np.tile([1.0, 1.0, -1.0, -1.0], 15)[:, None]  # says nothing of the class
    apart = TransRate()(labelled(small - small.mean(axis=0), values))
    value = TransRate()(labelled(np.hstack([small, huge]), values))

    assert value == pytest.approx(apart, abs=0.5)


def test_classes_of_one_example_have_a_rate() -> None:
    matrix, values = rectified(20, 5, 1, 0)[0], np.arange(20)
    centred = matrix - matrix.mean(axis=0)
    within = np.mean([dense_rate(row[None], 1e-4) for row in centred])

    assert TransRate()(labelled(matrix, values)) == pytest.approx(dense_rate(centred, 1e-4) - within)


def test_two_classes_of_one_size_score_the_same_however_far_apart() -> None:
    values = np.arange(200) % 2
    noise = np.random.default_rng(0).standard_normal((200, 8))
    near, far = (TransRate()(labelled(noise + gap * values[:, None], values)) for gap in (3.0, 3000.0))

    assert far == pytest.approx(near, abs=0.1)


def test_one_class_alone_is_refused() -> None:
    with pytest.raises(NotApplicable, match="two classes"):
        TransRate()(labelled(np.eye(4), np.zeros(4, dtype=int)))


@pytest.mark.parametrize("wrong", [{"epsilon": 0.0}, {"weighting": "uneven"}])
def test_wrong_settings_say_what_to_write(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="Write"):
        TransRate(**wrong)  # type: ignore[arg-type]
