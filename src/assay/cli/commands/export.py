"""assay export: writes the findings of a store for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assay.cli import options
from assay.cli.printing import say

EXAMPLES = """
Examples:

- `assay export assay-store results.parquet`

- `assay export assay-store results.csv`

- `assay export assay-store table.tex`  # a table of models by tasks for a paper; .md for an issue

- `assay export assay-store card.yaml`  # the model-index of a model card; .eval_results for benchmarks

- `assay export assay-store study.mlflow`  # logs to MLflow; .wandb and .trackio log to these tools
"""


def command(
    store: options.StoreArgument,
    out: Annotated[Path, typer.Argument(help="The file to write; its suffix selects the format.")],
    ranked_by: options.RankedBy = None,
    max_parameters: options.MaxParameters = None,
    max_latency: options.MaxLatency = None,
    licence: options.Licence = None,
    margin: options.Margin = None,
    cheap_by: options.CheapBy = None,
    plugin: options.Plugins = None,
) -> None:
    """Write the findings as Parquet, CSV, JSON, LaTeX, Markdown, YAML, HTML or text, or to a tracker."""
    from assay.analysis.per_task.decision import Rule
    from assay.cli.writing import write
    from assay.core.errors import UnknownName
    from assay.core.limits import Limits
    from assay.environment.garbage import uncollected
    from assay.plugins.families import families
    from assay.run.stored_comparison import compare_store
    from assay.store.results import open_existing

    options.add_plugins(plugin)
    reports = {member.suffix: member for member in map(families().reports.load, families().reports.names())}
    if out.suffix not in reports:
        raise UnknownName("format of a report", out.suffix or out.name, reports)
    limits = Limits.of(max_parameters, max_latency, licence or ())
    rule = Rule.of(margin, cheap_by)
    with uncollected():
        comparison = compare_store(open_existing(store), ranked_by=ranked_by, limits=limits, rule=rule)
        write(reports[out.suffix](), comparison, out)
    say(f"Wrote {out}")
