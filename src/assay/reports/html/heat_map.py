"""The heat map of models x tasks: number and shade of each cell, or the reason why it is empty."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from assay.core.task import Modality
from assay.findings.comparison import Comparison
from assay.findings.per_task import Cell, Standing, TaskFindings
from assay.reports.html.leaderboard import FEWEST_ROWS
from assay.wording.numbers import interval_text, value_text

_LEVELS = 10  # shades
MOST_CELLS = 4_000  # of all heat maps together, so that the page can be sent by mail


@dataclass(frozen=True, slots=True)
class HeatCell:
    """One cell: its number or the reason for none, and ``details`` for the tooltip.

    Attributes:
        share: The index between 0 and 1; None without an index.
        level: The shade, from 0.
        has_value: The cell has a number, with or without an index.
    """

    text: str
    details: str
    share: float | None = None
    level: int | None = None
    has_value: bool = True


@dataclass(frozen=True, slots=True)
class HeatMap:
    """Models x tasks of one modality, best model first; ``empty`` lists models without any value.

    Attributes:
        hidden: Number of models that are not shown; the exports have all.
    """

    modality: Modality
    tasks: tuple[str, ...]
    rows: tuple[tuple[str, tuple[HeatCell, ...]], ...]  # model, and a cell for each task
    empty: tuple[str, ...] = ()
    hidden: int = 0

    @property
    def has_index(self) -> bool:
        """Whether any cell has an index; estimates have none."""
        return any(cell.share is not None for _, cells in self.rows for cell in cells)


def heat_maps(comparison: Comparison) -> list[HeatMap]:
    """Return a heat map for each modality: the index of every model on every task, or a reason."""
    by_modality = [
        [findings for findings in comparison.tasks if findings.task.modality == modality]
        for modality in Modality
    ]
    most = max(FEWEST_ROWS, MOST_CELLS // max(1, len(comparison.tasks)))
    return [_heat_map(tasks, most) for tasks in by_modality if any(findings.standings for findings in tasks)]


def _heat_map(tasks: Sequence[TaskFindings], most: int) -> HeatMap:
    standings = [{standing.model: standing for standing in findings.standings} for findings in tasks]
    missing = [{cell.model: cell for cell in findings.missing} for findings in tasks]
    models = sorted(set().union(*standings), key=lambda model: (_mean_rank(model, standings), model))
    rows = [
        (
            model,
            tuple(
                _cell(findings, with_value.get(model), without.get(model))
                for findings, with_value, without in zip(tasks, standings, missing, strict=True)
            ),
        )
        for model in models[:most]
    ]
    empty = set().union(*missing) - set(models)
    addresses = tuple(findings.task.address for findings in tasks)
    hidden = len(models) - len(rows)
    return HeatMap(tasks[0].task.modality, addresses, tuple(rows), tuple(sorted(empty)), hidden)


def _mean_rank(model: str, standings: Sequence[Mapping[str, Standing]]) -> float:
    """Return the mean rank over tasks for sorting the rows; a missing value counts as the last rank."""
    ranks = [of_task[model].rank if model in of_task else len(of_task) + 1 for of_task in standings]
    return sum(ranks) / len(ranks)


def _cell(findings: TaskFindings, standing: Standing | None, missing: Cell | None) -> HeatCell:
    if standing is None:
        details = f"{missing.state}: {missing.reason}" if missing else "no result"
        return HeatCell(missing.state if missing else "–", details, has_value=False)
    value = value_text(standing.value, negated=findings.shown_negated)
    interval = interval_text(standing.interval, negated=findings.shown_negated)
    details = f"{value} {findings.measure}{f', {interval}' if interval else ''}; rank {standing.rank}"
    if standing.index is None:
        return HeatCell(value, details)
    share = min(1.0, max(0.0, standing.index))
    level = round(share * (_LEVELS - 1))
    return HeatCell(value_text(standing.index, places=2), details, round(share, 3), level)
