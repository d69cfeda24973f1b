"""The result of a job: a finite value, or the reason why there is none."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from assay.core.estimate import Interval
from assay.core.held_out import HeldOutPredictions
from assay.core.job import Job
from assay.core.model import ModelFacts
from assay.core.predictor import Predicted
from assay.core.validation import is_usable


class Status(StrEnum):
    """Whether a job has a value."""

    OK = "ok"
    SKIPPED = "skipped"
    FAILED = "failed"


class Cause(StrEnum):
    """What made a job fail, which says when it runs again.

    A failure of the model waits until the user asks for it; one of the environment (no network, a missing
    package or file, too little memory) runs again with the same command; one for want of time runs again
    with a higher limit than its ``seconds``.
    """

    MODEL = "model"
    ENVIRONMENT = "environment"
    TIME_LIMIT = "time limit"


@dataclass(frozen=True, slots=True)
class Cost:
    """The cost of a job, excluding the encoding time.

    Attributes:
        tune_seconds: Time spent on tuning on val.
        peak_bytes: Peak memory of the process; None if the system does not report it.
        device_bytes: Peak memory of the accelerator; None on a CPU.
    """

    tune_seconds: float = 0.0
    peak_bytes: int | None = None
    device_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a job.

    Attributes:
        value: The main metric on test (protocols) or the estimate (scores); None unless the status is ok.
        metrics: All metrics on test, by name; empty for scores.
        tuned: The hyperparameters chosen on val, by name.
        notes: Caveats for the reader.
        reason: Why there is no value, and what to do about it.
        interval: The confidence interval of a score, or None.
        metric: The metric that a score estimates; empty if the score has its own scale.
        seconds: The time of this method, excluding encoding.
        encode_seconds: The encoding time; 0 if the features were already stored.
        dtype: The precision in which the model encoded.
        val_value: The main metric on val of the chosen hyperparameters, measured on what was fitted to train
            alone; None for scores, and where nothing was judged on val.
        cause: What made a failed job fail.
    """

    job: Job
    status: Status
    value: float | None = None
    metrics: Mapping[str, float] = field(default_factory=dict)
    tuned: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    reason: str = ""
    seconds: float = 0.0
    encode_seconds: float = 0.0
    interval: Interval | None = None
    metric: str = ""
    cost: Cost = field(default_factory=Cost)
    dtype: str = "float32"
    val_value: float | None = None
    cause: Cause = Cause.MODEL

    def __post_init__(self) -> None:
        if self.status is Status.OK and (self.value is None or not is_usable(self.value)):
            raise ValueError(f"A result that is ok has a finite value; {self.job} has {self.value}.")
        if self.status is not Status.OK and not self.reason:
            raise ValueError(f"A result without a value has a reason; {self.job} has none.")


@dataclass(frozen=True, slots=True)
class FileNote:
    """A stored file that was damaged, or had no checksum, when it was read.

    Attributes:
        file: The file, as ``<shelf>/<name>``.
        damage: Why it could not be used; empty if it only had no checksum.
        state: What tells this file from one that was written since; None if it was missing.
    """

    file: str
    damage: str
    state: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class Finished:
    """A finished job to be stored.

    Attributes:
        predictions: The predictions of a protocol on test.
        held_out: The predictions of a score on held-out examples of train, where it makes any.
        files: The stored files about which a user should know; they are not stored.
    """

    result: Result
    predictions: Predicted | None = None
    held_out: HeldOutPredictions | None = None
    files: tuple[FileNote, ...] = ()


@dataclass(frozen=True, slots=True)
class Speed:
    """The measured speed of a model.

    Attributes:
        latency_seconds: The least time for one standard example at batch size 1; None if unknown.
        spread: The spread of these times: (third quartile - least) / least; None if unknown.
        throughput: Standard examples per second in batches; None if unknown.
        load: The mean number of running or waiting processes in the last minute (the load average); None if
            the system does not report it.
        machine: The processor, its number of cores, and the accelerator if there is one; None if unknown.
    """

    latency_seconds: float | None
    spread: float | None = None
    throughput: float | None = None
    load: float | None = None
    machine: str | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """Reports that a model was opened, with its facts.

    Attributes:
        speed: Its speed; None if it was not measured in this evaluation.
    """

    model: str
    identity: str
    facts: ModelFacts
    speed: Speed | None = None


Event = Finished | Opened
