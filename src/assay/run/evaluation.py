"""Evaluates one model on one task; the only module that combines all plug-in families."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from assay.core.errors import AssayError, NotApplicable, StoreError
from assay.core.job import Job
from assay.core.limits import NO_LIMITS, Limits
from assay.core.metric import Metric
from assay.core.model import Model, ModelSource
from assay.core.predictor import Predicted
from assay.core.result import Cost, Event, Finished, Opened, Result, Status
from assay.core.task import LabelKind, SplitName, Task
from assay.plugins.engine import Stage, Watch
from assay.plugins.families import BUILT_IN, Families, families, using
from assay.plugins.method import FactScore, Method, Score, WeightScore
from assay.plugins.protocol import Protocol, SourceProtocol
from assay.plugins.registry import Named
from assay.plugins.train_view import small_sample_notes
from assay.run.encoding import Encodings, OpenedModel, batches_of
from assay.run.fitting import learned
from assay.run.memory import measured_memory
from assay.run.score_view import ScoreView
from assay.run.speed import measured_speed
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

    def without(self, keys: Collection[str]) -> Evaluation:
        """Return the evaluation without the jobs with these keys."""
        return replace(self, jobs=tuple(pair for pair in self.jobs if pair[0].key not in keys))


def evaluate(evaluation: Evaluation, watch: Watch) -> Iterator[Event]:
    """Run the jobs of an evaluation and yield events; errors of the model become failed results."""
    with using(evaluation.families):
        yield from _evaluate(evaluation, watch)


def _evaluate(evaluation: Evaluation, watch: Watch) -> Iterator[Event]:
    name = str(evaluation.model)
    report = _Progress(partial(Stage, name, evaluation.task.address), watch)
    try:
        report("open")
        model = evaluation.model.plugin.open(evaluation.device)
        opened = Opened(
            name, evaluation.identity, model.facts, *measured_speed(model, evaluation.task.modality)
        )
    except Exception as error:  # one broken model must not end the study
        logger.info("cannot open %s", name, exc_info=True)
        yield from (_failed(job, error) for job, _ in evaluation.jobs)
        return
    try:
        yield opened
        if not evaluation.limits.refusal(opened.facts, opened.latency_seconds):
            yield from _work(evaluation, model, report)
    finally:
        _close(model)


class _Progress:
    """Reports each stage to the watcher until the watcher raises; a display error must not fail a job."""

    def __init__(self, stage: Callable[..., Stage], watch: Watch) -> None:
        self._stage = stage
        self._watch: Watch | None = watch

    def __call__(self, what: str, done: int = 0, total: int = 0) -> None:
        if self._watch is None:
            return
        try:
            self._watch(self._stage(what, done, total))
        except Exception:
            logger.info("progress is not shown any more", exc_info=True)
            self._watch = None


def _close(model: Model) -> None:
    try:
        model.close()
    except Exception:  # its jobs are finished; its resources are freed with the process
        logger.info("cannot close the model", exc_info=True)


def _work(evaluation: Evaluation, model: Model, report: _Progress) -> Iterator[Event]:
    task = evaluation.task
    source = evaluation.model.plugin
    opened = OpenedModel(
        model, evaluation.identity, source.untrained, evaluation.device, source.encoding_version
    )
    metric = families().metrics.load(task.metric)()
    batches = batches_of(task, evaluation.batch_size, report)
    encodings = Encodings(opened, task, metric, evaluation.arrays, batches)
    if any(isinstance(method, SourceProtocol) for _, method in evaluation.jobs):
        encodings.encoder.keep_source_probs_of(SplitName.TEST)
    for job, method in evaluation.jobs:
        report(job.method)
        yield _finish(job, method, encodings, evaluation.device)


def _finish(job: Job, method: Method, encodings: Encodings, device: str) -> Finished:
    before = encodings.encoder.seconds
    start = time.perf_counter()
    kind = encodings.task.train.labels.kind
    if kind not in method.kinds:
        return Finished(Result(job, Status.SKIPPED, reason=f"it is for {_listed(method.kinds)} tasks"))
    if not len(encodings.task.train) and not isinstance(method, (FactScore, WeightScore, SourceProtocol)):
        return Finished(Result(job, Status.SKIPPED, reason="the task has no train to learn from"))
    try:
        with measured_memory(device) as memory:
            finished = _apply(job, method, encodings)
    except StoreError:
        raise
    except NotApplicable as reason:
        return Finished(Result(job, Status.SKIPPED, reason=str(reason)))
    except Exception as error:  # one broken model must not end the study
        logger.info("%s failed", job, exc_info=True)
        return _failed(job, error)
    encode_seconds = encodings.encoder.seconds - before
    seconds = time.perf_counter() - start - encode_seconds
    cost = replace(finished.result.cost, peak_bytes=memory.peak_bytes, device_bytes=memory.device_bytes)
    result = replace(finished.result, seconds=seconds, encode_seconds=encode_seconds, cost=cost)
    return Finished(replace(result, dtype=encodings.encoder.dtype), finished.predictions)


def _apply(job: Job, method: Method, encodings: Encodings) -> Finished:
    """Return the result without its timing, with the predictions of a protocol."""
    if isinstance(method, Protocol):
        return _judged(job, method, encodings)
    if not isinstance(method, Score):
        raise TypeError(f"{type(method).__name__} is neither a score nor a protocol.")
    estimate = method.estimate(ScoreView(encodings.encoder), encodings.metric)
    notes = (*estimate.notes, *_feature_notes(method, encodings))
    value, tuned = _finite(estimate.value, "score"), encodings.encoder.tuned
    return Finished(
        Result(
            job,
            Status.OK,
            value,
            tuned=tuned,
            notes=notes,
            interval=estimate.interval,
            metric=estimate.metric,
        )
    )


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
        except Exception as error:  # a broken metric that is only reported must not lose the result
            logger.info("the metric %s failed", name, exc_info=True)
            notes.append(f"the metric '{name}' failed: {type(error).__name__}: {error}")
    cost = Cost(tune_seconds=learning.tune_seconds)
    result = Result(job, Status.OK, main, values, dict(learning.tuned), tuple(notes), cost=cost)
    return Finished(result, predicted)


def _finite(value: float, what: str) -> float:
    if not np.isfinite(value):
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


def _failed(job: Job, error: Exception) -> Finished:
    text = str(error).strip() or "no message"
    reason = text if isinstance(error, AssayError) else f"{type(error).__name__}: {text}"
    return Finished(Result(job, Status.FAILED, reason=_shortened(reason)))


def _listed(kinds: Iterable[LabelKind]) -> str:
    return " and ".join(sorted(kinds))


def _shortened(reason: str, limit: int = 600) -> str:
    return reason if len(reason) <= limit else f"{reason[:limit]} ..."
