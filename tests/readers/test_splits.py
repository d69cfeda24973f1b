from __future__ import annotations

import numpy as np
import pytest

from assay.core.errors import UnreadableTask, UsageError
from assay.core.task import LabelKind, Labels
from assay.readers.splits import Part, Shares, divide, fingerprint, part_of, sample
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
    assert division.notes == ("The class 'b' has one example: it stands in train, and test cannot judge it.",)


def test_a_class_of_two_goes_to_train_and_test() -> None:
    division = divide(make_digests(22), make_labels(20, 2), None, Shares(), 0)

    assert sorted(division.parts[20:]) == [Part.TRAIN, Part.TEST]
    assert division.notes == ("The class 'b' has two examples: one stands in train and one in test.",)


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
    assert division.notes == ("There is no val split: val is 20% of train, cut by class and seed.",)


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
