"""A model that looks up precomputed features, from .npz or Parquet, by example name."""

from __future__ import annotations

import zipfile
from collections import Counter
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import NamedTuple, final

import numpy as np
import pyarrow as pa
from pyarrow import parquet

from assay.core.errors import CheckpointError, ModelError
from assay.core.features import Encoded
from assay.core.model import Model, ModelFacts
from assay.core.paths import path_of
from assay.core.task import Example
from assay.readers.formats.parquet_rows import require_bounded
from assay.readers.named_arrays import read_named_arrays

SUFFIXES = (".npz", ".parquet", ".pq")
_NAMES = ("names", "name", "path", "file", "id")
_FEATURES = "features"


class NamedFeatures(NamedTuple):
    """Features and the example of each row."""

    names: list[str]
    matrix: np.ndarray  # examples x width, float32


@final
class Lookup(Model):
    """Looks up features by the names of examples.

    A path may be given by its whole name, or under any name in the file that ends with it, or that it ends
    with, if there is one only: ``cat/1.jpg`` is ``photos/cat/1.jpg``.

    Args:
        held: The features and their names.
        facts: The facts about the model.
    """

    def __init__(self, held: NamedFeatures, facts: ModelFacts) -> None:
        self._held = held
        self._facts = facts

    @property
    def facts(self) -> ModelFacts:
        """The facts about the features."""
        return self._facts

    @property
    def names(self) -> Sequence[str]:
        """The names of the stored examples."""
        return self._held.names

    def encode(self, examples: Sequence[Example]) -> Encoded:
        """Return the features of examples, given by name."""
        rows = [self._row(str(name)) for name in examples]
        return Encoded(self._held.matrix[rows].reshape(len(rows), self._facts.width), None)

    def close(self) -> None:
        """Free the features."""
        self._held = NamedFeatures([], self._held.matrix[:0])
        self.__dict__.pop("_rows", None)
        self.__dict__.pop("_endings", None)

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {name: row for row, name in enumerate(self._held.names)}

    @cached_property
    def _endings(self) -> dict[str, list[int]]:
        """The path endings under which each row can be found."""
        endings: dict[str, list[int]] = {}
        for name, row in self._rows.items():
            for ending in _endings(name)[1:]:
                endings.setdefault(ending, []).append(row)
        return endings

    def _row(self, name: str) -> int:
        row = self._rows.get(name)
        if row is not None:
            return row
        shorter = [self._rows[ending] for ending in _endings(name) if ending in self._rows]
        rows: list[int] = [*self._endings.get(name.replace("\\", "/"), ()), *shorter]
        if len(rows) == 1:
            return rows[0]
        if not self._held.names:
            raise ModelError("The model is closed. Open it again.")
        shown = ", ".join(f"'{held}'" for held in self._held.names[:2])
        if rows:
            several = ", ".join(f"'{self._held.names[row]}'" for row in rows[:2])
            raise ModelError(f"'{name}' may be {several}. Write the names as the task has them.")
        raise ModelError(
            f"The file has no features of '{name}'; it has {len(self._rows)} names, as in {shown}. Write the "
            "names as the task has them: paths within its folder, or 'row 1' for the first row of a table."
        )


def read_features(path: Path) -> NamedFeatures:
    """Return the features in a file; without names, rows are named "row 1", "row 2", ...

    Raises:
        CheckpointError: The file is damaged, or does not hold one row of numbers for each name.
    """
    path_of(path)  # which refuses a pipe
    try:
        names, matrix = _read_npz(path) if path.suffix == ".npz" else _read_parquet(path)
    except (EOFError, OSError, ValueError, KeyError, zipfile.BadZipFile, pa.ArrowException) as error:
        raise CheckpointError(
            f"'{path}' cannot be read ({type(error).__name__}: {error}). Write it again: "
            "np.savez(path, features=matrix, names=names), or a Parquet file with these columns."
        ) from error
    if matrix.ndim != 2 or matrix.dtype.kind not in "fiub" or not matrix.size:
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
    file = read_named_arrays(path)
    if _FEATURES not in file:
        raise CheckpointError(
            f"'{path}' has no array '{_FEATURES}'; it has: {', '.join(file)}. Write np.savez(path, "
            "features=matrix, names=names)."
        )
    key = next((name for name in _NAMES if name in file), None)
    return None if key is None else file[key], file[_FEATURES]


def _read_parquet(path: Path) -> tuple[np.ndarray | None, np.ndarray]:
    with parquet.ParquetFile(path) as opened:
        require_bounded(opened.metadata, path)
        table = opened.read()
    column = next((name for name in _NAMES if name in table.column_names), None)
    names = None if column is None else table[column].to_numpy()
    if _FEATURES in table.column_names:
        return names, np.array(table[_FEATURES].to_pylist())
    numeric = [
        field.name
        for field in table.schema
        if field.name != column and (pa.types.is_floating(field.type) or pa.types.is_integer(field.type))
    ]
    if not numeric:
        raise CheckpointError(f"'{path}' has no column '{_FEATURES}', and no columns of numbers.")
    return names, np.stack([table[name].to_numpy() for name in numeric], axis=1)


def _must_differ(names: list[str], path: Path) -> None:
    repeated = next((name for name, count in Counter(names).items() if count > 1), None)
    if repeated is not None:
        raise CheckpointError(
            f"'{path}' has features of '{repeated}' twice. Each example needs a name of its own."
        )


def _endings(name: str) -> list[str]:
    """Return a path and its suffixes after removing the first folder, the first two folders, ..."""
    parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".")]
    return ["/".join(parts[start:]) for start in range(len(parts))]
