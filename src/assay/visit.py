"""One model on one task: the only place where models, tasks, scores, protocols and metrics meet."""

from __future__ import annotations

import logging
import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from assay.core.engine import Stage, Watch
from assay.core.errors import AssayError, NotApplicable, StoreError
from assay.core.families import METRICS
from assay.core.features import Features
from assay.core.job import Job
from assay.core.method import FactScore, FeatureProtocol, Method, Score, WeightScore
from assay.core.metric import Metric
from assay.core.model import Model, ModelSource
from assay.core.registry import Named
from assay.core.result import Event, Finished, Opened, Result, Status
from assay.core.task import Example, Kind, Modality, Task
from assay.core.view import where_few
from assay.encoding import Encodings, Twins
from assay.store.arrays import Arrays

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Visit:
    """All jobs of one model and one task: the model opens once and encodes each split once.

    Attributes:
        jobs: Each job with its method.
        arrays: Where features are kept, so that a later visit need not encode again.
        batch_size: Examples handed to the model at once; halved as long as memory does not suffice.
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
    tell = _Teller(partial(Stage, name, visit.task.address), watch)
    try:
        tell("open")
        model = visit.model.plugin.open(visit.device)
        opened = Opened(name, visit.identity, model.facts, _latency(model, visit.task.modality))
    except Exception as error:  # one broken model must not end a study of a hundred
        logger.info("cannot open %s", name, exc_info=True)
        yield from (_failed(job, error) for job, _ in visit.jobs)
        return
    try:
        yield opened
        yield from _work(visit, model, tell)
    finally:
        _close(model)


class _Teller:
    """Tells a watcher, until it breaks: whoever stops watching must not become a row of the model."""

    def __init__(self, stage: Callable[..., Stage], watch: Watch) -> None:
        self._stage = stage
        self._watch: Watch | None = watch

    def __call__(self, what: str, done: int = 0, total: int = 0) -> None:
        if self._watch is None:
            return
        try:
            self._watch(self._stage(what, done, total))
        except Exception:
            logger.info("nobody watches any more", exc_info=True)
            self._watch = None


def _close(model: Model) -> None:
    try:
        model.close()
    except Exception:  # its rows are finished; what it holds goes with the process
        logger.info("cannot close the model", exc_info=True)


def _work(visit: Visit, model: Model, tell: _Teller) -> Iterator[Event]:
    seen_by = Twins(model, visit.identity, visit.model.plugin.untrained, visit.device)
    encodings = Encodings(seen_by, visit.task, visit.arrays, visit.batch_size, tell)
    metrics = metrics_of(visit.task.kind)
    for job, method in visit.jobs:
        tell(job.method)
        yield _finish(job, method, encodings, metrics)


def _finish(job: Job, method: Method, encodings: Encodings, metrics: dict[str, Metric]) -> Finished:
    before = encodings.seconds
    start = time.perf_counter()
    if encodings.task.kind not in method.kinds:
        return Finished(Result(job, Status.SKIPPED, reason=f"it is for {_listed(method.kinds)} tasks"))
    try:
        result, predictions = _apply(job, method, encodings, metrics)
    except StoreError:
        raise
    except NotApplicable as reason:
        return Finished(Result(job, Status.SKIPPED, reason=str(reason)))
    except Exception as error:  # one broken model must not end a study of a hundred
        logger.info("%s failed", job, exc_info=True)
        return _failed(job, error)
    encode_seconds = encodings.seconds - before
    seconds = time.perf_counter() - start - encode_seconds
    return Finished(replace(result, seconds=seconds, encode_seconds=encode_seconds), predictions)


def _apply(
    job: Job, method: Method, encodings: Encodings, metrics: dict[str, Metric]
) -> tuple[Result, np.ndarray | None]:
    """Return the result, short of the time it took, and the predictions of a protocol."""
    if isinstance(method, FeatureProtocol):
        return _apply_protocol(job, method, encodings, metrics)
    if not isinstance(method, Score):
        raise TypeError(f"{type(method).__name__} is neither a score nor a protocol.")
    found = method.estimate(encodings, metrics.get(encodings.task.metric))
    notes = (*encodings.notes, *found.notes, *_where_few(method, encodings))
    value = _finite(found.value, "score")
    return Result(job, Status.OK, value, notes=notes, interval=found.interval, metric=found.metric), None


def _where_few(score: Score, encodings: Encodings) -> tuple[str, ...]:
    if isinstance(score, (FactScore, WeightScore)):  # they see no example
        return ()
    return where_few(encodings.task.train.labels, encodings.facts().width)


def _apply_protocol(
    job: Job, method: FeatureProtocol, encodings: Encodings, metrics: dict[str, Metric]
) -> tuple[Result, np.ndarray]:
    task = encodings.task
    test: Features = encodings.features("test")
    prediction = method(encodings.labelled("train"), encodings.labelled("val"), test, metrics[task.metric])
    truth = task.test.labels.values
    if prediction.values.shape != truth.shape:
        raise AssayError(f"{prediction.values.shape} predictions for {truth.shape} test examples")
    values = {name: _finite(metric(truth, prediction.values), name) for name, metric in metrics.items()}
    notes = (*encodings.notes, *prediction.notes)
    main = values[task.metric]
    return Result(job, Status.OK, main, values, dict(prediction.tuned), notes), prediction.values


def _finite(value: float, what: str) -> float:
    if not np.isfinite(value):
        raise AssayError(f"{what} is {value}: a value is finite, or the method says why it does not apply")
    return float(value)


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


def _latency(model: Model, modality: Modality) -> float | None:
    """Return the median seconds of one standard example at batch 1, after a warm-up.

    The example is the same for every model and task, so that latencies can be compared.
    """
    example = _STANDARD[modality]
    try:
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


_STANDARD: dict[Modality, Example] = {
    Modality.IMAGE: np.full((256, 256, 3), 127, dtype=np.uint8),
    Modality.TEXT: "A sentence of some twenty words, as long as most that people write, to take the time by.",
}


def _failed(job: Job, error: Exception) -> Finished:
    text = str(error).strip() or "no message"
    reason = text if isinstance(error, AssayError) else f"{type(error).__name__}: {text}"
    return Finished(Result(job, Status.FAILED, reason=_shortened(reason)))


def _listed(kinds: Iterable[Kind]) -> str:
    return " and ".join(sorted(kinds))


def _shortened(reason: str, limit: int = 600) -> str:
    return reason if len(reason) <= limit else f"{reason[:limit]} ..."
