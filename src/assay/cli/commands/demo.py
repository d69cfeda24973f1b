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
    "packaged:all_minilm_l6_v2(pooling='cls')",
    "packaged:all_minilm_l6_v2(layers=3)",
    "packaged:all_minilm_l6_v2(layers=0)",
    "packaged:all_minilm_l6_v2(pretrained=False)",
)
TASKS = ("sklearn:digits(limit=400)", "skimage:patches(per_class=35)", "docstrings:default(per_class=150)")


def command(
    store: Annotated[Path, typer.Option(help="Folder that keeps everything.")] = Path("demo.assay"),
    device: options.Device = "auto",
) -> None:
    """Compare nine encoders on three tasks, image and text; everything comes from installed packages."""
    from assay.cli.output import answer
    from assay.run.study import Study

    answer(Study(models=MODELS, tasks=TASKS, store=store, device=device))
