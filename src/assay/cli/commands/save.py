"""assay save: saves the trained model of a study for use elsewhere."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import Annotated

import typer

from assay.cli import completion, options
from assay.cli.say import say
from assay.core.shown import quoted

EXAMPLES = """
Examples:

- `assay save assay-store timm:resnet18.a1_in1k ./photos --out winner`

- `assay save study.toml timm:resnet18.a1_in1k ./photos --method 'fine_tune(trials=8)'`

- `assay predict winner new.jpg`, or `python winner/predict.py new.jpg`
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
    out: options.NewFolder = Path("saved"),
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
    from assay.environment.devices import resolve_device
    from assay.plugins.families import families
    from assay.run.plan import resolve_models, resolve_tasks
    from assay.wording.numbers import value_text

    options.add_plugins(plugin)
    options.go_offline_if(offline)
    store, seed = options.opened_study(study, seed)
    protocol = options.protocol_called(method)
    jobs = [result.job for result in store.results()]
    model = _address(model, {job.model for job in jobs})
    task = _address(task, {job.task for job in jobs})
    chosen = ModelToSave(resolve_models([model])[0], resolve_tasks([task], seed)[0], protocol)
    result = save(store, chosen, out, resolve_device(device), onnx=onnx)
    negated = families().metrics.load(chosen.task.metric).shown_negated
    value = f"{chosen.task.metric} {value_text(result.value or 0.0, negated=negated)} on test"
    say(f"Saved {chosen.model} with {chosen.method} ({value}) to {out}")
    folder, script = quoted(str(out)), quoted(str(out / "predict.py"))
    say(f"Predict with: assay predict {folder} ...; or python {script} ...")


def _address(name: str, known: Collection[str]) -> str:
    """Return the address that a name in a report means; any other name is an address itself."""
    from assay.core.errors import UnknownName
    from assay.wording.short_names import addresses_called

    try:
        return addresses_called([name], sorted(known), "model or task")[0]
    except UnknownName:
        return name
