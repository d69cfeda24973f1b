"""assay submit: writes the files for the GLUE leaderboard."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assay.cli import options
from assay.cli.printing import say, say_fitted

EXAMPLES = """
Examples:

- `assay rank suite:glue --model hf:google-bert/bert-base-uncased --method fine_tune`

- `assay submit assay-store hf:google-bert/bert-base-uncased --method fine_tune --out submission`

- `zip -j submission.zip submission/*.tsv`  # to upload at gluebenchmark.com/submit
"""


def command(
    study: options.StudyArgument,
    model: options.ModelArgument,
    method: Annotated[str, typer.Option(help="The protocol that trained it.")] = "linear_probe",
    out: Annotated[
        Path | None,
        typer.Option(help="A new or empty folder to write to [submission; with a number if that exists]."),
    ] = None,
    seed: options.SplitSeed = 0,
    device: options.Device = "auto",
    offline: options.Offline = False,
    plugin: options.Plugins = None,
) -> None:
    """Predict the hidden test labels of GLUE, and write the files for its leaderboard."""
    from assay.actions.stored_models import address_of_model
    from assay.actions.submit import Entrant, lacking, submit
    from assay.environment.devices import resolve_device
    from assay.run.plan import resolve_models

    options.add_plugins(plugin)
    options.go_offline_if(offline)
    store, seed = options.opened_study(study, seed)
    protocol = options.protocol_called(method)
    entrant = Entrant(resolve_models([address_of_model(model, store)])[0], protocol)
    out = out or options.free_folder("submission")
    for file in submit(store, entrant, out, seed, resolve_device(device)):
        say(f"Wrote {file.path}: {file.answers:,} predictions by the model of {file.task}")
    missing = lacking(store, entrant)
    if missing:
        named = ", ".join(f"{hidden.file} (glue:{hidden.tasks[0]})" for hidden in missing)
        say_fitted(f"The leaderboard also requires these files, for which the study has no model: {named}")
