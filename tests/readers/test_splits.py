from __future__ import annotations

import numpy as np
import pytest

from assay.core.errors import UnreadableTask, UsageError
from assay.core.task import LabelKind, Labels
from assay.readers.splits import (
    Part,
    Shares,
    canonical_order,
    class_counts,
    divide,
    fingerprint,
    label_keys,
    part_of,
    sample,
    strata,
)
from assay.readers.warnings import conflicts, repeats


def make_digests(count: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 2**63, count, dtype=np.uint64)


def make_labels(*counts: int) -> Labels:
    values = np.repeat(np.arange(len(counts)), counts)
    return Labels(LabelKind.CLASSIFICATION, values, tuple("abcdefghij"[: len(counts)]))


def count_parts(parts: np.ndarray) -> list[int]:
    return np.bincount(parts, minlength=3).tolist()


def test_each_class_is_cut_60_20_20() -> None:
    labels = make_labels(100, 10)

    parts = divide(make_digests(110), labels, None, Shares(), 0).parts

    assert count_parts(parts[:100]) == [60, 20, 20]
    assert count_parts(parts[100:]) == [6, 2, 2]


def test_numbers_are_cut_by_ranges() -> None:
    labels = Labels(LabelKind.REGRESSION, np.arange(200.0))

    parts = divide(make_digests(200), labels, None, Shares(), 0).parts

    assert count_parts(parts[:20]) == [12, 4, 4]
    assert count_parts(parts[-20:]) == [12, 4, 4]


def test_the_order_of_examples_does_not_matter() -> None:
    digests, labels = make_digests(60), make_labels(30, 30)
    shuffled = np.random.default_rng(2).permutation(60)

    parts = divide(digests, labels, None, Shares(), 0).parts
    again = divide(digests[shuffled], labels.take(shuffled), None, Shares(), 0).parts

    assert np.array_equal(parts[shuffled], again)
    assert fingerprint(digests, labels, parts) == fingerprint(digests[shuffled], labels.take(shuffled), again)


def test_another_seed_cuts_otherwise() -> None:
    digests, labels = make_digests(60), make_labels(30, 30)

    assert not np.array_equal(
        divide(digests, labels, None, Shares(), 0).parts, divide(digests, labels, None, Shares(), 1).parts
    )


def test_equal_examples_are_never_parted() -> None:
    digests = np.repeat(make_digests(40), 3)

    parts = divide(digests, make_labels(60, 60), None, Shares(), 0).parts

    assert list(repeats(digests, parts)) == []


def test_a_class_of_one_goes_to_train_and_is_noted() -> None:
    division = divide(make_digests(21), make_labels(20, 1), None, Shares(), 0)

    assert division.parts[20] == Part.TRAIN
    assert division.notes == ("The class 'b' has one example: it is in train, and test has none.",)


def test_a_class_of_two_goes_to_train_and_test() -> None:
    division = divide(make_digests(22), make_labels(20, 2), None, Shares(), 0)

    assert sorted(division.parts[20:]) == [Part.TRAIN, Part.TEST]
    assert division.notes == ("The class 'b' has two examples: one is in train and one in test.",)


def test_a_class_of_three_is_in_each_split() -> None:
    assert count_parts(divide(make_digests(23), make_labels(20, 3), None, Shares(), 0).parts[20:]) == [
        1,
        1,
        1,
    ]


def test_val_is_cut_from_train_where_test_is_given() -> None:
    given = np.array([Part.TRAIN] * 50 + [Part.TEST] * 10)

    division = divide(make_digests(60), make_labels(30, 30), given, Shares(), 0)

    assert count_parts(division.parts) == [40, 10, 10]
    assert (division.parts[50:] == Part.TEST).all()
    assert division.notes == ("There is no val split: val is 20 % of train, cut by class and seed.",)


def test_val_serves_as_test_where_there_is_no_test() -> None:
    given = np.array([Part.TRAIN] * 50 + [Part.VAL] * 10)

    division = divide(make_digests(60), make_labels(30, 30), given, Shares(), 0)

    assert (division.parts[50:] == Part.TEST).all()
    assert division.notes[0].startswith("There is no test split: val serves as test")


def test_official_splits_are_kept() -> None:
    given = np.array([0, 0, 0, 1, 1, 2])

    assert divide(make_digests(6), make_labels(3, 3), given, Shares(), 0).parts.tolist() == given.tolist()


def test_splits_without_train_stop() -> None:
    with pytest.raises(UnreadableTask, match="none of train"):
        divide(make_digests(4), make_labels(2, 2), np.array([1, 2, 1, 2]), Shares(), 0)


def test_shares_that_leave_train_empty_are_refused() -> None:
    with pytest.raises(UsageError, match="whose sum is below 1"):
        Shares(0.5, 0.5)


def test_a_changed_label_changes_the_fingerprint() -> None:
    digests, parts = make_digests(6), np.array([0, 0, 0, 1, 1, 2])

    assert fingerprint(digests, make_labels(3, 3), parts) != fingerprint(digests, make_labels(2, 4), parts)


def test_a_moved_example_changes_the_fingerprint() -> None:
    digests, labels = make_digests(6), make_labels(3, 3)

    assert fingerprint(digests, labels, np.array([0, 0, 0, 1, 1, 2])) != fingerprint(
        digests, labels, np.array([0, 0, 1, 0, 1, 2])
    )


def test_a_sample_keeps_the_shares_of_classes_and_splits() -> None:
    labels, given = make_labels(80, 20), np.tile([0, 0, 0, 2], 25)

    rows = sample(make_digests(100), labels, given, 20, 0)

    assert np.bincount(labels.values[rows]).tolist() == [16, 4]
    assert np.bincount(given[rows]).tolist() == [15, 0, 5]


def test_a_sample_keeps_the_smallest_class() -> None:
    assert set(
        make_labels(990, 10).values[sample(make_digests(1000), make_labels(990, 10), None, 10, 0)]
    ) == {0, 1}


def test_a_limit_above_the_number_keeps_all() -> None:
    assert len(sample(make_digests(10), make_labels(5, 5), None, 99, 0)) == 10


def test_a_limit_of_nothing_is_refused() -> None:
    with pytest.raises(UsageError, match="limit=1000"):
        sample(make_digests(10), make_labels(5, 5), None, 0, 0)


def test_the_same_example_with_two_labels_is_found() -> None:
    assert conflicts(np.array([5, 6, 5, 6], dtype=np.uint64), make_labels(2, 2)).tolist() == [2, 3]


@pytest.mark.parametrize("name", ["val", "valid", "Validation", "dev", " VAL "])
def test_val_has_many_names(name: str) -> None:
    assert part_of(name) is Part.VAL


def test_other_names_are_no_splits() -> None:
    assert part_of("cats") is None


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
    assert division.notes == ("The class 'c' has one example: it is in train, and test has none.",)


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
