"""assay catalogue: asks the hub for facts about models, for assay list models."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from assay.cli import completion, options
from assay.cli.printing import say

EXAMPLES = """
Examples:

- `assay catalogue update`  # asks about the curated zoo

- `assay catalogue update 'timm:*mobilenet*'`
"""


def command(
    action: Annotated[str, typer.Argument(help="update")],
    patterns: Annotated[
        list[str] | None,
        typer.Argument(help="Models or patterns [the curated zoo].", autocompletion=completion.models),
    ] = None,
    plugin: options.Plugins = None,
    offline: options.Offline = False,
) -> None:
    """Ask the hub for downloads, licence, date and size of models, which assay list models then shows."""
    from assay.core.errors import UnknownName, UsageError
    from assay.core.task import Modality
    from assay.core.text import plural
    from assay.run.catalogue import catalogue_of
    from assay.run.hub_facts import update
    from assay.run.zoo import curated

    options.go_offline_if(offline)
    options.add_plugins(plugin)
    if action != "update":
        raise UnknownName("action of assay catalogue", action, ["update"])
    asked = patterns or [choice.address for modality in Modality for choice in curated(modality)]
    repositories = [entry.repository for entry in catalogue_of(asked).values() if entry.repository]
    if not repositories:
        raise UsageError(f"No model of {', '.join(asked)} is on the hub: there is nothing to update.")
    failed = 0
    for number, each in enumerate(update(repositories), start=1):
        failed += bool(each.failure)
        if each.failure:
            say(f"{each.repository}: {each.failure}", file=sys.stderr)
        elif number % 100 == 0:
            say(f"{number:,} of {len(set(repositories)):,}", file=sys.stderr)
    say(f"{plural(len(set(repositories)) - failed, 'model')} updated, {failed:,} failed")
    if failed:
        raise typer.Exit(code=1)
