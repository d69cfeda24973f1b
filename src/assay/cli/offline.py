"""The option ``--offline``, which several commands share."""

from __future__ import annotations

from typing import Annotated

import typer

Offline = Annotated[
    bool, typer.Option("--offline", help="Use no network: what is not cached is an error. assay fetch first.")
]


def obey(offline: Offline) -> None:
    """Use no network from now on, if that is asked: before any library is loaded that might."""
    from assay.encoders.offline import go_offline

    if offline:
        go_offline()
