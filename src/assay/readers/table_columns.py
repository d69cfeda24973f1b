"""The roles of the columns of a table."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class TableColumns:
    """The roles of a table's columns.

    Attributes:
        labels: One or more label columns.
        texts: One text column, two for pairs, or none for other examples.
        image: The column of image paths.
        words: The column of texts split into words; the label column has a tag for each word.
        notes: Notes about ambiguous guesses.
    """

    labels: tuple[str, ...]
    texts: tuple[str, ...] = ()
    image: str | None = None
    split: str | None = None
    words: str | None = None
    notes: tuple[str, ...] = ()

    @property
    def inputs(self) -> tuple[str, ...]:
        """The columns that hold an example."""
        return self.texts or tuple(name for name in (self.image, self.words) if name is not None)

    def described(self, head: Iterable[str], files: str = "image") -> str:
        """Describe the role of each column of a table, and list the unused columns.

        Args:
            head: The columns of the table.
            files: What the column of files holds.

        >>> TableColumns(("stars",), ("review",)).described(["id", "review", "stars"])
        "text 'review', label 'stars'; not used: 'id'"
        """
        named = [(files, self.image), ("words", self.words), *(("text", name) for name in self.texts)]
        named += [*(("label", name) for name in self.labels), ("split", self.split)]
        used = [(role, name) for role, name in named if name is not None]
        roles = ", ".join(f"{role} '{name}'" for role, name in used)
        others = [f"'{name}'" for name in head if name not in {name for _, name in used}]
        return f"{roles}; not used: {', '.join(others)}" if others else roles
