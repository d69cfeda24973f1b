"""assay save: saves the trained model of a study for use elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assay.cli import completion, options
from assay.cli.printing import say
from assay.core.escaping import quoted

EXAMPLES = """
Examples:

- `assay save assay-store timm:resnet18.a1_in1k ./photos --out winner`

- `assay save study.toml timm:resnet18.a1_in1k ./photos --method 'fine_tune(trials=8)'`

- `assay predict winner new.jpg`  # the same: python winner/predict.py new.jpg
"""


def command(
    study: options.StudyArgument,
    model: options.ModelArgument,
    task: Annotated[
        str,
        typer.Argument(help="The task, by its name in the report.", autocompletion=completion.stored_tasks),
    ],
    method: Annotated[
        str,
        typer.Option(help="The protocol whose trained model is saved.", autocompletion=completion.methods),
    ] = "linear_probe",
    out: Annotated[
        Path | None,
        typer.Option(help="A new or empty folder to write to [saved; with a number if that exists]."),
    ] = None,
    seed: options.SplitSeed = 0,
    device: options.Device = "auto",
    offline: options.Offline = False,
    plugin: options.Plugins = None,
    onnx: Annotated[
        bool, typer.Option("--onnx", help="Also write encoder and head as model.onnx (image models only).")
    ] = False,
) -> None:
    """Write weights, settings and a prediction script, checked to reproduce the predictions of the study."""
    from assay.actions.save import ModelToSave, save
    from assay.actions.stored_models import address_of_model, address_of_task
    from assay.environment.devices import resolve_device
    from assay.plugins.families import families
    from assay.run.plan import resolve_models, resolve_tasks
    from assay.wording.numbers import value_text

    options.add_plugins(plugin)
    options.go_offline_if(offline)
    store, seed = options.opened_study(study, seed)
    protocol = options.protocol_called(method)
    model, task = address_of_model(model, store), address_of_task(task, store)
    chosen = ModelToSave(resolve_models([model])[0], resolve_tasks([task], seed)[0], protocol)
    out = out or options.free_folder("saved")
    result = save(store, chosen, out, resolve_device(device), onnx=onnx)
    negated = families().metrics.load(chosen.task.metric).shown_negated
    value = f"{chosen.task.metric} {value_text(result.value or 0.0, negated=negated)} on test"
    say(f"Saved {chosen.model} with {chosen.method} ({value}) to {out}")
    folder, script = quoted(str(out)), quoted(str(out / "predict.py"))
    say(f"Predict with: assay predict {folder} ...; or python {script} ...")
