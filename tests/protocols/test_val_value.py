"""The value on val that a protocol records is that of what was fitted to train alone."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import torch
from sklearn.linear_model import LogisticRegression
from sklearn.linear_model import Ridge as SklearnRidge
from sklearn.neighbors import KNeighborsClassifier, NearestCentroid
from sklearn.preprocessing import StandardScaler
from tests.protocols.test_fine_tune import QUICK
from tests.training.pictures import METRICS as PICTURE_METRICS
from tests.training.pictures import opened, small_net, training_task

from assay.core.features import Features, LabelledFeatures
from assay.core.result import Result
from assay.core.task import LabelKind, Task
from assay.metrics.accuracy import Accuracy
from assay.metrics.auroc import AUROC
from assay.plugins.protocol import FeatureProtocol
from assay.protocols.few_shot import FewShot
from assay.protocols.knn import KNN
from assay.protocols.linear_probe import LinearProbe
from assay.protocols.nearest_mean import NearestMean
from assay.protocols.ridge import Ridge
from assay.protocols.sgd import SGD
from assay.run.plan import resolve_tasks
from assay.run.study import Study
from assay.store.results import open_existing
from assay.testing.protocols import METRICS, Splits, blobs

KINDS = list(LabelKind)


@pytest.mark.parametrize(
    "tuned",
    [(LinearProbe(), "l2"), (Ridge(), "l2"), (KNN(), "k")],
    ids=["linear_probe", "ridge", "knn"],
)
@pytest.mark.parametrize("kind", KINDS)
def test_the_value_on_val_is_that_of_a_fit_to_train_with_what_was_chosen(tuned, kind):
    protocol, setting = tuned
    splits = blobs(kind, separation=1.0)

    fitted = splits.fit(protocol)

    chosen = fitted.tuned[setting]
    again = replace(protocol, **{setting: int(chosen) if setting == "k" else chosen})
    one_example = 1 / 60 if isinstance(protocol, LinearProbe) else 0  # its path is in single precision
    assert fitted.val_value == pytest.approx(value_on_val(again, splits), abs=1e-4 + one_example)
    assert fitted.val_value < 1 or kind is LabelKind.MULTILABEL


def test_the_value_on_val_of_nearest_mean_is_that_of_the_means_of_train():
    splits = blobs(LabelKind.CLASSIFICATION, separation=1.0)

    assert splits.fit(NearestMean()).val_value == value_on_val(NearestMean(), splits) < 1


def value_on_val(protocol: FeatureProtocol, splits: Splits) -> float:
    """Fit a protocol that tunes nothing to train alone, and judge it on val."""
    nothing = splits.val.take(np.arange(0))
    predictor = replace(splits, val=nothing).fit(protocol).predictor
    return predictor(splits.val.matrix).judged(METRICS[splits.kind], splits.val.labels)


@pytest.mark.parametrize("protocol", [LinearProbe(l2=0.1), Ridge(l2=0.1), KNN(k=3)])
def test_a_given_setting_is_not_judged_on_val(protocol):
    assert blobs(LabelKind.CLASSIFICATION).fit(protocol).val_value is None


def test_a_val_of_one_class_that_the_metric_cannot_judge_gives_no_value():
    splits = blobs(LabelKind.CLASSIFICATION)
    val = splits.val.take(np.flatnonzero(splits.val.labels.values == 0))

    assert LinearProbe().fit(splits.train, val, AUROC()).val_value is None


@pytest.mark.parametrize("kind", KINDS)
def test_the_val_value_of_fine_tuning_is_from_before_it_learns_from_val(kind):
    torch.set_num_threads(1)
    model, task = opened(small_net()), training_task(kind, count=32)
    protocol = replace(QUICK, epochs=3)

    with protocol.fit(model, task, 0) as tuned:
        recorded = tuned.val_value
    with replace(protocol, refit=False).fit(model, task, 0) as of_train:
        predicted = of_train.predict(task.val.examples)

    assert recorded == pytest.approx(predicted.judged(PICTURE_METRICS[kind], task.val.labels))


def test_plain_sgd_learns_from_val_and_has_no_value_on_it():
    torch.set_num_threads(1)

    with SGD(epochs=1).fit(opened(small_net()), training_task(count=32), 0) as tuned:
        assert tuned.val_value is None
    with SGD(epochs=1).restored(
        opened(small_net()), dict(tuned.tensors()), training_task(count=32).train.labels
    ) as restored:
        assert restored.val_value is None


METHODS = ("linear_probe", "ridge", "knn", "nearest_mean", "few_shot(draws=1, k=8, protocol='knn')")
WITHOUT = ("knn(k=3)", "linear_probe(l2=0.1)", "logme", "lying")


@pytest.fixture(scope="module")
def study(tmp_path_factory) -> tuple[dict[str, Result], np.ndarray, Task]:
    """The results of a study of noisy features, by method, with the features and the task."""
    folder = tmp_path_factory.mktemp("study")
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 300)
    features = (rng.standard_normal((300, 8)) + np.eye(3, 8)[labels]).astype(np.float32)
    rows = "\n".join(f"text {row},class {label}" for row, label in enumerate(labels))
    (folder / "texts.csv").write_text(f"text,label\n{rows}\n")
    np.savez(folder / "mine.npz", features=features, names=[f"row {row + 1}" for row in range(300)])
    (folder / "lying.py").write_text(
        "import numpy as np\n"
        "from dataclasses import replace\n"
        "from assay.plugins import FeatureProtocol\n"
        "from assay.protocols.nearest_mean import NearestMean\n\n\n"
        "class Lying(FeatureProtocol):\n"
        '    """Says that its value on val is not finite."""\n\n'
        "    learns = NearestMean.learns\n\n"
        "    def fit(self, train, val, metric):\n"
        '        return replace(NearestMean().fit(train, val, metric), val_value=float("nan"))\n'
    )
    address = f"table:{folder / 'texts.csv'}"
    Study(
        models=[f"features:{folder / 'mine.npz'}"],
        tasks=[address],
        methods=(*METHODS, *WITHOUT[:-1]),
        plugins=[folder / "lying.py"],
        store=folder / "store",
        control=False,
    ).run()
    results = {result.job.method: result for result in open_existing(folder / "store").results()}
    return results, features, resolve_tasks([address], seed=0)[0]


def parts(study) -> tuple[np.ndarray, ...]:
    _, features, task = study
    rows = [
        np.array([int(split.examples.name(row).split()[1]) - 1 for row in range(len(split))])
        for split in (task.train, task.val)
    ]
    return (
        features[rows[0]].astype(np.float64), task.train.labels.values,
        features[rows[1]].astype(np.float64), task.val.labels.values,
    )  # fmt: skip


def test_the_value_on_val_in_a_store_is_what_scikit_learn_says(study):
    results, *_ = study
    train, labels, val, truth = parts(study)
    scaler = StandardScaler().fit(train)
    scaled, asked = scaler.transform(train), scaler.transform(val)
    hot, tuned = np.eye(3)[labels], {name: results[name].tuned for name in METHODS}
    units = [rows / np.linalg.norm(rows, axis=1, keepdims=True) for rows in (train, val)]
    l2 = tuned["linear_probe"]["l2"]
    predicted = {
        "linear_probe": LogisticRegression(C=1 / (len(train) * l2), max_iter=2000)
        .fit(scaled, labels)
        .predict(asked),
        "ridge": SklearnRidge(alpha=len(train) * tuned["ridge"]["l2"])
        .fit(scaled, hot)
        .predict(asked)
        .argmax(axis=1),
        "nearest_mean": NearestCentroid().fit(train, labels).predict(val),
    }

    expected = {name: (values == truth).mean() for name, values in predicted.items()}
    neighbours = KNeighborsClassifier(int(tuned["knn"]["k"])).fit(units[0], labels)

    assert {name: results[name].val_value for name in expected} == pytest.approx(expected)
    assert results["knn"].val_value == pytest.approx(neighbours.score(units[1], truth), abs=0.05)  # ties
    assert all(0.4 < results[name].val_value < 0.9 for name in METHODS)


def test_the_value_on_val_of_few_shot_is_of_its_protocol_on_its_few_examples(study):
    results, _, task = study
    train, _, val, truth = parts(study)
    result = results[METHODS[-1]]
    few = FewShot(draws=1, k=8, protocol="knn")
    own, asked = (few.rows(split.labels, 0) for split in (task.train, task.val))

    learned = LabelledFeatures(Features(train[own]), task.train.labels.of(own))
    predictor = KNN(k=int(result.tuned["k"])).fit(learned, learned.take(np.arange(0)), Accuracy()).predictor

    assert (len(own), len(asked)) == (24, 24)
    assert result.val_value == (predictor(val[asked]).values == truth[asked]).mean()


def test_scores_and_given_settings_have_no_value_on_val_in_a_store(study):
    results, *_ = study

    assert {name: results[name].val_value for name in WITHOUT} == dict.fromkeys(WITHOUT)


def test_a_value_on_val_that_is_not_finite_is_noted_and_loses_no_result(study):
    result = study[0]["lying"]

    assert result.value == study[0]["nearest_mean"].value
    assert "its accuracy on val is nan, and not kept" in result.notes
