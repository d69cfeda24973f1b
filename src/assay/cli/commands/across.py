"""assay across: compares models across tasks from a table of results, without running a model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assay.cli import options

EXAMPLES = """
Examples:

- `assay across leaderboard.csv`

- `assay across errors.csv --lower-is-better '*'`  # where lower is better

- `assay across results.parquet --method linear_probe`

A table has models on one side and tasks on the other, or one cell a row: model, task, value.
"""


def command(
    table: Annotated[Path, typer.Argument(help="CSV, TSV, JSON, JSON lines or Parquet.")],
    rows: options.Rows = None,
    matrix: options.MatrixName = None,
    lower_is_better: options.LowerIsBetter = None,
    details: options.Details = False,
) -> None:
    """Compare models across the tasks of a table: index, ranks, wins, strength, with intervals."""
    from assay.analysis.across_tasks.generality import across
    from assay.analysis.across_tasks.similarity import similarity
    from assay.core.errors import UsageError
    from assay.reports.terminal.across import show_across, show_similarity
    from assay.reports.terminal.console import console as new_console
    from assay.tables.matrices import higher_is_better, parse_row_kind, read_matrices, select_matrix

    file = read_matrices(table, rows=parse_row_kind(rows))
    values = higher_is_better(select_matrix(file, table, matrix, "--method"), lower_is_better or ())
    findings = across(values)
    console = new_console()
    for note in file.notes:
        console.print(note, style="dim", highlight=False, markup=False)
    if findings is None:
        raise UsageError(f"No two models of '{table}' have values on the same two tasks: nothing to compare.")
    console.print()
    show_across(findings, console, show_all=details)
    show_similarity(similarity(values), console)
