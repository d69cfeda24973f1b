"""assay history: the results of past tasks that a search learns from."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assay.cli import options
from assay.cli.printing import say
from assay.core.errors import UsageError

EXAMPLES = """
Examples:

- `assay history`  # lists the tables: those that come with Assay, and yours

- `assay history add assay-store`  # adds what your study measured

- `assay history add results.csv --modality image`  # adds any table of results

- `assay history export history.json`  # writes what you added, numbers and names only, for others to add

- `assay history remove assay-store`

Nothing is added unless you say so, and nothing leaves this machine. Your tables are in
`~/.local/share/assay/history`, or in the folder that the variable `ASSAY_HISTORY` names.
"""


def command(
    action: Annotated[str, typer.Argument(help="list, add, export or remove.")] = "list",
    what: Annotated[
        str | None, typer.Argument(help="A store or file to add, a file to export to, or a name to remove.")
    ] = None,
    name: Annotated[
        list[str] | None, typer.Option(help="The name of what is added; what to export, repeat it.")
    ] = None,
    modality: Annotated[str | None, typer.Option(help="What models read: image, text or audio.")] = None,
    method: Annotated[
        str | None, typer.Option(help="The protocol whose values to add; of a table with several, which.")
    ] = None,
    rows: options.Rows = None,
    lower_is_better: options.LowerIsBetter = None,
    plugin: options.Plugins = None,
) -> None:
    """List the results of past tasks that a search learns from, add to them, export or remove them."""
    from assay.actions import history
    from assay.core.text import plural
    from assay.run.past_tables import PastReading, parse_modality
    from assay.tables.matrices import parse_row_kind

    options.add_plugins(plugin)
    if action == "list" and what is None:
        return _list()
    target = _target(action, what)
    if action == "export":
        exported = history.export(Path(target), name or ())
        say(f"Wrote {', '.join(table.name for table in exported)} to {target}: numbers and names only")
    elif action == "remove":
        history.remove(target)
        say(f"Removed {target}")
    else:
        reading = PastReading(
            name=name[0] if name else None,
            modality=parse_modality(modality),
            method=method,
            rows=parse_row_kind(rows),
            lower_is_better=tuple(lower_is_better or ()),
        )
        added = history.add(Path(target), reading)
        for note in added.notes:
            say(f"note: {note}")
        for table in added.tables:
            size = f"{plural(len(table.values), 'task')}, {plural(len(table.models), 'model')}"
            say(f"Added {table.name}: {size} ({table.modality})")
    return None


def _target(action: str, what: str | None) -> str:
    needs = {"add": "a store or a file", "export": "a file to write", "remove": "the name of a table"}
    if action == "list":
        raise UsageError(f"assay history lists all tables. Leave '{what}' out.")
    if action not in needs:
        raise UsageError(
            f"'{action}' is not an action. Write assay history, or assay history add, export or remove."
        )
    if what is None:
        raise UsageError(f"Name {needs[action]}, as in: assay history {action} WHAT")
    return what


def _list() -> None:
    from assay.environment.history import history_folder
    from assay.reports.terminal.console import console as new_console
    from assay.reports.terminal.history import show_history
    from assay.search.past import own_tables, shipped_tables

    console = new_console(highlight=False, markup=False, soft_wrap=False)
    show_history(own_tables(), shipped_tables(), history_folder(), console)
