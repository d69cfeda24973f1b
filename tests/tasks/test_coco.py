from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from assay.core.errors import UnreadableTask
from assay.core.task import TaskKind
from assay.testing.tasks import load_task

CATEGORIES = {18: "dog", 1: "person", 44: "bottle"}  # COCO's numbers have gaps, and no order of names


def annotations(start: int, count: int) -> dict[str, list[dict[str, Any]]]:
    """Return what COCO writes: a dog in every second image, a person in every third, sometimes several."""
    images = [{"id": start + row, "file_name": f"{start + row:012}.jpg"} for row in range(count)]
    places = [(row, 18) for row in range(0, count, 2)] + [(row, 1) for row in range(0, count, 3)] * 2
    objects = [
        {"id": number, "image_id": start + row, "category_id": category, "bbox": [0, 0, 1, 1], "iscrowd": 0}
        for number, (row, category) in enumerate(places)
    ]
    named = [{"id": number, "name": name, "supercategory": "thing"} for number, name in CATEGORIES.items()]
    return {"images": images, "annotations": objects, "categories": named}


def write(file: Path, images: Path, start: int, count: int) -> None:
    rng = np.random.default_rng(start)
    told = annotations(start, count)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(told))
    images.mkdir(parents=True, exist_ok=True)
    for one in told["images"]:
        Image.fromarray(rng.integers(0, 256, (8, 9, 3), dtype=np.uint8)).save(images / str(one["file_name"]))


def write_coco(root: Path) -> None:
    for part, start, count in (("train2017", 0, 24), ("val2017", 100, 12)):
        write(root / "annotations" / f"instances_{part}.json", root / part, start, count)


def write_roboflow(root: Path) -> None:
    for part, start, count in (("train", 0, 24), ("valid", 100, 12)):
        write(root / part / "_annotations.coco.json", root / part, start, count)


@pytest.mark.parametrize("form", [write_coco, write_roboflow])
def test_a_folder_has_official_splits(tmp_path: Path, form: Callable[[Path], None]) -> None:
    form(tmp_path)

    task = load_task(f"coco:{tmp_path}")

    assert (task.kind, task.metric, task.classes) == (TaskKind.MULTILABEL, "macro_f1", ("dog", "person"))
    assert [len(task.train) + len(task.val), len(task.test)] == [24, 12]
    assert task.notes[0] == "12 of 36 images have no annotation: no category applies to them."


@pytest.mark.parametrize("file", ["_annotations.coco.json", "annotations/instances_default.json"])
def test_a_folder_with_one_file_is_split_by_content(tmp_path: Path, file: str) -> None:
    write(tmp_path / file, tmp_path / "images", 0, 24)
    (tmp_path / file).write_text(
        (tmp_path / file).read_text().replace('"file_name": "', '"file_name": "images/')
    )

    task = load_task(f"coco:{tmp_path}")

    assert (len(task.train) + len(task.val) + len(task.test), task.classes) == (24, ("dog", "person"))


def test_categories_belong_to_their_images(tmp_path: Path) -> None:
    write_coco(tmp_path)

    task = load_task(f"coco:{tmp_path}")

    for row in range(len(task.test)):
        number = int(Path(task.test.examples.name(row)).stem) - 100
        assert task.test.labels.values[row].tolist() == [number % 2 == 0, number % 3 == 0]


def test_both_forms_are_the_same_task(tmp_path: Path) -> None:
    write_coco(tmp_path / "coco")
    write_roboflow(tmp_path / "roboflow")

    assert (
        load_task(f"coco:{tmp_path / 'coco'}").fingerprint
        == load_task(f"coco:{tmp_path / 'roboflow'}").fingerprint
    )


def test_one_file_is_cut(tmp_path: Path) -> None:
    write(tmp_path / "labels.json", tmp_path / "pictures", 0, 30)

    task = load_task(f"coco:{tmp_path / 'labels.json'}(images='{tmp_path / 'pictures'}')")

    assert [len(task.train), len(task.val), len(task.test)] == [18, 6, 6]
    with pytest.raises(
        UnreadableTask, match=r"images of labels\.json are not found: '000000000000\.jpg' lies in none"
    ):
        load_task(f"coco:{tmp_path / 'labels.json'}")


def test_images_are_limited_before_they_are_read(tmp_path: Path) -> None:
    write_coco(tmp_path)

    task = load_task(f"coco:{tmp_path}(train_limit=12)")

    assert [len(task.train) + len(task.val), len(task.test)] == [12, 12]


def test_a_missing_image_is_named(tmp_path: Path) -> None:
    write_coco(tmp_path)
    (tmp_path / "train2017" / "000000000005.jpg").unlink()

    notes = load_task(f"coco:{tmp_path}").notes

    assert any("left out: train2017/000000000005.jpg (no such file)" in note for note in notes)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        ("{", "is not JSON"),
        ("[]", "'images' must be a list of objects with id and file_name"),
        ('{"images": [{"id": 1}]}', "'images' must be a list of objects with id and file_name"),
        ('{"images": [], "annotations": [], "categories": []}', "has no images"),
        (
            '{"images": [{"id": 1, "file_name": "a.jpg"}], '
            '"annotations": [{"image_id": 2, "category_id": 1}], "categories": [{"id": 1, "name": "dog"}]}',
            "no annotation names an image of the file; the first names image 2",
        ),
        (
            '{"images": [{"id": 1, "file_name": "a.jpg"}], '
            '"annotations": [{"image_id": 1, "category_id": 2}], "categories": [{"id": 1, "name": "dog"}]}',
            "an annotation of image 1 names category 2, which is not in the file",
        ),
        (
            '{"images": [{"id": 1, "file_name": "a.jpg"}, {"id": 1, "file_name": "b.jpg"}], '
            '"annotations": [], "categories": []}',
            r"'a\.jpg' and 'b\.jpg' have the same image id 1\. Give each its own",
        ),
    ],
)
def test_faults_of_a_file_are_reported(tmp_path: Path, written: str, message: str) -> None:
    (tmp_path / "labels.json").write_text(written)

    with pytest.raises(UnreadableTask, match=message):
        load_task(f"coco:{tmp_path / 'labels.json'}(images='{tmp_path}')")


def test_a_folder_without_annotations_says_what_is_looked_for(tmp_path: Path) -> None:
    with pytest.raises(
        UnreadableTask, match=r"neither annotations/instances_train2017\.json nor train/_annotations"
    ):
        load_task(f"coco:{tmp_path}")
    with pytest.raises(UnreadableTask, match="There is no file or folder"):
        load_task(f"coco:{tmp_path / 'nowhere'}")


def change(folder: Path, changed: Callable[[dict[str, list[dict[str, Any]]]], None]) -> Path:
    """Write annotations of 20 images, changed, and return their file."""
    path = folder / "labels.json"
    write(path, folder, 0, 20)
    told = json.loads(path.read_text())
    changed(told)
    path.write_text(json.dumps(told))
    return path


def test_a_root_category_without_annotations_is_no_class(tmp_path: Path) -> None:
    path = change(tmp_path, lambda told: told["categories"].insert(0, {"id": 0, "name": "dog"}))

    task = load_task(f"coco:{path}")

    assert task.classes == ("dog", "person")
    assert not any("categories" in note for note in task.notes)


def test_used_categories_of_one_name_count_as_one(tmp_path: Path) -> None:
    def add(told: dict[str, list[dict[str, Any]]]) -> None:
        told["categories"].append({"id": 99, "name": "dog"})
        told["annotations"].append({"image_id": 1, "category_id": 99})

    task = load_task(f"coco:{change(tmp_path, add)}")

    assert task.classes == ("dog", "person")
    assert task.notes[0] == "labels.json has several categories of one name ('dog'): each counts as one."


@pytest.mark.parametrize("row", [0, 7])
def test_one_missing_image_is_left_out_wherever_it_stands(tmp_path: Path, row: int) -> None:
    path = change(tmp_path, lambda _: None)
    (tmp_path / f"{row:012}.jpg").unlink()

    task = load_task(f"coco:{path}")

    assert len(task.train) + len(task.val) + len(task.test) == 19


def test_annotations_of_unknown_images_are_counted(tmp_path: Path) -> None:
    path = change(tmp_path, lambda told: told["annotations"].append({"image_id": 77, "category_id": 1}))

    assert load_task(f"coco:{path}").notes[0] == (
        "1 annotation names an image that is not in labels.json ('77'): ignored."
    )


def test_an_image_that_is_listed_twice_has_all_its_categories(tmp_path: Path) -> None:
    def repeat(told: dict[str, list[dict[str, Any]]]) -> None:
        told["images"].append({"id": 900, "file_name": told["images"][1]["file_name"]})
        told["annotations"].append({"image_id": 900, "category_id": 18})

    task = load_task(f"coco:{change(tmp_path, repeat)}")

    splits = (task.train, task.val, task.test)
    assert sum(map(len, splits)) == 20
    assert sum(split.labels.values[:, 0].sum() for split in splits) == 11
    assert task.notes[0] == "labels.json lists 1 image more than once: read once."


@pytest.mark.parametrize(
    "form", ["images\\{}", "images/{}", "C:\\data\\set\\{}", "/home/someone/set/{}", "Images/\u00e9{}"]
)
def test_paths_of_other_machines_are_found(tmp_path: Path, form: str) -> None:
    def rename(told: dict[str, list[dict[str, Any]]]) -> None:
        for image in told["images"]:
            image["file_name"] = form.format(image["file_name"])

    path = change(tmp_path, rename)
    (tmp_path / "images").mkdir()
    accent = "e\u0301" if "\u00e9" in form else ""  # in its other form, as archives of macOS hold it
    for image in tmp_path.glob("*.jpg"):
        image.rename(tmp_path / "images" / f"{accent}{image.name}")

    task = load_task(f"coco:{path}")

    assert len(task.train) + len(task.val) + len(task.test) == 20


def test_ids_of_either_type_are_one(tmp_path: Path) -> None:
    def spell(told: dict[str, list[dict[str, Any]]]) -> None:
        for image in told["images"]:
            image["id"] = str(image["id"])

    assert load_task(f"coco:{change(tmp_path, spell)}").classes == ("dog", "person")
