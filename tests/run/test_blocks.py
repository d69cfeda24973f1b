"""Features are kept in blocks: what grows, was killed or was damaged is encoded in its missing part alone."""

from __future__ import annotations

import io
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assay.core.errors import NotApplicable
from assay.core.features import Encoded
from assay.core.model import Model, ModelFacts
from assay.core.task import (
    Example,
    InMemoryExamples,
    LabelKind,
    Labels,
    Modality,
    Split,
    SplitName,
    Task,
    TaskKind,
    Words,
)
from assay.metrics.accuracy import Accuracy
from assay.moments.folded import FoldedMoments
from assay.run.encoding import Encodings, batches_of
from assay.run.opened_model import OpenedModel
from assay.run.score_view import ScoreView
from assay.store.arrays import Arrays

WIDTH, TRAIN, TEST = 6, 1300, 600
CLASSES = ("a", "b", "c")


class Counting(Model):
    """Counts what it encodes: numbers in texts, of which it truncates those that end in 7.

    Args:
        heads: The number of source classes.
        gives_probs: Whether it gives source probabilities.
        interrupt_after: The number of examples after which Ctrl-C is pressed.
    """

    def __init__(
        self, heads: int = 0, *, gives_probs: bool = True, interrupt_after: float = float("inf")
    ) -> None:
        self.encoded: Counter[str] = Counter()
        self._heads, self._gives_probs, self._left = heads, gives_probs, interrupt_after

    @property
    def facts(self) -> ModelFacts:
        return ModelFacts(WIDTH, 1, None, 4, "text", "none", self._heads, "drawn", "f00d")

    def encode(self, examples: Sequence[Example]) -> Encoded:
        texts = [part for example in examples for part in _words(example)]
        self._left -= len(texts)
        if self._left < 0:
            raise KeyboardInterrupt
        self.encoded.update(texts)
        numbers = np.array([float(text) for text in texts])
        features = np.sin(numbers[:, None] * (1 + np.arange(WIDTH))) + 3  # in double precision
        probs = None
        if self._heads and self._gives_probs:
            probs = np.abs(features[:, : self._heads]) / np.abs(features[:, : self._heads]).sum(
                axis=1, keepdims=True
            )
        return Encoded(features, probs, truncated=sum(text.endswith("7") for text in texts))

    def close(self) -> None:
        """Free nothing."""


def _words(example: Example) -> tuple[str, ...]:
    if isinstance(example, Words):
        return example.words
    assert isinstance(example, str)
    return (example,)


def texts_of(first: int, count: int) -> Split:
    """Return numbers as texts, with a class for each; the contents are in no order."""
    numbers = [str(number) for number in range(first, first + count)]
    digests = np.random.default_rng(first).integers(0, 2**63, count, dtype=np.uint64)
    labels = Labels(LabelKind.CLASSIFICATION, np.arange(count) % 3, CLASSES)
    return Split(InMemoryExamples(numbers, numbers), labels, digests)


def words_of(first: int, count: int) -> Split:
    """Return texts of one to four numbers, each with a class."""
    lengths = 1 + np.arange(count) % 4
    ends = first + lengths.cumsum()
    texts = [
        Words(tuple(map(str, range(end - length, end)))) for end, length in zip(ends, lengths, strict=True)
    ]
    labels = Labels(LabelKind.CLASSIFICATION, np.arange(lengths.sum()) % 3, CLASSES, lengths)
    return Split(InMemoryExamples(texts, list(map(str, range(count)))), labels)


def task_of(split: Callable[[int, int], Split] = texts_of, train: int = TRAIN) -> Task:
    kind = split(0, 4).labels.task_kind
    splits = split(0, train), split(100_000, 40), split(200_000, TEST)
    return Task("table:texts.csv", TaskKind(kind), Modality.TEXT, "accuracy", CLASSES, *splits, "print")


@pytest.fixture
def encodings(tmp_path: Path) -> Callable[..., Encodings]:
    def make(
        model: Model, rows: int | None = None, task: Task | None = None, folder: str = "store"
    ) -> Encodings:
        return made(model, tmp_path / folder, rows, task or task_of())

    return make


def made(model: Model, root: Path, rows: int | None, task: Task, batch_size: int = 32) -> Encodings:
    opened = OpenedModel(model, "id", lambda: None, "cpu")
    batches = batches_of(task, batch_size, lambda *_: None)
    return Encodings(opened, task, Accuracy(), Arrays(root), batches, train_rows=rows)


def bits(moments: FoldedMoments) -> Iterator[bytes]:
    for fold in (*moments.folds, moments.total):
        for part in (*vars(fold).values(), *vars(fold.scatter).values()):
            if isinstance(part, (np.ndarray, int)):
                yield np.asarray(part).tobytes()


@pytest.mark.parametrize("split", [texts_of, words_of])
def test_each_example_is_encoded_once_while_train_grows(encodings, split):
    model, task = Counting(), task_of(split)

    for rows, encoded in [(50, 64), (100, 128), (300, 512), (700, 1024), (600, 1024), (None, TRAIN)]:
        encodings(model, rows, task).features(SplitName.TRAIN)

        examples = [task.train.examples.read(row) for row in range(TRAIN)]
        whole = {text for example in examples for text in _words(example)}
        assert set(model.encoded) <= whole
        if split is texts_of:
            assert len(model.encoded) == encoded
    assert model.encoded == Counter(dict.fromkeys(whole, 1))


@pytest.mark.parametrize("split", [texts_of, words_of])
def test_features_that_grew_equal_those_that_were_encoded_at_once(encodings, split):
    task = task_of(split)
    for rows in (100, 700):
        encodings(Counting(), rows, task).features(SplitName.TRAIN)
    grown = encodings(Counting(), None, task)
    whole = encodings(Counting(), None, task, "other")
    part = encodings(Counting(), 700, task)

    expected = whole.features(SplitName.TRAIN).matrix
    np.testing.assert_array_equal(grown.features(SplitName.TRAIN).matrix, expected)
    examples = list(part.task.train.examples.rows)
    np.testing.assert_array_equal(
        part.features(SplitName.TRAIN).matrix, expected[task.train.labels.rows_of(examples)]
    )
    assert examples == sorted(examples)


@settings(deadline=None, max_examples=12)
@given(
    sizes=st.lists(st.integers(1, 1600), min_size=1, max_size=3),
    batch_size=st.sampled_from([1, 3, 32]),
    reads_fresh=st.booleans(),
)
def test_a_prefix_that_is_extended_gives_the_moments_of_the_whole(
    sizes: list[int], batch_size: int, reads_fresh: bool
) -> None:
    task = task_of(train=1600)
    with TemporaryDirectory() as grown, TemporaryDirectory() as alone:
        for rows in sizes:
            encodings = made(Counting(), Path(grown), rows, task, batch_size)
            if not reads_fresh:
                encodings.features(SplitName.TRAIN)
                encodings = made(Counting(), Path(grown), rows, task)
            found = list(bits(encodings.encoder.moments()))

        last = made(Counting(), Path(alone), sizes[-1], task)
        assert list(bits(last.encoder.moments())) == found


def test_what_was_done_when_the_run_was_killed_is_not_encoded_again(encodings):
    killed, resumed = Counting(interrupt_after=1100), Counting()
    with pytest.raises(KeyboardInterrupt):
        encodings(killed).features(SplitName.TRAIN)

    features = encodings(resumed).features(SplitName.TRAIN)

    assert sum(killed.encoded.values()) == 1024
    assert killed.encoded.keys().isdisjoint(resumed.encoded)
    assert sum(resumed.encoded.values()) == TRAIN - 1024
    np.testing.assert_array_equal(
        features.matrix, encodings(Counting(), folder="other").features(SplitName.TRAIN).matrix
    )


def test_a_damaged_block_is_encoded_again_alone(encodings, tmp_path):
    whole = encodings(Counting())
    before = whole.features(SplitName.TRAIN).matrix.copy()
    path = next(path for path in tmp_path.glob("store/features/*-train.npy"))
    damaged_row = 77
    with path.open("r+b") as file:
        content = file.read()
        file.seek(content.index(before[damaged_row].tobytes()))
        file.write(bytes(4 * WIDTH))
    again = Counting()

    repaired = encodings(again)
    features = repaired.features(SplitName.TRAIN)

    assert sum(again.encoded.values()) in {64, 128, 256, 512}
    assert str(damaged_row) in again.encoded
    np.testing.assert_array_equal(features.matrix, before)
    assert any("1 damaged block of" in note for note in repaired.encoder.notes_of(SplitName.TRAIN))
    later = encodings(Counting())
    later.features(SplitName.TRAIN)
    assert not any("damaged" in note for note in later.encoder.notes_of(SplitName.TRAIN))


def test_features_of_an_earlier_version_are_used_as_they_are(encodings, tmp_path):
    fresh = encodings(Counting())
    matrix = fresh.features(SplitName.TRAIN).matrix.copy()
    path = next(tmp_path.glob("store/features/*-train.npy"))
    for file in tmp_path.glob("store/features/*"):
        file.unlink()
    np.save(path, matrix)
    path.with_suffix(".json").write_text('["3 of 1300 train texts are longer"]')
    again = Counting()

    kept = encodings(again)
    features = kept.features(SplitName.TRAIN)

    assert again.encoded == Counter()
    np.testing.assert_array_equal(features.matrix, matrix)
    assert kept.encoder.notes_of(SplitName.TRAIN) == ("3 of 1300 train texts are longer",)


def test_features_in_blocks_of_512_from_the_start_are_used_and_completed(encodings, monkeypatch):
    monkeypatch.setattr("assay.run.stored_split._SMALL", ())  # as earlier versions wrote them
    killed = Counting(interrupt_after=1100)
    with pytest.raises(KeyboardInterrupt):
        encodings(killed).features(SplitName.TRAIN)
    monkeypatch.undo()
    resumed = Counting()

    features = encodings(resumed).features(SplitName.TRAIN)

    assert killed.encoded.keys().isdisjoint(resumed.encoded)
    assert sum(resumed.encoded.values()) == TRAIN - 1024
    np.testing.assert_array_equal(
        features.matrix, encodings(Counting(), folder="other").features(SplitName.TRAIN).matrix
    )


def test_scores_on_a_part_of_train_do_not_encode_val(encodings):
    task = task_of()
    part, whole = encodings(Counting(), 100, task), encodings(Counting(), None, task, "other")

    assert ScoreView(part.encoder).held_out().beyond.val is None
    assert ScoreView(whole.encoder).held_out().beyond.val is not None
    model = part.encoder.model
    assert isinstance(model, Counting)
    assert sum(model.encoded.values()) == 128


def test_probabilities_of_a_split_without_them_are_encoded_later_and_features_stay(encodings, tmp_path):
    encodings(Counting(heads=4)).features(SplitName.TEST)
    path = next(tmp_path.glob("store/features/*-test.npy"))
    before = path.read_bytes()
    model = Counting(heads=4)

    later = encodings(model)
    probs = later.source_probs(SplitName.TEST)

    assert sum(model.encoded.values()) == TEST
    np.testing.assert_allclose(probs.sum(axis=1), 1, rtol=1e-6)
    assert path.read_bytes() == before
    again = Counting(heads=4)
    np.testing.assert_array_equal(encodings(again).source_probs(SplitName.TEST), probs)
    assert again.encoded == Counter()


def test_a_lost_file_of_probabilities_is_made_again(encodings, tmp_path):
    before = encodings(Counting(heads=4)).source_probs(SplitName.TRAIN).copy()
    next(tmp_path.glob("store/features/*-train-source.npy")).unlink()

    after = encodings(Counting(heads=4)).source_probs(SplitName.TRAIN)

    np.testing.assert_array_equal(after, before)


def test_a_model_that_gives_no_probabilities_is_asked_for_one_block_of_them(encodings):
    silent = Counting(heads=4, gives_probs=False)
    encodings(silent).features(SplitName.TRAIN)
    assert sum(silent.encoded.values()) == TRAIN
    later = encodings(Counting(heads=4, gives_probs=False))

    for _ in range(2):
        with pytest.raises(NotApplicable, match="whole texts"):
            later.source_probs(SplitName.TRAIN)

    model = later.encoder.model
    assert isinstance(model, Counting)
    assert sum(model.encoded.values()) == 64


def test_probabilities_of_a_part_of_train_are_those_of_its_rows(encodings):
    part = encodings(Counting(heads=4), 700)
    whole = encodings(Counting(heads=4), folder="other")

    probs = ScoreView(part.encoder).source_probs()

    rows = part.task.train.examples.rows
    np.testing.assert_array_equal(probs.probs, whole.source_probs(SplitName.TRAIN)[rows])
    assert len(probs.labels) == 700


def test_notes_count_truncated_texts_whenever_they_were_encoded(encodings):
    at_once = encodings(Counting())
    at_once.features(SplitName.TRAIN)
    encodings(Counting(), 700, folder="other").features(SplitName.TRAIN)
    grown = encodings(Counting(), folder="other")
    grown.features(SplitName.TRAIN)
    kept = encodings(Counting(), folder="other")
    kept.features(SplitName.TRAIN)
    part = encodings(Counting(), 100)
    part.features(SplitName.TRAIN)

    expected = ("130 of 1300 train texts are longer than the model reads: what is beyond was cut",)
    for some in (at_once, grown, kept):
        assert some.encoder.notes_of(SplitName.TRAIN) == expected
    assert " of 128 train texts are longer" in part.encoder.notes_of(SplitName.TRAIN)[0]


@pytest.mark.parametrize("is_encoded_before", [False, True])
def test_kept_moments_equal_the_summed_ones_and_need_no_features(encodings, tmp_path, is_encoded_before):
    first = encodings(Counting())
    if is_encoded_before:
        first.features(SplitName.TRAIN)
    summed, notes = first.encoder.moments(), first.encoder.notes_of(SplitName.TRAIN)
    next(tmp_path.glob("store/features/*-train.npy")).unlink()
    model = Counting()
    later = encodings(model)

    kept = later.encoder.moments()

    assert list(bits(kept)) == list(bits(summed))
    np.testing.assert_array_equal(kept.spectrum.cross, summed.spectrum.cross)
    assert model.encoded == Counter()
    assert later.encoder.notes_of(SplitName.TRAIN) == notes
    assert "130 of 1300" in notes[0]


@pytest.mark.parametrize("content", ["junk", "other examples", "packed", "not finite"])
def test_moments_that_are_not_those_of_train_are_named_and_summed_again(encodings, tmp_path, content):
    summed = list(bits(encodings(Counting()).encoder.moments()))
    (path,) = (tmp_path / "store" / "moments").glob("*.npy")
    arrays, packed = Arrays(tmp_path / "store"), io.BytesIO()
    kept = arrays.read("moments", path.stem)
    assert kept is not None
    npz = io.BytesIO(kept.tobytes())
    if content == "junk":
        packed.write(bytes(100))
    elif content == "packed":
        np.savez_compressed(packed, **np.load(npz), bomb=np.zeros(10**6))
    else:
        parts = dict(np.load(npz))
        if content == "other examples":
            parts["0-count"] = parts["0-count"] + 1
        else:
            parts["0-feature_sum"] = parts["0-feature_sum"] * np.nan
        np.savez(packed, **parts)
    arrays.write("moments", path.stem, np.frombuffer(packed.getvalue(), np.uint8)[None])

    later = encodings(Counting())

    assert list(bits(later.encoder.moments())) == summed


def test_moments_that_are_larger_than_their_features_are_not_kept(encodings, tmp_path):
    encodings(Counting(), 20).encoder.moments()

    assert not list(tmp_path.glob("store/moments/*"))


def test_the_samples_and_folds_of_a_part_are_those_of_its_examples(encodings):
    part = encodings(Counting(), 90)
    whole = encodings(Counting(), folder="other")
    view = ScoreView(part.encoder)
    rows = part.task.train.examples.rows

    held = view.held_out()

    expected = whole.features(SplitName.TRAIN).matrix[rows]
    np.testing.assert_array_equal(view.sample().matrix, expected)
    np.testing.assert_array_equal(held.examples.matrix, expected)
    np.testing.assert_array_equal(held.folds, whole.encoder.folds()[rows])
    assert [fold.count for fold in view.moments().folds] == np.bincount(held.folds).tolist()


def test_folds_of_a_small_part_are_numbered_without_gaps(encodings):
    for rows in range(2, 9):
        part = encodings(Counting(), rows)

        folds = part.encoder.folds()

        assert set(folds.tolist()) == set(range(len(part.encoder.moments().folds)))
        assert len(folds) == rows


@pytest.mark.parametrize("size", [1, 7, 32, 48, 500, 512, 1024])
def test_batches_fill_a_block_evenly(size):
    batches = batches_of(task_of(), 1, lambda *_: None)
    batches._size = size

    cut = batches.cut(np.arange(512))

    assert np.concatenate(cut).tolist() == list(range(512))
    assert max(map(len, cut)) <= size
    assert len(cut) == -(-512 // size)
    assert len(cut[-1]) >= len(cut[0]) - len(cut)
