"""assay demo: runs real models on real data, without downloads."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assay.cli import options

EXAMPLES = """
Examples:

- `assay demo`
"""

MODELS = (
    "packaged:efficientnet_lite0",
    "packaged:efficientnet_lite1",
    "packaged:efficientnet_lite2",
    "packaged:efficientnet_lite0(pretrained=False)",
    "packaged:all_minilm_l6_v2",
    "packaged:all_minilm_l6_v2(layers=4, alias='minilm-4-layers')",
    "packaged:all_minilm_l6_v2(layers=0, alias='word-vectors')",
    "packaged:all_minilm_l6_v2(pretrained=False)",
)
TASKS = (
    "skimage:patches(per_class=25, test=0.4)",
    "docstrings:networkx+skimage+sklearn+sympy+transformers(per_class=80, alias='docstrings')",
)
METHODS = ("linear_probe", "knn", "ridge_cv", "logme")


def command(
    store: Annotated[Path, typer.Option(help="Folder for results, features and the report.")] = Path(
        "demo.assay"
    ),
    device: options.Device = "auto",
    retry_failed: options.RetryFailed = False,
) -> None:
    """Compare four image models and four text models, with data and weights from installed packages."""
    from assay.cli.output import answer
    from assay.run.study import Study

    study = Study(models=MODELS, tasks=TASKS, methods=METHODS, store=store, device=device)
    answer(study, retry_failed=retry_failed)
