"""assay predict: predicts with a saved model for files, folders, tables and texts."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from assay.cli import options

EXAMPLES = """
Examples:

- `assay predict winner new.csv --probabilities`

- `assay predict winner picture.jpg more-pictures --out answers.csv`

- `assay predict winner --text 'a text' --jsonl`

Exit codes: 0 all predicted; 1 some rows have an error instead; 2 invalid arguments.
"""


def command(
    folder: Annotated[Path, typer.Argument(help="A folder written by assay save.")],
    inputs: Annotated[
        list[str] | None,
        typer.Argument(help="Files; folders of images or sounds; tables: CSV, TSV, JSONL, Parquet."),
    ] = None,
    column: Annotated[
        list[str] | None, typer.Option(help="Column of tables with the examples; repeat it for pairs.")
    ] = None,
    text: Annotated[list[str] | None, typer.Option(help="A text to predict for; repeat it.")] = None,
    text2: Annotated[list[str] | None, typer.Option(help="The second text of a pair; repeat it.")] = None,
    probabilities: Annotated[
        bool, typer.Option("--probabilities", help="Add the probability of each class.")
    ] = False,
    jsonl: Annotated[bool, typer.Option("--jsonl", help="Write JSON lines instead of CSV.")] = False,
    out: Annotated[Path | None, typer.Option(help="File to write; .jsonl means --jsonl.")] = None,
    allow_code: Annotated[
        list[str] | None,
        typer.Option(
            help="Code of your own that may run: a module, a model's name, a plug-in file; repeat it."
        ),
    ] = None,
    device: options.Device = "auto",
    offline: options.Offline = False,
) -> None:
    """Predict with a saved model; an input that cannot be read becomes a row with its error.

    CSV for spreadsheets: several classes or numbers are a JSON list in one cell, and a cell that would run
    as a formula begins with an apostrophe. JSON lines are exact.
    """
    from assay.actions.load import load
    from assay.actions.predict import NewInputs, answers
    from assay.cli.answers import print_note, write_answers

    options.go_offline_if(offline)
    asked = NewInputs(inputs or (), column or (), text or (), text2 or ())
    is_json = jsonl or (out is not None and out.suffix in {".json", ".jsonl", ".ndjson"})
    with load(folder, device, allow_code=allow_code or ()) as saved:
        for note in saved.notes:
            print_note(note)
        found = answers(saved, asked, probabilities=probabilities)
        classes = saved.classes if probabilities else ()
        failed, count = write_answers(found, classes, out, is_json=is_json)
    if failed:
        print_note(f"{failed} of {count} rows have an error instead of a prediction.")
        raise typer.Exit(code=1)
