"""The findings on one task: the value of each method, how the models compare, and what was recommended."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from assay.core.estimate import Interval
from assay.core.result import Cost, Status
from assay.findings.error_analysis import ErrorAnalysis, SliceFindings
from assay.findings.facts import TaskFacts

OTHER_MODALITY = "other modality"  # how the reason starts where a model does not read what a task holds


@dataclass(frozen=True, slots=True)
class Cell:
    """One model on one task by one method, over all seeds.

    Attributes:
        value: The mean over seeds; None where no seed has one.
        interval: How far off a score may be, where it knows; of the first seed.
        metric: The metric whose value a score predicts; empty where it has a scale of its own.
        seeds: How many seeds have a value.
        spread: Standard deviation over seeds; None with fewer than two.
        reason: Why there is no value.
        seconds: Time of the method, without encoding.
        cost: The mean time of choosing on val over seeds, and the most memory of any.
    """

    model: str
    task: str
    method: str
    is_score: bool
    status: Status
    value: float | None = None
    seeds: int = 0
    metrics: Mapping[str, float] = field(default_factory=dict)
    tuned: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    reason: str = ""
    seconds: float = 0.0
    encode_seconds: float = 0.0
    interval: Interval | None = None
    metric: str = ""
    cost: Cost = field(default_factory=Cost)
    spread: float | None = None


@dataclass(frozen=True, slots=True)
class Standing:
    """How a model compares with the others on one task.

    Attributes:
        value: The main metric on test, or the estimate where the study trained nothing; higher is better.
        interval: Bootstrap over test examples and seeds, paired between models; for estimates that of the
            score, if it has any; None where the predictions are not kept.
        index: (value - floor) / (best - floor): 0 is chance level, 1 the best model of the study;
            None for estimates, and where no model is above chance level.
        rank: 1 is best; equal values share a rank.
        ranks: The best and the worst rank in 95 % of the bootstrap draws.
        p_value: Paired test against the best model, corrected by Holm; 1 for the best itself; None where
            nothing could be tested.
        is_tied_best: Not significantly different from the best model.
        seeds: How many seeds the value is the mean of.
        difference: The value less that of the best model, when seeds and test examples are resampled, the
            same for both; None without predictions.
    """

    model: str
    value: float
    interval: Interval | None
    index: float | None
    rank: int
    ranks: tuple[int, int]
    p_value: float | None
    is_tied_best: bool
    seeds: int = 1
    difference: Interval | None = None


@dataclass(frozen=True, slots=True)
class TaskFindings:
    """What was found on one task.

    Attributes:
        measure: What a value is: the name of the main metric; where nothing was trained, "expected" and the
            metric that the score predicts, or the score.
        shown_negated: True where a reader sees the negative of a value, and lower is better (RMSE).
        standings: The models with a value, best first.
        missing: The models without one that read the modality of the task, each with its reason.
        beats_floor: The best model is significantly above chance level; None for estimates.
        recommended: The address of the recommended model: the cheapest of those that may be the best.
        because: Why, in one sentence.
        examples_to_separate: How many test examples would separate the two best models (80 % power);
            None where they differ significantly already, where they predict the same, or nothing was trained.
        costs: By cost, that of each model for which it is known: ``latency`` and ``seconds`` in seconds,
            ``memory`` and ``bytes`` in bytes, ``parameters`` and ``macs`` as counts.
        fronts: By cost, the models that no other beats in both value and that cost, cheapest first.
        smallest: The pretrained model with fewest parameters that is not significantly worse than the best;
            None for estimates, and where nothing is significantly better than chance level.
        class_accuracy: Per class, the share of test examples that the recommended model got right.
        class_counts: Per class, the number of test examples behind that share.
        noise_floor: The difference that two runs of one model, as many seeds each, exceed in 5 of 100 cases;
            None where no model has several seeds.
        lesson: Error analysis of a task of classes, from the predictions of all models; None without them.
        slices: The results on each slice of test that the task names.
    """

    task: TaskFacts
    measure: str
    shown_negated: bool
    standings: tuple[Standing, ...]
    missing: tuple[Cell, ...]
    beats_floor: bool | None
    recommended: str | None
    because: str
    examples_to_separate: int | None
    costs: Mapping[str, Mapping[str, float]]
    fronts: Mapping[str, tuple[str, ...]]
    smallest: str | None
    class_accuracy: Mapping[str, float]
    class_counts: Mapping[str, int]
    noise_floor: float | None = None
    lesson: ErrorAnalysis | None = None
    slices: tuple[SliceFindings, ...] = ()

    @property
    def by_model(self) -> dict[str, Standing]:
        """The standing of each model with a value, best first."""
        return {standing.model: standing for standing in self.standings}

    @property
    def pareto(self) -> tuple[str, ...]:
        """The models that no other beats in both value and latency, fastest first."""
        return self.fronts.get("latency", ())
