"""The result of a job: a value, or the reason why there is none; never NaN, never absent."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from assay.core.estimate import Interval
from assay.core.job import Job
from assay.core.model import ModelFacts
from assay.core.predictor import Predicted


class Status(StrEnum):
    """Whether a job has a value."""

    OK = "ok"
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Cost:
    """What a job cost besides the time to encode.

    Attributes:
        tune_seconds: The part of its time spent on tuning on val.
        peak_bytes: The most memory that the process held while it ran; None where the system does not tell.
        device_bytes: The most memory of the accelerator; None on a CPU.
    """

    tune_seconds: float = 0.0
    peak_bytes: int | None = None
    device_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class Result:
    """The result of a job.

    Attributes:
        value: The main metric on test (a protocol) or the estimate (a score); None unless ok.
        metrics: All metrics on test, by name; empty for scores.
        tuned: What was tuned on val, by name.
        notes: What else a reader must know.
        reason: Why there is no value: the cause and what to do.
        interval: The confidence interval of a score, where it has one.
        metric: The metric that a score estimates; empty where it has a scale of its own.
        seconds: The time of this method, without encoding.
        encode_seconds: The time to encode what the method reads; 0 where features were stored already.
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

    def __post_init__(self) -> None:
        if self.status is Status.OK and (self.value is None or not math.isfinite(self.value)):
            raise ValueError(f"A result that is ok has a finite value; {self.job} has {self.value}.")
        if self.status is not Status.OK and not self.reason:
            raise ValueError(f"A result without a value has a reason; {self.job} has none.")


@dataclass(frozen=True, slots=True)
class Finished:
    """A finished job on its way to the store, with the predictions of test where there are any."""

    result: Result
    predictions: Predicted | None = None


@dataclass(frozen=True, slots=True)
class Opened:
    """A model was opened: its facts, and its speed (None where it could not be measured).

    Attributes:
        latency_seconds: Of one standard example at batch 1.
        throughput: Standard examples a second in batches.
    """

    model: str
    identity: str
    facts: ModelFacts
    latency_seconds: float | None
    throughput: float | None = None


Event = Finished | Opened
