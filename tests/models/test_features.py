from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from pyarrow import parquet

from assay.core.errors import CheckpointError, ModelError, UsageError
from assay.core.task import Modality
from assay.models.features import FeaturesSource
from assay.run.study import Study

MATRIX = np.random.default_rng(0).normal(size=(4, 3))
NAMES = ["train/cat/1.jpg", "train/cat/2.jpg", "test/cat/1.jpg", "test/dog/3.jpg"]


def npz(path: Path, **arrays: Any) -> FeaturesSource:
    np.savez(path / "f.npz", **arrays)
    return FeaturesSource(str(path / "f.npz"))


def test_features_are_found_by_name_in_any_order(tmp_path: Path) -> None:
    model = npz(tmp_path, features=MATRIX, names=NAMES).open("cpu")

    np.testing.assert_allclose(model.encode(NAMES[::-1]).features, MATRIX[::-1].astype(np.float32))


def test_a_path_is_found_from_another_folder_too(tmp_path: Path) -> None:
    model = npz(tmp_path, features=MATRIX, names=NAMES).open("cpu")

    np.testing.assert_allclose(
        model.encode(["dog/3.jpg", "./photos/train/cat/2.jpg"]).features, MATRIX[[3, 1]], 1e-6
    )
    with pytest.raises(ModelError, match="'cat/1.jpg' may be 'train/cat/1.jpg', 'test/cat/1.jpg'"):
        model.encode(["cat/1.jpg"])


@pytest.mark.parametrize("names", [{}, {"names": [1, 2, 3, 4]}], ids=["without names", "numbers"])
def test_rows_are_those_of_a_table(tmp_path: Path, names: dict[str, Any]) -> None:
    source = npz(tmp_path, features=MATRIX, **names)

    np.testing.assert_allclose(source.open("cpu").encode(["row 4", "row 1"]).features, MATRIX[[3, 0]], 1e-6)
    assert source.modality() is Modality.TEXT


@pytest.mark.parametrize("spread", [False, True], ids=["lists", "columns"])
def test_parquet_holds_the_same(tmp_path: Path, spread: bool) -> None:
    columns = {f"f{place}": MATRIX[:, place] for place in range(3)} if spread else {"features": list(MATRIX)}
    parquet.write_table(pa.table({"path": NAMES, **columns}), tmp_path / "f.parquet")
    source = FeaturesSource(str(tmp_path / "f.parquet"))

    np.testing.assert_allclose(source.open("cpu").encode(NAMES).features, MATRIX, 1e-6)
    assert source.modality() is Modality.IMAGE


def test_names_of_sounds_are_those_of_an_audio_task(tmp_path: Path) -> None:
    source = npz(tmp_path, features=MATRIX, names=["dog/1.wav", "dog/2.WAV", "cat/1.flac", "cat/2.flac"])

    assert source.modality() is Modality.AUDIO


def test_a_name_that_is_not_there_says_how_names_are_written(tmp_path: Path) -> None:
    model = npz(tmp_path, features=MATRIX, names=NAMES).open("cpu")

    with pytest.raises(ModelError, match=r"no features of 'row 7'; it has 4 names, as in 'train/cat/1\.jpg'"):
        model.encode(["row 7"])


@pytest.mark.parametrize(
    ("arrays", "told"),
    [
        ({"vectors": MATRIX}, "no array 'features'; it has: vectors"),
        ({"features": MATRIX, "names": NAMES[:3]}, "3 names for 4 rows"),
        ({"features": MATRIX, "names": [*NAMES[:3], NAMES[0]]}, "'train/cat/1.jpg' twice"),
        ({"features": MATRIX[0]}, r"shape \(3,\)"),
        ({"features": np.array([["a"]])}, "a row of numbers"),
        ({"features": MATRIX + 1j}, "are complex128"),
    ],
)
def test_a_file_that_does_not_fit_says_why(tmp_path: Path, arrays: dict[str, Any], told: str) -> None:
    with pytest.raises(CheckpointError, match=told):
        npz(tmp_path, **arrays).open("cpu")


def test_a_truncated_file_is_refused(tmp_path: Path) -> None:
    source = npz(tmp_path, features=MATRIX, names=NAMES)
    Path(source.name).write_bytes(Path(source.name).read_bytes()[:100])

    with pytest.raises(CheckpointError, match="cannot be read"):
        source.open("cpu")


def test_another_ending_is_refused(tmp_path: Path) -> None:
    (tmp_path / "f.csv").touch()

    with pytest.raises(UsageError, match=r"end in \.npz"):
        FeaturesSource(str(tmp_path / "f.csv")).check()


def test_a_study_ranks_features_beside_models(photos: Path, tmp_path: Path) -> None:
    pictures = sorted(photos.rglob("*.png"))
    classes = sorted({path.parent.name for path in pictures})
    told = np.eye(3)[[classes.index(path.parent.name) for path in pictures]]
    names = [path.relative_to(photos).as_posix() for path in pictures]
    npz(tmp_path, features=told, names=names)
    model = f"features:{tmp_path / 'f.npz'}"
    study = Study(
        models=[model, "zoo:blind"], tasks=[str(photos)], methods=["knn"], store=str(tmp_path / "store")
    )

    standings = study.run().tasks[0].standings

    assert (standings[0].model, standings[0].value) == (model, 1.0)
