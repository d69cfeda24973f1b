"""The options that say which models may be taken: what all commands share that rank or judge models."""

from __future__ import annotations

from typing import Annotated

import typer

MaxParameters = Annotated[str | None, typer.Option(help="Take no larger model: 25M, 300k, or a number.")]
MaxLatency = Annotated[str | None, typer.Option(help="Take no slower model: 20ms or 0.5s for one example.")]
Licence = Annotated[
    list[str] | None, typer.Option(help="Take only models under this licence, or pattern; repeat it.")
]
