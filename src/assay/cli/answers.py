"""Writes predictions of a saved model as CSV or JSON lines, to standard output or a file."""

from __future__ import annotations

import csv
import json
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from assay.actions.predict import NewPrediction
from assay.cli.printing import say
from assay.core.errors import UsageError
from assay.environment.atomic_file import replacing_text

# what spreadsheets execute; a bare "-ve" or "@home" is not, and stays the name of its class
_FORMULA = re.compile(r"[\t\r\n ]*(=|[+\-@].*[(|!])", re.DOTALL)


def print_note(text: str) -> None:
    """Print a remark to standard error."""
    say(f"assay: {text}", file=sys.stderr)


def write_answers(
    answers: Iterator[NewPrediction], classes: Sequence[str], output: Path | None, *, is_json: bool
) -> tuple[int, int]:
    """Write answers, and return how many of how many have an error.

    Args:
        answers: The answers; each is written as soon as it is available.
        classes: The classes whose probabilities are written; none for no probabilities.
        output: The file, which is written whole or not at all; None for standard output.
        is_json: JSON lines instead of CSV.
    """
    failed = count = 0
    first = next(answers, None)  # a wrong request is an error before anything is written
    with _opened(output) as file:
        rows = csv.writer(file, lineterminator="\n")
        if not is_json:
            names = ["input", "row", "prediction", *(f"probability of {name}" for name in classes), "error"]
            rows.writerow(map(_cell, names))
        while first is not None:
            count += 1
            failed += bool(first.error)
            if is_json:
                file.write(f"{_json(first, is_with_probabilities=bool(classes))}\n")
            else:
                probs = [_cell(first.probabilities.get(name, "")) for name in classes]
                rows.writerow(
                    [*map(_cell, (first.input, first.row, first.prediction)), *probs, _cell(first.error)]
                )
            first = next(answers, None)
    return failed, count


@contextmanager
def _opened(output: Path | None) -> Iterator[IO[str]]:
    if output is None:
        yield sys.stdout
        return
    try:
        with replacing_text(output) as file:
            yield file
    except OSError as error:
        raise UsageError(f"Cannot write '{output}': {error}. Name another file: --out other.csv.") from error


def _json(answer: NewPrediction, *, is_with_probabilities: bool) -> str:
    row = answer._asdict()
    if not is_with_probabilities:
        del row["probabilities"]
    return json.dumps(row, allow_nan=False)


def _cell(value: object) -> object:
    """Return the text of a CSV cell: a list as JSON, and nothing that a spreadsheet executes."""
    if isinstance(value, list):
        value = json.dumps(value, ensure_ascii=False)
    return f"'{value}" if isinstance(value, str) and _FORMULA.match(value) else value
