"""assay cache: lists and removes cached arrays of a store, or the user's cache."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from assay.cli import options
from assay.cli.printing import say

if TYPE_CHECKING:
    from assay.actions.cache import Cached

EXAMPLES = """
Examples:

- `assay cache assay-store`  # lists the features and Moments that are kept, with their size and last use

- `assay cache`  # lists the pixels of images that are kept for all studies, and what was found in files

- `assay cache assay-store --cache-size 10GB`  # removes the least recently used until 10 GB are left

Results, predictions and labels are never removed. Removed features are computed again if needed.
"""


def command(
    store: Annotated[
        Path | None,
        typer.Argument(help="The folder that assay run or rank wrote to; the user's cache by default."),
    ] = None,
    cache_size: Annotated[
        str | None,
        typer.Option(help="Remove the least recently used beyond this size: 10GB or 500MB."),
    ] = None,
    prune: Annotated[bool, typer.Option("--prune", help="Remove all.")] = False,
    plugin: options.Plugins = None,
) -> None:
    """List what a store, or the user's cache, keeps for later runs, or remove it."""
    from assay.actions import cache
    from assay.core.errors import UsageError
    from assay.core.limits import bytes_of
    from assay.environment.cache import cache_folder
    from assay.wording.numbers import disk_space

    options.add_plugins(plugin)
    if prune and cache_size is not None:
        raise UsageError("--prune removes everything. Leave out --prune or --cache-size.")
    if store is None:
        if prune or cache_size is not None:
            most = 0 if cache_size is None else bytes_of("cache_size", cache_size)
            say(f"removed {disk_space(cache.prune_user_cache(most)):>8}")
        _show(cache.user_cached(), "", str(cache_folder()))
        return
    if prune or cache_size is not None:
        removed = cache.prune(store, 0 if cache_size is None else bytes_of("cache_size", cache_size))
        for each in removed:
            say(f"removed {disk_space(each.bytes):>8}  {each.of}")
    _show(cache.cached(store), "features of", str(store))


def _show(kept: Sequence[Cached], what: str, where: str) -> None:
    from datetime import datetime

    from assay.wording.numbers import disk_space

    if kept:
        say(f"{'size':>8}  {'last use':16}  {what}".rstrip())
    for each in kept:
        used = datetime.fromtimestamp(each.last_use).astimezone()
        say(f"{disk_space(each.bytes):>8}  {used:%Y-%m-%d %H:%M}  {each.of}")
    say(f"{disk_space(sum(each.bytes for each in kept))} in {where}")
