"""Builds the leaderboard of a task, with a bar for each model; a long one has only the best models."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import ceil

from assay.findings.facts import ModelRow
from assay.findings.per_task import Standing, TaskFindings
from assay.wording.numbers import decimals

MOST_ROWS = 3_000  # of all leaderboards of a page together, so that it can be sent by mail
FEWEST_ROWS = 20  # of each
_BAR_PIXELS = 150
_BAR_ENDS = 6.0  # margin at both ends, in pixels
_SHARE_ON_AXIS = 0.75  # share of the best models on the axis: outliers would compress the others


@dataclass(frozen=True, slots=True)
class Axis:
    """The common axis of the bars of a leaderboard.

    >>> Axis(0.0, 1.0).pixel(0.5)
    75.0
    """

    low: float
    high: float

    def pixel(self, value: float) -> float:
        """Return the position of a value, clipped to the axis."""
        share = (value - self.low) / (self.high - self.low) if self.high > self.low else 0.5
        return round(_BAR_ENDS + min(1.0, max(0.0, share)) * (_BAR_PIXELS - 2 * _BAR_ENDS), 2)


@dataclass(frozen=True, slots=True)
class Bar:
    """Position of a value and its interval on the common axis, in pixels; further right is better."""

    value: float
    low: float
    high: float
    is_off: bool  # left of the axis

    @property
    def width(self) -> float:
        """Pixels from low to high."""
        return round(self.high - self.low, 1)


@dataclass(frozen=True, slots=True)
class LeaderboardRow:
    """One line of a leaderboard."""

    standing: Standing
    model: ModelRow | None
    bar: Bar


@dataclass(frozen=True, slots=True)
class Leaderboard:
    """The models of one task, best first.

    Attributes:
        places: Decimals of a value.
        floor: Position of chance level on the axis, in pixels; None if it is off the axis.
        may_be_best: Number of models that may be the best.
        seeds: Largest number of seeds in a mean.
        has_off: Some bar is left of the axis.
        hidden: Number of models that are not shown; the exports have all.
    """

    rows: tuple[LeaderboardRow, ...]
    places: int
    floor: float | None
    may_be_best: int
    seeds: int
    has_off: bool
    hidden: int


def rows_of_each(tasks: int) -> int:
    """Return how many models the leaderboards of so many tasks may show."""
    return max(FEWEST_ROWS, MOST_ROWS // max(1, tasks))


def shown_standings(findings: TaskFindings, most: int) -> tuple[Standing, ...]:
    """Return the best models of a task, and those that its recommendation names, best first."""
    named = {findings.recommended, findings.smallest, findings.decision and findings.decision.cheaper}
    return tuple(
        standing
        for position, standing in enumerate(findings.standings)
        if position < most or standing.model in named
    )


def leaderboard(findings: TaskFindings, models: Mapping[str, ModelRow], most: int = MOST_ROWS) -> Leaderboard:
    """Return the leaderboard of a task with its best models, at most about so many."""
    standings = findings.standings
    axis = _value_axis(standings) if standings else None
    rows = [
        LeaderboardRow(standing, models.get(standing.model), _bar(standing, axis))
        for standing in shown_standings(findings, most)
        if axis is not None
    ]
    floor = findings.task.floor
    is_inside = axis is not None and findings.is_above_chance is not None and axis.low <= floor <= axis.high
    return Leaderboard(
        rows=tuple(rows),
        places=decimals(standing.value for standing in standings),
        floor=axis.pixel(floor) if axis is not None and is_inside else None,
        may_be_best=sum(standing.may_be_best for standing in standings),
        seeds=max((standing.seeds for standing in standings), default=0),
        has_off=any(row.bar.is_off for row in rows),
        hidden=len(standings) - len(rows),
    )


def _value_axis(standings: Sequence[Standing]) -> Axis:
    """Return an axis that covers the values and intervals of the best models, with a margin."""
    kept = standings[: max(2, ceil(len(standings) * _SHARE_ON_AXIS))]
    intervals = [standing.interval for standing in kept if standing.interval]
    ends = [end for interval in intervals for end in (interval.low, interval.high)]
    low, high = (limit([*(standing.value for standing in kept), *ends]) for limit in (min, max))
    room = (high - low) * 0.06 or abs(high) * 0.05 or 1.0
    return Axis(low - room, high + room)


def _bar(standing: Standing, axis: Axis) -> Bar:
    interval = standing.interval
    low, high = (interval.low, interval.high) if interval else (standing.value, standing.value)
    value, low, high = (round(axis.pixel(number), 1) for number in (standing.value, low, high))
    return Bar(value, low, high, is_off=standing.value < axis.low)
