"""Runs evaluations, and keeps the opened model while the next one is of the same model."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import NamedTuple, final

from assay.core.model import Model
from assay.core.result import Event, Finished, Opened, Status
from assay.core.task import SplitName
from assay.plugins.engine import Stage, Watch
from assay.plugins.families import families, using
from assay.plugins.protocol import SourceProtocol
from assay.run.encoding import Encodings, batches_of
from assay.run.evaluation import Evaluation, failed_job, finished_job
from assay.run.opened_model import OpenedModel
from assay.run.speed import measured_speed

logger = logging.getLogger(__name__)


class _Held(NamedTuple):
    """The model that is open."""

    key: tuple[str, str, str]
    model: Model
    event: Opened


@final
class Evaluator:
    """Runs evaluations one after the other, and measures a model once for as long as it is open.

    A copy made by pickle has no model open.
    """

    def __init__(self) -> None:
        self._held: _Held | None = None

    def __reduce__(self) -> tuple[object, ...]:
        return Evaluator, ()

    def __call__(self, evaluation: Evaluation, watch: Watch) -> Iterator[Event]:
        """Run the jobs of an evaluation and yield events; errors of the model become failed results."""
        with using(evaluation.families):
            report = _Progress(partial(Stage, str(evaluation.model), evaluation.task.address), watch)
            if self._held is None or self._held.key != evaluation.model_key:
                self.close()
                try:
                    self._held = _opened(evaluation, report)
                except Exception as error:  # one broken model must not end the study
                    logger.info("cannot open %s", evaluation.model, exc_info=True)
                    yield from (failed_job(job, error) for job, _ in evaluation.jobs)
                    return
                yield self._held.event
            yield from self._finished_jobs(evaluation, self._held, report)

    def close(self) -> None:
        """Close the model that is open, if any."""
        held, self._held = self._held, None
        if held is None:
            return
        try:
            held.model.close()
        except Exception:  # its jobs are finished; its resources are freed with the process
            logger.info("cannot close the model", exc_info=True)

    def _finished_jobs(self, evaluation: Evaluation, held: _Held, report: _Progress) -> Iterator[Finished]:
        speed = held.event.speed
        if evaluation.limits.refusal(held.event.facts, None if speed is None else speed.latency_seconds):
            return
        encodings = _encodings(evaluation, held.model, report)
        has_failed = False
        for job, method in evaluation.jobs:
            report(job.method)
            finished = finished_job(job, method, encodings, evaluation.device)
            has_failed |= finished.result.status is Status.FAILED
            yield replace(finished, files=evaluation.arrays.notes)
        if has_failed:  # what failed may have left the model in any state
            self.close()


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


def _opened(evaluation: Evaluation, report: _Progress) -> _Held:
    name = str(evaluation.model)
    report("open")
    model = evaluation.model.plugin.open(evaluation.device)
    speed = measured_speed(model, evaluation.task.modality, evaluation.device)
    return _Held(evaluation.model_key, model, Opened(name, evaluation.identity, model.facts, speed))


def _encodings(evaluation: Evaluation, model: Model, report: _Progress) -> Encodings:
    task = evaluation.task
    source = evaluation.model.plugin
    opened = OpenedModel(
        model, evaluation.identity, source.untrained, evaluation.device, source.encoding_version
    )
    metric = families().metrics.load(task.metric)()
    batches = batches_of(task, evaluation.batch_size, report)
    encodings = Encodings(opened, task, metric, evaluation.arrays, batches, train_rows=evaluation.train_rows)
    if any(isinstance(method, SourceProtocol) for _, method in evaluation.jobs):
        encodings.encoder.keep_source_probs_of(SplitName.TEST)
    return encodings
