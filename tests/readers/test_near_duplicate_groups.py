from __future__ import annotations

import numpy as np
import pytest

from assay.core.task import LabelKind, Labels
from assay.readers.gathering import Gathered, gather_in_memory
from assay.readers.near_duplicate_groups import near_duplicate_groups
from assay.readers.near_duplicates import comparison

FILMS = ["The film was a joy to watch, really.", "It never ends, and nobody knows why.", "A dog runs home."]


def gathered(examples: list, values: list[int]) -> Gathered:
    labels = Labels(LabelKind.CLASSIFICATION, np.array(values), ("a", "b"))
    return gather_in_memory(examples, [f"item {row}" for row in range(len(examples))], labels)


def groups_of(examples: list, values: list[int], rows: list[int] | None = None) -> list[list[int]] | None:
    """Return the positions of each group of several examples of train."""
    train = np.arange(len(examples)) if rows is None else np.array(rows)
    groups = near_duplicate_groups(gathered(examples, values), train)
    if groups is None:
        return None
    return [np.flatnonzero(groups == group).tolist() for group in np.flatnonzero(np.bincount(groups) > 1)]


def test_copies_of_a_text_with_the_same_label_are_one_group_with_equal_texts() -> None:
    texts = [FILMS[0], FILMS[1], FILMS[0].upper(), FILMS[2], FILMS[0], FILMS[0] + "!"]

    assert groups_of([*texts, *"uvwxyz"], [0, 1, 0, 1, 0, 0, 0, 0, 0, 1, 1, 1]) == [[0, 2, 4, 5]]


def test_likeness_of_different_labels_is_no_copy() -> None:
    assert groups_of([*FILMS, FILMS[0].upper()], [0, 0, 1, 1]) is None


def test_a_label_whose_examples_all_look_alike_keeps_them_apart() -> None:
    alike = [FILMS[0] + "!" * count for count in range(6)]

    assert groups_of([*alike, *FILMS[1:]], [0] * 6 + [1, 1]) is None


def test_examples_outside_of_train_are_not_compared() -> None:
    texts, values = [FILMS[0], FILMS[0].upper(), *FILMS[1:], "And so on."], [0, 0, 1, 0, 0]

    assert groups_of(texts, values) == [[0, 1]]
    assert groups_of(texts, values, rows=[0, 2, 3, 4]) is None


def test_changed_copies_of_an_image_are_one_group() -> None:
    rng = np.random.default_rng(0)
    images = [np.kron(rng.integers(0, 160, (8, 8, 1)), np.ones((8, 8, 3))).astype(np.uint8) for _ in range(8)]
    copies = [images[2] + 40, (images[2] * 1.3).astype(np.uint8)]

    assert groups_of([*images, *copies], [0, 1] * 4 + [0, 0]) == [[2, 8, 9]]


def test_texts_without_words_are_no_copies() -> None:
    assert groups_of(["!", "?", "...", ":-)"], [0, 0, 0, 1]) is None


@pytest.mark.parametrize("seed", range(3))
def test_the_groups_are_those_of_comparing_all_pairs(seed: int) -> None:
    rng = np.random.default_rng(seed)
    words = np.array([f"w{number}" for number in range(30)])
    texts = [" ".join(rng.choice(words, 12, p=np.arange(30, 0, -1) / 465)) for _ in range(60)]
    for row in range(30, 60):  # copies of others, with a word or two exchanged, or one more
        parts = texts[row - 30].split()
        for _ in range(rng.integers(0, 3)):
            parts[rng.integers(len(parts))] = str(rng.choice(words))
        texts[row] = " ".join([*parts, *rng.choice(words, rng.integers(0, 2))])
    every = gathered(texts, [0, 1] * 30)
    threshold, units = comparison(every.examples, every.modality, None)
    whole = units(np.arange(60)).toarray()
    near = (whole @ whole.T >= threshold) & (np.arange(60)[:, None] % 2 == np.arange(60) % 2)
    for _ in range(6):
        near = near @ near

    groups = near_duplicate_groups(every, np.arange(60))

    assert groups is not None
    assert near.sum() > 60
    np.testing.assert_array_equal(groups[:, None] == groups, near)
