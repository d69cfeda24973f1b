"""Predicts the cost of the next step of each model from the measured steps."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple, final

import numpy as np

_POWER = 0.8  # time grows more slowly than multiply-accumulates: small models use a machine less well
_FIRST_RATE = 0.02  # seconds for an example, before any was measured
_FIRST_OPEN = 2.0  # seconds
_BYTES_PER_SECOND = 10e6  # of a download, before any was measured
_ERROR, _ERRORS = 0.2, 2  # of the logarithm of a prediction before any is known, and as how many it counts
_NINE_OF_TEN = 1.28  # standard deviations


class StepTime(NamedTuple):
    """What a finished step took, in seconds."""

    opening: float = 0.0
    encoding: float = 0.0
    methods: float = 0.0
    downloaded: float = 0.0  # bytes, while it opened

    @property
    def total(self) -> float:
        """All of it."""
        return self.opening + self.encoding + self.methods


@final
class Costs:
    """Predicts the seconds of steps.

    The time to encode an example is what it was for the model itself; before, it is scaled from other models
    by their size. Opening is the median of first steps, and the download by size; methods are the mean of
    their stage, with what else a later step takes, such as measuring the speed of a model.

    Args:
        sizes: The multiply-accumulates of each model, or another number that its time grows with; NaN if
            unknown.
        downloads: The bytes to download before each model opens; 0 if it is here.
        examples: How many more examples are encoded at each stage, over all tasks.
    """

    def __init__(self, sizes: np.ndarray, downloads: np.ndarray, examples: Sequence[int]) -> None:
        known = np.isfinite(sizes) & (sizes > 0)
        usual = float(np.median(sizes[known])) if known.any() else 1.0
        self._relative = (np.where(known, sizes, usual) / usual) ** _POWER
        self._downloads = downloads
        self._is_away = downloads > 0
        self._fetched = [0.0, 0.0]  # seconds and bytes of downloads
        self._examples = np.asarray(examples, dtype=float)
        self._encoding = np.zeros((2, len(sizes)))  # seconds and examples of each model
        self._told = np.full(len(sizes), -1)  # the last stage of each model that is known
        self._methods: list[list[float]] = [[] for _ in examples]
        self._openings: list[float] = []
        self._open: int | None = None  # the model of the last step, which is open still
        self._errors: list[float] = []  # logarithms of what steps took, as a share of what was predicted

    def tell(self, model: int, stage: int, measured: StepTime) -> None:
        """Learn the cost of a step."""
        is_usual = self._methods[stage] and stage == self._told[model] + 1 and not measured.downloaded
        if is_usual and measured.total > 0:
            predicted = self._of_stages()[model, stage] + self.openings()[model]
            self._errors.append(math.log(measured.total / predicted))
        examples = self._examples[self._told[model] + 1 : stage + 1].sum()
        if measured.encoding > 0 and examples:
            self._encoding[:, model] += measured.encoding, examples
        self._told[model] = max(stage, self._told[model])
        opening = 0.0 if model == self._open else self._usual_opening
        beyond = max(0.0, measured.opening - opening)
        if measured.downloaded:
            self._fetched = [self._fetched[0] + beyond, self._fetched[1] + measured.downloaded]
            beyond = 0.0
        elif stage == 0 and model != self._open and measured.opening > 0:
            self._openings.append(measured.opening)
        self._methods[stage].append(measured.methods + (beyond if stage > 0 else 0.0))
        self._open = model

    def is_away(self) -> np.ndarray:
        """Return whether each model is downloaded before it opens next."""
        return self._is_away.copy()

    def fetch(self, model: int) -> float:
        """Note that a model opens now; return the bytes that are downloaded for it."""
        fetched = float(self._downloads[model]) if self._is_away[model] else 0.0
        self._is_away[model] = False
        return fetched

    def remove(self, model: int) -> None:
        """Note that the downloaded files of a model were removed."""
        self._is_away[model] = self._downloads[model] > 0

    @property
    def is_measured(self) -> bool:
        """Whether it is known how fast models encode, or how long the last stage of one took."""
        return bool(self._encoding[1].any() or self._methods[-1])

    @property
    def caution(self) -> float:
        """The 90 % quantile of actual / predicted cost, at least 1.

        Steps that took less are not evidence: the first opening loads the framework, the next do not.
        """
        above = sum(max(0.0, error) ** 2 for error in self._errors) + _ERRORS * _ERROR**2 / 2
        return math.exp(_NINE_OF_TEN * math.sqrt(2 * above / (len(self._errors) + _ERRORS)))

    def next(self, reached: np.ndarray) -> np.ndarray:
        """Return the cost of the next step of each model; infinite for one that finished."""
        each = self._of_stages()
        stage = reached + 1
        rows = np.arange(len(reached))
        costs = each[rows, np.minimum(stage, each.shape[1] - 1)] + self.openings()
        return np.asarray(np.where(stage < each.shape[1], costs, np.inf))

    def rest(self, reached: np.ndarray) -> np.ndarray:
        """Return the cost of all remaining steps of each model."""
        each = self._of_stages()
        is_left = np.arange(each.shape[1]) > reached[:, None]
        return np.asarray((each * is_left).sum(axis=1) + self.openings())

    def whole(self, model: int) -> float:
        """Return the cost of the last stage of a model if none of it was encoded before."""
        seconds, examples = self.rates()[model], self._examples.sum()
        methods = self._methods[-1]
        return float(seconds * examples + (np.mean(methods) if methods else 0.0) + self._usual_opening)

    def _of_stages(self) -> np.ndarray:
        """Return the seconds of each stage of each model, without opening: models x stages."""
        methods = [float(np.mean(times)) if times else np.nan for times in self._methods]
        known = [time for time in methods if np.isfinite(time)]
        filled = np.where(np.isfinite(methods), methods, max(known, default=0.0))
        return np.asarray(self.rates()[:, None] * self._examples + filled)

    def rates(self) -> np.ndarray:
        """Return the seconds that each model takes for an example."""
        seconds, examples = self._encoding
        measured = (examples > 0) & (seconds > 0)
        if not measured.any():
            return _FIRST_RATE * self._relative
        own = seconds[measured] / examples[measured]
        usual = np.exp(np.mean(np.log(own / self._relative[measured])))
        rates = usual * self._relative
        rates[measured] = own
        return np.asarray(rates)

    def openings(self) -> np.ndarray:
        """Return the seconds until each model is open."""
        took, fetched = self._fetched
        rate = fetched / took if took > 0 else _BYTES_PER_SECOND
        seconds = self._usual_opening + np.where(self._is_away, self._downloads / rate, 0.0)
        if self._open is not None:
            seconds[self._open] = 0.0
        return np.asarray(seconds)

    @property
    def _usual_opening(self) -> float:
        """The median; the first is left out if there are more, because it includes loading the framework."""
        seconds = self._openings[1:] or self._openings
        return float(np.median(seconds)) if seconds else _FIRST_OPEN
