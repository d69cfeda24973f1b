"""How much of its budget a search has spent, and why it ends."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import final

import numpy as np

from assay.run.search.rule import SearchRule

_FOR_THE_ANSWER, _MOST_FOR_IT = 0.03, 10.0  # of the budget, and seconds: findings and page at the end


@final
class Spending:
    """Compares what was spent with the budget of this start, and with one that includes earlier runs.

    Args:
        rule: What may be spent.
        downloads: The bytes to download before each model opens.
        start: When this start began, on the clock; by default now.
        clock: Returns seconds.

    Attributes:
        downloaded: The bytes that this start downloaded.
    """

    def __init__(
        self,
        rule: SearchRule,
        downloads: np.ndarray,
        start: float | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.clock = clock
        self._budget, self._total = rule.budget, rule.total_budget
        self._downloads, self._max_download = downloads, rule.max_download
        self.downloaded = 0.0
        self._start = clock() if start is None else start

    def time_of(self, spent: float) -> tuple[float, float | None]:
        """Return the seconds that count towards the time limit, and the limit; None without any.

        They are those of this start, unless only the total is limited.
        """
        if self._budget.seconds is None and self._total.seconds is not None:
            return spent, self._total.seconds
        return self.seconds, self._budget.seconds

    def most_models(self, replayed: int) -> int | None:
        """Return how many models may be tried, with those that were replayed; None without a limit."""
        most = replayed + self.models_left(0, replayed)
        return None if most == float("inf") else int(most)

    @property
    def seconds(self) -> float:
        """Seconds of this start."""
        return self.clock() - self._start

    def left(self, spent: float) -> float:
        """Return the seconds that are left, after those of all steps; infinite without a limit.

        The budget of this start is time on the clock, of which a little is for the answer; the total is the
        time of all steps, by all workers.
        """
        budget = self._budget.seconds
        at_the_end = 0.0 if budget is None else min(_FOR_THE_ANSWER * budget, _MOST_FOR_IT)
        limits = [
            limit - used
            for limit, used in ((budget, self.seconds + at_the_end), (self._total.seconds, spent))
            if limit is not None
        ]
        return min(limits, default=float("inf"))

    def models_left(self, fresh: int, replayed: int) -> float:
        """Return how many more models may be begun, after some in this start and some that were replayed."""
        limits = [
            limit - begun
            for limit, begun in ((self._budget.models, fresh), (self._total.models, fresh + replayed))
            if limit is not None
        ]
        return min(limits, default=float("inf"))

    def can_open(self, is_away: np.ndarray) -> np.ndarray:
        """Return for each model whether its download fits, if it needs one."""
        if self._max_download is None:
            return np.ones(len(is_away), dtype=bool)
        return np.asarray(~is_away | (self._downloads <= self._max_download - self.downloaded))
