"""Checks the cells of a store: SQLite accepts values of any type, and any number, in any column."""

from __future__ import annotations

import sys

from assay.core.errors import StoreError
from assay.store.database import Database

_TEXT, _NUMBER, _INTEGER = "'text'", "'real', 'integer'", "'integer'"
_NULL = ", 'null'"
_LARGEST = repr(sys.float_info.max)
_COLUMNS = {
    "results": {
        **dict.fromkeys(("key", "model", "task", "method", "fingerprint", "status"), _TEXT),
        **dict.fromkeys(("metrics", "tuned", "notes", "reason", "finished"), _TEXT),
        **dict.fromkeys(("interval", "metric", "cost", "dtype", "cause"), _TEXT + _NULL),
        **dict.fromkeys(("seconds", "encode_seconds"), _NUMBER),
        **dict.fromkeys(("value", "val_value"), _NUMBER + _NULL),
        "seed": _INTEGER,
        "train_rows": _INTEGER + _NULL,
    },
    "models": dict.fromkeys(("address", "identity", "facts"), _TEXT),
    "tasks": dict.fromkeys(("address", "facts"), _TEXT),
    "latencies": {
        **dict.fromkeys(("model", "identity"), _TEXT),
        **dict.fromkeys(("latency_seconds", "spread", "throughput", "load"), _NUMBER + _NULL),
        **dict.fromkeys(("machine", "measured"), _TEXT + _NULL),
    },
}


def check_cells(database: Database) -> None:
    """Raise ``StoreError`` for a cell of another type than its column, or of an impossible key or number."""
    for table, columns in _COLUMNS.items():
        wrong = [
            f"WHEN typeof({column}) NOT IN ({types}) THEN '{column}'" for column, types in columns.items()
        ]
        if table == "latencies":  # those of a result are checked with its row
            amounts = (column for column, types in columns.items() if types == _NUMBER + _NULL)
            wrong += [f"WHEN {column} NOT BETWEEN 0 AND {_LARGEST} THEN '{column}'" for column in amounts]
        if table == "results":
            wrong += [
                f"WHEN {key} = '' OR {key} GLOB '*[^a-z0-9_-]*' OR instr({key}, char(0)) THEN '{key}'"
                for key in ("key", "fingerprint")
            ]
        found = f"CASE {' '.join(wrong)} END"
        for name, column in database.rows(
            f"SELECT quote({next(iter(columns))}), {found} FROM {table} WHERE {found} IS NOT NULL LIMIT 1"  # noqa: S608  # constants
        ):
            raise StoreError(
                f"A row of the table {table} in results.sqlite is damaged: {column} of {name:.80} has "
                "another type, or is not a valid key or possible number. Restore the file from a copy, or "
                "name another folder: --store other-folder."
            )
