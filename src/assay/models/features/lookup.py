"""An opened file of features: it is given the names of examples and looks them up."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from typing import final

from assay.core.errors import ModelError
from assay.core.features import Encoded
from assay.core.model import Model, ModelFacts
from assay.core.task import Example
from assay.models.features.files import NamedFeatures


@final
class Lookup(Model):
    """Knows features by the names of examples.

    A path may be given by its whole name, or under any name in the file that ends with it, or that it ends
    with, if there is one only: ``cat/1.jpg`` is ``photos/cat/1.jpg``.

    Args:
        held: The features and their names.
        facts: What is known of them.
    """

    def __init__(self, held: NamedFeatures, facts: ModelFacts) -> None:
        self._held = held
        self._facts = facts

    @property
    def facts(self) -> ModelFacts:
        """What is known of the features."""
        return self._facts

    @property
    def names(self) -> Sequence[str]:
        """The names of the examples whose features are held."""
        return self._held.names

    def encode(self, examples: Sequence[Example]) -> Encoded:
        """Return the features of examples, which are given by their names."""
        rows = [self._row(str(name)) for name in examples]
        return Encoded(self._held.matrix[rows].reshape(len(rows), self._facts.width), None)

    def close(self) -> None:
        """Free the features."""
        self._held = NamedFeatures([], self._held.matrix[:0])
        self.__dict__.pop("_rows", None)
        self.__dict__.pop("_endings", None)

    @cached_property
    def _rows(self) -> dict[str, int]:
        return {name: row for row, name in enumerate(self._held.names)}

    @cached_property
    def _endings(self) -> dict[str, list[int]]:
        """Under which endings each path in the file can be found."""
        endings: dict[str, list[int]] = {}
        for name, row in self._rows.items():
            for ending in _endings(name)[1:]:
                endings.setdefault(ending, []).append(row)
        return endings

    def _row(self, name: str) -> int:
        row = self._rows.get(name)
        if row is not None:
            return row
        shorter = [self._rows[ending] for ending in _endings(name) if ending in self._rows]
        rows: list[int] = [*self._endings.get(name.replace("\\", "/"), ()), *shorter]
        if len(rows) == 1:
            return rows[0]
        if not self._held.names:
            raise ModelError("The model is closed. Open it again.")
        shown = ", ".join(f"'{held}'" for held in self._held.names[:2])
        if rows:
            several = ", ".join(f"'{self._held.names[row]}'" for row in rows[:2])
            raise ModelError(f"'{name}' may be {several}. Write the names as the task has them.")
        raise ModelError(
            f"The file has no features of '{name}'; it has {len(self._rows)} names, as in {shown}. Write the "
            "names as the task has them: paths within its folder, or 'row 1' for the first row of a table."
        )


def _endings(name: str) -> list[str]:
    """Return a path and what is left of it without its first folder, without its second, ..."""
    parts = [part for part in name.replace("\\", "/").split("/") if part not in ("", ".")]
    return ["/".join(parts[start:]) for start in range(len(parts))]
