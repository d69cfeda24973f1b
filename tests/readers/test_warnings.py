from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageEnhance

from assay.core.task import Example, InMemoryExamples, LabelKind, Labels, Modality
from assay.readers.checking import check
from assay.readers.files import FolderFiles
from assay.readers.gathering import Gathered, gather_in_memory
from assay.readers.images import StoredImages
from assay.readers.near_duplicates import near_duplicates
from assay.readers.splits import Part
from assay.readers.warnings import task_warnings
from assay.testing.tasks import load_task

REALDATA = Path(__file__).resolve().parents[3] / "shared" / "realdata" / "datasets"


def listed(items: Sequence[Example]) -> InMemoryExamples:
    return InMemoryExamples(items, [f"item {row}" for row in range(len(items))])


def near_texts(train: list[str], test: list[str]) -> list[tuple[int, int]]:
    every = listed((*train, *test))
    rows = np.arange(len(every))
    near = near_duplicates(every, Modality.TEXT, None, rows[: len(train)], rows[len(train) :])
    return list(zip((near.test - len(train)).tolist(), near.train.tolist(), strict=True))


def make_task(values: list[int], parts: list[Part]) -> Gathered:
    count = len(values)
    texts = [f"text of number{row} and word{row * 7}" for row in range(count)]
    classes = tuple("abcdefgh"[: max(values) + 1])
    labels = Labels(LabelKind.CLASSIFICATION, np.array(values), classes)
    return gather_in_memory(texts, [f"item {row}" for row in range(count)], labels, np.array(parts))


def test_a_text_with_other_signs_and_letters_is_the_same_text() -> None:
    assert near_texts(
        ["The film was a joy to watch, really.", "It never ends."],
        ["the film was a joy to watch -- REALLY", "It ends."],
    ) == [(0, 0)]


def test_texts_of_one_template_are_different_texts() -> None:
    assert not near_texts(["What currency is used in Australia ?"], ["What currency is used in China ?"])


def test_a_pair_is_near_where_both_texts_are() -> None:
    pair = ("A man plays a guitar on the stage.", "Somebody makes music for many people.")
    every = listed((pair, (pair[0], pair[1].upper()), (pair[0], "A dog runs.")))

    near = near_duplicates(every, Modality.TEXT, None, np.array([0]), np.array([1, 2]))

    assert near.test.tolist() == [1]


def test_a_picture_that_was_saved_again_smaller_and_brighter_is_found(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for row in range(6):
        coarse = Image.fromarray(rng.integers(0, 200, (6, 8, 3), dtype=np.uint8))
        coarse.resize((160, 120), Image.Resampling.BICUBIC).save(tmp_path / f"{row}.png")
    again = ImageEnhance.Brightness(Image.open(tmp_path / "3.png").resize((96, 72))).enhance(1.2)
    again.save(tmp_path / "again.jpg", quality=70)
    files = StoredImages(FolderFiles(tmp_path, (*(f"{row}.png" for row in range(6)), "again.jpg")))

    near = near_duplicates(
        files, Modality.IMAGE, check(files, np.arange(7)).thumbnails, np.arange(5), np.array([5, 6])
    )

    assert (near.test.tolist(), near.train.tolist()) == ([6], [3])


def test_pictures_in_memory_are_compared_as_files_are() -> None:
    rng = np.random.default_rng(1)
    coarse = [Image.fromarray(rng.integers(0, 256, (6, 6, 3), dtype=np.uint8)) for _ in range(3)]
    large = [np.asarray(image.resize((64, 64))) for image in coarse]
    every = listed((*large, np.asarray(Image.fromarray(large[1]).resize((48, 48)))))

    near = near_duplicates(every, Modality.IMAGE, None, np.array([0, 1]), np.array([2, 3]))

    assert (near.test.tolist(), near.train.tolist()) == ([3], [1])


def test_pictures_of_one_grey_are_like_no_other() -> None:
    flat = listed(tuple(np.full((20, 20, 3), grey, np.uint8) for grey in (10, 200, 10)))

    assert not len(near_duplicates(flat, Modality.IMAGE, None, np.array([0, 1]), np.array([2])).test)


def test_of_a_large_set_a_part_is_compared() -> None:
    texts = listed(tuple(f"word{row} other{row} more{row}" for row in range(2_500)))
    rows = np.arange(2_500)

    assert near_duplicates(texts, Modality.TEXT, None, rows[:100], rows[100:]).compared == 2_000


@pytest.mark.framework
@pytest.mark.skipif(not REALDATA.exists(), reason="needs data beside the checkout: shared/realdata")
def test_real_near_duplicates_are_named_with_their_twin() -> None:
    notes = load_task(f"folder:{REALDATA / 'caltech101_20'}").notes

    (note,) = [note for note in notes if "near-duplicate" in note]
    assert note == (
        "4 test examples are near-duplicates of train examples (first: test/grand_piano/image_0046.jpg, like "
        "train/grand_piano/image_0003.jpg): results may be optimistic."
    )


def test_uneven_classes_under_accuracy_are_said_with_what_to_write() -> None:
    task = make_task([0] * 60 + [1] * 4, ([Part.TRAIN] * 50 + [Part.TEST] * 10) + [Part.TRAIN, Part.TEST] * 2)

    (note,) = task_warnings(task, task.labelled.official, "accuracy")

    assert note.startswith("Classes are uneven: 'a' has 96 % of train, 'b' 3.8 %.")
    assert "metric='balanced_accuracy'" in note
    assert not task_warnings(task, task.labelled.official, "macro_f1")


def test_a_class_that_test_hardly_has_is_said_where_the_others_have_enough() -> None:
    values = [0] * 40 + [1] * 40 + [2] * 20
    parts = [Part.TEST] * 30 + [Part.TRAIN] * 10 + [Part.TEST] * 30 + [Part.TRAIN] * 10
    parts += [Part.TEST] * 2 + [Part.TRAIN] * 18
    task = make_task(values, parts)

    assert task_warnings(task, task.labelled.official, "accuracy") == (
        "The class 'c' has fewer than 5 test examples: results on them alone are unreliable.",
    )
