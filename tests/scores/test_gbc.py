"""GBC against loops over pairs of classes, and against the published code."""

from __future__ import annotations

from itertools import permutations

import numpy as np
import pytest
from scipy.special import logsumexp
from sklearn.decomposition import PCA

from assay.core.errors import NotApplicable, UsageError
from assay.core.features import Features, LabelledFeatures
from assay.core.task import LabelKind, Labels
from assay.scores.gbc import GBC

SHAPES = [(300, 16, 5, 0), (200, 80, 4, 1), (60, 96, 3, 2), (90, 200, 7, 3)]


def rectified(count: int, width: int, classes: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    values = rng.choice(classes, count, p=np.arange(1, classes + 1) / (classes * (classes + 1) / 2))
    matrix = rng.standard_normal((count, width)) + rng.standard_normal((classes, width))[values]
    return np.maximum(matrix, 0), values


def labelled(matrix: np.ndarray, values: np.ndarray) -> LabelledFeatures:
    names = tuple(f"class {number}" for number in range(values.max() + 1))
    return LabelledFeatures(Features(matrix), Labels(LabelKind.CLASSIFICATION, values, names))


def covariance(rows: np.ndarray, form: str) -> np.ndarray:
    if form == "full":
        values, vectors = np.linalg.eigh(np.cov(rows.T, ddof=0))
        return np.asarray(vectors @ np.diag(np.maximum(values, 1e-4)) @ vectors.T)
    variances = np.maximum(rows.var(axis=0), 1e-4)
    return np.diag(variances if form == "diagonal" else np.full(len(variances), variances.mean()))


def dense_overlap(matrix: np.ndarray, values: np.ndarray, form: str) -> float:
    """Return the logarithm of the sum over ordered pairs of classes."""
    exponents = []
    members = [matrix[values == label] for label in np.unique(values)]
    gaussians = [(rows.mean(axis=0), covariance(rows, form)) for rows in members]
    for (m1, s1), (m2, s2) in permutations(gaussians, 2):
        gap, middle = m1 - m2, (s1 + s2) / 2
        logs = [np.linalg.slogdet(s)[1] for s in (middle, s1, s2)]
        distance = gap @ np.linalg.inv(middle) @ gap / 8 + (logs[0] - logs[1] / 2 - logs[2] / 2) / 2
        exponents.append(-distance)
    return float(logsumexp(exponents))


@pytest.mark.parametrize("form", ["spherical", "diagonal", "full"])
@pytest.mark.parametrize("shape", SHAPES)
def test_it_equals_a_loop_over_pairs_without_pca(shape: tuple[int, int, int, int], form: str) -> None:
    matrix, values = rectified(*shape)
    value = GBC(pca=None, covariance=form, log=True)(labelled(matrix, values))

    assert value == pytest.approx(-dense_overlap(matrix, values, form), rel=1e-8)


@pytest.mark.parametrize("form", ["spherical", "diagonal", "full"])
@pytest.mark.parametrize("shape", SHAPES)
def test_it_equals_a_loop_over_pairs_after_pca(shape: tuple[int, int, int, int], form: str) -> None:
    matrix, values = rectified(*shape)
    components = PCA(min(64, *matrix.shape), svd_solver="full").fit_transform(matrix)
    value = GBC(covariance=form, log=True)(labelled(matrix, values))

    assert value == pytest.approx(-dense_overlap(components, values, form), rel=1e-8)


@pytest.mark.parametrize(
    ("shape", "spherical", "diagonal"),
    [
        ((300, 16, 5, 0), -0.3319586455463594, -0.016633695648334612),
        ((200, 64, 4, 1), -1.210334152788715e-05, -6.90255730183805e-10),
        ((60, 96, 3, 2), -1.8276920384992817e-09, -5.933682962985776e-21),
    ],
)
def test_the_published_code_gives_the_same(
    shape: tuple[int, int, int, int], spherical: float, diagonal: float
) -> None:
    """google-research/google-research stable_transfer/transferability/gbc.py @ 1d4d2f1a, on numpy arrays."""
    train = labelled(*rectified(*shape))

    assert GBC(pca=None, log_terms="once")(train) == pytest.approx(spherical, rel=1e-9)
    assert GBC(pca=None, covariance="diagonal")(train) == pytest.approx(diagonal, rel=1e-9)


@pytest.mark.parametrize("form", ["spherical", "diagonal", "full"])
def test_classes_that_are_the_same_overlap_wholly(form: str) -> None:
    matrix, values = (
        np.tile(np.random.default_rng(0).standard_normal((40, 6)), (5, 1)),
        np.repeat(range(5), 40),
    )

    assert GBC(covariance=form)(labelled(matrix, values)) == pytest.approx(-20.0, rel=1e-12)


def test_the_logarithm_is_that_of_the_plain_value() -> None:
    train = labelled(*rectified(*SHAPES[0]))

    assert GBC(log=True)(train) == pytest.approx(-np.log(-GBC()(train)), rel=1e-12)


def test_an_overlap_too_small_for_a_number_names_its_logarithm() -> None:
    matrix, values = rectified(*SHAPES[0])
    near, far = (
        labelled(matrix + 90 * values[:, None], values),
        labelled(matrix + 99 * values[:, None], values),
    )

    with pytest.raises(NotApplicable, match="log=True"):
        GBC()(near)
    assert GBC(log=True)(far) > GBC(log=True)(near) > 700


def test_a_class_of_one_example_has_the_floor_for_variance() -> None:
    rng = np.random.default_rng(0)
    values = np.array([0] * 20 + [1])
    matrix = np.concatenate([rng.standard_normal((20, 4)), [[0.1, 0.2, 0.0, 0.1]]])
    expected = -np.exp(dense_overlap(matrix, values, "spherical"))

    assert GBC(pca=None)(labelled(matrix, values)) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(
    "wrong",
    [{"pca": 0}, {"covariance": "round"}, {"floor": 0.0}, {"log_terms": "twice"},
     {"covariance": "full", "log_terms": "once"}],
)  # fmt: skip
def test_wrong_settings_say_what_to_write(wrong: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="Write"):
        GBC(**wrong)  # type: ignore[arg-type]
