"""The layer of a model is chosen on val, once for all methods, and is one of the tuned values."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import Ridge
from tests.conftest import TINY_WORDS

import assay
from assay.actions.save import ModelToSave, save
from assay.core.errors import NotApplicable
from assay.core.model import Layered
from assay.core.result import Result
from assay.core.task import Task
from assay.encoders.batches import Batches
from assay.metrics.accuracy import Accuracy
from assay.models.hf import HuggingFaceSource
from assay.numerics.linear import L2_PATH
from assay.plugins.registry import Named
from assay.run.layer_choice import choose_layer
from assay.run.plan import resolve_methods, resolve_models, resolve_tasks
from assay.store.results import open_existing

METHODS = ("linear_probe", "logme", "kite", "sgd(epochs=1)")


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Texts of random words; those with more foxes than dogs are of one class."""
    rng = np.random.default_rng(0)
    rows = ["text,label,split"]
    for number in range(240):
        words = rng.choice(TINY_WORDS, rng.integers(3, 12))
        label = "wild" if (words == "fox").sum() > (words == "dog").sum() else "tame"
        rows.append(f"{' '.join(words)},{label},{('train', 'val', 'test')[number % 3]}")
    path = tmp_path_factory.mktemp("table") / "texts.csv"
    path.write_text("\n".join(rows))
    return path


@pytest.fixture(scope="module")
def task(table: Path) -> Task:
    return resolve_tasks([f"table:{table}(text='text')"], 0)[0]


def layered(folder: Path) -> Layered:
    model = HuggingFaceSource(str(folder), layer="best").open("cpu")
    assert isinstance(model, Layered)
    return model


def test_the_layer_whose_probe_is_best_on_val_is_chosen_without_test(task: Task, tiny_bert: Path) -> None:
    def value(layer: int) -> tuple[float, float]:
        model = HuggingFaceSource(str(tiny_bert), layer=layer).open("cpu")
        train, val = (
            model.encode([split.examples.read(row) for row in range(len(split))]).features.astype(np.float64)
            for split in (task.train, task.val)
        )
        mean, deviation, truth = train.mean(0), train.std(0), task.val.labels
        fits = [
            Ridge(alpha=len(train) * l2).fit((train - mean) / deviation, task.train.labels.targets())
            for l2 in L2_PATH
        ]
        guesses = [fit.predict((val - mean) / deviation) for fit in fits]
        errors = [np.square(guess - truth.targets()).sum(1).mean() for guess in guesses]
        right = [(guess.argmax(1) == truth.values).mean() for guess in guesses]
        return max((float(one), -float(error)) for one, error in zip(right, errors, strict=True))

    batches = Batches(32, lambda *_: None)
    found = choose_layer(layered(tiny_bert), task.train, task.val, Accuracy(), batches)

    values = [value(layer) for layer in range(3)]
    assert found.layer == values.index(max(values))
    assert f"accuracy {max(values)[0]:.3f} there, and accuracy {values[-1][0]:.3f} on" in found.note


def test_without_val_there_is_no_choice(task: Task, tiny_bert: Path) -> None:
    batches, nothing = Batches(32, lambda *_: None), task.val.take([])

    with pytest.raises(NotApplicable, match=r"no val.*layer=-2"):
        choose_layer(layered(tiny_bert), task.train, nothing, Accuracy(), batches)


def test_a_study_reads_the_chosen_layer_and_says_so(table: Path, tiny_bert: Path, tmp_path: Path) -> None:
    best, tasks = f"hf:{tiny_bert}(layer='best')", [f"table:{table}(text='text')"]
    study = assay.Study(models=[best], tasks=tasks, methods=METHODS, store=tmp_path / "a", seeds=1)
    study.run()
    found = results(tmp_path / "a", best)
    layer = int(found["linear_probe"].tuned["layer"])

    fixed = f"hf:{tiny_bert}(layer={layer})"
    replace(study, models=[fixed], store=tmp_path / "b").run()

    same = results(tmp_path / "b", fixed)
    assert {name: one.value for name, one in found.items()} == {name: one.value for name, one in same.items()}
    assert all(one.tuned["layer"] == layer for one in found.values())
    assert all(f"layer {layer} of 0 to 2 is read, chosen on val" in str(one.notes) for one in found.values())


def results(store: Path, model: str) -> dict[str, Result]:
    """Return the results of a model, by method."""
    return {one.job.method: one for one in open_existing(store).results() if one.job.model == model}


def test_a_saved_model_reads_the_chosen_layer(table: Path, tiny_bert: Path, tmp_path: Path) -> None:
    model, texts = f"hf:{tiny_bert}(layer='best')", f"table:{table}(text='text')"
    assay.Study(models=[model], tasks=[texts], methods=["knn"], store=tmp_path / "store", device="cpu").run()
    method, source, loaded = (
        resolve_methods(["knn"])[0],
        resolve_models([model])[0],
        resolve_tasks([texts], 0)[0],
    )
    what = ModelToSave(source, loaded, Named(method.address, method.plugin))

    result = save(open_existing(tmp_path / "store"), what, tmp_path / "saved", "cpu")

    kept = open_existing(tmp_path / "store").predictions([result.job.key])[result.job.key]
    test = loaded.test.examples
    with assay.load(tmp_path / "saved", "cpu") as saved:
        found = saved.predict([test.read(row) for row in range(len(test))])
    np.testing.assert_array_equal(found.values, kept.values)
