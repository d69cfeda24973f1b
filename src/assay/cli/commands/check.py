"""assay check: opens a model, prints its properties, and tests it on a batch."""

from __future__ import annotations

from typing import Annotated

import typer

from assay.cli import completion, options
from assay.cli.printing import say, say_fitted

EXAMPLES = """
Examples:

- `assay check timm:resnet18.a1_in1k`

- `assay check "packaged:all_minilm_l6_v2(layers=3)"`
"""


def command(
    models: Annotated[
        list[str], typer.Argument(help="Addresses or patterns.", autocompletion=completion.models)
    ],
    device: options.Device = "auto",
    offline: options.Offline = False,
    plugin: options.Plugins = None,
) -> None:
    """Open models, print their properties, and check their features: finite, and the same in any batch."""
    from assay.actions.check import inspect
    from assay.core.errors import ModelError
    from assay.environment.devices import resolve_device
    from assay.run.plan import resolve_models

    options.add_plugins(plugin)
    options.go_offline_if(offline)
    broken = 0
    device = resolve_device(device)
    for named in resolve_models(models):
        say(named)
        try:
            for label, text in inspect(named.plugin, device):
                say_fitted(f"  {label:14} {text}", indent=17)
        except ModelError as error:
            broken += 1
            say_fitted(f"  broken         {error}", indent=17)
    if broken:
        raise typer.Exit(code=1)
