"""assay agreement: measures how well scores predict results, from tables, without running a model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

EXAMPLES = """
Examples:

- `assay agreement scores.csv truth.csv`

- `assay agreement logme.csv knn.csv truth.csv --facts models.csv --details`

- `assay agreement results.parquet results.parquet --truth linear_probe --method logme`

A table has models on one side and tasks on the other, or one cell a row: model, task, score, value.
The last table is the truth: results of training. Models and tasks are matched by name.
"""


def command(
    tables: Annotated[
        list[Path], typer.Argument(help="Tables of scores; the last table has the results of training.")
    ],
    method: Annotated[
        list[str] | None, typer.Option(help="A score of the tables, or a pattern; repeatable.")
    ] = None,
    truth: Annotated[
        str | None, typer.Option(help="The protocol whose results are the truth, if the table has several.")
    ] = None,
    facts: Annotated[
        Path | None,
        typer.Option(help="A table of properties of models (parameters, ...); each is a baseline."),
    ] = None,
    past: Annotated[
        Path | None, typer.Option(help="Results on other tasks, which the static ranking uses too.")
    ] = None,
    rows: Annotated[
        str | None, typer.Option(help="What the rows of all tables are: models or tasks.")
    ] = None,
    lower_is_better: Annotated[
        list[str] | None,
        typer.Option(help="A task, or a pattern, where lower results are better; repeatable."),
    ] = None,
    lower_is_better_score: Annotated[
        list[str] | None, typer.Option(help="A score, or a pattern, where lower is better; repeatable.")
    ] = None,
    details: Annotated[bool, typer.Option("--details", help="Print each task as well.")] = False,
    seed: Annotated[int, typer.Option(help="The seed of the bootstrap.")] = 0,
) -> None:
    """Measure how well scores predict results, compared with a static ranking, chance and model facts."""
    from assay.actions.agreement import ScoreTables, compare_scores
    from assay.reports.terminal.agreement import show_agreements
    from assay.reports.terminal.console import console as new_console

    request = ScoreTables(
        scores=tuple(tables[:-1]),
        truth=tables[-1],
        truth_name=truth,
        selected=tuple(method or ()),
        facts=facts,
        past=past,
        rows=rows,
        lower_is_better=tuple(lower_is_better or ()),
        lower_is_better_scores=tuple(lower_is_better_score or ()),
    )
    result = compare_scores(request, seed=seed)
    console = new_console()
    for note in result.notes:
        console.print(note, style="dim", highlight=False, markup=False)
    console.print()
    show_agreements(result.agreements, console, by_task=details)
