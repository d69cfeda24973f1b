"""Reads grids of numbers with row and column names; models and tasks may be on either axis.

CSV, JSON lines and Parquet are read by the reader of example tables, so that delimiters, quotes and
encodings are detected in one place.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from assay.core.errors import UsageError
from assay.core.paths import regular_bytes
from assay.readers.formats.suffixes import PLAIN, SUFFIXES
from assay.readers.tables import read_table

MODEL_NAMES = frozenset(
    {"model", "models", "model_name", "backbone", "checkpoint", "architecture", "encoder"}
)
TASK_NAMES = frozenset({"task", "tasks", "dataset", "datasets", "data_set", "target", "targets", "benchmark"})
_NOTHING = frozenset({"", "na", "n/a", "nan", "none", "null", "-", "–", "—", "?"})

Cells = Mapping[tuple[str, str], str]  # by row name and column name


@dataclass(frozen=True, slots=True)
class Grid:
    """Cells with row and column names; words in place of a number say why it is missing.

    Attributes:
        rows: The row names, in the order of the file.
        columns: The column names.
        row_name: The file's name for its rows; empty if it has none.
        column_name: The file's name for its columns; empty if it has none.
        left_out: Sentences about columns that were skipped.
    """

    rows: tuple[str, ...]
    columns: tuple[str, ...]
    cells: Cells
    row_name: str = ""
    column_name: str = ""
    left_out: tuple[str, ...] = ()


def read_columns(path: Path) -> dict[str, list[str]]:
    """Return the columns of a delimited, JSON-lines or Parquet file, as trimmed strings.

    Raises:
        UsageError: The file does not exist or cannot be read.
    """
    if not path.is_file():
        raise UsageError(f"There is no file '{path}'. Check the path.")
    if not path.name.lower().endswith(SUFFIXES):
        raise UsageError(f"Cannot read '{path}': its name must end in one of {', '.join(PLAIN)}.")
    if (records := _records(path)) is not None:
        names = dict.fromkeys(name for row in records for name in row)
        return {name: [_text(row.get(name)) for row in records] for name in names}
    table = read_table([path])
    return {name: list(table.column(name)) for name in table.cells.column_names}


def normalised(name: str) -> str:
    """Return a column's name, normalised to the form of the constants above.

    >>> normalised(" Model name ")
    'model_name'
    """
    return name.strip().lower().replace(" ", "_").replace("-", "_")


def parse_number(text: str) -> float | None:
    """Return the number in a cell; None if the cell is empty or holds words.

    >>> parse_number("93.1 %"), parse_number("n/a"), parse_number("out of memory")
    (93.1, None, None)
    """
    try:
        number = float(text.removesuffix("%"))
    except ValueError:
        return None
    return None if math.isnan(number) else number


def parse_reason(text: str) -> str:
    """Return the words in place of a missing number; empty if there are none.

    >>> parse_reason("n/a"), parse_reason("out of memory")
    ('', 'out of memory')
    """
    return "" if text.lower() in _NOTHING or parse_number(text) is not None else text


def grid_of_columns(columns: Mapping[str, Sequence[str]], path: Path) -> Grid:
    """Return a grid with the row names from the column called model or task, or from the first column.

    Raises:
        UsageError: There is no column, none has row names, or two rows have the same name.
    """
    if not columns:
        raise UsageError(f"'{path}' has no columns. Let the first one name the models, or the tasks.")
    naming = [name for name in columns if normalised(name) in MODEL_NAMES | TASK_NAMES]
    head = (naming or list(columns))[0]
    rows = columns[head]
    if not naming and all(parse_number(cell) is not None for cell in rows):
        raise UsageError(
            f"'{path}' does not say what its rows are. Let a column called 'model' (or 'task') name them."
        )
    row, times = Counter(rows).most_common(1)[0] if rows else ("", 0)
    if times > 1:
        raise UsageError(f"'{path}' has two rows called '{row}'. Rename one of them.")
    others = [name for name in columns if name != head]
    kept = [name for name in others if any(parse_number(cell) is not None for cell in columns[name])]
    left_out = tuple(f"column '{name}' holds no numbers: left out" for name in others if name not in kept)
    cells = {(row, name): cell for name in kept for row, cell in zip(rows, columns[name], strict=True)}
    return Grid(tuple(rows), tuple(kept), cells, row_name=normalised(head), left_out=left_out)


def grids_of_json(path: Path) -> dict[str, Grid] | None:
    """Return the grids of nested JSON objects by name; an unnamed grid gets the file's name.

    ``{"task": {"model": 0.9}}`` is one grid; another level of nesting holds several grids by name. An object
    may hold the grid in ``table`` and its axes in ``orientation``, such as ``"dataset->model"``.

    Returns:
        The grids, or None if the file has another structure.
    """
    content: Any = _json(path)
    names: list[str] = []
    if isinstance(content, dict) and isinstance(content.get("table"), dict):
        names = [normalised(name) for name in str(content.get("orientation", "")).split("->")]
        content = content["table"]
    depth = _depth(content)
    if depth not in {2, 3}:
        return None
    sides = (names if len(names) == depth else [""] * depth)[-2:]
    named = content if depth == 3 else {path.stem: content}
    return {str(name): _grid_of_objects(nested, sides) for name, nested in named.items()}


def _json(path: Path) -> object:
    """Return the JSON value of a file; None for JSON lines and invalid JSON."""
    try:
        return json.loads(regular_bytes(path).decode("utf-8-sig"))
    except (ValueError, OSError):  # the table reader reports the error
        return None
    except RecursionError as error:
        raise UsageError(f"'{path}' is nested too deeply. Write task -> model -> value.") from error


def _records(path: Path) -> list[dict[str, object]] | None:
    """Return the objects of a JSON array; None if the file has another structure."""
    content = _json(path) if path.suffix.lower() == ".json" else None
    if isinstance(content, list) and content and all(isinstance(row, dict) for row in content):
        return content
    return None


def _text(value: object) -> str:
    return "" if value is None else str(value).strip()


def _depth(content: object) -> int:
    """Return the nesting depth of objects, if it is the same everywhere."""
    if not isinstance(content, dict) or not content:
        return 0
    depths = {_depth(inner) for inner in content.values() if inner != {}}
    return depths.pop() + 1 if len(depths) == 1 else -9


def _grid_of_objects(nested: Mapping[str, Mapping[str, object]], sides: Sequence[str]) -> Grid:
    columns = dict.fromkeys(name for row in nested.values() for name in row)
    cells = {(row, name): _text(value) for row, inner in nested.items() for name, value in inner.items()}
    return Grid(tuple(nested), tuple(columns), cells, row_name=sides[0], column_name=sides[1])
