"""The budget and the stopping criteria of a search, as a user writes them."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import NamedTuple

from assay.core.errors import UsageError
from assay.core.limits import bytes_of

_SECONDS = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86400.0}
_HOW = "as in 30m, 2h or 50models"


class Budget(NamedTuple):
    """What a search may spend; None for no limit."""

    seconds: float | None = None
    models: int | None = None


NO_BUDGET = Budget()


class Tolerance(NamedTuple):
    """How much better than the best model found another one may be expected to be.

    Attributes:
        amount: A share of the size of the metric, or an amount in its unit.
        is_share: Which of them; a point is a hundredth of the size.
    """

    amount: float
    is_share: bool

    def of(self, size: float, metric: str) -> float:
        """Return it in the unit of a metric.

        Args:
            size: The size of the metric: 1, or the trivial predictor's value if lower is better.
            metric: The name of the metric.

        Raises:
            UsageError: It is the whole size, which every model is within.
        """
        share = self.amount if self.is_share else self.amount / size
        if share >= 1:
            written = f"{100 * self.amount:g}pt" if self.is_share else f"{self.amount:g}"
            raise UsageError(
                f"tolerance is {written}, but useful models differ by less than {size:.3g} in {metric}. "
                f"Write points, as in 0.5pt, which is {0.005 * size:.2g}."
            )
        return share * size


HALF_A_POINT = Tolerance(0.005, is_share=True)


def budget_of(name: str, written: object) -> Budget:
    """Parse a budget: seconds, minutes, hours or days, or a number of models.

    >>> budget_of("budget", "1.5h")
    Budget(seconds=5400.0, models=None)
    >>> budget_of("budget", "50models")
    Budget(seconds=None, models=50)

    Raises:
        UsageError: It cannot be parsed, or is not above 0.
    """
    match = (
        re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([a-z]+)\s*", written.lower())
        if isinstance(written, str)
        else None
    )
    if match is None or (match[2] not in _SECONDS and match[2] not in {"model", "models"}):
        raise UsageError(f"{name} is {written!r}. Write a time or a number of models, {_HOW}.")
    amount = float(match[1])
    if amount <= 0 or amount == float("inf"):
        raise UsageError(
            f"{name} is {written!r}, which is not a budget. Write a time or number above 0, {_HOW}."
        )
    if match[2] in _SECONDS:
        return Budget(seconds=amount * _SECONDS[match[2]])
    if amount != int(amount):
        raise UsageError(f"{name} is {written!r}. Write a whole number of models, as in 50models.")
    return Budget(models=int(amount))


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchRule:
    """What a search may spend, and when it is content.

    Attributes:
        budget: Counts from this start.
        total_budget: Includes earlier runs of the store; ``max_models`` is a part of it.
        tolerance: The expected regret at which it stops; 0 never stops for it.
        max_download: The bytes that a start may download.
        max_disk: The bytes of what it downloads that may lie in caches at a time.
        exclude_contaminated: Leave out models that were trained on the data of a task.
    """

    budget: Budget = NO_BUDGET
    total_budget: Budget = NO_BUDGET
    tolerance: Tolerance | None = None
    max_download: float | None = None
    max_disk: float | None = None
    exclude_contaminated: bool = False

    @classmethod
    def of(  # noqa: PLR0913  # each is a keyword that a user writes
        cls,
        *,
        budget: object = None,
        total_budget: object = None,
        tolerance: object = None,
        max_models: object = None,
        max_download: str | float | None = None,
        max_disk: str | float | None = None,
        exclude_contaminated: bool = False,
    ) -> SearchRule:
        """Return the rule that a user wrote.

        Raises:
            UsageError: A part of it cannot be parsed.
        """
        now, total = (
            NO_BUDGET if written is None else budget_of(name, written)
            for name, written in (("budget", budget), ("total_budget", total_budget))
        )
        if max_models is not None:
            if not isinstance(max_models, int) or isinstance(max_models, bool) or max_models < 1:
                raise UsageError(f"max_models is {max_models!r}. Write a whole number from 1.")
            total = Budget(total.seconds, min(max_models, total.models or max_models))
        return cls(
            budget=now,
            total_budget=total,
            tolerance=None if tolerance is None else _tolerance_of(tolerance),
            max_download=None if max_download is None else bytes_of("max_download", max_download),
            max_disk=None if max_disk is None else bytes_of("max_disk", max_disk),
            exclude_contaminated=exclude_contaminated,
        )


def _tolerance_of(written: object) -> Tolerance:
    """Parse a tolerance: points, as in 0.5pt, or a number in the unit of the metric."""
    match = re.fullmatch(r"([\d.]+(?:e[-+]?\d+)?)\s*(pts?|points?)?", str(written).strip().lower())
    try:
        value = float(match[1]) if match is not None else math.inf
    except ValueError:
        value = math.inf
    if match is None or isinstance(written, bool) or value == math.inf:
        raise UsageError(
            f"tolerance is {written!r}. Write points, as in 0.5pt, or a number in the unit of the metric, "
            "as in 0.005."
        )
    return Tolerance(value / 100 if match[2] else value, is_share=match[2] is not None)
