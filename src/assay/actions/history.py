"""The user's history of past tasks: lists it, adds a store or a file, exports it, removes entries."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from assay.core.errors import UnknownName, UsageError
from assay.core.escaping import quoted
from assay.environment.history import history_folder
from assay.run.past_tables import PastReading, PastTables, past_tables_of
from assay.search.past import PastTable, all_tables, own_tables, shipped_tables
from assay.search.past.table import SUFFIX, write_tables
from assay.wording.short_names import names_without_machine

_LONGEST = 80  # letters of a name, which is one of a file


def add(path: Path, reading: PastReading) -> PastTables:
    """Add the results of a store or a file; a table of the same name is replaced if no task of it is lost.

    Raises:
        UsageError: There is nothing to learn from, the file cannot be read, or a name cannot be one.
        StoreError: The store cannot be read, or the history cannot be written.
    """
    if not path.exists():
        raise UsageError(f"There is no store and no file '{path}'. Check the path.")
    found, notes = past_tables_of(path, reading)
    tables = tuple(replace(table, name=unicodedata.normalize("NFC", table.name)) for table in found)
    known = {table.name: table for table in own_tables()}
    for table in tables:
        _check_name(table.name)
        _check_nothing_is_lost(known.get(table.name), table)
    for table in tables:
        if table.name in known:
            notes = (*notes, f"it replaces the earlier '{table.name}'")
        write_tables(_file_of(table.name), [table])
    return PastTables(tables, notes)


def export(out: Path, names: Sequence[str] = ()) -> tuple[PastTable, ...]:
    """Write tables to a file: numbers and names only, without paths of this machine; return them.

    Args:
        out: The file, which ends in ``.json``.
        names: Which tables; by default all that the user added.

    Raises:
        UsageError: There are no such tables, or the file has another ending.
    """
    if out.suffix != SUFFIX:
        raise UsageError(f"'{out}' must end in {SUFFIX}, as in history{SUFFIX}.")
    tables = tuple(_called(name, all_tables()) for name in names) or own_tables()
    if not tables:
        raise UsageError(
            "You have added no results, so there is nothing to export. Add a store: assay history add STORE"
        )
    shared = tuple(map(_without_machine, tables))
    write_tables(out, shared)
    return shared


def remove(name: str) -> None:
    """Remove a table that the user added.

    Raises:
        UnknownName: There is none of this name.
        UsageError: It comes with Assay.
    """
    name = unicodedata.normalize("NFC", name)
    if any(table.name == name for table in shipped_tables()):
        raise UsageError(f"'{name}' comes with Assay and stays. Only tables that you added can be removed.")
    file = _file_of(name) if _is_name(name) else None
    if file is None or not file.is_file():
        raise UnknownName("table of your history", name, [table.name for table in own_tables()])
    file.unlink()


def _called(name: str, tables: Sequence[PastTable]) -> PastTable:
    found = [table for table in tables if table.name == unicodedata.normalize("NFC", name)]
    if not found:
        raise UnknownName("history table", name, [table.name for table in tables])
    return found[0]


def _without_machine(table: PastTable) -> PastTable:
    """Return a table in which models and tasks are named without folders of this machine."""
    short, tasks = names_without_machine(table.models), names_without_machine(table.values)
    return replace(
        table,
        values={
            tasks[task]: {short[model]: value for model, value in row.items()}
            for task, row in table.values.items()
        },
        metrics={tasks[task]: metric for task, metric in table.metrics.items()},
        groups={tasks[task]: tasks.get(group, group) for task, group in table.groups.items()},
    )


def _check_name(name: str) -> None:
    if not _is_name(name):
        raise UsageError(
            f"'{name}' cannot be the name of a table. Write a short one without / and the like, as in "
            "--name photos."
        )
    if any(table.name == name for table in shipped_tables()):
        raise UsageError(f"A table that comes with Assay is called '{name}'. Write another one with --name.")


def _check_nothing_is_lost(before: PastTable | None, table: PastTable) -> None:
    lost = [task for task in before.values if task not in table.values] if before else []
    if lost:
        raise UsageError(
            f"Your history has a table '{table.name}' already, with other tasks, such as '{lost[0]}'. Write "
            f"another name with --name, or first: assay history remove {quoted(table.name)}"
        )


def _is_name(name: str) -> bool:
    return (
        0 < len(name) <= _LONGEST
        and name == name.strip()
        and not name.startswith(".")
        and not any(letter in '/\\:*?"<>|' or not letter.isprintable() for letter in name)
    )


def _file_of(name: str) -> Path:
    return history_folder() / f"{name}{SUFFIX}"
