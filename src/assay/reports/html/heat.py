"""The heat map of models by tasks: a number and its shade for each cell, or why there is none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from assay.core.task import Modality
from assay.findings.comparison import Comparison
from assay.findings.per_task import Cell, Standing, TaskFindings
from assay.wording.numbers import interval_text, value_text

_LEVELS = 10  # shades


@dataclass(frozen=True, slots=True)
class HeatCell:
    """One cell: its number or what became of it, and the whole story for those who point at it.

    Attributes:
        share: Between 0 and 1; None where there is no index.
        level: The shade, from 0.
        has_value: There is a number, with an index or without.
    """

    text: str
    told: str
    share: float | None = None
    level: int | None = None
    has_value: bool = True


@dataclass(frozen=True, slots=True)
class HeatRow:
    """One model on all tasks."""

    model: str
    cells: tuple[HeatCell, ...]


@dataclass(frozen=True, slots=True)
class HeatMap:
    """Models by tasks of one modality, best model first; ``empty`` are those without any value."""

    modality: Modality
    tasks: tuple[str, ...]
    rows: tuple[HeatRow, ...]
    empty: tuple[str, ...] = ()

    @property
    def has_index(self) -> bool:
        """Whether any cell has one: estimates have none."""
        return any(cell.share is not None for row in self.rows for cell in row.cells)


def heat_maps(comparison: Comparison) -> list[HeatMap]:
    """Return a map for each modality: the index of every model on every task, or the reason of the hole."""
    maps = []
    for modality in Modality:
        tasks = [one for one in comparison.tasks if one.task.modality == modality]
        values = {(one.task.address, standing.model): standing for one in tasks for standing in one.standings}
        reasons = {(cell.task, cell.model): cell for one in tasks for cell in one.missing}
        models = {model for _, model in values}
        ranks = {model: _mean_rank(model, tasks, values) for model in models}
        rows = [
            HeatRow(
                model,
                tuple(_cell(one, values.get(key), reasons.get(key)) for one, key in _keys(tasks, model)),
            )
            for model in sorted(models, key=lambda model: (ranks[model], model))
        ]
        if rows:
            empty = sorted({model for _, model in reasons} - models)
            maps.append(
                HeatMap(modality, tuple(one.task.address for one in tasks), tuple(rows), tuple(empty))
            )
    return maps


def _keys(tasks: Sequence[TaskFindings], model: str) -> list[tuple[TaskFindings, tuple[str, str]]]:
    return [(one, (one.task.address, model)) for one in tasks]


def _mean_rank(
    model: str, tasks: Sequence[TaskFindings], values: Mapping[tuple[str, str], Standing]
) -> float:
    """Return the mean rank over tasks, a hole counting as the last: it only orders the rows."""
    last = {one.task.address: len(one.standings) + 1 for one in tasks}
    ranks = [values[key].rank if key in values else last[key[0]] for _, key in _keys(tasks, model)]
    return sum(ranks) / len(ranks)


def _cell(findings: TaskFindings, standing: Standing | None, missing: Cell | None) -> HeatCell:
    if standing is None:
        told = f"{missing.status}: {missing.reason}" if missing else "no result"
        return HeatCell(missing.status.value if missing else "–", told, has_value=False)
    value = value_text(standing.value, negated=findings.shown_negated)
    within = interval_text(standing.interval, negated=findings.shown_negated)
    told = f"{value} {findings.measure}" + (f", {within}" if within else "") + f"; rank {standing.rank}"
    if standing.index is None:
        return HeatCell(value, told)
    share = min(1.0, max(0.0, standing.index))
    return HeatCell(value_text(standing.index, places=2), told, round(share, 3), round(share * (_LEVELS - 1)))
