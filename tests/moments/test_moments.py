"""Moments: what is gathered equals the dense formulas, whatever the order, the batches and the precision."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.core.task import LabelKind, Labels
from assay.moments.folded import FoldedMoments
from assay.moments.moments import Moments
from assay.moments.stream import MomentStream, moments_of, stratified_folds

SHAPES = [(1, 3), (7, 3), (7, 7), (8, 7), (7, 20), (60, 5)]


def draw(count: int, width: int, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return features with a mean, two target columns, and a shift near the mean."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((count, width)) + 3
    return x, rng.standard_normal((count, 2)), x.mean(axis=0) + 0.1


def assert_same_sums(actual: Moments, expected: Moments) -> None:
    assert actual.count == expected.count
    for name in ("target_sum", "target_square", "target_norm", "cross"):
        np.testing.assert_allclose(getattr(actual, name), getattr(expected, name), rtol=1e-9, atol=1e-9)
    np.testing.assert_allclose(actual.mean(), expected.mean(), rtol=1e-9, atol=1e-9)


def assert_same(actual: Moments, expected: Moments) -> None:
    assert_same_sums(actual, expected)
    grams = actual.scatter.full_gram(), expected.scatter.full_gram()
    np.testing.assert_allclose(*grams, rtol=1e-9, atol=1e-9)
    fourths = actual.scatter.fourth_moment_about_mean(), expected.scatter.fourth_moment_about_mean()
    np.testing.assert_allclose(*fourths, rtol=1e-9, atol=1e-8)


@pytest.mark.parametrize(("count", "width"), SHAPES)
def test_centred_sums_equal_the_dense_ones(count: int, width: int) -> None:
    x, y, shift = draw(count, width)
    moments = Moments.of(x, y, shift)
    xc, yc = x - x.mean(axis=0), y - y.mean(axis=0)

    np.testing.assert_allclose(moments.scatter.centred_gram(), xc.T @ xc, atol=1e-10)
    np.testing.assert_allclose(moments.centred_cross(), xc.T @ yc, atol=1e-10)
    np.testing.assert_allclose(moments.centred_target_square(), np.square(yc).sum(axis=0), atol=1e-10)
    fourth = np.square(np.square(xc).sum(axis=1)).sum()
    assert moments.scatter.fourth_moment_about_mean() == pytest.approx(fourth, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(("count", "width"), SHAPES[1:])
def test_the_spectrum_equals_the_singular_values(count: int, width: int) -> None:
    x, y, shift = draw(count, width)
    spectrum = Moments.of(x, y, shift).spectrum()
    xc, yc = x - x.mean(axis=0), y - y.mean(axis=0)
    left, roots, _ = np.linalg.svd(xc, full_matrices=False)
    rank = np.linalg.matrix_rank(xc)

    assert len(spectrum.values) == rank
    np.testing.assert_allclose(spectrum.values, np.square(roots[:rank]), rtol=1e-9)
    expected = roots[:rank, None] * (left.T @ yc)[:rank]
    np.testing.assert_allclose(np.abs(spectrum.cross), np.abs(expected), atol=1e-8)


@pytest.mark.parametrize(("count", "width"), SHAPES[1:])
def test_the_basis_holds_the_scatter_matrix_and_the_cross_sums(count: int, width: int) -> None:
    moments = Moments.of(*draw(count, width))
    basis, (values, cross) = moments.scatter.basis, moments.spectrum()
    scatter = basis.expand(values[:, None] * basis.project(np.eye(width)))

    np.testing.assert_allclose(scatter, moments.scatter.centred_gram(), atol=1e-9)
    np.testing.assert_allclose(basis.expand(cross), moments.centred_cross(), atol=1e-9)
    np.testing.assert_allclose(
        basis.project(basis.expand(np.eye(len(values)))), np.eye(len(values)), atol=1e-9
    )


@pytest.mark.parametrize(("count", "width"), SHAPES)
def test_the_squared_error_equals_that_of_the_rows(count: int, width: int) -> None:
    x, y, shift = draw(count, width)
    rng = np.random.default_rng(1)
    weights, intercept = rng.standard_normal((width, 2)), rng.standard_normal(2)

    error = Moments.of(x, y, shift).squared_error(weights, intercept)

    assert error == pytest.approx(np.square(y - (x - shift) @ weights - intercept).sum(), rel=1e-9)


def test_no_more_is_kept_than_the_smaller_of_rows_and_width() -> None:
    few, many = Moments.of(*draw(7, 20)), Moments.of(*draw(60, 5))

    assert (few.scatter.gram, many.scatter.rows) == (None, None)


@settings(deadline=None, max_examples=60)
@given(count=st.integers(2, 30), width=st.integers(1, 30), cut=st.data())
def test_parts_add_up_to_the_whole(count: int, width: int, cut: st.DataObject) -> None:
    x, y, shift = draw(count, width)
    border = cut.draw(st.integers(1, count - 1))
    first, second = Moments.of(x[:border], y[:border], shift), Moments.of(x[border:], y[border:], shift)

    assert_same(first + second, Moments.of(x, y, shift))
    assert_same(second + first, Moments.of(x, y, shift))


@settings(deadline=None, max_examples=60)
@given(count=st.integers(2, 30), width=st.integers(1, 30), cut=st.data())
def test_a_part_that_is_taken_away_leaves_the_rest(count: int, width: int, cut: st.DataObject) -> None:
    x, y, shift = draw(count, width)
    border = cut.draw(st.integers(1, count - 1))
    part, rest = Moments.of(x[:border], y[:border], shift), Moments.of(x[border:], y[border:], shift)

    assert_same_sums(Moments.of(x, y, shift).without(part), rest)


@pytest.mark.parametrize(("count", "width"), [(30, 4), (12, 40)])
def test_moments_come_back_from_a_file_without_pickle(count: int, width: int, tmp_path: Path) -> None:
    labels = Labels(LabelKind.CLASSIFICATION, np.arange(count) % 3, ("a", "b", "c"))
    moments = moments_of(draw(count, width)[0], labels, stratified_folds(labels, 5, 0))

    moments.save(tmp_path / "moments.npz")
    loaded = FoldedMoments.load(tmp_path / "moments.npz")

    assert loaded.kind is LabelKind.CLASSIFICATION
    assert_equal_bits(loaded, moments)
    np.testing.assert_array_equal(loaded.spectrum.values, moments.spectrum.values)
    for one, other in zip(loaded.left_out, moments.left_out, strict=True):
        np.testing.assert_array_equal(one.solution, other.solution)


def test_label_columns_share_one_factored_scatter() -> None:
    x, y, shift = draw(40, 6)
    both = FoldedMoments.gathered(
        [Moments.of(x[:20], y[:20], shift), Moments.of(x[20:], y[20:], shift)], LabelKind.REGRESSION
    )

    first, second = (
        both.columns(slice(0, 1), LabelKind.REGRESSION),
        both.columns(slice(1, 2), LabelKind.REGRESSION),
    )

    assert first.total.scatter.basis is second.total.scatter.basis
    alone = Moments.of(x, y[:, 1:], shift).spectrum()
    np.testing.assert_allclose(np.abs(second.spectrum.cross), np.abs(alone.cross), atol=1e-9)


def test_parts_merged_as_a_tree_equal_one_pass_to_1e_12_of_the_norm() -> None:
    rng = np.random.default_rng(0)
    features = (5 + rng.normal(size=(8 * 512, 40)) * 10 ** rng.uniform(-2, 2, 40)).astype(np.float32)
    targets, shift = np.eye(3)[rng.integers(0, 3, 8 * 512)], features[:64].mean(axis=0, dtype=np.float64)

    level = [
        Moments.of(features[start : start + 512], targets[start : start + 512], shift)
        for start in range(0, 8 * 512, 512)
    ]
    while len(level) > 1:
        level = [left + right for left, right in zip(level[::2], level[1::2], strict=True)]

    whole = Moments.of(features, targets, shift).scatter.centred_gram()
    assert np.linalg.norm(level[0].scatter.centred_gram() - whole) <= 1e-12 * np.linalg.norm(whole)


def test_parts_with_different_shifts_are_not_added() -> None:
    x, y, shift = draw(9, 3)

    with pytest.raises(ValueError, match="same shift"):
        Moments.of(x, y, shift) + Moments.of(x, y, shift + 1)


@settings(deadline=None, max_examples=60)
@given(
    count=st.integers(2, 60),
    width=st.integers(1, 40),
    cuts=st.lists(st.integers(0, 60), max_size=5),
    block=st.integers(1, 20),
    prefix=st.integers(1, 60),
    seed=st.integers(0, 99),
)
def test_sums_depend_on_the_order_of_rows_and_not_on_how_they_arrive(
    count: int, width: int, cuts: list[int], block: int, prefix: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    labels = Labels(LabelKind.CLASSIFICATION, rng.integers(0, 3, count), ("a", "b", "c"))
    matrix = (rng.standard_normal((count, width)) + 3).astype(np.float32)
    folds, order = stratified_folds(labels, 3, seed), rng.permutation(count)
    prefix = min(prefix, count)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("assay.moments.stream._BLOCK", block)
        stream = MomentStream(labels, folds)
        feed(stream, matrix, order[:prefix], cuts)
        part = deepcopy(stream).finish()  # to be read before it goes on
        feed(stream, matrix, order[prefix:], cuts)
        part_alone, alone = MomentStream(labels, folds), MomentStream(labels, folds)
        part_alone.update(order[:prefix], matrix[order[:prefix]])
        alone.update(order, matrix[order])

        assert_equal_bits(part, part_alone.finish())
        assert_equal_bits(stream.finish(), alone.finish())


@settings(deadline=None, max_examples=30)
@given(count=st.integers(2, 60), width=st.integers(1, 40), block=st.integers(1, 20), seed=st.integers(0, 99))
def test_the_order_of_rows_changes_sums_by_rounding_alone(
    count: int, width: int, block: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    labels = Labels(LabelKind.CLASSIFICATION, rng.integers(0, 3, count), ("a", "b", "c"))
    matrix = rng.standard_normal((count, width)).astype(np.float32)
    folds, order = stratified_folds(labels, 3, seed), rng.permutation(count)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("assay.moments.stream._BLOCK", block)
        stream = MomentStream(labels, folds)
        stream.update(order, matrix[order])
        streamed = stream.finish()

    whole = moments_of(matrix, labels, folds)
    assert len(streamed.folds) == len(whole.folds)
    np.testing.assert_allclose(
        streamed.total.scatter.centred_gram(), whole.total.scatter.centred_gram(), atol=1e-9
    )
    if len(whole.folds) > 1:
        rest, expected = (folded.total.without(folded.folds[0]) for folded in (streamed, whole))
        np.testing.assert_allclose(rest.centred_cross(), expected.centred_cross(), atol=1e-9)


@pytest.mark.parametrize("width", [3, 40])
@pytest.mark.parametrize("kind", [LabelKind.CLASSIFICATION, LabelKind.MULTILABEL, LabelKind.REGRESSION])
def test_sums_of_every_kind_of_labels_equal_those_of_written_out_targets(kind: LabelKind, width: int) -> None:
    rng = np.random.default_rng(width)
    values = {
        LabelKind.CLASSIFICATION: rng.integers(0, 3, 60),
        LabelKind.MULTILABEL: rng.integers(0, 2, (60, 4)),
        LabelKind.REGRESSION: rng.standard_normal((60, 4)),
    }[kind]
    labels = Labels(kind, values, () if kind is LabelKind.REGRESSION else ("a", "b", "c", "absent"))
    matrix = (rng.standard_normal((60, width)) + 3).astype(np.float32)

    total = moments_of(matrix, labels, np.arange(60) % 2).total

    assert_same(total, Moments.of(matrix, labels.targets(), total.scatter.shift))


def feed(stream: MomentStream, matrix: np.ndarray, rows: np.ndarray, cuts: list[int]) -> None:
    """Add rows in parts that end at the cuts, some of which may be empty."""
    for part in np.split(rows, sorted(min(cut, len(rows)) for cut in cuts)):
        stream.update(part, matrix[part])


def assert_equal_bits(actual: FoldedMoments, expected: FoldedMoments) -> None:
    assert actual.kind is expected.kind
    for one, other in zip([*actual.folds, actual.total], [*expected.folds, expected.total], strict=True):
        for name in ("target_sum", "target_square", "target_norm", "cross", "target_rows"):
            np.testing.assert_array_equal(getattr(one, name), getattr(other, name))
        for name in ("shift", "count", "feature_sum", "gram", "rows"):
            np.testing.assert_array_equal(getattr(one.scatter, name), getattr(other.scatter, name))
        for left, right in zip(one.scatter.fourth, other.scatter.fourth, strict=True):
            np.testing.assert_array_equal(left, right)


def test_a_stream_keeps_nothing_of_the_arrays_that_it_saw() -> None:
    labels = Labels(LabelKind.REGRESSION, np.arange(8.0))
    batch, stream = np.ones((8, 2)), MomentStream(labels, np.zeros(8, dtype=int))
    stream.update(np.arange(8), batch)

    batch[:] = 7.0

    assert stream.finish().total.scatter.feature_sum.tolist() == [0.0, 0.0]


def test_single_precision_with_a_large_mean_keeps_its_digits() -> None:
    rng = np.random.default_rng(0)
    matrix = (rng.standard_normal((2000, 12)) + 20).astype(np.float32)
    labels = Labels(LabelKind.CLASSIFICATION, np.arange(2000) % 2, ("a", "b"))
    exact = np.cov(matrix.astype(np.float64), rowvar=False)

    result = moments_of(matrix, labels, stratified_folds(labels, 5, 0)).total.scatter.centred_gram() / 1999

    np.testing.assert_allclose(result, exact, rtol=1e-10, atol=1e-12)


@pytest.mark.parametrize("constant", [0.0, 0.1, 1e6])
@pytest.mark.parametrize("count", [20, 4])
def test_constant_features_have_no_scatter(constant: float, count: int) -> None:
    labels = Labels(LabelKind.REGRESSION, np.arange(float(count)))
    folds = np.arange(count) % 2

    total = moments_of(np.full((count, 9), constant), labels, folds).total

    assert len(total.spectrum().values) == 0
    assert total.scatter.basis.expand(np.empty((0, 1))).tolist() == [[0.0]] * 9


def test_a_constant_feature_beside_others_adds_no_direction() -> None:
    x, y, shift = draw(30, 4)
    widened = Moments.of(np.column_stack([x, np.full(30, 0.1)]), y, np.append(shift, 0.1))

    np.testing.assert_allclose(
        widened.spectrum().values, Moments.of(x, y, shift).spectrum().values, rtol=1e-9
    )


def test_leaving_out_a_fold_leaves_the_others() -> None:
    x, _, _ = draw(30, 4)
    labels, folds = Labels(LabelKind.REGRESSION, np.arange(30.0)), np.arange(30) % 3
    moments = moments_of(x, labels, folds)

    assert_same_sums(
        moments.total.without(moments.folds[1]),
        Moments.of(x[folds != 1], labels.targets()[folds != 1], moments.folds[0].scatter.shift),
    )


@settings(deadline=None, max_examples=40)
@given(
    values=st.lists(st.integers(0, 3), min_size=1, max_size=40),
    count=st.integers(1, 6),
    seed=st.integers(0, 9),
)
def test_folds_spread_every_class_evenly(values: list[int], count: int, seed: int) -> None:
    labels = Labels(LabelKind.CLASSIFICATION, np.array(values), ("a", "b", "c", "d"))
    folds = stratified_folds(labels, count, seed)
    table = np.zeros((4, count), dtype=int)
    np.add.at(table, (labels.values, folds), 1)

    assert (np.ptp(table, axis=1) <= 1).all()
    assert np.ptp(table.sum(axis=0)) <= 1
    np.testing.assert_array_equal(folds, stratified_folds(labels, count, seed))


def test_equal_contents_are_in_one_fold_and_nothing_else_moves() -> None:
    labels = Labels(LabelKind.CLASSIFICATION, np.arange(200) % 4, ("a", "b", "c", "d"))
    contents = np.arange(200)
    alone = stratified_folds(labels, 5, 0)
    contents[100:140] = contents[:40]

    folds = stratified_folds(labels, 5, 0, contents)

    np.testing.assert_array_equal(folds[100:140], folds[:40])
    assert np.bincount(folds).min() > 25
    np.testing.assert_array_equal(stratified_folds(labels, 5, 0, np.arange(200)), alone)


def test_texts_of_equal_content_are_in_one_fold_with_all_their_words() -> None:
    lengths = np.array([2, 3, 2, 1, 3, 2])
    labels = Labels(LabelKind.CLASSIFICATION, np.zeros(13, int), ("a", "b"), lengths)

    folds = stratified_folds(labels, 3, 0, np.array([7, 8, 7, 9, 8, 5]))

    of_text = [np.unique(part).tolist() for part in np.split(folds, np.cumsum(lengths)[:-1])]
    assert of_text[0] == of_text[2]
    assert of_text[1] == of_text[4]
    assert all(len(part) == 1 for part in of_text)


def test_all_that_is_kept_is_double_precision() -> None:
    moments = Moments.of(np.ones((3, 2), dtype=np.float32), np.ones((3, 1), dtype=np.float32), np.zeros(2))
    arrays = [getattr(moments, item.name) for item in fields(moments)]

    assert {array.dtype for array in arrays if isinstance(array, np.ndarray)} == {np.dtype(np.float64)}
