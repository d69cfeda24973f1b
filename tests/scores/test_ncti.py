"""NCTI part by part: against its published code, and against scikit-learn step by step."""

from __future__ import annotations

import numpy as np
import pytest
import sklearn
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.decomposition import PCA
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from assay.core.errors import NotApplicable, UsageError
from assay.core.features import Features, LabelledFeatures
from assay.core.task import LabelKind, Labels
from assay.scores.ncti import NCTI, scaled_collapse

# BUserName/NCTI metrics.py at b18d395, NCTI_Score, with scikit-learn 1.9.1, on the arrays of ``examples``
PUBLISHED = [
    ((4, 300, 80, 12, 1.0), (259.05944587250633, 0.8866426426207268, 4.2580707965234295)),
    ((5, 300, 80, 12, 0.1), (230.21584791092548, 0.8524310592385853, 4.268810303525957)),
    ((6, 150, 400, 5, 0.05), (71.61136101149609, 0.9993465284762066, 3.1088640983943434)),
    ((7, 150, 400, 5, 1.0), (132.47928608947348, 0.9999999999988518, 3.1055524267363483)),
    ((8, 300, 80, 12, 2.0), (261.0772003135146, 0.9158791022321837, 4.204413287851616)),
]
DIVIDES_BY_EXAMPLES = tuple(map(int, sklearn.__version__.split(".")[:2])) >= (1, 9)


def examples(seed: int, count: int, width: int, classes: int, scale: float) -> LabelledFeatures:
    """Rectified features of unbalanced classes, some of one example."""
    rng = np.random.default_rng(seed)
    drawn = rng.integers(0, classes, count - classes) ** 2 // classes
    own = rng.permutation(np.concatenate([np.arange(classes), drawn]))
    noise, means = rng.standard_normal((count, width)), rng.standard_normal((classes, width))
    return labelled(np.maximum(noise + means[own] / 3, 0) * scale, own)


def labelled(matrix: np.ndarray, own: np.ndarray) -> LabelledFeatures:
    names = tuple(f"class {number}" for number in range(own.max() + 1))
    return LabelledFeatures(Features(matrix), Labels(LabelKind.CLASSIFICATION, own, names))


def parts(train: LabelledFeatures, *, unbiased: bool = False) -> tuple[float, float, float]:
    seli, ncc, vc = (NCTI(part=part, unbiased=unbiased)(train) for part in ("seli", "ncc", "vc"))
    return seli, ncc, vc


def by_scikit_learn(train: LabelledFeatures, components: int) -> tuple[float, float, float]:
    own = train.labels.values
    pca = PCA(components, svd_solver="full")
    x = pca.fit_transform(train.matrix)
    shrinkage = float(np.exp(-pca.explained_variance_[:32].sum()))
    judge = LinearDiscriminantAnalysis("svd")
    if shrinkage > 1e-10:
        judge = LinearDiscriminantAnalysis("eigen", shrinkage=shrinkage)
    features = judge.fit_transform(x, own)
    probs = judge.predict_proba(x)
    norms = sum(np.linalg.norm(probs[own == label], ord="nuc") for label in np.unique(own))
    geometry = np.linalg.norm(features - features.mean(axis=0), ord="nuc")
    return float(geometry), float(probs[np.arange(len(own)), own].mean()), -float(np.log(norms))


@pytest.mark.parametrize(("array", "published"), PUBLISHED)
def test_the_parts_are_the_published_values(
    array: tuple[int, int, int, int, float], published: tuple[float, float, float]
) -> None:
    seli, ncc, vc = parts(examples(*array))

    assert (seli, ncc, -vc) == pytest.approx(published, rel=1e-9)


@pytest.mark.filterwarnings("ignore:Only one sample available")
@pytest.mark.parametrize("scale", [1e-3, 0.3, 20.0])
@pytest.mark.parametrize(
    ("count", "width", "classes"), [(150, 70, 5), (120, 200, 3), (90, 10, 2), (200, 12, 20)]
)
def test_the_parts_are_those_of_scikit_learn(count: int, width: int, classes: int, scale: float) -> None:
    train = examples(count, count, width, classes, scale)

    expected = by_scikit_learn(train, min(width, 64))

    assert parts(train, unbiased=not DIVIDES_BY_EXAMPLES) == pytest.approx(expected, rel=1e-8)


def test_older_releases_of_scikit_learn_divide_by_examples_less_classes() -> None:
    train = examples(7, 150, 400, 5, 1.0)
    ratio = NCTI(part="seli", unbiased=True)(train) / NCTI(part="seli")(train)

    assert ratio == pytest.approx(np.sqrt((150 - 5) / 150), rel=1e-9)


def test_what_is_shrunk_is_divided_by_examples_in_every_release() -> None:
    train = examples(6, 150, 400, 5, 0.05)

    assert parts(train, unbiased=True) == parts(train)


def test_all_adds_the_parts_on_a_fixed_scale() -> None:
    train = examples(4, 300, 80, 12, 1.0)
    seli, ncc, vc = parts(train)
    sizes = np.bincount(train.labels.values)
    classless = 11 * np.sqrt(300)
    most, least = np.sqrt(sizes * np.minimum(sizes, 12)).sum(), np.sqrt(sizes / 12).sum()

    expected = (seli - classless) / (seli + classless) + ncc
    expected += (np.log(most) + vc) / (np.log(most) - np.log(least))

    assert NCTI()(train) == pytest.approx(expected, rel=1e-12)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 9), min_size=2, max_size=5), st.floats(0.01, 60.0), st.integers(0, 2**32 - 1))
def test_the_scale_of_collapse_holds_for_any_probabilities(
    sizes: list[int], sharpness: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    norms = 0.0
    for size in sizes:
        logits = sharpness * rng.standard_normal((size, len(sizes)))
        exponents = np.exp(logits - logits.max(axis=1, keepdims=True))
        norms += np.linalg.norm(exponents / exponents.sum(axis=1, keepdims=True), ord="nuc")

    assert -1e-9 <= scaled_collapse(norms, np.array(sizes)) <= 1 + 1e-9


def test_the_bounds_of_collapse_are_attained() -> None:
    sizes = np.array([6, 6, 6])
    spread, same = np.tile(np.eye(3), (2, 1)), np.full((6, 3), 1 / 3)

    assert scaled_collapse(3 * np.linalg.norm(spread, ord="nuc"), sizes) == pytest.approx(0.0, abs=1e-12)
    assert scaled_collapse(3 * np.linalg.norm(same, ord="nuc"), sizes) == pytest.approx(1.0)


def test_the_geometry_of_pure_noise_is_near_zero_on_its_scale() -> None:
    rng = np.random.default_rng(0)
    train = labelled(rng.standard_normal((8000, 20)), np.arange(8000) % 4)
    seli = NCTI(part="seli")(train)
    classless = 3 * np.sqrt(8000)

    assert 0 <= (seli - classless) / (seli + classless) < 0.001


def test_features_of_low_rank_use_as_many_components_as_there_are() -> None:
    rng = np.random.default_rng(0)
    own = np.arange(120) % 3
    few = rng.standard_normal((120, 5)) * 3 + own[:, None]
    wide = few @ np.linalg.qr(rng.standard_normal((90, 5)))[0].T

    assert NCTI()(labelled(wide, own)) == pytest.approx(NCTI()(labelled(few, own)), rel=1e-8)


def test_too_few_examples_to_vary_in_all_components_are_skipped_with_the_reason() -> None:
    rng = np.random.default_rng(0)

    with pytest.raises(NotApplicable, match="66 examples of 4 classes"):
        NCTI()(labelled(rng.standard_normal((66, 100)), np.arange(66) % 4))


@pytest.mark.parametrize("scale", [1.0, 1e-3])
def test_classes_that_do_not_vary_are_skipped_with_the_reason(scale: float) -> None:
    own = np.arange(9) % 3
    matrix = np.random.default_rng(0).standard_normal((3, 2))[own] * scale

    with pytest.raises(NotApplicable, match="do not vary"):
        NCTI()(labelled(matrix, own))


def test_an_unknown_part_says_what_to_write() -> None:
    with pytest.raises(UsageError, match="Write 'all', 'seli', 'ncc', 'vc'"):
        NCTI(part="class")
