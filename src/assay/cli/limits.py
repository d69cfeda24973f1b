"""The options that say which models may be ranked: what rank, run, report and export share."""

from __future__ import annotations

from typing import Annotated

import typer

MaxParameters = Annotated[str | None, typer.Option(help="Rank no larger model: 25M, 300k, or a number.")]
MaxLatency = Annotated[str | None, typer.Option(help="Rank no slower model: 20ms or 0.5s for one example.")]
Licence = Annotated[
    list[str] | None, typer.Option(help="Rank only models under this licence, or pattern; repeat it.")
]
