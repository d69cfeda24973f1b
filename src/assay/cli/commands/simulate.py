"""assay simulate: replays searches on a matrix of results, without running a model."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assay.cli import options

EXAMPLES = """
Examples:

- `assay simulate results.csv`

- `assay simulate results.csv --costs seconds.csv --trials 1,5,10 --bound 5`

- `assay simulate results.csv --scores logme.csv --facts sizes.csv --groups datasets.csv --plot regret.html`

A table has models on one side and tasks on the other, or one cell a row: model, task, value.
"""


def command(
    table: Annotated[Path, typer.Argument(help="Results: CSV, TSV, JSON, JSON lines or Parquet.")],
    costs: Annotated[Path | None, typer.Option(help="A table of models and their costs.")] = None,
    scores: Annotated[
        Path | None, typer.Option(help="A table of scores; each is a rule to compare with.")
    ] = None,
    facts: Annotated[
        Path | None,
        typer.Option(
            help="A table of models and numbers, as source accuracy or size: each column is a rule."
        ),
    ] = None,
    groups: Annotated[
        Path | None,
        typer.Option(
            help="A table of tasks and their data sets; tasks of one data set are left out together."
        ),
    ] = None,
    trials: Annotated[
        str, typer.Option(help="Numbers of tried models for which regret is printed.")
    ] = "1,3,5,10,20",
    margin: Annotated[
        float | None, typer.Option(help="Largest loss that counts as close to the best [half a point].")
    ] = None,
    bound: Annotated[
        int | None, typer.Option(help="Check the 90 % bound on the regret after this many models.")
    ] = None,
    top: Annotated[float | None, typer.Option(help="The highest possible value of the metric.")] = None,
    exclude_contaminated: Annotated[
        bool,
        typer.Option("--exclude-contaminated", help="Leave out models whose name contains that of the task."),
    ] = False,
    plot: Annotated[
        Path | None, typer.Option(help="Draw regret against models and cost: a file .html or .svg.")
    ] = None,
    rows: options.Rows = None,
    matrix: options.MatrixName = None,
    lower_is_better: options.LowerIsBetter = None,
    seed: Annotated[int, typer.Option(help="The seed of the random orders and the intervals.")] = 0,
) -> None:
    """Replay a search on past results, each task left out in turn, and compare it with simple rules."""
    from assay.actions.simulate import SimulationSettings, parse_trials, simulate
    from assay.reports.html.simulation import check_plot, write_plot
    from assay.reports.terminal.console import console as new_console
    from assay.reports.terminal.simulation import show_simulation

    if plot is not None:
        check_plot(plot)

    request = SimulationSettings(
        table=table,
        matrix=matrix,
        rows=rows,
        lower_is_better=tuple(lower_is_better or ()),
        costs=costs,
        scores=scores,
        facts=facts,
        groups=groups,
        trials=parse_trials(trials),
        tolerance=margin,
        bound=bound,
        top=top,
        exclude_contaminated=exclude_contaminated,
        seed=seed,
    )
    found = simulate(request)
    show_simulation(found, new_console())
    if plot is not None:
        write_plot(found, plot)
