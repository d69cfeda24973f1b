"""assay score: computes transferability scores of features in files."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assay.cli import completion, options
from assay.cli.printing import say, say_fitted

EXAMPLES = """
Examples:

- `assay score features.npz`  # computes every score that the file allows and that takes seconds

- `assay score resnet.npz vit.npz --method logme --method ridge_cv`  # shows models side by side

- `assay score features.npz --plugin my_score.py`  # adds a score of your own

The file holds `features` (examples x width) and `labels`; `source_probs` and
`random_features` are optional: `np.savez("features.npz", features=F, labels=y)`.
"""


def command(
    files: Annotated[list[Path], typer.Argument(help="Files of arrays (.npz), one for each model.")],
    methods: Annotated[
        list[str] | None,
        typer.Option("--method", help="Score; repeatable.", autocompletion=completion.scores),
    ] = None,
    labels: Annotated[str, typer.Option(help="The name of the array of labels.")] = "labels",
    kind: Annotated[str | None, typer.Option(help="classification, regression or multilabel.")] = None,
    metric: Annotated[str | None, typer.Option(help="The metric that out-of-sample scores estimate.")] = None,
    sample: Annotated[
        int, typer.Option(help="Most examples for scores that compare examples; 0 for all.")
    ] = 5000,
    interval: Annotated[
        bool, typer.Option("--interval", help="Intervals for every score; takes five times as long.")
    ] = False,
    plugin: options.Plugins = None,
    json: Annotated[Path | None, typer.Option(help="Where to write JSON.")] = None,
) -> None:
    """Print transferability scores of features in files; no model is opened or trained."""
    from assay.cli.score_files import as_json, have_same_labels, read_arrays, score_all
    from assay.cli.score_tables import show
    from assay.cli.score_verdict import verdict
    from assay.cli.writing import must_be_writable, write_text
    from assay.core.errors import UsageError
    from assay.plugins.families import families
    from assay.reports.terminal.console import console as new_console

    if json is not None:
        must_be_writable(json)
    options.add_plugins(plugin)
    views = {
        name: read_arrays(path, labels, kind=kind, sample=sample or None)
        for name, path in _named(files).items()
    }
    if metric is not None and all(view.kind == "multilabel" for view in views.values()):
        raise UsageError("No metric judges several labels at once. Leave out --metric.")
    names = methods or sorted(families().scores.names())
    results = {
        name: score_all(view, names, metric, interval=interval, asked=methods is not None)
        for name, view in views.items()
    }
    show(results, views, new_console())
    slow = [name for name in names if families().scores.load(name).is_slow] if methods is None else []
    if slow:
        options_of_slow = " ".join(f"--method {name}" for name in slow)
        say_fitted(
            f"Left out, because they may take minutes: {', '.join(slow)}. To run them: {options_of_slow}."
        )
    if json is not None:
        write_text(as_json(results), json)
        say(f"Wrote {json}")
    are_comparable = have_same_labels(list(views.values()))
    say_fitted(verdict(results, are_comparable=are_comparable, asked=methods is not None))
    if methods and not any(row.estimate is not None for rows in results.values() for row in rows.values()):
        raise typer.Exit(code=1)


def _named(files: list[Path]) -> dict[str, Path]:
    """Return the files by their shortest unique names."""
    stems = [path.stem for path in files]
    return {
        stem if stems.count(stem) == 1 else str(path): path for stem, path in zip(stems, files, strict=True)
    }
