from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from tests.tasks.imagenet_files import (
    KIT,
    SYNSETS,
    TRAIN,
    VAL,
    devkit,
    pictures,
    write_distributed,
    write_folders,
)

from assay.core.errors import UnknownName, UnreadableTask
from assay.core.task import Task
from assay.readers.imagenet_classes import imagenet_classes
from assay.tasks.imagenet.files import tar_images
from assay.testing.tasks import load_task


@pytest.fixture
def folders(tmp_path: Path) -> Path:
    write_folders(tmp_path / "folders")
    return tmp_path / "folders"


@pytest.fixture
def distributed(tmp_path: Path) -> Path:
    write_distributed(tmp_path / "distributed")
    return tmp_path / "distributed"


def counts(task: Task) -> list[int]:
    return [len(task.train) + len(task.val), len(task.test)]


def test_class_folders_are_train_and_what_is_judged(folders: Path) -> None:
    task = load_task(f"imagenet:{folders}")

    assert counts(task) == [TRAIN * 3, VAL * 3]
    assert task.classes == ("n01440764 tench", "n01443537 goldfish", "n02123045 tabby")
    assert task.notes[0] == "It has 3 classes, not the 1,000 of ILSVRC."
    assert task.test.examples.read(0).shape == (12, 10, 3)


def test_the_files_as_distributed_are_the_same_task(folders: Path, distributed: Path) -> None:
    one, other = load_task(f"imagenet:{folders}"), load_task(f"imagenet:{distributed}")

    assert other.fingerprint == one.fingerprint
    assert np.array_equal(other.test.examples.read(3), one.test.examples.read(3))
    assert other.train.examples.name(0) in pictures()[0]
    assert sorted(path.name for path in distributed.iterdir()) == [
        f"{KIT}.tar.gz", "ILSVRC2012_img_train.tar", "ILSVRC2012_img_val.tar",
    ]  # fmt: skip


@pytest.mark.parametrize("truth", ["packed", "unpacked", "kaggle"])
def test_val_without_class_folders_is_told_by_the_ground_truth(
    folders: Path, distributed: Path, tmp_path: Path, truth: str
) -> None:
    before = load_task(f"imagenet:{folders}").fingerprint
    root = tmp_path / "flat"
    place = root / "ILSVRC" / "Data" / "CLS-LOC" if truth == "kaggle" else root
    shutil.copytree(folders / "train", place / "train")
    (place / "val").mkdir()
    for name, content in pictures()[1].items():
        (place / "val" / name).write_bytes(content)
    if truth == "packed":
        shutil.copy(distributed / f"{KIT}.tar.gz", root)
    elif truth == "unpacked":
        (root / KIT / "data").mkdir(parents=True)
        for name, content in devkit().items():
            (root / KIT / "data" / name).write_bytes(content)
    else:
        rows = [f"{Path(name).stem},{SYNSETS[row % 3]} 1 2 3 4 " for row, name in enumerate(pictures()[1])]
        (root / "LOC_val_solution.csv").write_text("\n".join(["ImageId,PredictionString", *rows]))

    assert load_task(f"imagenet:{root}").fingerprint == before


def test_a_missing_class_folder_is_named(folders: Path) -> None:
    shutil.rmtree(folders / "train" / "n01443537")

    with pytest.raises(UnreadableTask, match="The class 'n01443537' has no images in train of ") as caught:
        load_task(f"imagenet:{folders}")
    assert str(caught.value).endswith(
        "Unpack n01443537.tar of ILSVRC2012_img_train.tar into train/n01443537, or name the classes that are "
        "wanted, as in classes=('n01440764', 'n02123045')."
    )

    task = load_task(f"imagenet:{folders}(classes=('n01440764', 'n02123045'))")
    assert counts(task) == [TRAIN * 2, VAL * 2]


def test_an_empty_class_folder_of_val_is_named(folders: Path) -> None:
    for path in (folders / "val" / "n02123045").iterdir():
        path.unlink()

    with pytest.raises(UnreadableTask, match=r"'n02123045' has no images in val .* into val/n02123045"):
        load_task(f"imagenet:{folders}")


def test_a_class_that_is_missing_everywhere_is_named(tmp_path: Path) -> None:
    content = next(iter(pictures()[0].values()))
    for synset in list(imagenet_classes())[1:]:
        (tmp_path / f"{synset}.JPEG").write_bytes(content)

    notes = load_task(f"imagenet:{tmp_path}").notes

    assert "It has 999 classes, not the 1,000 of ILSVRC: no folder holds n01440764 tench." in notes


def test_tar_files_of_classes_that_nobody_unpacked_are_named(folders: Path) -> None:
    shutil.rmtree(folders / "train")
    (folders / "train").mkdir()
    for synset in SYNSETS:
        (folders / "train" / f"{synset}.tar").write_bytes(b"")

    with pytest.raises(UnreadableTask, match="3 tar files of one class each, such as n01440764.tar. Unpack"):
        load_task(f"imagenet:{folders}")


def test_a_class_that_is_not_there_is_an_error(folders: Path) -> None:
    with pytest.raises(
        UnknownName, match="No class of this ImageNet called 'n01440765'. Did you mean: n01440764"
    ):
        load_task(f"imagenet:{folders}(classes=('n01440765', 'n02123045'))")


def test_what_is_beyond_the_limit_is_not_read(folders: Path) -> None:
    before = load_task(f"imagenet:{folders}(train_limit=12, unreadable=0.0)")
    read = {before.train.examples.name(row) for row in range(len(before.train))}
    read |= {before.val.examples.name(row) for row in range(len(before.val))}
    for path in folders.glob("train/*/*"):
        if path.relative_to(folders).as_posix() not in read:
            path.write_bytes(b"broken")

    task = load_task(f"imagenet:{folders}(train_limit=12, unreadable=0.0)")

    assert counts(task) == [12, VAL * 3]
    assert counts(load_task(f"imagenet:{folders}(limit=21, unreadable=1.0)"))[1] == 6


def test_one_image_of_each_class_is_a_test_set(tmp_path: Path) -> None:
    for number, content in enumerate(list(pictures()[0].values())[::TRAIN]):
        (tmp_path / f"{SYNSETS[number]}_some_fish.JPEG").write_bytes(content)

    task = load_task(f"imagenet:{tmp_path}")

    assert [len(task.train), len(task.val), len(task.test)] == [0, 0, 3]
    assert sorted(task.test.labels.values) == [0, 1, 2]
    assert task.notes[0].startswith("There is no train: only what learns nothing applies")


def test_val_alone_is_a_test_set(folders: Path) -> None:
    shutil.rmtree(folders / "train")

    assert counts(load_task(f"imagenet:{folders}")) == [0, VAL * 3]


def test_what_is_missing_is_named(folders: Path, distributed: Path, tmp_path: Path) -> None:
    shutil.rmtree(folders / "val")
    (distributed / f"{KIT}.tar.gz").unlink()

    with pytest.raises(UnreadableTask, match="has no val of ImageNet: neither class folders"):
        load_task(f"imagenet:{folders}")
    with pytest.raises(UnreadableTask, match=rf"no {KIT}\.tar\.gz with meta\.mat"):
        load_task(f"imagenet:{distributed}")
    with pytest.raises(UnreadableTask, match="There is no folder"):
        load_task(f"imagenet:{tmp_path / 'nowhere'}")


def test_a_tar_file_that_is_cut_off_says_so(distributed: Path) -> None:
    path = distributed / "ILSVRC2012_img_val.tar"
    content = path.read_bytes()

    for size in (len(content) // 2, 100, 0):
        path.write_bytes(content[:size])
        with pytest.raises(UnreadableTask, match=r"img_val\.tar.*Download it again"):
            tar_images(path)


def test_folders_with_other_names_are_told_where_to_go(folders: Path) -> None:
    (folders / "val" / "n01440764").rename(folders / "val" / "tench")

    with pytest.raises(UnreadableTask, match="'tench' in .* For folders with other names write folder:"):
        load_task(f"imagenet:{folders}")


def test_the_thousand_classes_are_in_the_order_of_heads() -> None:
    timm = pytest.importorskip("timm.data")
    info = timm.ImageNetInfo()

    assert [info.index_to_label_name(place) for place in range(1000)] == list(imagenet_classes())
