import base64
import io
from collections import Counter

import numpy as np
import pytest
from PIL import Image

from assay.core.task import (
    Examples,
    InMemoryExamples,
    LabelKind,
    Labels,
    Modality,
    Split,
    Task,
    TaskKind,
    Words,
)
from assay.readers.files import FolderFiles
from assay.readers.sounds import StoredSounds
from assay.store.arrays import Arrays
from assay.store.shown_examples import MOST_SHOWN, shown_examples, shown_tests
from assay.store.task_files import TaskFiles


def _task(examples: Examples, labels: Labels, kind: TaskKind, classes: tuple[str, ...] = ()) -> Task:
    split = Split(examples, labels)
    modality = Modality.IMAGE if isinstance(examples.read(0), np.ndarray) else Modality.TEXT
    return Task("a:task", kind, modality, "accuracy", classes, split, split, split, "fingerprint")


def _texts(count: int, length: int = 20) -> InMemoryExamples:
    return InMemoryExamples(
        tuple(f"{row:03} ".ljust(length, "x") for row in range(count)), tuple(map(str, range(count)))
    )


@pytest.mark.parametrize(("classes", "each"), [(3, 4), (10, 1), (12, 1)])
def test_every_class_is_seen_as_often_as_the_others(classes, each):
    names = tuple("abcdefghijkl"[:classes])
    labels = Labels(LabelKind.CLASSIFICATION, np.repeat(np.arange(classes), 30), names)

    shown = shown_examples(_task(_texts(30 * classes), labels, TaskKind.CLASSIFICATION, names))

    assert Counter(example.label for example in shown) == dict.fromkeys(names, each)


def test_of_many_classes_some_are_seen_from_the_first_to_the_last():
    names = tuple(map(str, range(100)))
    labels = Labels(LabelKind.CLASSIFICATION, np.arange(100), names)

    shown = shown_examples(_task(_texts(100), labels, TaskKind.CLASSIFICATION, names))

    assert len(shown) == MOST_SHOWN
    assert (shown[0].label, shown[-1].label) == ("0", "99")


def test_numbers_are_seen_from_the_least_to_the_most():
    values = np.random.default_rng(0).permutation(50).astype(float)

    shown = shown_examples(_task(_texts(50), Labels(LabelKind.REGRESSION, values), TaskKind.REGRESSION))

    labels = [float(example.label) for example in shown]
    assert labels == sorted(labels)
    assert (labels[0], labels[-1]) == (0, 49)


def test_classes_that_hold_at_once_are_listed():
    labels = Labels(LabelKind.MULTILABEL, np.array([[1, 1], [0, 0]]), ("red", "round"))

    shown = shown_examples(_task(_texts(2), labels, TaskKind.MULTILABEL, ("red", "round")))

    assert [example.label for example in shown] == ["none", "red, round"]


def test_a_picture_is_small_and_looks_like_its_image():
    image = np.zeros((300, 600, 3), np.uint8)
    image[:, 300:] = (255, 0, 0)
    classes = ("half",)
    task = _task(
        InMemoryExamples([image], ["a"]),
        Labels(LabelKind.CLASSIFICATION, [0], classes),
        TaskKind.CLASSIFICATION,
        classes,
    )

    (shown,) = shown_examples(task)

    head, _, content = shown.picture.partition(",")
    assert head == "data:image/webp;base64"
    small = np.asarray(Image.open(io.BytesIO(base64.b64decode(content))).convert("RGB"), dtype=float)
    assert small.shape == (48, 96, 3)
    assert small[24, 10] == pytest.approx([0, 0, 0], abs=16)
    assert small[24, 85] == pytest.approx([255, 0, 0], abs=16)


def test_a_long_text_is_cut():
    labels = Labels(LabelKind.CLASSIFICATION, [0], ("a",))

    (shown,) = shown_examples(_task(_texts(1, length=9_000), labels, TaskKind.CLASSIFICATION, ("a",)))

    assert len(shown.text) == 220
    assert shown.text.endswith("…")


class _Sentences(Examples):
    def __len__(self) -> int:
        return 2

    def read(self, row: int) -> Words:
        if row == 1:
            raise FileNotFoundError("gone")
        return Words(("Ada", "sings"))

    def name(self, row: int) -> str:
        return f"sentence {row}"


def test_words_have_their_tags_and_what_cannot_be_read_is_left_out():
    labels = Labels(LabelKind.CLASSIFICATION, [0, 1, 1], ("name", "verb"), np.array([2, 1]))

    (shown,) = shown_examples(_task(_Sentences(), labels, TaskKind.TOKENS, ("name", "verb")))

    assert (shown.text, shown.label) == ("Ada sings", "name verb")


def test_a_sound_is_seen_as_its_spectrogram_with_low_notes_below(tmp_path):
    soundfile = pytest.importorskip("soundfile")
    time = np.arange(8000) / 8000
    soundfile.write(tmp_path / "rising.wav", 0.5 * np.sin(2 * np.pi * (500 + 1000 * time) * time), 8000)
    soundfile.write(tmp_path / "silent.wav", np.zeros(10), 8000)
    files = StoredSounds(FolderFiles(tmp_path, ("rising.wav", "silent.wav")))
    labels = Labels(LabelKind.CLASSIFICATION, [0, 1], ("rising", "silent"))

    rising, silent = (
        np.asarray(Image.open(io.BytesIO(base64.b64decode(example.picture.partition(",")[2]))).convert("L"))
        for example in shown_examples(_task(files, labels, TaskKind.CLASSIFICATION, labels.classes))
    )

    loudest = rising.argmax(axis=0)  # row 0 is 4000 Hz
    assert loudest[5] > loudest[48] > loudest[90]
    assert loudest[48] == pytest.approx(96 * (1 - 1500 / 4000), abs=4)
    assert silent.max() <= 2  # of 255: WebP keeps grey roughly


def test_a_test_example_of_labelled_words_shows_its_word_in_brackets():
    labels = Labels(LabelKind.CLASSIFICATION, [0, 1, 1], ("name", "verb"), np.array([2, 1]))

    shown = shown_tests(_task(_Sentences(), labels, TaskKind.TOKENS, ("name", "verb")), [1, 2])

    assert shown[1].text == "Ada [sings]"
    assert shown[1].label == "verb"
    assert 2 not in shown  # it cannot be read


def test_hardest_examples_are_kept_beside_earlier_ones_and_need_no_data_to_be_read(tmp_path):
    files = TaskFiles(Arrays(tmp_path))
    labels = Labels(LabelKind.CLASSIFICATION, np.zeros(100, dtype=int), ("a",))
    task = _task(_texts(100), labels, TaskKind.CLASSIFICATION, ("a",))

    files.add_hardest(task, [3, 1])
    files.add_hardest(task, range(40, 140 - 50))

    kept = TaskFiles(Arrays(tmp_path)).hardest(task.fingerprint)
    assert list(kept) == list(range(40, 88))  # the newest first, at most 48
    assert kept[40].text.startswith("040")
