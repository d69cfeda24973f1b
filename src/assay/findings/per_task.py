"""The findings on one task: the value of each method, the comparison of models and the recommendation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from assay.core.estimate import Interval
from assay.core.result import Cost, Status
from assay.findings.decision import Recommendation
from assay.findings.error_analysis import ErrorAnalysis, SliceFindings
from assay.findings.facts import ModelRow, TaskFacts, has_random_weights

MOST_EXAMPLES = 100_000  # a larger test set is no advice
NOT_RUN = "has not run on this task"  # in the reason of a job that a study has left
OTHER_MODALITY = "other modality"  # prefix of the reason if a model does not read the task's modality


@dataclass(frozen=True, slots=True)
class Cell:
    """One model on one task by one method, over all seeds.

    Attributes:
        value: The mean over seeds; None if no seed has a value.
        interval: Interval of a score for the first seed, if the score estimates one.
        metric: The metric that a score predicts; empty if the score has a scale of its own.
        seeds: Number of seeds with a value.
        spread: Standard deviation over seeds; None with fewer than two.
        val_value: The main metric on val of the chosen hyperparameters, fitted to train alone: the mean over
            seeds; None where no seed has one.
        reason: Why there is no value.
        seconds: Time of the method, without encoding.
        cost: The mean time of tuning on val over seeds, and the peak memory over seeds.
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
    val_value: float | None = None

    @property
    def state(self) -> str:
        """What a reader is told of its status: of a job that a study has left, that it has not run."""
        return "not run" if NOT_RUN in self.reason else self.status.value


@dataclass(frozen=True, slots=True)
class Standing:
    """How a model compares with the others on one task.

    Attributes:
        value: The main metric on test, or the estimate where the study trained nothing; higher is better.
        interval: Bootstrap over test examples and seeds, paired between models; for estimates the interval
            of the score, if any; None without stored predictions.
        index: (value - floor) / (best - floor): 0 is chance level, 1 the best model of the study;
            None for estimates, and where no model is above chance level.
        rank: 1 is best; equal values share a rank.
        ranks: The best and the worst rank that the tests leave open: 1 + the number of significantly better
            models, and the number of models minus the number of significantly worse ones; None without
            stored predictions and for estimates.
        p_value: Paired test against the best model, adjusted for all pairs of models; 1 for the best itself;
            None without a test.
        seeds: Number of seeds in the mean.
        difference: Interval of the value minus that of the best model, paired, over test examples and seeds;
            those of all pairs of models hold together in 95 % of studies. It excludes 0 exactly where
            ``p_value`` is below 0.05. None without predictions.
    """

    model: str
    value: float
    interval: Interval | None
    index: float | None
    rank: int
    ranks: tuple[int, int] | None
    p_value: float | None
    seeds: int = 1
    difference: Interval | None = None

    @property
    def may_be_best(self) -> bool:
        """Whether no model is significantly better; False if this was not tested."""
        return self.ranks is not None and self.ranks[0] == 1


def first_word(findings: TaskFindings, models: Mapping[str, ModelRow]) -> str:
    """Describe the first model of a task: the best, or a control, which only has the highest value."""
    if all(has_random_weights(row.model, models) for row in findings.standings if row.rank == 1):
        return highest(findings)
    return "best"


def highest(findings: TaskFindings) -> str:
    """Describe a control whose value no model exceeds."""
    return "lowest" if findings.shown_negated else "highest"


def pretrained(standings: Sequence[Standing], rows: Mapping[str, ModelRow]) -> list[Standing]:
    """Return the models that may be recommended: those without random weights, which are controls."""
    return [standing for standing in standings if not has_random_weights(standing.model, rows)]


@dataclass(frozen=True, slots=True)
class NeededExamples:
    """A number of test examples, as a 95 % interval.

    Attributes:
        high: The upper end; None if it is above ``MOST_EXAMPLES``.
    """

    low: int
    high: int | None


@dataclass(frozen=True, slots=True)
class TaskFindings:
    """The findings on one task.

    Attributes:
        measure: Name of the value: the main metric; for estimates "expected" and the metric that the score
            predicts, or the score.
        shown_negated: Reports show the negative of a value, and lower is better there (RMSE).
        standings: The models with a value, best first.
        missing: The models without a value that read the modality of the task, each with the reason.
        is_above_chance: Whether the best pretrained model is significantly above chance level; None for
            estimates, and if no pretrained model has a value.
        recommended: The address of the recommended model: see ``decision``.
        because: The reason for the recommendation, in a few sentences.
        examples_to_separate: Number of test examples that would separate the two best pretrained models (80 %
            power); None if they differ significantly already, if they predict the same, if more than
            100,000 are needed, or if nothing was trained.
        costs: Each known cost by model: ``latency`` and ``seconds`` in seconds, ``memory`` and ``bytes`` in
            bytes, ``parameters`` and ``macs`` as counts.
        fronts: For each cost, the Pareto-optimal models in value and cost, cheapest first.
        smallest: The pretrained model with fewest parameters among those that may be the best; None for
            estimates, and if no model is significantly above chance level.
        class_accuracy: Accuracy of the recommended model on each class.
        class_counts: Number of test examples of each class.
        seed_noise: The difference that two runs of one model, with as many seeds each, exceed in 5 of 100
            cases; None if no model has several seeds.
        error_analysis: Of a classification task, from the predictions of all models; None without them.
        slices: The results on each slice of test that the task defines.
        decision: The decision between the pretrained models; None if no model can be recommended.
        negated_metrics: Names of the metrics of the cells whose values are the negative of what people write,
            so that higher is better (log loss).
    """

    task: TaskFacts
    measure: str
    shown_negated: bool
    standings: tuple[Standing, ...]
    missing: tuple[Cell, ...]
    is_above_chance: bool | None
    recommended: str | None
    because: str
    examples_to_separate: NeededExamples | None
    costs: Mapping[str, Mapping[str, float]]
    fronts: Mapping[str, tuple[str, ...]]
    smallest: str | None
    class_accuracy: Mapping[str, float]
    class_counts: Mapping[str, int]
    seed_noise: float | None = None
    error_analysis: ErrorAnalysis | None = None
    slices: tuple[SliceFindings, ...] = ()
    decision: Recommendation | None = None
    negated_metrics: tuple[str, ...] = ()

    @property
    def by_model(self) -> dict[str, Standing]:
        """The standing of each model with a value, best first."""
        return {standing.model: standing for standing in self.standings}
