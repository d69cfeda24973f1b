"""The order of train: prefixes are fair samples, and contents alone decide."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assay.core.task import InMemoryExamples, LabelKind, Labels, Split
from assay.readers.train_order import train_order


def split_of(labels: Labels, digests: np.ndarray | None = None) -> Split:
    names = [str(row) for row in range(labels.examples)]
    return Split(InMemoryExamples(names, names), labels, digests)


def classes(values: np.ndarray) -> Labels:
    return Labels(LabelKind.CLASSIFICATION, values, tuple(map(str, range(int(values.max()) + 1))))


def digests_of(count: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 2**64, count, dtype=np.uint64)


@given(sizes=st.lists(st.integers(1, 60), min_size=1, max_size=12), seed=st.integers(0, 99))
def test_every_prefix_has_the_class_proportions_of_all(sizes: list[int], seed: int) -> None:
    values = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(sizes)), sizes))

    order = train_order(split_of(classes(values), digests_of(len(values), seed)))

    assert sorted(order.tolist()) == list(range(len(values)))
    counts = (values[order][:, None] == np.arange(len(sizes))).cumsum(axis=0)
    wanted = np.arange(1, len(values) + 1)[:, None] * np.array(sizes) / len(values)
    assert np.abs(counts - wanted).max() < 2


def test_balanced_classes_take_turns() -> None:
    values = np.repeat(np.arange(7), 20)

    order = train_order(split_of(classes(values), digests_of(140)))

    assert all(len(set(turn)) == 7 for turn in values[order].reshape(20, 7).tolist())


def test_classes_of_one_example_are_spread_over_the_order() -> None:
    values = np.concatenate([np.zeros(100, dtype=int), np.arange(1, 101)])

    order = train_order(split_of(classes(values), digests_of(200)))

    singles = (values[order] > 0).reshape(10, 20).sum(axis=1)
    assert singles.min() >= 8
    assert singles.max() <= 12


def test_numbers_are_spread_by_ranges() -> None:
    labels = Labels(LabelKind.REGRESSION, np.arange(500.0))

    order = train_order(split_of(labels, digests_of(500)))

    assert np.bincount(order[:50] // 50).tolist() == [5] * 10


def test_sets_of_classes_are_spread() -> None:
    values = np.array([[1, 0], [0, 1], [1, 1], [0, 0]]).repeat(25, axis=0)

    order = train_order(split_of(Labels(LabelKind.MULTILABEL, values, ("a", "b")), digests_of(100)))

    assert np.bincount(order[:20] // 25).tolist() == [5] * 4


def test_texts_with_labelled_words_are_ordered_whole() -> None:
    labels = Labels(
        LabelKind.CLASSIFICATION, np.array([0, 0, 0, 1, 0, 1]), ("a", "b"), np.array([2, 2, 1, 1])
    )

    order = train_order(split_of(labels, digests_of(4)))

    assert sorted(order.tolist()) == [0, 1, 2, 3]
    assert len({int(row) in (1, 3) for row in order[:2]}) == 2  # one of the texts with class b


@given(seed=st.integers(0, 99))
def test_contents_decide_and_not_the_rows(seed: int) -> None:
    values = np.random.default_rng(seed).integers(0, 3, 50)
    digests, moved = digests_of(50), np.random.default_rng(seed + 1).permutation(50)

    order = train_order(split_of(classes(values), digests))
    again = train_order(split_of(classes(values).take(moved), digests[moved]))

    assert moved[again].tolist() == order.tolist()


def test_equal_contents_do_not_follow_each_other() -> None:
    digests = digests_of(20).repeat(10)

    order = train_order(split_of(classes(np.zeros(200, dtype=int)), digests))

    assert sorted(order.tolist()) == list(range(200))
    assert len(set(digests[order[:20]].tolist())) > 10


@pytest.mark.parametrize("count", [1, 2, 600])
def test_a_task_without_digests_has_an_order(count: int) -> None:
    order = train_order(split_of(classes(np.arange(count) % 2)))

    assert sorted(order.tolist()) == list(range(count))


def test_a_task_without_train_has_an_empty_order() -> None:
    assert train_order(split_of(Labels(LabelKind.REGRESSION, np.empty(0)))).tolist() == []


def test_the_order_is_pinned() -> None:
    """Blocks of features in stores lie in this order: it must not change."""
    values = np.arange(12) % 3

    order = train_order(split_of(classes(values), digests_of(12)))

    assert order.tolist() == [4, 6, 5, 10, 0, 2, 7, 9, 11, 1, 3, 8]
