"""Agreement of scores with training results: frozen values that a report renders."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from assay.core.estimate import Interval
from assay.core.task import Modality


@dataclass(frozen=True, slots=True)
class Shortlist:
    """The regret of training only the top models by a score; ties of the score are broken at random.

    Attributes:
        size: Number of models that are trained.
        regret: The best value minus the best value among the trained models.
        normalised: Regret / (best - median model); None where the median equals the best.
        hit: Probability that the best model is among the trained models.
    """

    size: int
    regret: float
    normalised: float | None
    hit: float


@dataclass(frozen=True, slots=True)
class Agreement:
    """How well a score predicted the training results on one task.

    Attributes:
        is_baseline: The ranking ignores the data of the task.
        models: Number of models with both a score and a result.
        weighted_tau: Weighted Kendall tau (scipy's rank=True); None where one side is constant.
        tau_by_truth: The same, ranked by the truth alone, as in Model Spider; published numbers mix both.
        tau_b: Kendall's tau-b; None where one side is constant.
        pearson: None where one side is constant.
        spearman: None where one side is constant.
        intervals: Interval of each correlation by its name above, models resampled; empty with fewer than
            eight models; perfect correlations, which have no spread to resample, are left out.
        shortlists: Shortlists of one, three and five models, if there are more models than that.
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
        """The regret of choosing the model with the best score."""
        return self.shortlists[0].regret


@dataclass(frozen=True, slots=True)
class OverallAgreement:
    """The mean agreement of a score over tasks; a constant score counts as zero correlation.

    Attributes:
        tasks: Number of tasks.
        constant: Number of tasks on which the score is constant.
        models: Intervals by name of the correlation, models resampled.
        others: Intervals for other tasks like these, by the same names and for ``regret``; empty with fewer
            than five tasks.
        static_tau: The mean weighted tau of the static ranking on the same models and tasks; None for the
            static ranking itself, and if there is only one task.
        over_static: The mean weighted tau minus that of the static ranking, models resampled, paired; None
            also with fewer than eight models.
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
        by_task: The agreement of each score on each task.
        overall: The agreement of each score over all tasks, best weighted tau first.
        remarks: Warnings for the reader, in sentences.
    """

    truth: str
    modality: Modality | None
    by_task: tuple[Agreement, ...]
    overall: tuple[OverallAgreement, ...]
    remarks: tuple[str, ...] = ()
