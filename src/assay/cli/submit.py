"""assay submit: the files that the leaderboard of GLUE takes."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

EXAMPLES = """
Examples:

- `assay rank suite:glue --models hf:google-bert/bert-base-uncased --methods fine_tune`

- `assay submit assay-store hf:google-bert/bert-base-uncased --method fine_tune --to submission`

- `zip -j submission.zip submission/*.tsv` and upload it at gluebenchmark.com/submit
"""


def command(
    study: Annotated[Path, typer.Argument(help="The store of a study, or its TOML file.")],
    model: Annotated[str, typer.Argument(help="The model, as the report names it.")],
    method: Annotated[str, typer.Option(help="The protocol that trained it.")] = "linear_probe",
    to: Annotated[Path, typer.Option(help="A folder that is new or empty.")] = Path("submission"),
    seed: Annotated[int, typer.Option(help="The seed of the study's splits.")] = 0,
    device: Annotated[str, typer.Option(help="cpu, cuda, mps or auto.")] = "auto",
) -> None:
    """Predict the hidden test labels of GLUE, and write the files that its leaderboard takes."""
    from assay.actions.submit import Entrant, lacking, submit
    from assay.encoders.devices import resolve_device
    from assay.plugins.protocol import Protocol
    from assay.plugins.registry import Named
    from assay.run.plan import resolve_methods, resolve_models
    from assay.run.study import Study
    from assay.store.results import open_existing

    read = Study.from_file(study) if study.suffix == ".toml" else None
    store = open_existing(Path(read.store) if read else study)
    chosen = resolve_methods([method])[0]
    if not isinstance(chosen.plugin, Protocol):
        raise typer.BadParameter(f"'{method}' trains nothing. Name a protocol, as in linear_probe.")
    entrant = Entrant(resolve_models([model])[0], Named(chosen.address, chosen.plugin))
    for one in submit(store, entrant, to, read.seed if read else seed, resolve_device(device)):
        print(f"Wrote {one.path}: {one.answers:,} answers by the model of {one.task}")
    missing = lacking(store, entrant)
    if missing:
        named = ", ".join(f"{hidden.file} (glue:{hidden.tasks[0]})" for hidden in missing)
        print(f"The leaderboard wants these too, for which the study has no model: {named}")
