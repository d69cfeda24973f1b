"""assay cache: lists and removes features that a store keeps."""

from __future__ import annotations

from typing import Annotated

import typer

from assay.cli import options

EXAMPLES = """
Examples:

- `assay cache assay-store` lists the features and Moments that are kept, with their size and last use

- `assay cache assay-store --cache-size 10GB` removes the least recently used until 10 GB are left

Results, predictions and labels are never removed. Removed features are computed again if needed.
"""


def command(
    store: options.StoreArgument,
    cache_size: Annotated[
        str | None,
        typer.Option(help="Remove the least recently used features beyond this size: 10GB or 500MB."),
    ] = None,
    prune: Annotated[bool, typer.Option("--prune", help="Remove all features.")] = False,
    plugin: options.Plugins = None,
) -> None:
    """List the features that a store keeps for later runs, or remove them."""
    from datetime import datetime

    from assay.actions import cache
    from assay.core.errors import UsageError
    from assay.core.limits import bytes_of
    from assay.wording.numbers import disk_space

    options.add_plugins(plugin)
    if prune and cache_size is not None:
        raise UsageError("--prune removes everything. Leave out --prune or --cache-size.")
    if prune or cache_size is not None:
        removed = cache.prune(store, 0 if cache_size is None else bytes_of("cache_size", cache_size))
        for each in removed:
            print(f"removed {disk_space(each.bytes):>8}  {each.of}")
    kept = cache.cached(store)
    if kept:
        print(f"{'size':>8}  {'last use':16}  features of")
    for each in kept:
        used = datetime.fromtimestamp(each.last_use).astimezone()
        print(f"{disk_space(each.bytes):>8}  {used:%Y-%m-%d %H:%M}  {each.of}")
    print(f"{disk_space(sum(each.bytes for each in kept))} in {store}")
