"""assay report: the findings of a store, in any form."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assay.cli.limits import Licence, MaxLatency, MaxParameters

EXAMPLES = """
Examples:

- `assay report assay-store`

- `assay report assay-store --html out.html --ranked-by knn`

- `assay report assay-store --watch` while a study runs
"""


def command(
    store: Annotated[Path, typer.Argument(help="The folder that assay run or rank wrote to.")],
    html: Annotated[
        Path | None, typer.Option(help="Where to write the HTML report [store]/report.html")
    ] = None,
    ranked_by: Annotated[str | None, typer.Option(help="The method that ranks the models.")] = None,
    max_parameters: MaxParameters = None,
    max_latency: MaxLatency = None,
    licence: Licence = None,
    all_rows: Annotated[bool, typer.Option("--all", help="Print every model.")] = False,
    watch: Annotated[bool, typer.Option(help="Follow a running study until Ctrl-C.")] = False,
) -> None:
    """Print what a store holds and write one HTML file, without running anything."""
    from rich.console import Console

    from assay.cli.following import follow
    from assay.cli.writing import write
    from assay.core.limits import Limits
    from assay.reports.html import Html
    from assay.reports.terminal import show
    from assay.run.study import compare_store
    from assay.store.results import open_existing

    limits = Limits.of(max_parameters, max_latency, licence or ())
    opened, console, path = open_existing(store), Console(), html or store / "report.html"
    if watch:
        follow(opened, path, console, ranked_by=ranked_by, limits=limits)
        return
    comparison = compare_store(opened, ranked_by=ranked_by, limits=limits)
    show(comparison, console, show_all=all_rows)
    write(Html(), comparison, path)
    console.print(f"Report: {path}", highlight=False, markup=False, soft_wrap=True)
