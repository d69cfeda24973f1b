"""Parquet files that hold images and sounds themselves, as the package datasets and others write them."""

from __future__ import annotations

import importlib.util
import io
import json
import wave
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from assay.core.errors import UnreadableTask
from assay.core.task import Modality
from assay.readers.unlabelled import Unlabelled
from assay.testing.tasks import load_task

FILE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])
NAMES = {"_type": "ClassLabel", "names": ["cat", "dog"]}


def picture(seed: int) -> bytes:
    buffer = io.BytesIO()
    pixels = np.random.default_rng(seed).integers(0, 256, (6, 5, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def sound(seed: int) -> bytes:
    buffer = io.BytesIO()
    with wave.open(buffer, "wb") as file:
        file.setparams((1, 2, 8000, 0, "NONE", ""))
        file.writeframes(bytes([seed % 99] * 800))
    return buffer.getvalue()


def structs(contents: Sequence[bytes | None]) -> pa.Array:
    return pa.array(
        [None if content is None else {"bytes": content, "path": None} for content in contents], FILE
    )


def write(path: Path, column: pa.Array, labels: Sequence[int | None], *, named: bool = False) -> str:
    """Write files with labels, of which the names may be in the metadata, and give the address."""
    path.parent.mkdir(parents=True, exist_ok=True)
    table = pa.table({"image": column, "label": pa.array(labels, pa.int64())})
    about = {"huggingface": json.dumps({"info": {"features": {"label": NAMES}}})} if named else None
    pq.write_table(table.replace_schema_metadata(about), path)
    return f"table:{path}"


def test_images_in_a_parquet_file_are_a_task_with_the_names_of_its_classes(tmp_path: Path) -> None:
    column = structs([picture(row) for row in range(20)])

    task = load_task(write(tmp_path / "a.parquet", column, [row % 2 for row in range(20)], named=True))

    examples = [*map(task.test.examples.read, range(4))]
    rows = [int(task.test.examples.name(row).removeprefix("row ")) - 1 for row in range(4)]
    assert (task.modality, task.classes, len(task.train)) == (Modality.IMAGE, ("cat", "dog"), 12)
    assert [task.classes[label] for label in task.test.labels.values] == [
        ["cat", "dog"][row % 2] for row in rows
    ]
    for row, example in zip(rows, examples, strict=True):
        assert isinstance(example, np.ndarray)
        np.testing.assert_array_equal(example, np.asarray(Image.open(io.BytesIO(picture(row)))))


def test_bytes_alone_and_paths_beside_the_file_are_the_same_task(tmp_path: Path) -> None:
    labels = [row % 2 for row in range(20)]
    for row in range(20):
        (tmp_path / f"{row}.png").write_bytes(picture(row))
    paths = pa.array([{"bytes": None, "path": f"{row}.png"} for row in range(20)], FILE)
    alone = pa.array([picture(row) for row in range(20)], pa.large_binary())

    first = load_task(write(tmp_path / "a.parquet", alone, labels))

    assert load_task(write(tmp_path / "b.parquet", paths, labels)).fingerprint == first.fingerprint


def test_a_cell_without_an_image_is_left_out_and_a_broken_one_named(tmp_path: Path) -> None:
    contents = [None, b"\x89PNG and then nothing", *map(picture, range(18))]

    task = load_task(write(tmp_path / "a.parquet", structs(contents), [row % 2 for row in range(20)]))

    assert task.notes[:2] == (
        "1 of 20 rows have an empty cell in 'image' (first: row 1) and are left out.",
        "1 of 19 images cannot be read and is left out: row 2 (not an image).",
    )


def test_a_class_without_a_name_is_a_missing_label(tmp_path: Path) -> None:
    labels = [-1, *(row % 2 for row in range(19))]

    task = load_task(write(tmp_path / "a.parquet", structs([*map(picture, range(20))]), labels, named=True))

    assert task.classes == ("cat", "dog")
    assert "1 of 20 rows have an empty cell in 'label' (first: row 1) and are left out." in task.notes


def test_files_of_splits_are_official_and_a_missing_one_is_noted(tmp_path: Path) -> None:
    for number, name in enumerate(["train-00000-of-00003", "train-00001-of-00003", "test-00000-of-00001"]):
        column = structs([picture(row) for row in range(20 * number, 20 * number + 20)])
        write(tmp_path / "data" / f"{name}.parquet", column, [row % 2 for row in range(20)])

    task = load_task(f"table:{tmp_path}")

    assert (len(task.train) + len(task.val), len(task.test)) == (40, 20)
    assert task.notes[0] == "Only 2 of 3 files are there of 'train': the others are missing."
    assert {task.test.examples.name(row) for row in range(20)} == {
        f"test-00000-of-00001.parquet row {row}" for row in range(1, 21)
    }


@pytest.mark.skipif(importlib.util.find_spec("soundfile") is None, reason="soundfile is not installed")
def test_sounds_in_a_parquet_file_are_a_task(tmp_path: Path) -> None:
    column = structs([sound(row) for row in range(20)])

    task = load_task(write(tmp_path / "a.parquet", column, [row % 2 for row in range(20)]))

    assert (task.modality, task.columns) == (Modality.AUDIO, "audio 'image', label 'label'")


def test_a_saved_model_reads_images_in_a_parquet_file(tmp_path: Path) -> None:
    path = tmp_path / "new.parquet"
    write(path, structs([picture(0), None, b"\x89PNG"]), [0, 1, 0])

    found = list(Unlabelled(Modality.IMAGE).examples(str(path)))

    assert [new.error for new in found] == ["", "'image' is empty", "not an image"]
    np.testing.assert_array_equal(found[0].example, np.asarray(Image.open(io.BytesIO(picture(0)))))


def test_other_bytes_are_no_images(tmp_path: Path) -> None:
    column = pa.array([bytes([row, 0, 255]) for row in range(20)], pa.binary())

    with pytest.raises(UnreadableTask, match="neither texts nor numbers|holds the examples"):
        load_task(write(tmp_path / "a.parquet", column, [row % 2 for row in range(20)]))
