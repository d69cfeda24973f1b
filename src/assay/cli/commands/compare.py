"""assay compare: shows the differences when one model replaces another."""

from __future__ import annotations

from typing import Annotated

import typer

from assay.cli import completion, options

EXAMPLES = """
Examples:

- `assay compare timm:resnet18.a1_in1k timm:resnet50.a1_in1k`

- `assay compare sentence:all-MiniLM-L6-v2 hf:intfloat/e5-small --store study.assay --task reviews.csv`
"""


def command(
    before: Annotated[
        str,
        typer.Argument(
            help="The model in use, by its name in the report.", autocompletion=completion.stored_models
        ),
    ],
    after: Annotated[
        str, typer.Argument(help="The model that may replace it.", autocompletion=completion.stored_models)
    ],
    store: options.StoreOption = options.DEFAULT_STORE,
    task: options.Tasks = None,
    method: options.Measure = None,
    max_parameters: options.MaxParameters = None,
    max_latency: options.MaxLatency = None,
    licence: options.Licence = None,
    plugin: options.Plugins = None,
) -> None:
    """Compare two models: difference with interval, changed predictions, classes, feature spaces, cost."""
    from assay.actions.compare_models import compare_models, within
    from assay.core.limits import Limits
    from assay.reports.terminal.change import show_change
    from assay.reports.terminal.console import console as new_console

    options.add_plugins(plugin)
    limits = Limits.of(max_parameters, max_latency, licence or ())
    change = compare_models(store, before, after, method=method, tasks=task or ())
    show_change(within(change, limits), new_console())
