"""Runs evaluations, and keeps the model open while the next evaluation needs it."""

from __future__ import annotations

import errno
import logging
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import partial
from typing import NamedTuple, final

from assay.core.errors import StoreError
from assay.core.job import Job
from assay.core.large_arrays import memory_bound
from assay.core.model import Model
from assay.core.result import Event, Finished, Opened, Status
from assay.core.task import SplitName
from assay.environment.memory_limit import require_within
from assay.environment.process_state import (
    ProcessState,
    end_forked_child,
    settings_now,
    undone,
)
from assay.environment.state_parts import resource_limits
from assay.plugins.engine import Stage, Watch
from assay.plugins.families import families, using
from assay.plugins.method import Method
from assay.plugins.protocol import SourceProtocol
from assay.run.consistency import must_be_consistent
from assay.run.encoding import Encodings, batches_of
from assay.run.evaluation import Evaluation, failed_job, finished_job
from assay.run.failure import raise_if_interrupted
from assay.run.memory_check import must_have_room
from assay.run.opened_model import OpenedModel
from assay.run.partial_encoding import EncodingPart, train_pieces
from assay.run.speed import measured_speed
from assay.run.storable import storable_facts

logger = logging.getLogger(__name__)

_FIRST = 32  # examples of a task by which the precision of encoding is chosen


class _Held(NamedTuple):
    """The model that is open."""

    key: tuple[str, str, str]
    model: Model
    event: Opened
    settings: ProcessState  # of the process when it was opened, such as ``sys.path``: they hold in its jobs
    is_measured: bool


@final
class Evaluator:
    """Runs evaluations one after the other, and measures a model once for as long as it is open.

    Whatever the code of models and methods does to the process is undone before each event is yielded. A
    copy made by pickle has no model open.
    """

    def __init__(self) -> None:
        self._held: _Held | None = None

    def __reduce__(self) -> tuple[object, ...]:
        return Evaluator, ()

    def __call__(self, evaluation: Evaluation | EncodingPart, watch: Watch) -> Iterator[Event]:
        """Run the jobs of an evaluation and yield events; errors of the model become failed results.

        A part of an evaluation yields no result, and an error in it is left to the evaluation.
        """
        whole = evaluation.whole if isinstance(evaluation, EncodingPart) else evaluation
        with using(whole.families), memory_bound(whole.memory_bytes, whole.arrays.root):
            report = _Progress(partial(Stage, str(whole.model), whole.task.address), watch)
            if self._held is None or self._held.key != whole.model_key:
                self.close()
                opened = _opened(whole, report)
                if isinstance(opened, BaseException):
                    yield from (failed_job(job, opened) for job, _ in evaluation.jobs)
                    return
                self._held = opened
                yield opened.event
            else:
                event, self._held = self._held.event, _renewed(whole, self._held)
                if self._held.event != event:
                    yield self._held.event
            if isinstance(evaluation, EncodingPart):
                self._encode(evaluation, self._held, report)
            else:
                yield from self._finished_jobs(evaluation, self._held, report)

    def close(self) -> None:
        """Close the model that is open, if any."""
        held, self._held = self._held, None
        if held is None:
            return
        with undone(held.settings):
            _close(held.model)

    def _encode(self, part: EncodingPart, held: _Held, report: _Progress) -> None:
        if not part.is_shared:
            report(f"left to the first worker: no other sees the store '{part.whole.arrays.root}'")
            return
        encodings = _encodings(part.whole, held.model, report)
        if isinstance(encodings, BaseException):
            return
        try:
            with undone(held.settings):
                split = part.whole.task.split(part.piece.split)
                encodings.encoder.encode_piece(part.piece, split, sums=part.sums)
        except StoreError:
            raise
        except BaseException as error:
            raise_if_interrupted(error)
            logger.info("cannot encode %s", part.piece, exc_info=True)
            self.close()

    def _finished_jobs(self, evaluation: Evaluation, held: _Held, report: _Progress) -> Iterator[Finished]:
        speed = held.event.speed
        if evaluation.limits.refusal(held.event.facts, None if speed is None else speed.latency_seconds):
            return
        encodings = _encodings(evaluation, held.model, report)
        has_failed = False
        for job, method in evaluation.jobs:
            with undone(held.settings):
                report(job.method)
                finished = _finished(job, method, encodings, evaluation.device)
            has_failed |= finished.result.status is Status.FAILED
            yield replace(finished, files=evaluation.arrays.notes)
        if has_failed:  # what failed may have left the model in any state
            self.close()


def _finished(job: Job, method: Method, encodings: Encodings | BaseException, device: str) -> Finished:
    if isinstance(encodings, BaseException):
        return failed_job(job, encodings)
    limits = resource_limits()
    try:
        return finished_job(job, method, encodings, device)
    except StoreError as error:
        if resource_limits() == limits and not _is_closed(error):
            raise
        return failed_job(job, error)  # the disk is not to blame: the model limits or closes files


def _is_closed(error: StoreError) -> bool:
    return isinstance(error.__cause__, OSError) and error.__cause__.errno == errno.EBADF


class _Progress:
    """Reports each stage to the watcher until the watcher raises; a display error must not fail a job."""

    def __init__(self, stage: Callable[..., Stage], watch: Watch) -> None:
        self._stage = stage
        self._watch: Watch | None = watch

    def __call__(self, what: str, done: int = 0, total: int = 0) -> None:
        end_forked_child()  # one that the model forked and that returned from it
        if self._watch is None:
            return
        try:
            self._watch(self._stage(what, done, total))
        except Exception:
            logger.info("progress is not shown any more", exc_info=True)
            self._watch = None


def _opened(evaluation: Evaluation, report: _Progress) -> _Held | BaseException:
    """Return the opened model, or what it raised."""
    model: Model | None = None
    with undone():
        try:
            report("open")
            source, most = evaluation.model.plugin, evaluation.memory_bytes
            must_have_room(source, str(evaluation.model), evaluation.device, most)
            model = source.open(evaluation.device)
            _settled_precision(evaluation, model)
            is_measured = _needs_speed(evaluation)
            speed = (
                measured_speed(model, evaluation.task.modality, evaluation.device) if is_measured else None
            )
            facts = storable_facts(model.facts)
            must_be_consistent(model, evaluation.task.modality)
        except BaseException as error:  # one broken model must not end the study
            _close(model)
            raise_if_interrupted(error)
            logger.info("cannot open %s", evaluation.model, exc_info=True)
            return error
        event = Opened(str(evaluation.model), evaluation.identity, facts, speed)
        return _Held(evaluation.model_key, model, event, settings_now(), is_measured)


def _needs_speed(evaluation: Evaluation) -> bool:
    return evaluation.measures_speed or evaluation.limits.max_latency_seconds is not None


def _renewed(evaluation: Evaluation, held: _Held) -> _Held:
    """Return an open model in its precision for another task, with its speed if that is needed now."""
    with undone(held.settings):
        facts, dtype = held.event.facts, _settled_precision(evaluation, held.model)
        event = held.event if dtype is None else replace(held.event, facts=replace(facts, dtype=dtype))
        if held.is_measured or not _needs_speed(evaluation):
            return held._replace(event=event)
        speed = measured_speed(held.model, evaluation.task.modality, evaluation.device)
        return held._replace(event=replace(event, speed=speed), is_measured=True)


def _settled_precision(evaluation: Evaluation, model: Model) -> str | None:
    """Return the dtype that a model chose by the first examples of a task, for all of its splits."""
    task = evaluation.task
    split = task.train if len(task.train) else task.test
    try:
        return model.settle_precision(
            lambda: [split.examples.read(row) for row in range(len(split))[:_FIRST]]
        )
    except BaseException as error:  # it recurs in the evaluation, which names the example
        raise_if_interrupted(error)
        logger.info("cannot choose the precision by the first examples", exc_info=True)
        return None


def _close(model: Model | None) -> None:
    try:
        if model is not None:
            model.close()
    except BaseException as error:  # its jobs are finished; its resources are freed with the process
        raise_if_interrupted(error)
        logger.info("cannot close the model", exc_info=True)


def _encodings(evaluation: Evaluation, model: Model, report: _Progress) -> Encodings | BaseException:
    """Return the splits of the task as encoded by the model, or what its metric raised."""
    task = evaluation.task
    source = evaluation.model.plugin
    opened = OpenedModel(
        model, evaluation.identity, source.untrained, evaluation.device, source.encoding_version
    )
    try:
        metric = families().metrics.load(task.metric)()
    except BaseException as error:  # a metric of the user's own
        raise_if_interrupted(error)
        return error

    def within_memory(what: str, done: int, total: int) -> None:
        require_within(evaluation.memory_bytes)
        report(what, done, total)

    batches = batches_of(task, evaluation.batch_size, within_memory)
    encodings = Encodings(opened, task, metric, evaluation.arrays, batches, train_rows=evaluation.train_rows)
    encodings.encoder.pieces = train_pieces(evaluation)
    if any(isinstance(method, SourceProtocol) for _, method in evaluation.jobs):
        encodings.encoder.keep_source_probs_of(SplitName.TEST)
    return encodings
