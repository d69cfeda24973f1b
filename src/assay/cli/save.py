"""assay save: the trained model of a study, to use it elsewhere."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated

import typer

from assay.cli.offline import Offline, obey

EXAMPLES = """
Examples:

- `assay save assay-store timm:resnet18.a1_in1k ./photos --to winner`

- `assay save study.toml timm:resnet18.a1_in1k ./photos --method 'fine_tune(trials=8)'`

- `python winner/predict.py new.jpg`
"""


def command(
    study: Annotated[Path, typer.Argument(help="The store of a study, or its TOML file.")],
    model: Annotated[str, typer.Argument(help="The model, as the report names it.")],
    task: Annotated[str, typer.Argument(help="The task, as the report names it.")],
    method: Annotated[str, typer.Option(help="The protocol whose outcome is saved.")] = "linear_probe",
    to: Annotated[Path, typer.Option(help="A folder that is new or empty.")] = Path("saved"),
    seed: Annotated[int, typer.Option(help="The seed of the study's splits.")] = 0,
    device: Annotated[str, typer.Option(help="cpu, cuda, mps or auto.")] = "auto",
    offline: Offline = False,
) -> None:
    """Write weights, settings and a script that predicts, proved to predict what the study predicted."""
    from assay.actions.save import Chosen, save
    from assay.encoders.devices import resolve_device
    from assay.plugins.protocol import Protocol
    from assay.plugins.registry import Named
    from assay.run.plan import resolve_methods, resolve_models, resolve_tasks
    from assay.run.study import Study
    from assay.store.results import open_existing
    from assay.wording.names import labels, task_labels

    obey(offline)
    read = Study.from_file(study) if study.suffix == ".toml" else None
    store = open_existing(Path(read.store) if read else study)
    chosen = resolve_methods([method])[0]
    if not isinstance(chosen.plugin, Protocol):
        raise typer.BadParameter(f"'{method}' trains nothing. Name a protocol, as in linear_probe.")
    jobs = [result.job for result in store.results()]
    model_address = _address(labels(sorted({job.model for job in jobs})), model)
    task_address = _address(task_labels(sorted({job.task for job in jobs})), task)
    found = Chosen(
        resolve_models([model_address])[0],
        resolve_tasks([task_address], read.seed if read else seed)[0],
        Named(chosen.address, chosen.plugin),
    )
    result = save(store, found, to, resolve_device(device))
    value = f"{found.task.metric} {abs(result.value or 0.0):.3f} on test"
    print(f"Saved {found.model} with {found.method} ({value}) to {to}")
    print(f"Predict with: python {to / 'predict.py'} ...")


def _address(labels: Mapping[str, str], name: str) -> str:
    """Return the address that a report calls by a name; a name that none has is an address itself."""
    return next((address for address, label in labels.items() if label == name), name)
