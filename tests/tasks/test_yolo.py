from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from assay.core.errors import UnreadableTask
from assay.core.task import TaskKind
from assay.testing.tasks import load_task

YAML = 'train: images/train\nnames:\n  0: cat\n  1: dog\n  2: "emu"\n'


def by_split(part: str, kind: str) -> str:
    return f"{kind}/{part}"


def in_split(part: str, kind: str) -> str:
    return f"{part}/{kind}"


def write(root: Path, form: Callable[[str, str], str], names: tuple[str, str]) -> None:
    """Write 20 and 10 images: a cat in each, a dog in every second as well, and nothing in the first."""
    for part, count, first in (("train", 20, 0), ("val", 10, 100)):
        images, labels = root / form(part, "images"), root / form(part, "labels")
        images.mkdir(parents=True)
        labels.mkdir(parents=True)
        for row in range(count):
            Image.new("RGB", (4, 4), (first + row, 0, 0)).save(images / f"{row}.png")
            lines = [
                "0 0.5 0.5 0.2 0.2" if row % 3 else "0.0 0.5 0.5 0.2 0.2",
                *(["1 .1 .1 .2 .2 .3 .3"] if row % 2 else []),
            ]
            if row:
                (labels / f"{row}.txt").write_text("\n".join(lines))
    (root / names[0]).write_text(names[1])


@pytest.mark.parametrize("form", [by_split, in_split])
@pytest.mark.parametrize("names", [("data.yaml", YAML), ("classes.txt", "cat\ndog\nemu\n")])
def test_classes_of_boxes_are_the_labels_of_an_image(
    tmp_path: Path, form: Callable[[str, str], str], names: tuple[str, str]
) -> None:
    write(tmp_path, form, names)

    task = load_task(f"yolo:{tmp_path}")

    assert (task.kind, task.classes) == (TaskKind.MULTILABEL, ("cat", "dog"))
    assert task.test.labels.values.sum(axis=0).tolist() == [9, 5]
    assert task.notes[0] == "2 of 30 images have no annotation: no category applies to them."


def test_a_class_without_a_name_names_the_line(tmp_path: Path) -> None:
    write(tmp_path, by_split, ("classes.txt", "cat"))

    with pytest.raises(
        UnreadableTask, match=r"\.txt, line 2: '1' is not the number of a class below 1. Export"
    ):
        load_task(f"yolo:{tmp_path}")


def test_a_folder_without_label_files_says_how_they_lie(tmp_path: Path) -> None:
    with pytest.raises(UnreadableTask, match="has no labels of YOLO: images lie in a folder 'images'"):
        load_task(f"yolo:{tmp_path}")
