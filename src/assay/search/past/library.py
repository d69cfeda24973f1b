"""The available history tables: those that come with Assay, and those that the user added."""

from __future__ import annotations

import logging
from functools import cache
from importlib import resources
from pathlib import Path

from assay.core.errors import UsageError
from assay.environment.history import history_folder
from assay.search.past.table import SUFFIX, PastTable, read_tables

_LOG = logging.getLogger(__name__)


@cache
def shipped_tables() -> tuple[PastTable, ...]:
    """Return the public tables that come with Assay, by name."""
    folder = Path(str(resources.files("assay.search.past") / "tables"))
    return tuple(table for path in sorted(folder.glob(f"*{SUFFIX}.gz")) for table in read_tables(path))


def own_tables() -> tuple[PastTable, ...]:
    """Return the tables that the user added, by name; one that cannot be read is left out, with a warning."""
    tables: list[PastTable] = []
    for path in sorted(history_folder().glob(f"*{SUFFIX}")):
        try:
            tables.extend(read_tables(path))
        except UsageError as error:
            _LOG.warning("%s", error)
    return tuple(tables)


def all_tables() -> tuple[PastTable, ...]:
    """Return the user's tables, then the public ones."""
    return own_tables() + shipped_tables()
