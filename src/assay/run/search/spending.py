"""What a search has spent of its budget."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import final

import numpy as np

from assay.run.search.rule import SearchRule


@final
class Spending:
    """Compares what was spent with the budget of this start, and with one that includes earlier runs.

    Args:
        rule: What may be spent.
        downloads: The bytes to download before each model opens.
        clock: Returns seconds.

    Attributes:
        before: The seconds of steps that were replayed, not run in this start.
    """

    def __init__(
        self, rule: SearchRule, downloads: np.ndarray, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.clock = clock
        self.before = 0.0
        self._budget, self._total = rule.budget, rule.total_budget
        self._downloads, self._max_download = downloads, rule.max_download
        self._start = clock()

    @property
    def seconds(self) -> float:
        """Seconds of this start."""
        return self.clock() - self._start

    @property
    def left(self) -> float:
        """Seconds that are left; infinite without a limit."""
        limits = [
            limit - spent
            for limit, spent in (
                (self._budget.seconds, self.seconds),
                (self._total.seconds, self.seconds + self.before),
            )
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

    def can_download(self, untried: np.ndarray) -> np.ndarray:
        """Return for each model whether its download fits, after those of the models that were tried."""
        if self._max_download is None:
            return np.ones(len(untried), dtype=bool)
        left = self._max_download - float(self._downloads[~untried].sum())
        return np.asarray((self._downloads <= left) | (self._downloads == 0))
