"""The columns of a table that a user names."""

from __future__ import annotations

from typing import NamedTuple


class NamedColumns(NamedTuple):
    """The columns named by the user; None for columns to guess."""

    text: str | None = None
    text2: str | None = None
    image: str | None = None
    label: str | tuple[str, ...] | None = None
    split: str | None = None
    words: str | None = None
    slices: str | tuple[str, ...] | None = None

    @property
    def labels(self) -> tuple[str, ...]:
        """The label columns; empty if they are to be guessed."""
        return _several(self.label)

    @property
    def sliced(self) -> tuple[str, ...]:
        """The columns by which results are reported separately."""
        return _several(self.slices)

    @property
    def named(self) -> tuple[str, ...]:
        """All columns named by the user."""
        single = (self.text, self.text2, self.image, self.split, self.words)
        return *(column for column in single if column is not None), *self.labels, *self.sliced


def _several(columns: str | tuple[str, ...] | None) -> tuple[str, ...]:
    if columns is None:
        return ()
    return (columns,) if isinstance(columns, str) else columns
