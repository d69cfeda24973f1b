"""assay compare: what changes when one model takes the place of another."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assay.cli.limits import Licence, MaxLatency, MaxParameters

EXAMPLES = """
Examples:

- `assay compare timm:resnet18.a1_in1k timm:resnet50.a1_in1k`

- `assay compare sentence:all-MiniLM-L6-v2 hf:intfloat/e5-small --store study.assay --task reviews.csv`
"""


def command(
    before: Annotated[str, typer.Argument(help="The model in place, as the report names it.")],
    after: Annotated[str, typer.Argument(help="The model that may take its place.")],
    store: Annotated[Path, typer.Option(help="The folder that assay run or rank wrote to.")] = Path(
        "assay-store"
    ),
    task: Annotated[list[str] | None, typer.Option(help="A task, as the report names it; repeat it.")] = None,
    method: Annotated[str | None, typer.Option(help="The protocol that measured both.")] = None,
    max_parameters: MaxParameters = None,
    max_latency: MaxLatency = None,
    licence: Licence = None,
) -> None:
    """Compare two models: difference with interval, flips with examples, classes, feature spaces, cost."""
    from rich.console import Console

    from assay.actions.compare_models import compare_models, within
    from assay.core.limits import Limits
    from assay.reports.terminal.change import show_change

    limits = Limits.of(max_parameters, max_latency, licence or ())
    found = compare_models(store, before, after, method=method, tasks=task or ())
    show_change(within(found, limits), Console())
