"""Word vectors as the initialisation of an embedding that is trained with the head, on real texts."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from tests.training.pictures import Pictures

from assay.core.model import Model
from assay.core.task import Example, LabelKind, Labels, Split, Task, Words
from assay.metrics.accuracy import Accuracy
from assay.models.vectors import VectorsSource
from assay.plugins.protocol import TrainingTask
from assay.protocols.fine_tune import FineTune
from assay.run.plan import resolve_tasks

QUICK = FineTune(
    trials=1,
    epochs=2,
    learning_rate=0.003,
    layer_decay=1.0,
    weight_decay=0.0,
    label_smoothing=0.0,
    augment=False,
)
WORDS = ("the", "a", "fox", "dog", "house", "sees", "her", "do", "n't", "why", "not", ",", "?")
EXAMPLES: dict[str, list[Example]] = {
    "texts": ["The fox, unseen", "don't", "", "qwertzuiop"],
    "pairs": [("the fox", "a dog"), ("", "why not?")],
    "words": [Words(("The", "fox", "qwertzuiop")), Words(("don't",))],
}


def written(path: Path, words: Sequence[str], matrix: np.ndarray) -> Path:
    """Write vectors as GloVe does."""
    rows = zip(words, matrix.astype(np.float32).astype(str), strict=True)
    path.write_text("\n".join(f"{word} {' '.join(row)}" for word, row in rows))
    return path


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Random vectors of a few words."""
    matrix = np.random.default_rng(0).normal(size=(len(WORDS), 8))
    return written(tmp_path_factory.mktemp("few") / "few.txt", WORDS, matrix)


@pytest.fixture(scope="module")
def glove(realdata: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The 5,000 most frequent words of GloVe 6B."""
    stored = np.load(realdata / "weights" / "glove_6b_50d_5k" / "vectors.npz")
    return written(tmp_path_factory.mktemp("glove") / "glove.txt", stored["words"], stored["vectors"])


@pytest.fixture(autouse=True)
def _cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASSAY_CACHE", str(tmp_path_factory.getbasetemp() / "vectors-cache"))


@pytest.fixture(scope="module")
def questions(realdata: Path) -> Task:
    (task,) = resolve_tasks([f"table:{realdata / 'datasets' / 'trec6' / 'data.tsv'}(limit=400)"], 0)
    return task


def features(model: Model, examples: list[Example]) -> np.ndarray:
    """Return features as they are before the first step of training."""
    with model.training() as trainable:
        given = trainable.inputs([trainable.prepared(example) for example in examples], None)
        return trainable.features(given).detach().numpy()


@pytest.mark.parametrize("pooling", ["mean", "sif"])
@pytest.mark.parametrize("what", EXAMPLES)
def test_training_begins_with_the_features_as_they_are(few: Path, what: str, pooling: str) -> None:
    model = VectorsSource(str(few), pooling=pooling).open("cpu")

    expected = model.encode(EXAMPLES[what]).features

    np.testing.assert_allclose(features(model, EXAMPLES[what]), expected, atol=1e-6)


def test_augmentation_hides_words(few: Path) -> None:
    text = " ".join(["why"] * 400)
    with VectorsSource(str(few)).open("cpu").training() as trainable:
        plain, hidden = (
            trainable.features(trainable.inputs([trainable.prepared(text)], rng)).detach().numpy()
            for rng in (None, np.random.default_rng(0))
        )

    np.testing.assert_allclose(hidden, plain * (hidden[0, 0] / plain[0, 0]), atol=1e-5)
    assert 0.85 < hidden[0, 0] / plain[0, 0] < 0.95


def test_fine_tuning_changes_the_vectors_and_not_the_file(glove: Path, questions: Task) -> None:
    model = VectorsSource(str(glove)).open("cpu")
    before = model.encode(["what is the capital of France?"]).features
    training_task = TrainingTask(questions.train, questions.val, Accuracy())

    def learned() -> tuple[np.ndarray, np.ndarray]:
        with QUICK.fit(model, training_task, 0) as tuned:
            return tuned.tensors()["model.weight"], tuned.predict(questions.test.examples).values

    vectors, predictions = learned()
    again = learned()

    moved = np.abs(vectors - model.vectors.matrix).max(axis=1)
    both = questions.train.followed_by(questions.val).examples
    learned_from = {
        row for row_of_text in range(len(both)) for row in model.vectors.rows(str(both.read(row_of_text)))
    }
    others = [row for row in range(len(moved)) if row not in learned_from]
    assert moved[list(learned_from)].min() > 0
    assert moved[others].max() == 0  # there is no weight decay
    np.testing.assert_array_equal(vectors, again[0])
    np.testing.assert_array_equal(predictions, again[1])
    np.testing.assert_array_equal(model.encode(["what is the capital of France?"]).features, before)
    assert Accuracy()(questions.test.labels, predictions) > 0.5  # of six classes


def test_the_vectors_of_words_are_trained_on_their_tags(few: Path) -> None:
    words = [
        Words(("the", "fox", "sees")),
        Words(("a", "dog", "sees", "her")),
        Words(
            (
                "the",
                "house",
            )
        ),
    ]
    values = np.array([0, 1, 2, 0, 1, 2, 3, 0, 1])
    labels = Labels(LabelKind.CLASSIFICATION, values, ("det", "noun", "verb", "pron"), np.array([3, 4, 2]))

    split = Split(Pictures(words), labels)
    with QUICK.fit(VectorsSource(str(few)).open("cpu"), TrainingTask(split, split, Accuracy()), 0) as tuned:
        assert (tuned.predict(split.examples).values == values).mean() > 0.7
