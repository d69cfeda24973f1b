"""The leaderboard of one task, with the geometry of its bars."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from assay.analysis.per_task.by_protocol import cell_text, natural
from assay.findings.comparison import Comparison
from assay.findings.facts import ModelRow
from assay.findings.per_task import Cell, Standing, TaskFindings
from assay.reports.html.axes import Axis, axis_around
from assay.wording.numbers import decimals

_BAR_PIXELS = 150
MOST_CELLS = 25_000  # of all tables of methods together: a page stays small enough to be sent
MOST_CLASSES = 40  # of one task
_BAR_ENDS = 6.0  # pixels free at both ends
_SHARE_ON_AXIS = 0.75  # of the models, the best: one that is far behind would press the others together


@dataclass(frozen=True, slots=True)
class Bar:
    """Where a value and its interval stand on the common axis of a task; further right is better."""

    value: float
    low: float
    high: float
    is_off: bool  # further left than the axis goes

    @property
    def width(self) -> float:
        """Pixels from low to high."""
        return round(self.high - self.low, 1)


@dataclass(frozen=True, slots=True)
class Row:
    """One line of a leaderboard."""

    standing: Standing
    model: ModelRow | None
    bar: Bar


@dataclass(frozen=True, slots=True)
class Methods:
    """What every method of the study says of every model on one task, as texts."""

    names: tuple[str, ...]
    rows: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Board:
    """The models of one task, best first.

    Attributes:
        places: Decimals of a value.
        floor: Where the trivial predictor stands on the axis of the bars; None where it is off.
        ties: How many models the data do not tell from the best, itself included.
        seeds: Of how many seeds a value is the mean, at most.
        has_off: Some bar is further left than there is room for.
    """

    rows: tuple[Row, ...]
    places: int
    floor: float | None
    ties: int
    seeds: int
    has_off: bool


@dataclass(frozen=True, slots=True)
class OfClass:
    """How often the recommended model is right on the test examples of one class."""

    name: str
    count: int
    accuracy: float


def classes_of(findings: TaskFindings) -> tuple[OfClass, ...]:
    """Return the classes in order; of very many, the weakest first; none where there is no model to take."""
    if findings.recommended is None:
        return ()
    found = [
        OfClass(name, findings.class_counts[name], accuracy)
        for name, accuracy in findings.class_accuracy.items()
    ]
    if len(found) <= MOST_CLASSES:
        return tuple(found)
    return tuple(sorted(found, key=lambda one: one.accuracy)[:MOST_CLASSES])


def board(findings: TaskFindings, models: Mapping[str, ModelRow]) -> Board:
    """Return the leaderboard of a task."""
    standings = findings.standings
    axis = _value_axis(standings) if standings else None
    rows = [Row(one, models.get(one.model), _bar(one, axis)) for one in standings if axis is not None]
    floor = findings.task.floor
    is_inside = axis is not None and findings.beats_floor is not None and axis.low <= floor <= axis.high
    return Board(
        rows=tuple(rows),
        places=decimals(one.value for one in standings),
        floor=axis.place(floor) if axis is not None and is_inside else None,
        ties=sum(one.is_tied_best for one in standings),
        seeds=max((one.seeds for one in standings), default=0),
        has_off=any(row.bar.is_off for row in rows),
    )


def methods_of(comparison: Comparison) -> dict[str, Methods]:
    """Return all methods of each task with two or more; nothing where that would make the page too large."""
    valued: dict[str, dict[str, dict[str, Cell]]] = {}
    for cell in comparison.cells:
        if cell.value is not None:
            valued.setdefault(cell.task, {}).setdefault(cell.method, {})[cell.model] = cell
    if sum(map(len, (of for task in valued.values() for of in task.values()))) > MOST_CELLS:
        return {}
    negated = {one.task.address: one.shown_negated for one in comparison.tasks}
    order = {one.task.address: [row.model for row in one.standings] for one in comparison.tasks}
    return {
        task: _methods(cells, order[task], negated=negated[task])
        for task, cells in valued.items()
        if len(cells) > 1 and task in order
    }


def _methods(cells: Mapping[str, Mapping[str, Cell]], models: Sequence[str], *, negated: bool) -> Methods:
    names = sorted(cells, key=natural)
    rows = [
        (model, tuple(_text(cells[name].get(model), negated=negated) for name in names)) for model in models
    ]
    return Methods(tuple(names), tuple(rows))


def _text(cell: Cell | None, *, negated: bool) -> str:
    """Return a value as a reader knows it: one that is, or foretells, a falling metric is turned around."""
    if cell is None or cell.value is None:
        return "–"
    return cell_text(cell, negated=negated and (not cell.is_score or bool(cell.metric)))


def _value_axis(standings: Sequence[Standing]) -> Axis:
    kept = standings[: max(2, ceil(len(standings) * _SHARE_ON_AXIS))]
    ends = [one.value for one in kept]
    for one in kept:
        ends += [one.interval.low, one.interval.high] if one.interval else []
    return axis_around(ends, _BAR_ENDS, _BAR_PIXELS - _BAR_ENDS)


def _bar(standing: Standing, axis: Axis) -> Bar:
    within = standing.interval
    low, high = (within.low, within.high) if within else (standing.value, standing.value)
    value, low, high = (round(axis.place(one), 1) for one in (standing.value, low, high))
    return Bar(value, low, high, is_off=standing.value < axis.low)
