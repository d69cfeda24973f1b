"""A table of results on past tasks: numbers, names and their origin, as JSON in a file."""

from __future__ import annotations

import gzip
import json
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from assay.core.errors import UsageError
from assay.core.paths import regular_bytes
from assay.core.task import Modality
from assay.core.validation import is_usable
from assay.environment.atomic_file import written_whole
from assay.search.names import data_set_of, tokens

SUFFIX = ".json"

_DAMAGES = (
    OSError, ValueError, LookupError, TypeError, AttributeError, EOFError, OverflowError, RecursionError,
    zlib.error,
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class PastTable:
    """Results of models on past tasks; higher is better, and one row has one metric.

    Attributes:
        name: A short name of the table, unique.
        title: What was measured.
        modality: What the models read.
        source: Where the numbers come from.
        licence: The licence of the source.
        date: When they were published or measured, as in 2024-05-13.
        metrics: The metric of each task.
        groups: The data set of each task; a task that is not named has the name of its own.
        values: Task -> model -> value. Models are addresses where they have one.
    """

    name: str
    title: str
    modality: Modality
    source: str
    licence: str
    date: str
    metrics: Mapping[str, str]
    values: Mapping[str, Mapping[str, float]]
    groups: Mapping[str, str] = field(default_factory=dict)

    @property
    def models(self) -> tuple[str, ...]:
        """The models, sorted."""
        return tuple(sorted({model for row in self.values.values() for model in row}))

    def group_of(self, task: str) -> str:
        """Return the data set of a task, spelled as one word in small letters."""
        group = self.groups.get(task) or data_set_of(task)
        return "".join(tokens(group)) or group


def read_tables(path: Path) -> tuple[PastTable, ...]:
    """Read the tables of a file.

    Raises:
        UsageError: The file does not hold such tables.
    """
    try:
        content = _content(path)
        return tuple(map(_table, content if isinstance(content, list) else [content]))
    except _DAMAGES as error:
        why = f"it has no {error}" if isinstance(error, KeyError) else str(error)
        raise UsageError(
            f"The history table '{path}' cannot be read: {why}. Remove the file, or add the results again "
            "with: assay history add"
        ) from error


def is_exported(path: Path) -> bool:
    """Return whether a file claims to hold such tables."""
    try:
        content = _content(path) if path.suffix == SUFFIX else None
    except _DAMAGES:
        return False
    tables = content if isinstance(content, list) else [content]
    return bool(tables) and all(
        isinstance(one, dict) and {"modality", "table"} <= one.keys() for one in tables
    )


def write_tables(path: Path, tables: Sequence[PastTable]) -> None:
    """Write tables, whole or not at all; ``assay simulate`` reads a file with one as a matrix as well."""
    content = [content_of(table) for table in tables]
    text = json.dumps(content[0] if len(content) == 1 else content, ensure_ascii=False, indent=1)
    with written_whole(path) as file:
        file.write(text.encode("utf-8", "backslashreplace"))


def _content(path: Path) -> object:
    raw = regular_bytes(path)
    return json.loads(gzip.decompress(raw) if path.suffix == ".gz" else raw)


def content_of(table: PastTable) -> dict[str, object]:
    """Return the JSON text of a table."""
    return {
        "name": table.name,
        "title": table.title,
        "modality": table.modality.value,
        "source": table.source,
        "licence": table.licence,
        "date": table.date,
        "metrics": dict(table.metrics),
        "groups": dict(table.groups),
        "orientation": "task->model",
        "table": {task: dict(row) for task, row in table.values.items()},
    }


def _table(content: Any) -> PastTable:
    values = {
        str(task): {str(model): _finite(value) for model, value in row.items() if value is not None}
        for task, row in content["table"].items()
    }
    return PastTable(
        **{name: _shown(content[name]) for name in ("name", "title", "source", "licence", "date")},
        modality=Modality(content["modality"]),
        metrics={str(task): str(content["metrics"][task]) for task in values},
        groups={str(task): str(group) for task, group in content["groups"].items()},
        values=values,
    )


def _shown(text: object) -> str:
    """Return a text without control characters, which a terminal would obey."""
    return "".join(letter if letter.isprintable() else "?" for letter in str(text))


def _finite(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not is_usable(value):
        raise ValueError(f"the value {value!r:.60} is not a finite number")
    return float(value)
