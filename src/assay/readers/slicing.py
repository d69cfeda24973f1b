"""Reads the columns of a table by which a user wants results told apart."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from assay.core.errors import UnreadableTask
from assay.core.slicing import Slicing
from assay.readers.tables import TextTable

MOST_SLICES = 100  # of one column; the languages of the largest multilingual data sets are about as many


class Sliced(NamedTuple):
    """The slices of some rows, and what a reader must know of them."""

    slices: tuple[Slicing, ...]
    notes: tuple[str, ...]


def slice_rows(table: TextTable, columns: Sequence[str], rows: np.ndarray) -> Sliced:
    """Return for each column what stands in it in some rows.

    Raises:
        UnreadableTask: More than a hundred different things stand in a column, or nothing does.
    """
    slices, notes = [], []
    for column in columns:
        cells, codes = table.coded(column)
        named = np.array([bool(cell) for cell in [*cells, ""]])[codes[rows]]  # -1 is the last
        found, places = np.unique([cells[code] for code in codes[rows][named]], return_inverse=True)
        if not 0 < len(found) <= MOST_SLICES:
            raise UnreadableTask(
                f"'{column}' holds {len(found):,} different values; a column of slices holds 1 to "
                f"{MOST_SLICES}. Name another, or write ranges into it, as in 'short' and 'long'."
            )
        of_row = np.full(len(rows), -1)
        of_row[named] = places
        slices.append(Slicing(column, tuple(str(name) for name in found), of_row))
        if not named.all():
            first = table.row_name(int(rows[~named][0]))
            notes.append(
                f"{(~named).sum()} of {len(rows)} rows have an empty cell in '{column}' (first: {first}): "
                "they are in none of its slices."
            )
    return Sliced(tuple(slices), tuple(notes))
