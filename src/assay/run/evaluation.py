"""Evaluates one model on one task; the only module that combines all plug-in families."""

from __future__ import annotations

import logging
import time
from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace

import numpy as np

from assay.core.errors import AssayError, NotApplicable
from assay.core.held_out import HeldOutPredictions
from assay.core.job import Job
from assay.core.limits import NO_LIMITS, Limits
from assay.core.metric import Metric
from assay.core.model import ModelSource
from assay.core.predictor import Predicted
from assay.core.result import Cost, Finished, Result, Status
from assay.core.task import LabelKind, Labels, SplitName, Task
from assay.core.validation import is_usable
from assay.plugins.families import BUILT_IN, Families, families
from assay.plugins.method import FactScore, Method, Score, WeightScore
from assay.plugins.protocol import Protocol, SourceProtocol
from assay.plugins.registry import Named
from assay.plugins.train_view import SAMPLE, small_sample_notes
from assay.run.encoding import Encodings
from assay.run.failure import cause_of, is_of_store, raise_if_interrupted, reason_of
from assay.run.fitting import learned
from assay.run.memory import measured_memory
from assay.run.score_view import ScoreView
from assay.run.storable import storable, storable_seconds
from assay.store.arrays import Arrays

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Evaluation:
    """All jobs of one model on one task; the model is opened once and encodes each split once.

    Attributes:
        jobs: Each job with its method.
        arrays: The array store of features, which later evaluations reuse.
        batch_size: Examples per batch; halved while memory is insufficient.
        limits: A model that exceeds them is opened to read its facts, but not evaluated.
        families: The plug-in registries.
        train_rows: The number of examples of train that the methods see, the first of its fixed order; None
            for all.
        measures_speed: Whether the speed of the model is measured, which takes a second or more.
        memory_bytes: The memory that the process may take; None for that of the machine.
        expected_bytes: The memory that it is expected to take; 0 if that is unknown.
        examples_per_part: The examples that a worker encodes at a time; None for all of a split.
    """

    model: Named[ModelSource]
    identity: str
    task: Task
    jobs: tuple[tuple[Job, Method], ...]
    arrays: Arrays
    device: str
    batch_size: int
    limits: Limits = NO_LIMITS
    families: Families = BUILT_IN
    train_rows: int | None = None
    measures_speed: bool = True
    memory_bytes: float | None = None
    expected_bytes: int = 0
    examples_per_part: int | None = None

    @property
    def model_key(self) -> tuple[str, str, str]:
        """The address and identity of the model, and its device."""
        return str(self.model), self.identity, self.device

    def without(self, keys: Collection[str]) -> Evaluation:
        """Return the evaluation without the jobs with these keys."""
        return replace(self, jobs=tuple(pair for pair in self.jobs if pair[0].key not in keys))


def finished_job(job: Job, method: Method, encodings: Encodings, device: str) -> Finished:
    """Run a job; errors of the model or the method become a failed result."""
    try:
        return _finish(job, method, encodings, device)
    except NotApplicable as reason:
        return Finished(Result(job, Status.SKIPPED, reason=reason_of(reason)))
    except BaseException as error:  # one broken model must not end the study
        if is_of_store(error):
            raise
        raise_if_interrupted(error)
        logger.info("%s failed", job, exc_info=True)
        return failed_job(job, error)


def _finish(job: Job, method: Method, encodings: Encodings, device: str) -> Finished:
    before = encodings.encoder.seconds
    start = time.perf_counter()
    kind = encodings.task.train.labels.kind
    if kind not in method.kinds:
        raise NotApplicable(f"only for {_listed(method.kinds)} tasks")
    if not len(encodings.task.train) and not isinstance(method, (FactScore, WeightScore, SourceProtocol)):
        raise NotApplicable("the task has no train to learn from")
    with measured_memory(device) as memory:
        finished = storable(_apply(job, method, encodings))
    encode_seconds = storable_seconds(encodings.encoder.seconds - before)
    seconds = storable_seconds(time.perf_counter() - start - encode_seconds)
    cost = replace(finished.result.cost, peak_bytes=memory.peak_bytes, device_bytes=memory.device_bytes)
    result = replace(finished.result, seconds=seconds, encode_seconds=encode_seconds, cost=cost)
    return replace(finished, result=replace(result, dtype=encodings.encoder.dtype))


def _apply(job: Job, method: Method, encodings: Encodings) -> Finished:
    """Return the result without its timing, with the predictions of a protocol."""
    if isinstance(method, Protocol):
        return _judged(job, method, encodings)
    if not isinstance(method, Score):
        raise TypeError(f"{type(method).__name__} is neither a score nor a protocol.")
    estimate = method.estimate(ScoreView(encodings.encoder), encodings.metric)
    value, tuned = _finite(estimate.value, "score"), encodings.encoder.tuned
    held_out = estimate.held_out
    mismatch = "" if held_out is None else _mismatch(held_out, encodings.task.train.labels)
    notes = (*estimate.notes, *_feature_notes(method, encodings), *filter(None, (mismatch,)))
    result = Result(
        job, Status.OK, value, tuned=tuned, notes=notes, interval=estimate.interval, metric=estimate.metric
    )
    if held_out is None or mismatch:
        return Finished(result)
    seen = encodings.encoder.task.seen
    rows = held_out.rows if seen.is_whole or held_out.rows is None else seen.rows[held_out.rows]
    return Finished(result, held_out=replace(held_out, rows=rows))


def _mismatch(held_out: HeldOutPredictions, train: Labels) -> str:
    """Return why held-out predictions cannot be kept; empty if they can."""
    rows, why = held_out.rows, ""
    if rows is None:
        why = "have no rows"
    elif len(rows) > SAMPLE:
        why = f"are more than {SAMPLE:,}"
    elif rows.size and not 0 <= rows.min() <= rows.max() < len(train):
        why = "are for rows that train does not have"
    elif not np.array_equal(train.take(rows).values, held_out.truth.values):
        why = "have other labels than these rows of train"
    return f"its held-out predictions {why}: they are not kept" if why else ""


def _feature_notes(score: Score, encodings: Encodings) -> tuple[str, ...]:
    if isinstance(score, (FactScore, WeightScore)):  # they use no examples
        return ()
    few = small_sample_notes(encodings.task.train.labels, encodings.encoder.facts.width)
    return *encodings.encoder.notes_of(SplitName.TRAIN), *few


def _judged(job: Job, method: Protocol, encodings: Encodings) -> Finished:
    """Fit a protocol, predict test and compute the metrics; nothing else reads the test labels."""
    task, metrics = encodings.task, metrics_of(encodings.task)
    with learned(method, encodings, job.seed) as learning:
        predicted = learning.predict(SplitName.TEST)
    truth = task.test.labels
    if predicted.values.shape != truth.values.shape:
        raise AssayError(f"{predicted.values.shape} predictions for {truth.values.shape} test labels")
    main = _finite(predicted.judged(metrics[task.metric], truth), task.metric)
    values, notes = {task.metric: main}, list(learning.notes)
    for name, metric in metrics.items():
        try:
            values[name] = _finite(predicted.judged(metric, truth), name)
        except NotApplicable:  # the metric is undefined for these labels or this protocol
            continue
        except BaseException as error:  # a broken metric that is only reported must not lose the result
            raise_if_interrupted(error)
            logger.info("the metric %s failed", name, exc_info=True)
            notes.append(f"the metric '{name}' failed: {reason_of(error)}")
    val_value = learning.val_value
    if val_value is not None and not is_usable(val_value):
        notes.append(f"its {task.metric} on val is {val_value}, and not kept")
        val_value = None
    result = Result(
        job,
        Status.OK,
        main,
        values,
        dict(learning.tuned),
        tuple(notes),
        cost=Cost(tune_seconds=learning.tune_seconds),
        val_value=None if val_value is None else float(val_value),
    )
    return Finished(result, predicted)


def _finite(value: float, what: str) -> float:
    if not is_usable(value):
        raise AssayError(f"{what} is {value}: a value is finite, or the method says why it does not apply")
    return float(value)


def metrics_of(task: Task) -> dict[str, Metric]:
    """Return every metric that applies to tasks of this kind, by name."""
    registry = families().metrics
    metrics = {name: registry.load(name)() for name in registry.names()}
    return {name: metric for name, metric in metrics.items() if task.kind in metric.kinds}


def chance_level(task: Task) -> float:
    """Return the main metric on test of predicting the majority class or the mean of train.

    Without train it is the expected accuracy of a uniformly random guess.
    """
    train, truth = task.train.labels, task.test.labels
    if not len(train):
        return 1 / len(task.classes) if task.classes else 0.0
    if train.kind is LabelKind.CLASSIFICATION:  # one-hot targets of a million examples would take gigabytes
        shares = np.bincount(train.values, minlength=len(train.classes)) / len(train)
    else:
        shares = train.targets().mean(axis=0)
    probs = np.broadcast_to(shares, (len(truth), len(shares)))
    if train.kind is LabelKind.CLASSIFICATION:
        guess = Predicted(np.full(len(truth), shares.argmax()), probs)
    elif train.kind is LabelKind.MULTILABEL:
        guess = Predicted((probs > 0.5).astype(np.int64), probs)
    else:
        guess = Predicted(probs.reshape(truth.values.shape))
    return guess.judged(metrics_of(task)[task.metric], truth)


def failed_job(job: Job, error: BaseException) -> Finished:
    """Return the result of a job that an error ended."""
    return Finished(Result(job, Status.FAILED, reason=reason_of(error), cause=cause_of(error)))


def _listed(kinds: Iterable[LabelKind]) -> str:
    return " and ".join(sorted(kinds))
