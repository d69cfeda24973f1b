"""Reads the distributed GLUE files.

The files have no quoting, and some rows are truncated. Lines are therefore split at tabs, because the csv
module would interpret quotation marks and carriage returns.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import pyarrow as pa

from assay.core.errors import UnreadableTask

_ROWS = 8192  # rows per Arrow batch


def require_files(folder: Path, paths: Sequence[str], why: str) -> None:
    """Raise if a file is missing, and suggest where it may be.

    Args:
        folder: The folder of all tasks.
        paths: The required files in it, such as RTE/train.tsv.
        why: A description of what needs the files.

    Raises:
        UnreadableTask: A file is missing.
    """
    if not folder.is_dir():
        raise UnreadableTask(f"There is no folder '{folder}'. Name that which holds RTE, MNLI and so on.")
    missing = [path for path in paths if not (folder / path).is_file()]
    if missing:
        lacks = f"'{folder}' has no {' and no '.join(missing)}"
        raise UnreadableTask(f"{lacks}: {why}. {_remedy(folder, missing)}")


def _remedy(folder: Path, missing: Sequence[str]) -> str:
    """Return a suggestion; the most frequent causes are a wrong folder or folder name."""
    top = Path(missing[0]).parts[0]
    for other in (folder.parent, *sorted(path for path in folder.iterdir() if path.is_dir())):
        if all((other / path).is_file() for path in missing):
            return f"It is in '{other}': write folder='{other}'."
    similar = [path.name for path in folder.iterdir() if path.is_dir() and _plain(path.name) == _plain(top)]
    if similar and similar[0] != top:
        return f"Rename '{folder / similar[0]}' to '{top}'."
    if (folder / f"{top}.zip").is_file():
        return f"Unpack '{folder / f'{top}.zip'}' there."
    page = "diagnostics" if top == "diagnostic" else "tasks"
    return f"Unpack there what gluebenchmark.com/{page} distributes."


def _plain(name: str) -> str:
    return "".join(filter(str.isalnum, name)).casefold()


def stream_tsv(path: Path, columns: Sequence[str | int]) -> Iterator[pa.RecordBatch]:
    """Yield columns of a file, named by their position ("0", "1", ...) in ``columns``.

    A row that is too short becomes a row of nulls, which keeps its row number but has no label.

    Args:
        path: A tab-separated file without quoting.
        columns: Column names in the header, or positions from 0 if there is no header.

    Raises:
        UnreadableTask: The header lacks a column, or the file is not UTF-8.
    """
    with path.open(encoding="utf-8-sig", newline="\n") as file:
        try:
            positions = [column if isinstance(column, int) else -1 for column in columns]
            if -1 in positions:
                positions = _positions(path, file.readline(), columns)
            while lines := list(islice(file, _ROWS)):
                rows = [_cells(line, positions) for line in lines]
                cells = [pa.array(column, pa.string()) for column in zip(*rows, strict=True)]
                yield pa.record_batch(cells, names=[str(number) for number in range(len(columns))])
        except UnicodeDecodeError as error:
            raise UnreadableTask(f"{path} is not UTF-8. Unpack it again.") from error


def _positions(path: Path, line: str, columns: Sequence[str | int]) -> list[int]:
    if not line.strip():
        raise UnreadableTask(f"{path} has no row, not even one of names. Unpack it again.")
    header = line.rstrip("\r\n").split("\t")
    missing = [str(column) for column in columns if column not in header]
    if missing:
        raise UnreadableTask(
            f"{path} has no column '{missing[0]}' in its first line, which names {', '.join(header)[:200]}. "
            "Unpack the file as it is distributed."
        )
    return [header.index(str(column)) for column in columns]


def _cells(line: str, positions: Sequence[int]) -> list[str | None]:
    cells = line.rstrip("\r\n").split("\t")
    if len(cells) <= max(positions):
        return [None] * len(positions)
    return [cells[position] for position in positions]
