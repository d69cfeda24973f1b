"""assay merge: copies the results of shards into the store of their study."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

EXAMPLES = """
Examples:

- `assay merge study.assay`  # merges the shards in study.assay.shards, also while some of them run

- `assay merge study.assay 'node*/study.assay' other.assay`

The exit code is 0 if everything was merged, and 1 if a store was refused or some of it is damaged.
"""


def command(
    store: Annotated[Path, typer.Argument(help="The store that is written; a new one is created.")],
    shards: Annotated[
        list[str] | None,
        typer.Argument(help="Stores, folders of stores, or patterns [STORE.shards]."),
    ] = None,
) -> None:
    """Copy results, predictions and facts of other stores into one; a rerun copies nothing twice."""
    from assay.actions.merge import merge, pending_of_store
    from assay.cli.printing import say
    from assay.core.text import plural
    from assay.wording.screen import pending_line

    damaged = 0
    for merged in merge(store, shards or ()):
        copied, known, lost = merged.results
        say(f"{merged.store}: {plural(copied, 'result')} merged, {known:,} there already")
        for job in lost:
            say(f"  not merged: {job}: its row or its predictions are damaged. Run that shard again.")
        damaged += len(lost)
    pending = pending_of_store(store)
    say(pending_line(pending, {}) if pending else f"{store}: nothing is pending. Next: assay report {store}")
    if damaged:
        raise typer.Exit(code=1)
