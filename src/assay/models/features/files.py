"""Reads features that were computed elsewhere, with the names of their examples: .npz and Parquet."""

from __future__ import annotations

import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from assay.core.errors import CheckpointError

SUFFIXES = (".npz", ".parquet", ".pq")
_NAMES = ("names", "name", "path", "file", "id")
_FEATURES = "features"


class NamedFeatures(NamedTuple):
    """Features, and to which example each row belongs."""

    names: list[str]
    matrix: np.ndarray  # examples x width, float32


def read_features(path: Path) -> NamedFeatures:
    """Return what a file holds; without names its rows are those of a table: "row 1", "row 2", ...

    Raises:
        CheckpointError: The file is damaged, or does not hold one row of numbers for each name.
    """
    try:
        names, matrix = _read_npz(path) if path.suffix == ".npz" else _read_parquet(path)
    except (EOFError, OSError, ValueError, KeyError, zipfile.BadZipFile, pa.ArrowException) as error:
        raise CheckpointError(
            f"'{path}' cannot be read ({type(error).__name__}: {error}). Write it again: "
            "np.savez(path, features=matrix, names=names), or a Parquet file with these columns."
        ) from error
    if matrix.ndim != 2 or not np.issubdtype(matrix.dtype, np.number) or not matrix.size:
        raise CheckpointError(
            f"The features in '{path}' are {matrix.dtype} of shape {matrix.shape}; a row of numbers for each "
            "example is needed."
        )
    if names is None:
        names = np.arange(1, len(matrix) + 1)
    if names.shape != (len(matrix),):
        raise CheckpointError(f"'{path}' has {names.size} names for {len(matrix)} rows of features.")
    numbered = np.issubdtype(names.dtype, np.integer)
    texts = [f"row {name}" if numbered else str(name) for name in names]
    _must_differ(texts, path)
    return NamedFeatures(texts, np.ascontiguousarray(matrix, dtype=np.float32))


def _read_npz(path: Path) -> tuple[np.ndarray | None, np.ndarray]:
    with path.open("rb") as stream, np.load(stream, allow_pickle=False) as file:
        if _FEATURES not in file:
            raise CheckpointError(
                f"'{path}' has no array '{_FEATURES}'; it has: {', '.join(file)}. Write np.savez(path, "
                "features=matrix, names=names)."
            )
        called = next((name for name in _NAMES if name in file), None)
        return None if called is None else file[called], file[_FEATURES]


def _read_parquet(path: Path) -> tuple[np.ndarray | None, np.ndarray]:
    table = parquet.read_table(path)
    called = next((name for name in _NAMES if name in table.column_names), None)
    names = None if called is None else table[called].to_numpy()
    if _FEATURES in table.column_names:
        return names, np.array(table[_FEATURES].to_pylist())
    numeric = [
        field.name
        for field in table.schema
        if field.name != called and (pa.types.is_floating(field.type) or pa.types.is_integer(field.type))
    ]
    if not numeric:
        raise CheckpointError(f"'{path}' has no column '{_FEATURES}', and no columns of numbers.")
    return names, np.stack([table[name].to_numpy() for name in numeric], axis=1)


def _must_differ(names: list[str], path: Path) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            raise CheckpointError(
                f"'{path}' has features of '{name}' twice. Each example needs a name of its own."
            )
        seen.add(name)
