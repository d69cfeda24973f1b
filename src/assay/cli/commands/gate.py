"""assay gate: decides whether a model may replace the one in use; for build servers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assay.cli import completion, options

EXAMPLES = """
Examples:

- `assay gate timm:resnet50.a1_in1k --baseline timm:resnet18.a1_in1k --max-regression 0.5pt`

- `assay gate --baseline timm:resnet18.a1_in1k --junit gate.xml --json gate.json --markdown gate.md`

Exit codes: 0 pass; 1 a task loses more than is allowed, or the model exceeds a limit; 3 not enough data
to tell; 2 invalid arguments.
"""
_EXIT_CODES = {"pass": 0, "fail": 1, "not enough data to tell": 3}


def command(
    baseline: Annotated[
        str,
        typer.Option(
            help="The model in use, by its name in the report.", autocompletion=completion.stored_models
        ),
    ],
    model: Annotated[
        str | None,
        typer.Argument(
            help="The model that may replace it [the only other pretrained model of the store].",
            autocompletion=completion.stored_models,
        ),
    ] = None,
    store: options.StoreOption = options.DEFAULT_STORE,
    max_regression: Annotated[
        str, typer.Option(help="Allowed loss: points, as in 0.5pt, or the metric's own unit.")
    ] = "0.5pt",
    task: options.Tasks = None,
    method: options.Measure = None,
    junit: Annotated[Path | None, typer.Option(help="Where to write JUnit XML.")] = None,
    json: Annotated[Path | None, typer.Option(help="Where to write JSON.")] = None,
    markdown: Annotated[
        Path | None, typer.Option(help="Where to write Markdown, as for the summary of a build.")
    ] = None,
    max_parameters: options.MaxParameters = None,
    max_latency: options.MaxLatency = None,
    licence: options.Licence = None,
    plugin: options.Plugins = None,
) -> None:
    """Pass if no task loses more than is allowed; fail if one significantly does.

    Otherwise report that there are not enough data to tell.
    """
    from assay.actions.compare_models import compare_models, other_model, within
    from assay.analysis.change.gate import gate, regression_from
    from assay.cli.writing import must_be_writable, write_text
    from assay.core.limits import Limits
    from assay.reports.json import as_json
    from assay.reports.terminal.console import console as new_console
    from assay.reports.terminal.gate import as_junit, show_gate
    from assay.reports.terminal.gate_markdown import as_markdown

    options.add_plugins(plugin)
    regression_from(max_regression)
    limits = Limits.of(max_parameters, max_latency, licence or ())
    for path in filter(None, (junit, json, markdown)):
        must_be_writable(path)
    after = model or other_model(store, baseline)
    change = compare_models(store, baseline, after, method=method, tasks=task or ())
    result = gate(within(change, limits), max_regression)
    show_gate(result, new_console())
    if junit is not None:
        write_text(as_junit(result), junit)
    if json is not None:
        write_text(as_json(result), json)
    if markdown is not None:
        write_text(as_markdown(result), markdown)
    raise typer.Exit(code=_EXIT_CODES[result.verdict])
