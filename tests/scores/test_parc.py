"""PARC against scipy's rank correlation of dense matrices, and against the published code."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr
from sklearn.decomposition import PCA

from assay.core.errors import NotApplicable, UsageError
from assay.core.features import Features, LabelledFeatures
from assay.core.task import LabelKind, Labels
from assay.scores import parc
from assay.scores.parc import PARC

SHAPES = [(300, 64, 5, 0), (200, 256, 4, 1), (90, 20, 3, 2), (150, 96, 37, 3)]


def rectified(count: int, width: int, classes: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    values = rng.choice(classes, count, p=np.arange(1, classes + 1) / (classes * (classes + 1) / 2))
    matrix = rng.standard_normal((count, width)) + rng.standard_normal((classes, width))[values]
    return np.maximum(matrix, 0), values


def labelled(
    matrix: np.ndarray, values: np.ndarray, kind: LabelKind = LabelKind.CLASSIFICATION
) -> LabelledFeatures:
    columns = values.max() + 1 if kind is LabelKind.CLASSIFICATION else values.shape[-1]
    names = () if kind is LabelKind.REGRESSION else tuple(f"class {number}" for number in range(int(columns)))
    return LabelledFeatures(Features(matrix), Labels(kind, values, names))


def above(square: np.ndarray) -> np.ndarray:
    return np.asarray(square[np.triu_indices(len(square), 1)])


def dense_parc(matrix: np.ndarray, unlike: np.ndarray | np.float64, pca: int | None) -> float:
    """The correlation of feature distances with given label distances; both examples x examples."""
    rows = matrix
    if pca is not None:
        rows = PCA(min(pca, *matrix.shape), svd_solver="full").fit_transform(matrix)
        loadings = PCA(min(pca, *matrix.shape), svd_solver="full").fit(matrix).components_
        rows = rows * np.sign(loadings[np.arange(len(loadings)), np.abs(loadings).argmax(axis=1)])
    spread = rows.std(axis=0)
    rows = (rows - rows.mean(axis=0)) / np.where(spread > 0, spread, 1)
    return float(100 * spearmanr(above(1 - np.corrcoef(rows)), above(np.asarray(unlike)))[0])


@pytest.mark.parametrize("pca", [None, 32, 10])
@pytest.mark.parametrize("shape", SHAPES)
def test_classes_equal_scipy(shape: tuple[int, int, int, int], pca: int | None) -> None:
    matrix, values = rectified(*shape)
    expected = dense_parc(matrix, values[:, None] != values, pca)

    assert PARC(pca)(labelled(matrix, values)) == pytest.approx(expected, rel=1e-7)


@pytest.mark.parametrize("few", [0, 1000])
@pytest.mark.parametrize("shape", SHAPES)
def test_several_labels_equal_scipy(
    shape: tuple[int, int, int, int], few: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parc, "_FEW", few)
    matrix, _ = rectified(*shape)
    values = np.random.default_rng(0).integers(0, 2, (len(matrix), 6))
    values[:, 0], values[:, 1] = 1 - values[:, 2], values[:, 2]  # none of them all 0 or all 1
    unlike = np.round(1 - np.corrcoef(values), 12)

    value = PARC()(labelled(matrix, values, LabelKind.MULTILABEL))

    assert value == pytest.approx(dense_parc(matrix, unlike, 32), rel=1e-7, abs=1e-6)


def test_number_vectors_equal_scipy() -> None:
    matrix, _ = rectified(*SHAPES[0])
    values = matrix[:, :5] + np.random.default_rng(0).standard_normal((len(matrix), 5))

    value = PARC()(labelled(matrix, values, LabelKind.REGRESSION))

    assert value == pytest.approx(dense_parc(matrix, 1 - np.corrcoef(values), 32), rel=1e-7)


def test_single_numbers_are_compared_by_their_distance() -> None:
    matrix, _ = rectified(*SHAPES[0])
    values = matrix[:, 0].round(1)

    value = PARC()(labelled(matrix, values, LabelKind.REGRESSION))

    assert value == pytest.approx(dense_parc(matrix, np.abs(values[:, None] - values).round(9), 32), rel=1e-7)


@pytest.mark.parametrize(
    ("shape", "published"),
    [
        ((300, 16, 2, 0), 60.412209292498154),
        ((200, 64, 2, 1), 77.07133242220442),
        ((60, 96, 2, 2), 78.47924286152235),
    ],
)
@pytest.mark.parametrize("variant", ["exact", "published"])
def test_two_classes_give_the_published_code(
    shape: tuple[int, int, int, int], published: float, variant: str
) -> None:
    """dbolya/parc methods.py @ ddfca43a, PARC(n_dims=None): two classes have no ties to break."""
    assert PARC(None, variant)(labelled(*rectified(*shape))) == pytest.approx(published, rel=1e-7)


@pytest.mark.parametrize("shape", SHAPES)
def test_the_published_variant_breaks_ties_as_the_published_code(shape: tuple[int, int, int, int]) -> None:
    matrix, values = rectified(*shape)
    components = min(32, matrix.shape[1])
    solver = PCA(components, svd_solver="randomized", random_state=1919, iterated_power=1)
    rounded = 1 - np.corrcoef(np.eye(values.max() + 1)[values])
    expected = dense_parc(solver.fit_transform(matrix), rounded, None)

    assert PARC(variant="published")(labelled(matrix, values)) == pytest.approx(expected, rel=1e-7)


def test_examples_without_any_label_are_left_out() -> None:
    matrix, _ = rectified(*SHAPES[0])
    values = np.eye(4, dtype=int)[np.arange(300) % 4]
    values[250:] = 0
    rows = ((matrix - matrix.mean(axis=0)) / matrix.std(axis=0))[:250]
    unlike = np.round(1 - np.corrcoef(values[:250]), 12)
    expected = 100 * spearmanr(above(1 - np.corrcoef(rows)), above(unlike))[0]

    assert PARC(pca=None)(labelled(matrix, values, LabelKind.MULTILABEL)) == pytest.approx(expected, rel=1e-7)


def test_too_few_examples_for_their_components_are_refused() -> None:
    matrix, values = rectified(30, 96, 3, 0)

    with pytest.raises(NotApplicable, match="pca=7"):
        PARC()(labelled(matrix, values))
    assert np.isfinite(PARC(pca=7)(labelled(matrix, values)))


def test_examples_that_all_differ_in_class_are_refused() -> None:
    with pytest.raises(NotApplicable, match="equally similar labels"):
        PARC(pca=None)(labelled(np.random.default_rng(0).standard_normal((9, 5)), np.arange(9)))


@pytest.mark.parametrize("wrong", [{"pca": 1}, {"variant": "fast"}])
def test_wrong_settings_say_what_to_write(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="Write"):
        PARC(**wrong)  # type: ignore[arg-type]
