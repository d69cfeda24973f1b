"""assay measure: measures the speed of a store's models again."""

from __future__ import annotations

from typing import Annotated

import typer

from assay.cli import completion, options
from assay.cli.printing import say

EXAMPLES = """
Examples:

- `assay measure assay-store`

- `assay measure assay-store --model 'timm:*' --rounds 5 --device cuda`
"""


def command(
    store: options.StoreArgument,
    models: Annotated[
        list[str] | None,
        typer.Option(
            "--model",
            "-m",
            help="Model or pattern; repeat it. [all]",
            autocompletion=completion.stored_models,
        ),
    ] = None,
    rounds: Annotated[int, typer.Option(help="How often each model is measured.", min=1)] = 3,
    device: options.Device = "auto",
    plugin: options.Plugins = None,
    offline: options.Offline = False,
) -> None:
    """Measure latency and throughput again, in rounds over the models; nothing is trained."""
    import sys
    from contextlib import closing

    from assay.actions.measure import measure, named_models
    from assay.cli.measured_speeds import show, watching
    from assay.environment.devices import resolve_device
    from assay.environment.machine import machine_name
    from assay.reports.terminal.console import console as new_console
    from assay.store.results import Store, open_existing

    options.go_offline_if(offline)
    options.add_plugins(plugin)
    with closing(open_existing(store)) as existing:
        chosen = named_models(existing, models or ())
    device = resolve_device(device)
    try:
        with (
            closing(Store(store)) as opened,
            watching(new_console(stderr=True), chosen, rounds) as watch,
        ):
            measured = measure(opened, chosen, rounds, device, watch)
    except KeyboardInterrupt:
        say("\nStopped. What was measured is kept.", file=sys.stderr)
        raise typer.Exit(code=130) from None
    show(measured, machine_name(device), new_console())
    if any(one.failure for one in measured):
        raise typer.Exit(code=1)
