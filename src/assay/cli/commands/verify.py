"""assay verify: checks the checksums and results of a store."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assay.cli import options
from assay.cli.printing import say_fitted

EXAMPLES = """
Examples:

- `assay verify assay-store`  # verifies every checksum, and every result against its predictions

- `assay verify assay-store --rerun 5 --json verified.json`  # runs five finished jobs again as well

The exit code is 0 if nothing is wrong, and 1 otherwise.
"""


def command(
    store: options.StoreArgument,
    rerun: Annotated[int, typer.Option(help="How many finished jobs run again.", min=0)] = 0,
    seed: Annotated[int, typer.Option(help="Seed of their draw.", min=0)] = 0,
    json: Annotated[Path | None, typer.Option(help="Where to write JSON.")] = None,
    device: options.Device = "auto",
    plugin: options.Plugins = None,
    offline: options.Offline = False,
) -> None:
    """Verify checksums, results against their predictions, and a sample of jobs; nothing is changed."""
    from assay.actions.verify import verify
    from assay.cli.writing import must_be_writable, write_text
    from assay.reports.json import as_json
    from assay.wording.verification import verification_lines

    options.go_offline_if(offline)
    options.add_plugins(plugin)
    if json is not None:
        must_be_writable(json)
    found = verify(store, reruns=rerun, seed=seed, device=device)
    for line in verification_lines(found):
        say_fitted(line)
    if json is not None:
        write_text(as_json(found), json)
    if not found.is_sound:
        raise typer.Exit(code=1)
