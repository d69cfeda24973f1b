"""What searches and simple rules find on a matrix of results: frozen values."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from assay.core.estimate import Interval


class Line(NamedTuple):
    """What one rule reaches.

    Attributes:
        regrets: Mean normalised regret after each number of trials.
        gain: Interval of the regret of the static ranking minus its own, for each number of trials; None for
            static itself, and with fewer than six data sets.
        cost: Mean share of the cost of all models that comes within the tolerance.
        median_cost: The median of it.
        intervals: Of the mean regret after each number of trials, over data sets; None as for the gain.
        by_cost: Mean normalised regret at each share of the cost of all models.
        curve: The same after each number of trials, from one to the largest.
        cost_curve: The same at each share of ``Simulation.shares_of_curve``.
    """

    policy: str
    regrets: tuple[float, ...]
    gain: tuple[Interval | None, ...]
    cost: float
    median_cost: float
    intervals: tuple[Interval | None, ...] = ()
    by_cost: tuple[float, ...] = ()
    curve: tuple[float, ...] = ()
    cost_curve: tuple[float, ...] = ()


class Coverage(NamedTuple):
    """How often the bound on what is missed held, each data set left out of the past that it is based on.

    Attributes:
        trials: The number of models that were tried.
        held: The number of tasks on which no more was missed.
        tasks: The number of tasks with a bound; 0 if there are too few data sets.
        high: The median bound, in the unit of the matrix.
    """

    trials: int
    held: int
    tasks: int
    high: float


@dataclass(frozen=True, slots=True)
class Simulation:
    """What searches find on a matrix.

    Attributes:
        notes: How the tables were read.
        tasks: The number of tasks that were replayed.
        data_sets: The number of their data sets.
        models: The number of models of the matrix.
        trials: The numbers of trials.
        tolerance: The loss that is close enough.
        lines: One for each rule; the search first.
        coverage: Of the bound; None if it was not checked.
        skipped: Tasks that could not be replayed.
        contaminated: The number of results of models whose name holds that of the task.
        excluded: Whether these were left out.
        has_costs: Whether models cost different amounts; else cost is the number of models.
        shares: The shares of the cost of all models at which regret is given.
        shares_of_curve: Those of the curves.
    """

    notes: tuple[str, ...]
    tasks: int
    data_sets: int
    models: int
    trials: tuple[int, ...]
    tolerance: float
    lines: tuple[Line, ...]
    coverage: Coverage | None
    skipped: tuple[str, ...]
    contaminated: int = 0
    excluded: bool = False
    has_costs: bool = False
    shares: tuple[float, ...] = ()
    shares_of_curve: tuple[float, ...] = ()
