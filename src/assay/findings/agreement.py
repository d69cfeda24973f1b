"""How well scores predicted what training gave: frozen values that a report renders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from assay.core.estimate import Interval
from assay.core.task import Modality


@dataclass(frozen=True, slots=True)
class Shortlist:
    """What training only the first few models of a score costs and finds; equal scores are drawn at random.

    Attributes:
        size: How many models are trained.
        regret: Metric lost: the best value less the best of those that were trained.
        normalised: Regret over (best less median model); None where the median is the best.
        hit: The chance that the best model is among them.
    """

    size: int
    regret: float
    normalised: float | None
    hit: float


@dataclass(frozen=True, slots=True)
class Agreement:
    """How well a score predicted what training gave, on one task.

    Attributes:
        is_baseline: It looks at no example of the task.
        models: Number of models with both.
        weighted_tau: Weighted Kendall tau (scipy's rank=True); None where one side is constant.
        tau_by_truth: The same ranked by the truth alone, as Model Spider has it; published numbers mix both.
        tau_b: Kendall's tau-b; None where one side is constant.
        pearson: None where one side is constant.
        spearman: None where one side is constant.
        intervals: Of the correlations, by their names above: models resampled; empty with
            fewer than eight, and without the perfect ones: a perfect order has no spread to draw from.
        shortlists: Of one, three and five models, as long as there are more.
    """

    score: str
    task: str
    is_baseline: bool
    models: int
    weighted_tau: float | None
    tau_by_truth: float | None
    tau_b: float | None
    pearson: float | None
    spearman: float | None
    intervals: Mapping[str, Interval]
    shortlists: tuple[Shortlist, ...]

    @property
    def regret(self) -> float:
        """Metric lost by taking the model with the best score."""
        return self.shortlists[0].regret


@dataclass(frozen=True, slots=True)
class OverallAgreement:
    """The mean agreement of a score over tasks; a task where it is constant counts as no correlation.

    Attributes:
        tasks: How many.
        constant: On how many of them the score is constant.
        models: Intervals by the names of the correlations, models resampled.
        others: Other tasks like these: intervals by the same names, and of ``regret``; empty with fewer than
            five.
        static_tau: The mean weighted tau of the static ranking on the same models and tasks; None for that
            ranking itself, and where there is only one task to learn from.
        over_static: The mean weighted tau less that of the static ranking, models resampled, paired; None
            with fewer than eight models too.
    """

    score: str
    is_baseline: bool
    tasks: int
    constant: int
    weighted_tau: float
    tau_by_truth: float
    tau_b: float
    pearson: float
    spearman: float
    shortlists: tuple[Shortlist, ...]
    models: Mapping[str, Interval] = field(default_factory=dict)
    others: Mapping[str, Interval] = field(default_factory=dict)
    static_tau: float | None = None
    over_static: Interval | None = None


@dataclass(frozen=True, slots=True)
class Agreements:
    """How well scores predicted one measured outcome.

    Attributes:
        truth: The method that measured it, or the name of the matrix.
        by_task: Each score on each task.
        overall: Each score over all tasks, the best weighted tau first.
        remarks: What a reader must know, in sentences.
    """

    truth: str
    modality: Modality | None
    by_task: tuple[Agreement, ...]
    overall: tuple[OverallAgreement, ...]
    remarks: tuple[str, ...] = ()
