"""assay report: shows the findings of a store."""

from __future__ import annotations

from functools import partial
from typing import Annotated

import typer

from assay.cli import options

EXAMPLES = """
Examples:

- `assay report assay-store`

- `assay report assay-store --html out.html --method knn`

- `assay report assay-store --watch`  # while a study runs
"""


def command(
    store: options.StoreArgument,
    html: options.Html = None,
    ranked_by: options.RankedBy = None,
    max_parameters: options.MaxParameters = None,
    max_latency: options.MaxLatency = None,
    licence: options.Licence = None,
    margin: options.Margin = None,
    cheap_by: options.CheapBy = None,
    details: options.Details = False,
    watch: Annotated[bool, typer.Option("--watch", help="Follow a running study until Ctrl-C.")] = False,
    plugin: options.Plugins = None,
) -> None:
    """Print the findings of a store and write one HTML file, without running anything."""
    from assay.analysis.per_task.decision import Rule
    from assay.cli.output import follow, place_of, show_and_write
    from assay.core.limits import Limits
    from assay.environment.garbage import uncollected
    from assay.reports.terminal.console import console as new_console
    from assay.run.stored_comparison import compare_store
    from assay.store.results import open_existing

    options.add_plugins(plugin)
    limits = Limits.of(max_parameters, max_latency, licence or ())
    rule = Rule.of(margin, cheap_by)
    opened, console, path = open_existing(store), new_console(), html or store / "report.html"
    if watch:
        follow(opened, path, console, partial(compare_store, ranked_by=ranked_by, limits=limits, rule=rule))
        return
    place = place_of(store, plugin or ())
    with uncollected():
        comparison = compare_store(opened, ranked_by=ranked_by, limits=limits, rule=rule)
        show_and_write(comparison, path, place, details=details, needs_page=html is not None)
