"""One model on one task: the only place where models, tasks, scores, protocols and metrics meet."""

from __future__ import annotations

import logging
import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import partial

import numpy as np

from assay.core.engine import Stage, Watch
from assay.core.errors import AssayError, NotApplicable, StoreError
from assay.core.families import METRICS
from assay.core.features import Features
from assay.core.job import Job
from assay.core.method import FeatureProtocol, Method, MomentScore, SampleScore, SourceScore
from assay.core.metric import Metric
from assay.core.model import Model, ModelSource
from assay.core.registry import Named
from assay.core.result import Event, Finished, Opened, Result, Status
from assay.core.task import Kind, Task
from assay.encoding import Encodings
from assay.store.arrays import Arrays

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Visit:
    """All jobs of one model and one task: the model opens once and encodes each split once.

    Attributes:
        jobs: Each job with its method.
        arrays: Where features are kept, so that a later visit need not encode again.
        batch_size: Examples in one forward pass; halved as long as memory does not suffice.
    """

    model: Named[ModelSource]
    identity: str
    task: Task
    jobs: tuple[tuple[Job, Method], ...]
    arrays: Arrays
    device: str
    batch_size: int


def perform(visit: Visit, watch: Watch) -> Iterator[Event]:
    """Do the jobs of a visit, one event at a time; whatever the model does wrong becomes rows."""
    name = str(visit.model)
    try:
        watch(Stage(name, visit.task.address, "open"))
        model = visit.model.plugin.open(visit.device)
    except StoreError:
        raise
    except Exception as error:  # one broken model must not end a study of a hundred
        logger.info("cannot open %s", name, exc_info=True)
        yield from (_failed(job, error) for job, _ in visit.jobs)
        return
    try:
        yield Opened(name, visit.identity, model.facts, _latency(model, visit.task))
        yield from _work(visit, model, watch)
    finally:
        model.close()


def _work(visit: Visit, model: Model, watch: Watch) -> Iterator[Event]:
    stage = partial(Stage, str(visit.model), visit.task.address)
    encodings = Encodings(
        model, visit.task, visit.arrays, visit.identity, visit.batch_size, lambda *what: watch(stage(*what))
    )
    metrics = metrics_of(visit.task.kind)
    for job, method in visit.jobs:
        watch(stage(job.method))
        yield _finish(job, method, encodings, metrics)


def _finish(job: Job, method: Method, encodings: Encodings, metrics: dict[str, Metric]) -> Finished:
    before = encodings.seconds
    start = time.perf_counter()
    if encodings.task.kind not in method.kinds:
        return Finished(Result(job, Status.SKIPPED, reason=f"it is for {_listed(method.kinds)} tasks"))
    try:
        finished = _apply(job, method, encodings, metrics)
    except StoreError:
        raise
    except NotApplicable as reason:
        return Finished(Result(job, Status.SKIPPED, reason=str(reason)))
    except Exception as error:  # one broken model must not end a study of a hundred
        logger.info("%s failed", job, exc_info=True)
        return _failed(job, error)
    encode_seconds = encodings.seconds - before
    seconds = time.perf_counter() - start - encode_seconds
    return finished(encode_seconds, seconds)


def _apply(
    job: Job, method: Method, encodings: Encodings, metrics: dict[str, Metric]
) -> Callable[[float, float], Finished]:
    """Return the finished job, short of the time it took."""
    if isinstance(method, FeatureProtocol):
        return _apply_protocol(job, method, encodings, metrics)
    if isinstance(method, MomentScore):
        value = method(encodings.moments())
    elif isinstance(method, SampleScore):
        value = method(encodings.sample())
    elif isinstance(method, SourceScore):
        value = method(encodings.source_probs())
    else:
        raise TypeError(f"{type(method).__name__} is neither a score nor a protocol.")
    if not np.isfinite(value):
        raise AssayError(f"the score is {value}: a score is finite or says why it does not apply")
    return lambda encode_seconds, seconds: Finished(
        Result(
            job,
            Status.OK,
            float(value),
            notes=encodings.notes,
            seconds=seconds,
            encode_seconds=encode_seconds,
        )
    )


def _apply_protocol(
    job: Job, method: FeatureProtocol, encodings: Encodings, metrics: dict[str, Metric]
) -> Callable[[float, float], Finished]:
    task = encodings.task
    test: Features = encodings.features("test")
    prediction = method(encodings.labelled("train"), encodings.labelled("val"), test, metrics[task.metric])
    truth = task.test.labels.values
    values = {name: float(metric(truth, prediction.values)) for name, metric in metrics.items()}
    return lambda encode_seconds, seconds: Finished(
        Result(
            job,
            Status.OK,
            values[task.metric],
            metrics=values,
            tuned=prediction.tuned,
            notes=(*encodings.notes, *prediction.notes),
            seconds=seconds,
            encode_seconds=encode_seconds,
        ),
        prediction.values,
    )


def metrics_of(kind: Kind) -> dict[str, Metric]:
    """Return every metric that judges this kind of task, by name."""
    found = {name: METRICS.load(name)() for name in METRICS.names()}
    return {name: metric for name, metric in found.items() if kind in metric.kinds}


def floor_of(task: Task) -> float:
    """Return the main metric of the trivial predictor on test: the majority class of train, or its mean."""
    train = task.train.labels.values
    is_classes = task.kind is Kind.CLASSIFICATION
    guess = float(np.bincount(train).argmax()) if is_classes else float(train.mean())
    truth = task.test.labels.values
    return metrics_of(task.kind)[task.metric](truth, np.full_like(truth, guess))


def _latency(model: Model, task: Task) -> float | None:
    """Return the median seconds of one example at batch 1, after a warm-up."""
    try:
        example = task.train.examples.read(0)
        model.encode([example])
        times = []
        for _ in range(5):
            start = time.perf_counter()
            model.encode([example])
            times.append(time.perf_counter() - start)
        return statistics.median(times)
    except Exception:  # the same error comes again, with its row, when the split is encoded
        logger.info("cannot measure the latency", exc_info=True)
        return None


def _failed(job: Job, error: Exception) -> Finished:
    text = str(error).strip() or "no message"
    reason = text if isinstance(error, AssayError) else f"{type(error).__name__}: {text}"
    return Finished(Result(job, Status.FAILED, reason=_shortened(reason)))


def _listed(kinds: Iterable[Kind]) -> str:
    return " and ".join(sorted(kinds))


def _shortened(reason: str, limit: int = 600) -> str:
    return reason if len(reason) <= limit else f"{reason[:limit]} ..."
