"""Reads hostile input as Assay does: each function takes an input and an empty folder."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
from tests.reliability import samples

from assay.actions.saved_folder import SETTINGS, read_settings
from assay.actions.score import estimate, resolve_score, with_probs
from assay.cli.score_files import read_arrays
from assay.core.errors import NotApplicable
from assay.core.task import Task
from assay.models.features.lookup import read_features
from assay.models.vectors.vector_files import read_header, read_rows
from assay.plugins.address import Address
from assay.run.past_tables import PastReading, past_tables_of
from assay.run.plan import resolve_methods, resolve_models
from assay.run.study_settings import StudySettings
from assay.store.arrays import Arrays
from assay.store.search_log import read_openings, read_search, write_openings
from assay.tables.matrices import read_facts, read_matrices
from assay.tasks.coco import Coco
from assay.tasks.conll import Conll
from assay.tasks.folder import Folder
from assay.tasks.table import Table
from assay.tasks.yolo import Yolo
from assay.wording.names import fitted_labels


def _written(content: bytes, path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    return path


def _used(task: Task) -> None:
    for split in (task.train, task.val, task.test):
        for row in range(min(len(split), 3)):
            split.examples.read(row)


def feed_address(text: str, _: Path) -> None:
    address = Address.parse(text)
    fitted_labels([text, str(address)], 12)


def feed_model(text: str, _: Path) -> None:
    resolve_models([text])


def feed_method(text: str, _: Path) -> None:
    resolve_methods([text])


def feed_study(content: bytes, folder: Path) -> None:
    StudySettings.from_file(_written(content, folder / "study.toml"))


def feed_table(value: tuple[bytes, str], folder: Path) -> None:
    content, suffix = value
    path = _written(gzip.compress(content) if suffix.endswith(".gz") else content, folder / f"table{suffix}")
    _used(Table(str(path)).load("table:it", 0))


def feed_matrix(value: tuple[bytes, str], folder: Path) -> None:
    path = _written(value[0], folder / f"matrix{value[1]}")
    read_matrices(path)
    read_facts(path)


def feed_vectors(content: bytes, folder: Path) -> None:
    path = _written(content, folder / "words.txt")
    for _ in read_rows(path, read_header(path), None):
        pass


def feed_arrays(content: bytes, folder: Path) -> None:
    view = read_arrays(_written(content, folder / "arrays.npz"), "labels", kind=None, sample=None)
    chosen = resolve_score("nce" if view.matrix is None else "h_score")
    try:
        estimate(with_probs(view, chosen), chosen, None)
    except NotApplicable:
        return


def feed_features(value: tuple[bytes, str], folder: Path) -> None:
    read_features(_written(value[0], folder / f"features{value[1]}"))


def feed_conll(value: tuple[bytes, str], folder: Path) -> None:
    _used(Conll(str(_written(value[0], folder / f"words{value[1]}"))).load("conll:it", 0))


def _pictures(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for row in range(6):
        (folder / f"{row}.png").write_bytes(samples.PNGS[row])


def feed_coco(content: bytes, folder: Path) -> None:
    _pictures(folder)
    _used(Coco(str(_written(content, folder / "labels.json"))).load("coco:it", 0))


def feed_yolo(value: tuple[bytes, bytes, str], folder: Path) -> None:
    content, names, file = value
    _pictures(folder / "images")
    for row in range(6):
        _written(content if row < 2 else b"%d 0.5 0.5 0.1 0.1" % (row % 2), folder / "labels" / f"{row}.txt")
    _written(names, folder / file)
    _used(Yolo(str(folder)).load("yolo:it", 0))


def feed_image(value: tuple[bytes, str], folder: Path) -> None:
    for row in range(6):
        _written(samples.PNGS[row], folder / f"class{row % 2}" / f"{row}.png")
    _written(value[0], folder / "class0" / f"odd{value[1]}")
    _used(Folder(str(folder)).load("folder:it", 0))


def feed_settings(content: bytes, folder: Path) -> None:
    _written(content, folder / SETTINGS)
    assert read_settings(folder).decision is not None


def feed_history(content: bytes, folder: Path) -> None:
    past_tables_of(_written(content, folder / "history.json"), PastReading())


def feed_search(content: bytes, folder: Path) -> None:
    arrays = Arrays(folder)
    write_openings(arrays, {})
    for file in list(folder.rglob("*.json")):
        _written(content, file)
        _written(content, file.with_name("last.json"))
    read_openings(arrays)
    read_search(arrays)


def feed_stored(content: bytes, folder: Path) -> None:
    arrays = Arrays(folder)
    arrays.write("shelf", "key", np.zeros((2, 2)))
    for file in list(folder.rglob("*.npy")):
        _written(content, file)
    found = arrays.read("shelf", "key")
    assert found is None or found.sum() is not None
