"""assay fetch: downloads the models and tasks of a study, so that it runs with --offline."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assay.cli import completion
from assay.cli.printing import say, say_fitted

EXAMPLES = """
Examples:

- `assay fetch hf:google-bert/bert-base-uncased 'timm:mobilenetv3*' glue:rte`

- `assay fetch study.toml && assay run study.toml --offline`
"""


def command(
    named: Annotated[
        list[str],
        typer.Argument(
            help="Models, patterns, tasks, suites; or a study file.",
            autocompletion=completion.models_and_tasks,
        ),
    ],
) -> None:
    """Download models and tasks into the caches of their libraries (HF_HOME, TORCH_HOME, ...)."""
    from assay.actions.fetch import Fetched, fetch

    missing = 0
    for result in fetch([address for text in named for address in _addresses(text)]):
        say(result.address)
        if not isinstance(result, Fetched):
            missing += 1
            say_fitted(f"  missing        {result.reason}", indent=17)
            continue
        say(f"  from           {result.origin}")
        say(f"  size           {result.size}")
        for folder, count in result.downloaded.items():
            say(f"  downloaded     {count / 1e6:,.1f} MB into {folder}")
        if not result.downloaded:
            say("  downloaded     nothing: it is cached already")
    if missing:
        raise typer.Exit(code=1)


def _addresses(text: str) -> tuple[str, ...]:
    """Return the addresses in a study file, or the address itself."""
    if Path(text).suffix != ".toml" or ":" in text:
        return (text,)
    from assay.run.study import Study

    study = Study.from_file(text)
    return (*study.models, *study.tasks)
