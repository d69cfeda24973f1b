"""Grids of numbers with names on two sides, as files hold them, before it is known which side is which."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.core.errors import UsageError
from assay.readers.rows import SUFFIXES
from assay.readers.tables import read_table

MODEL_WORDS = frozenset(
    {"model", "models", "model_name", "backbone", "checkpoint", "architecture", "encoder"}
)
TASK_WORDS = frozenset({"task", "tasks", "dataset", "datasets", "data_set", "target", "targets", "benchmark"})
_NOTHING = frozenset({"", "na", "n/a", "nan", "none", "null", "-", "–", "—", "?"})

Cells = Mapping[tuple[str, str], str]  # by the names of both sides


@dataclass(frozen=True, slots=True)
class Grid:
    """Cells with names on two sides; a text that is no number says why there is none.

    Attributes:
        rows: The names of one side, in the order of the file.
        columns: The names of the other.
        row_word: What the file calls its rows; empty where it does not say.
        column_word: What it calls its columns.
        left_out: What was not read, in sentences.
    """

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: Cells
    row_word: str = ""
    column_word: str = ""
    left_out: tuple[str, ...] = ()


def read_columns(path: Path) -> dict[str, list[str]]:
    """Return the columns of a delimited, JSON-lines or Parquet file: texts, trimmed, empty where nothing is.

    Raises:
        UsageError: There is no such file, or it cannot be read.
    """
    if not path.is_file():
        raise UsageError(f"There is no file '{path}'. Check the path.")
    if path.suffix.lower() not in SUFFIXES:
        raise UsageError(f"Cannot read '{path}': its name must end in one of {', '.join(SUFFIXES)}.")
    if (records := _records(path)) is not None:
        names = dict.fromkeys(name for row in records for name in row)
        return {name: [_text(row.get(name)) for row in records] for name in names}
    table = read_table([path])
    return {name: list(table.column(name)) for name in table.cells.column_names}


def word_of(name: str) -> str:
    """Return a column's name as the words above are written.

    >>> word_of(" Model name ")
    'model_name'
    """
    return name.strip().lower().replace(" ", "_").replace("-", "_")


def number_in(text: str) -> float | None:
    """Return the number that a cell holds; None for nothing, and for words.

    >>> number_in("93.1 %"), number_in("n/a"), number_in("out of memory")
    (93.1, None, None)
    """
    try:
        number = float(text.removesuffix("%"))
    except ValueError:
        return None
    return None if math.isnan(number) else number


def reason_in(text: str) -> str:
    """Return the words that stand where a number is missing; empty where nothing stands there.

    >>> reason_in("n/a"), reason_in("out of memory")
    ('', 'out of memory')
    """
    return "" if text.lower() in _NOTHING or number_in(text) is not None else text


def grid_of_columns(columns: Mapping[str, Sequence[str]], path: Path) -> Grid:
    """Return a grid whose first column, or the one that says so, names the rows.

    Raises:
        UsageError: No column names the rows, or a row stands twice.
    """
    named = [name for name in columns if word_of(name) in MODEL_WORDS | TASK_WORDS]
    head = (named or list(columns))[0]
    rows = columns[head]
    if not named and all(number_in(cell) is not None for cell in rows):
        raise UsageError(
            f"'{path}' does not say what its rows are. Let a column called 'model' (or 'task') name them."
        )
    twice = next((row for row in rows if rows.count(row) > 1), None) if len(set(rows)) < len(rows) else None
    if twice is not None:
        raise UsageError(f"'{path}' has two rows called '{twice}'. Rename one of them.")
    others = [name for name in columns if name != head]
    kept = [name for name in others if any(number_in(cell) is not None for cell in columns[name])]
    left_out = tuple(f"column '{name}' holds no numbers: left out" for name in others if name not in kept)
    cells = {(row, name): cell for name in kept for row, cell in zip(rows, columns[name], strict=True)}
    return Grid(tuple(rows), tuple(kept), cells, row_word=word_of(head), left_out=left_out)


def grids_of_json(path: Path) -> dict[str, Grid] | None:
    """Return the grids of nested JSON objects, by name; of one without a name, the file's.

    ``{"task": {"model": 0.9}}`` is one grid, one level more holds several by name. An object with a
    ``table``, and an ``orientation`` such as ``"dataset->model"``, is read by its own words.

    Returns:
        None where the file holds something else.
    """
    found: Any = _json(path)
    words: list[str] = []
    if isinstance(found, dict) and isinstance(found.get("table"), dict):
        words = [word_of(word) for word in str(found.get("orientation", "")).split("->")]
        found = found["table"]
    depth = _depth(found)
    if depth not in {2, 3}:
        return None
    sides = (words if len(words) == depth else [""] * depth)[-2:]
    named = found if depth == 3 else {path.stem: found}
    return {str(name): _grid_of_objects(nested, sides) for name, nested in named.items()}


def _json(path: Path) -> object:
    """Return what a file of one JSON value holds; None for lines of JSON, and for what is none."""
    try:
        return json.loads(path.read_text("utf-8-sig"))
    except (ValueError, OSError):  # the reader of tables says what is wrong
        return None


def _records(path: Path) -> list[dict[str, object]] | None:
    """Return the objects of a JSON array; None where the file holds something else."""
    found = _json(path) if path.suffix.lower() == ".json" else None
    if isinstance(found, list) and found and all(isinstance(row, dict) for row in found):
        return found
    return None


def _text(value: object) -> str:
    return "" if value is None else str(value).strip()


def _depth(found: object) -> int:
    """Return how many objects stand one inside the other, if they do so everywhere."""
    if not isinstance(found, dict) or not found:
        return 0
    depths = {_depth(inner) for inner in found.values() if inner != {}}
    return depths.pop() + 1 if len(depths) == 1 else -9


def _grid_of_objects(nested: Mapping[str, Mapping[str, object]], sides: Sequence[str]) -> Grid:
    columns = dict.fromkeys(name for row in nested.values() for name in row)
    cells = {(row, name): _text(value) for row, inner in nested.items() for name, value in inner.items()}
    return Grid(tuple(nested), tuple(columns), cells, row_word=sides[0], column_word=sides[1])
