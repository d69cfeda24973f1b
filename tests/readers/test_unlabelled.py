"""Examples without labels: each row of a table has one answer."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from assay.core.task import Modality
from assay.readers.unlabelled import Unlabelled

ODD = "'text' is empty, or the row has a wrong number of cells"


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        ("text,id\na,1\nb, c,2\nd,3\n", ["a", ODD, "d"]),
        ("text,id\na,1\ntext,id\nd,3\n", ["a", "text", "d"]),
        ("text,id\na,1\n,2\n\nd,3\n", ["a", "'text' is empty", "d"]),
        ('text\na\n""\n\nd\n\n', ["a", "'text' is empty", "d"]),
    ],
    ids=["too many cells", "header of a joined file", "empty cell", "one column, and blank lines"],
)
def test_no_row_of_a_table_shifts_those_below_it(tmp_path: Path, content: str, expected: list[str]) -> None:
    path = tmp_path / "new.csv"
    path.write_text(content)

    found = list(Unlabelled(Modality.TEXT, ("text",)).examples(str(path)))

    assert [new.row for new in found] == [1, 2, 3]
    assert [new.example or new.error for new in found] == expected


@pytest.mark.parametrize("name", ["in/a.png", "in\\a.png", "/in/a.png", "in/a", "in/A.PNG", "here/in/a.png"])
def test_paths_of_a_table_are_read_as_those_of_a_task(tmp_path: Path, name: str) -> None:
    (tmp_path / "here" / "in").mkdir(parents=True)
    Image.new("RGB", (4, 4)).save(tmp_path / "here" / "in" / "a.png")
    path = tmp_path / "here" / "new.csv"
    path.write_text(f"image\n{name}\nnone.png\n")

    found, missing = Unlabelled(Modality.IMAGE, ("image",)).examples(str(path))

    assert found.error == ""
    assert missing.error == "none.png: no such file"


def test_images_beside_a_table_come_before_those_of_the_same_names_above(tmp_path: Path) -> None:
    (tmp_path / "here").mkdir()
    Image.new("RGB", (4, 4)).save(tmp_path / "a.png")
    Image.new("RGB", (5, 5)).save(tmp_path / "here" / "a.png")
    path = tmp_path / "here" / "new.csv"
    path.write_text("image\na.png\n")

    (found,) = Unlabelled(Modality.IMAGE, ("image",)).examples(str(path))

    assert isinstance(found.example, np.ndarray)
    assert found.example.shape == (5, 5, 3)


def test_a_table_that_names_no_file_is_one_message(tmp_path: Path) -> None:
    path = tmp_path / "new.csv"
    path.write_text("text\nwhat a film\n" + "dull " * 99 + "\nfine\n")

    (found,) = Unlabelled(Modality.IMAGE, ("text",)).examples(str(path))

    assert found.error == (
        f"None of the 3 cells of 'text' in '{path}' names a file that exists (first: 'what a film'). "
        "Say which column holds paths of images: --column NAME."
    )
