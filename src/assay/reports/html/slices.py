"""The slices of a task as tables of models, one for each column by which it is sliced."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from assay.findings.error_analysis import SliceFindings
from assay.findings.per_task import TaskFindings
from assay.wording.numbers import decimals, interval_text, value_text

MOST_SLICES = 30  # columns of a table
FEWEST_MODELS = 20  # rows of a table that has not room for all
MOST_CELLS = 3_000  # of all tables of slices together: a page stays small enough to be sent


@dataclass(frozen=True, slots=True)
class SliceTable:
    """Models by the slices of one column.

    Attributes:
        column: By which the task is sliced.
        slices: Those with a value, in the order of their names; of very many the largest.
        hidden: How many more there are.
        rows: Each model with its value and its interval on each slice, best on the whole task first.
        models_hidden: How many more there are; the exports have them all.
        reasons: Why other slices have no value.
    """

    column: str
    slices: tuple[SliceFindings, ...]
    hidden: int
    rows: tuple[tuple[str, tuple[tuple[str, str], ...]], ...]
    models_hidden: int
    reasons: tuple[str, ...]


def slice_tables(tasks: Sequence[TaskFindings]) -> list[tuple[SliceTable, ...]]:
    """Return for each task a table for each column by which it is sliced."""
    columns = [list(dict.fromkeys(one.column for one in found.slices)) for found in tasks]
    room = MOST_CELLS // max(1, sum(map(len, columns)))
    return [
        tuple(_table(column, found, room) for column in of_task)
        for found, of_task in zip(tasks, columns, strict=True)
    ]


def _table(column: str, found: TaskFindings, room: int) -> SliceTable:
    of_column = [one for one in found.slices if one.column == column]
    valued = [one for one in of_column if one.values]
    models = max(FEWEST_MODELS, room // max(1, min(len(valued), MOST_SLICES)))
    standings = [
        one for place, one in enumerate(found.standings) if place < models or one.model == found.recommended
    ]
    most = min(MOST_SLICES, max(1, room // max(1, len(standings))))
    largest = {one.name for one in sorted(valued, key=lambda one: -one.examples)[:most]}
    slices = tuple(one for one in valued if one.name in largest)
    values = [{each.model: each for each in one.values} for one in slices]
    places = decimals(each.value for of_slice in values for each in of_slice.values())
    negated = found.shown_negated
    rows = [
        (
            standing.model,
            tuple(
                (
                    value_text(of_slice[standing.model].value, negated=negated, places=places),
                    interval_text(of_slice[standing.model].interval, negated=negated, places=places),
                )
                for of_slice in values
            ),
        )
        for standing in standings
        if values and standing.model in values[0]
    ]
    reasons = tuple(f"{one.name}: {one.reason}" for one in of_column if not one.values)
    hidden = len(found.standings) - len(standings)
    return SliceTable(column, slices, len(valued) - len(slices), tuple(rows), hidden, reasons)
