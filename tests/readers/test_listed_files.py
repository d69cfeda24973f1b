from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from assay.core.errors import UnreadableTask
from assay.core.task import Task
from assay.tasks.table import Table


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    for row in range(20):
        path = tmp_path / "pictures" / ("ant" if row % 2 else "bee") / f"{row}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (8, 8), (row * 9, 0, 0)).save(path)
    return tmp_path / "pictures"


def load(pictures: Path, names: dict[int, str] | None = None, written: str = "{name}/{row}.png") -> Task:
    """Return the task of a table that lists the pictures, some rows of it with other names."""
    classes = ["ant" if row % 2 else "bee" for row in range(20)]
    cells = [written.format(name=name, row=row) for row, name in enumerate(classes)]
    for row, name in (names or {}).items():
        cells[row] = name
    lines = [f"{cell},{name}" for cell, name in zip(cells, classes, strict=True)]
    (pictures / "a.csv").write_text("\n".join(["file,label", *lines]))
    return Table(str(pictures / "a.csv"), image="file").load("table:a.csv", seed=0)


@pytest.mark.parametrize(
    "written",
    [
        "./{name}/{row}.png",
        "{name}\\{row}.png",
        "/{name}/{row}.png",
        "pictures/{name}/{row}.png",
        "/home/me/photos/{name}/{row}.png",
        "C:\\photos\\{name}\\{row}.png",
        "Pictures/{name}/{row}.PNG",
    ],
    ids=["dot", "Windows", "slash", "from above", "another machine", "another Windows", "capitals"],
)
def test_paths_in_other_spellings_are_the_same_task(pictures: Path, written: str) -> None:
    assert load(pictures, written=written).fingerprint == load(pictures).fingerprint


def test_a_file_is_found_by_a_name_whose_accents_are_composed_otherwise(pictures: Path) -> None:
    for part in ("ant", "bee"):  # as archives of macOS hold names
        (pictures / part).rename(pictures / f"e\u0301{part}")
    for file in list(pictures.glob("*/1*.png")):
        file.rename(file.with_name(f"u\u0308{file.name}"))

    composed = {row: f"\u00e9{'ant' if row % 2 else 'bee'}/\u00fc{row}.png" for row in (1, *range(10, 20))}

    task = load(pictures, composed, "\u00e9{name}/{row}.png")

    assert len(task.train) + len(task.val) + len(task.test) == 20
    assert "differ from those of the files by suffix, capitals, accents" in task.notes[0]


def test_files_with_addresses_of_this_machine_are_read(pictures: Path) -> None:
    written = f"file://{str(pictures).replace('_', '%5F')}/{{name}}/{{row}}.png"

    assert load(pictures, written=written).fingerprint == load(pictures).fingerprint


@pytest.mark.parametrize("mark", ["nan", "None", "NA"])
def test_rows_without_a_picture_are_left_out_and_counted(pictures: Path, mark: str) -> None:
    task = load(pictures, {0: "", 5: mark, 7: mark})

    assert len(task.train) + len(task.val) + len(task.test) == 17
    assert task.notes[0] == (
        f"3 of 20 rows have no value in 'file' ('{mark}'; first: row 1) and are left out."
    )


def test_a_class_without_any_picture_is_named(pictures: Path) -> None:
    lines = [f"{'ant' if row % 2 else 'bee'}/{row}.png,{'ant' if row % 2 else 'bee'}" for row in range(20)]
    (pictures / "a.csv").write_text("\n".join(["file,label", *lines, ",cow", "nan,cow"]))

    task = Table(str(pictures / "a.csv")).load("table:a.csv", seed=0)

    assert task.classes == ("ant", "bee")
    assert task.notes[1] == "The class 'cow' is left out: no row of them names a file."


def test_addresses_of_the_web_are_not_downloaded(pictures: Path) -> None:
    with pytest.raises(UnreadableTask, match="nothing is downloaded. Download the files first, and write"):
        load(pictures, written="https://example.org/{name}/{row}.png")


def test_names_without_a_folder_are_looked_for_in_the_only_one_that_has_them(pictures: Path) -> None:
    (pictures / "train").mkdir()
    for file in list(pictures.glob("*/*.png")):
        file.rename(pictures / "train" / f"{file.parent.name}-{file.name}")

    task = load(pictures, written="{name}-{row}")

    assert len(task.train) + len(task.val) + len(task.test) == 20
    assert task.notes[0] == "The files that 'file' names are those in the folder 'train'."


def test_names_of_no_file_say_what_the_folder_has(pictures: Path) -> None:
    with pytest.raises(
        UnreadableTask, match=r"No file that 'file' names exists \(first: '0_ant.png'\)"
    ) as caught:
        load(pictures, written="{row}_ant.png")

    assert "has 'a.csv', 'ant', 'bee'. Write paths that are relative to the table" in str(caught.value)
