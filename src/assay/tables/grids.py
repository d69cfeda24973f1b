"""Grids of numbers with names on two sides, as files hold them, before it is known which side is which.

CSV, JSON lines and Parquet are read with pyarrow, as tables of examples are, so that delimiters, quotes and
encodings are guessed in one place.
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
from assay.readers.rows import SUFFIXES
from assay.readers.tables import read_table

MODEL_NAMES = frozenset(
    {"model", "models", "model_name", "backbone", "checkpoint", "architecture", "encoder"}
)
TASK_NAMES = frozenset({"task", "tasks", "dataset", "datasets", "data_set", "target", "targets", "benchmark"})
_NOTHING = frozenset({"", "na", "n/a", "nan", "none", "null", "-", "–", "—", "?"})

Cells = Mapping[tuple[str, str], str]  # by the names of both sides


@dataclass(frozen=True, slots=True)
class Grid:
    """Cells with names on two sides; words in place of a number say why there is none.

    Attributes:
        rows: The names of one side, in the order of the file.
        columns: The names of the other.
        row_name: What the file calls its rows; empty where it does not say.
        column_name: What it calls its columns.
        left_out: What was not read, in sentences.
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


def normalised(name: str) -> str:
    """Return a column's name as the names above are written.

    >>> normalised(" Model name ")
    'model_name'
    """
    return name.strip().lower().replace(" ", "_").replace("-", "_")


def parse_number(text: str) -> float | None:
    """Return the number that a cell holds; None for nothing, and for words.

    >>> parse_number("93.1 %"), parse_number("n/a"), parse_number("out of memory")
    (93.1, None, None)
    """
    try:
        number = float(text.removesuffix("%"))
    except ValueError:
        return None
    return None if math.isnan(number) else number


def parse_reason(text: str) -> str:
    """Return the words in place of a missing number; empty where there are none.

    >>> parse_reason("n/a"), parse_reason("out of memory")
    ('', 'out of memory')
    """
    return "" if text.lower() in _NOTHING or parse_number(text) is not None else text


def grid_of_columns(columns: Mapping[str, Sequence[str]], path: Path) -> Grid:
    """Return a grid whose first column, or the one that says so, names the rows.

    Raises:
        UsageError: No column names the rows, or two rows have one name.
    """
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
    """Return the grids of nested JSON objects, by name; of one without a name, the file's.

    ``{"task": {"model": 0.9}}`` is one grid, one level more holds several by name. An object with a
    ``table``, and an ``orientation`` such as ``"dataset->model"``, is read by what it says.

    Returns:
        None where the file holds something else.
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
    """Return what a file of one JSON value holds; None for lines of JSON, and for what is none."""
    try:
        return json.loads(path.read_text("utf-8-sig"))
    except (ValueError, OSError):  # the reader of tables says what is wrong
        return None


def _records(path: Path) -> list[dict[str, object]] | None:
    """Return the objects of a JSON array; None where the file holds something else."""
    content = _json(path) if path.suffix.lower() == ".json" else None
    if isinstance(content, list) and content and all(isinstance(row, dict) for row in content):
        return content
    return None


def _text(value: object) -> str:
    return "" if value is None else str(value).strip()


def _depth(content: object) -> int:
    """Return how deep objects are nested, if they are equally deep everywhere."""
    if not isinstance(content, dict) or not content:
        return 0
    depths = {_depth(inner) for inner in content.values() if inner != {}}
    return depths.pop() + 1 if len(depths) == 1 else -9


def _grid_of_objects(nested: Mapping[str, Mapping[str, object]], sides: Sequence[str]) -> Grid:
    columns = dict.fromkeys(name for row in nested.values() for name in row)
    cells = {(row, name): _text(value) for row, inner in nested.items() for name, value in inner.items()}
    return Grid(tuple(nested), tuple(columns), cells, row_name=sides[0], column_name=sides[1])
