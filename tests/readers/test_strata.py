from __future__ import annotations

import numpy as np

from assay.core.task import LabelKind, Labels
from assay.readers.splits import Part, Shares, canonical_order, divide, fingerprint, sample
from assay.readers.strata import class_counts, label_keys, strata
from assay.readers.warnings import conflicts


def make_digests(count: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 2**63, count, dtype=np.uint64)


def make_sets(count: int, rare: int) -> Labels:
    """Every example has the class a, half of them b, a few c."""
    values = np.zeros((count, 3), dtype=np.int64)
    values[:, 0] = 1
    values[::2, 1] = 1
    values[:rare, 2] = 1
    return Labels(LabelKind.MULTILABEL, values, ("a", "b", "c"))


def make_words(texts: list[list[int]]) -> Labels:
    values = np.array([value for text in texts for value in text])
    lengths = np.array([len(text) for text in texts])
    return Labels(LabelKind.CLASSIFICATION, values, ("O", "B-x", "B-y"), lengths)


def test_an_example_of_several_classes_stands_for_the_rarest() -> None:
    labels = Labels(
        LabelKind.MULTILABEL, np.array([[1, 1, 0], [1, 0, 0], [1, 1, 1], [0, 0, 0]]), ("a", "b", "c")
    )

    assert strata(labels).tolist() == [1, 0, 2, 3]


def test_a_text_of_words_stands_for_the_rarest_tag() -> None:
    assert strata(make_words([[0, 0, 1], [0], [0, 2, 1], [0, 1]])).tolist() == [1, 0, 2, 1]


def test_a_class_counts_once_in_a_text() -> None:
    assert class_counts(make_words([[0, 0, 1, 1], [1], [0]])).tolist() == [2, 2, 0]


def test_a_rare_class_is_cut_like_a_class_of_its_own() -> None:
    labels = make_sets(200, rare=10)

    parts = divide(make_digests(200), labels, None, Shares(), 0).parts

    assert np.bincount(parts[:10], minlength=3).tolist() == [6, 2, 2]


def test_texts_of_words_are_cut_whole() -> None:
    labels = make_words([[0, 0, 1], [0, 2]] * 50)
    digests = make_digests(100)

    parts = divide(digests, labels, None, Shares(), 0).parts

    assert np.bincount(parts).tolist() == [60, 20, 20]
    assert labels.of(np.flatnonzero(parts == Part.TEST)).examples == 20


def test_numbers_in_several_columns_are_cut_by_the_first() -> None:
    first = np.arange(200.0)
    labels = Labels(LabelKind.REGRESSION, np.column_stack([first, -first]))

    parts = divide(make_digests(200), labels, None, Shares(), 0).parts

    assert np.bincount(parts[:20], minlength=3).tolist() == [12, 4, 4]


def test_a_class_of_one_example_among_sets_goes_to_train_and_is_noted() -> None:
    division = divide(make_digests(40), make_sets(40, rare=1), None, Shares(), 0)

    assert division.parts[0] == Part.TRAIN
    assert division.notes == ("The class 'c' has one example: it stands in train, and test cannot judge it.",)


def test_equal_texts_with_other_tags_are_told_apart_and_found() -> None:
    labels = make_words([[0, 1], [0, 2], [0, 1]])
    digests = np.array([5, 5, 7], dtype=np.uint64)

    assert conflicts(digests, labels).tolist() == [canonical_order(digests, labels)[1]]


def test_the_order_of_texts_changes_neither_cut_nor_fingerprint() -> None:
    texts = [[0] * (row % 4 + 1) + [row % 3] for row in range(60)]
    labels, digests = make_words(texts), make_digests(60)
    shuffled = np.random.default_rng(2).permutation(60)

    parts = divide(digests, labels, None, Shares(), 0).parts
    again = divide(digests[shuffled], labels.of(shuffled), None, Shares(), 0).parts

    assert np.array_equal(parts[shuffled], again)
    assert fingerprint(digests, labels, parts) == fingerprint(digests[shuffled], labels.of(shuffled), again)


def test_a_changed_tag_a_moved_border_and_a_changed_column_are_other_tasks() -> None:
    digests, parts = make_digests(3), np.array([0, 1, 2])
    words = make_words([[0, 1], [0], [2, 0]])
    sets = Labels(LabelKind.MULTILABEL, np.array([[1, 0], [0, 1], [1, 1]]), ("a", "b"))
    others = (
        words,
        make_words([[0, 1], [0], [2, 1]]),
        make_words([[0], [1, 0], [2, 0]]),
        sets,
        Labels(LabelKind.MULTILABEL, sets.values[:, ::-1], ("a", "b")),
        Labels(LabelKind.REGRESSION, sets.values),
        Labels(LabelKind.REGRESSION, sets.values.ravel()[:3]),
    )

    assert len({fingerprint(digests, labels, parts) for labels in others}) == len(others)


def test_a_sample_keeps_the_shares_of_sets() -> None:
    rows = sample(make_digests(100), make_sets(100, rare=20), None, 10, 0)

    assert make_sets(100, rare=20).values[rows].sum(axis=0)[2] == 2


def test_one_label_is_its_own_key() -> None:
    labels = Labels(LabelKind.CLASSIFICATION, np.array([1, 0]), ("a", "b"))

    assert label_keys(labels) is labels.values
