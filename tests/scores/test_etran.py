"""ETran part by part: against its published code, and against formulas written out."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

from assay.core.errors import NotApplicable, UsageError
from assay.core.features import Features, LabelledFeatures
from assay.core.task import LabelKind, Labels
from assay.scores.etran import ETran

# mgholamikn/ETran metrics.py at d4551ed, LDA_Score and Energy_Score(x, 0.5, 'bot'), on arrays of ``examples``
PUBLISHED = [
    ((0, 200, 16, 5, 1.0), 0.4393618956430136, 2.8937589509063084),
    ((1, 300, 80, 12, 0.3), 0.1892524988210064, 4.466051533638798),
    ((2, 60, 90, 4, 0.1), 0.35494645510390416, None),
    ((3, 90, 89, 3, 0.05), 0.5753604329763253, None),
]


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


def numbered(count: int, width: int, columns: int = 1) -> LabelledFeatures:
    rng = np.random.default_rng(count * width)
    matrix = rng.standard_normal((count, width)) + 2
    values = rng.standard_normal((count, columns)) + matrix[:, :1]
    return LabelledFeatures(Features(matrix), Labels(LabelKind.REGRESSION, np.squeeze(values)))


def shrinkage_of(within: np.ndarray) -> float:
    """max(exp(-5 sigma), 1e-10), sigma from the row sums by repeated products."""
    y, z = (
        power / np.linalg.norm(power)
        for power in (np.linalg.matrix_power(within, exponent).sum(axis=1) for exponent in (6, 7))
    )
    return max(float(np.exp(-5 * (z @ within @ y))), 1e-10)


@pytest.mark.parametrize(("array", "lda", "energy"), PUBLISHED)
def test_unwhitened_discriminant_analysis_is_the_published_value(
    array: tuple[int, int, int, int, float], lda: float, energy: float | None
) -> None:
    assert ETran(part="lda", whiten=False)(examples(*array)) == pytest.approx(lda, rel=1e-9)


@pytest.mark.parametrize(("array", "lda", "energy"), PUBLISHED[:2])
def test_energy_is_the_published_value(
    array: tuple[int, int, int, int, float], lda: float, energy: float
) -> None:
    assert ETran(part="energy")(examples(*array)) == pytest.approx(energy, rel=1e-9)


@pytest.mark.parametrize(("percent", "lowest"), [(0.5, 1), (2.0, 4), (7.29, 14), (100, 200)])
def test_energy_is_the_mean_over_the_lowest_examples(percent: float, lowest: int) -> None:
    train = examples(0, 200, 16, 5, 1.0)
    energies = np.sort(np.log(np.exp(train.matrix).sum(axis=1)))

    assert ETran(part="energy", percent=percent)(train) == pytest.approx(energies[:lowest].mean(), rel=1e-12)


def test_energy_of_large_features_does_not_overflow() -> None:
    train = labelled(np.full((6, 4), 1e4), np.arange(6) % 2)

    assert ETran(part="energy")(train) == pytest.approx(1e4 + np.log(4))


@pytest.mark.parametrize(
    ("count", "width", "scale"), [(60, 8, 1.0), (60, 8, 0.1), (30, 50, 0.05), (40, 40, 0.1)]
)
def test_whitened_discriminant_analysis_is_that_of_scikit_learn(count: int, width: int, scale: float) -> None:
    rng = np.random.default_rng(count * width)
    own = rng.permutation(np.arange(count) % 4)
    x = (rng.standard_normal((count, width)) + own[:, None] / 3) * scale
    within = sum(
        np.cov(x[own == label], rowvar=False, bias=True) * np.mean(own == label) for label in range(4)
    )
    judge = LinearDiscriminantAnalysis(solver="eigen", shrinkage=shrinkage_of(within)).fit(x, own)

    expected = judge.predict_proba(x)[np.arange(count), own].mean()

    assert ETran(part="lda")(labelled(x, own)) == pytest.approx(expected, rel=1e-8)


@pytest.mark.parametrize(("count", "width", "columns"), [(50, 7, 1), (200, 40, 3), (31, 30, 1)])
def test_regression_is_minus_the_error_of_least_squares(count: int, width: int, columns: int) -> None:
    train = numbered(count, width, columns)
    x, y = train.matrix, train.labels.targets()
    left, values, right = np.linalg.svd(x, full_matrices=False)
    expected = -np.mean(np.square(x @ right.T @ np.diag(1 / values) @ left.T @ y - y))

    assert ETran()(train) == ETran(part="regression")(train)
    assert ETran()(train) == pytest.approx(expected, rel=1e-9)


def test_regression_on_repeated_features_is_that_on_the_features_once() -> None:
    train = numbered(50, 7)
    twice = LabelledFeatures(Features(np.hstack([train.matrix, train.matrix])), train.labels)

    assert ETran()(twice) == pytest.approx(ETran()(train), rel=1e-9)


def test_all_is_a_fixed_mixture_whatever_other_models_there_are() -> None:
    train = examples(0, 200, 16, 5, 1.0)
    mean = np.exp(ETran(part="energy")(train)) / 16

    expected = 0.85 * ETran(part="lda")(train) + 0.15 * mean / (1 + mean)

    assert ETran()(train) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("offset", [-900.0, 900.0])
def test_all_stays_between_zero_and_one_for_features_of_any_size(offset: float) -> None:
    train = examples(0, 200, 16, 5, 1.0)

    assert 0 <= ETran()(labelled(train.matrix + offset, train.labels.values)) <= 1


def test_unregularised_wide_features_are_skipped_as_they_say_nothing() -> None:
    rng = np.random.default_rng(0)

    with pytest.raises(NotApplicable, match="60 examples of 80 features give 1 to every model"):
        ETran()(labelled(rng.standard_normal((60, 80)), np.arange(60) % 3))


def test_least_squares_without_error_is_skipped_with_the_reason() -> None:
    with pytest.raises(NotApplicable, match="40 examples of 40 features leave no error"):
        ETran()(numbered(40, 40))


@pytest.mark.parametrize(
    ("part", "train"), [("lda", numbered(50, 7)), ("regression", examples(0, 200, 16, 5, 1.0))]
)
def test_a_part_for_other_labels_is_skipped_with_the_reason(part: str, train: LabelledFeatures) -> None:
    with pytest.raises(NotApplicable, match="needs"):
        ETran(part=part)(train)


def test_classes_that_do_not_vary_are_skipped_with_the_reason() -> None:
    own = np.arange(6) % 2

    with pytest.raises(NotApplicable, match="do not vary"):
        ETran()(labelled(np.random.default_rng(0).standard_normal((2, 3))[own], own))


@pytest.mark.parametrize("settings", [{"part": "total"}, {"percent": 0.0}, {"percent": 101.0}])
def test_wrong_settings_say_what_to_write(settings: dict[str, object]) -> None:
    with pytest.raises(UsageError, match="Write"):
        ETran(**settings)  # type: ignore[arg-type]
