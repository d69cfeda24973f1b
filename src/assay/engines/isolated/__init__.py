"""Runs evaluations in a few long-lived processes, which contains crashes and hangs."""

from __future__ import annotations

import logging
import os
import sys
from collections import deque
from collections.abc import Generator, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Generic, final

from assay.core.errors import StoreError, UsageError
from assay.core.result import Cause, Event, Finished, Result, Status
from assay.engines.isolated.events import value_of
from assay.engines.isolated.pickling import carry_plugin_files, pickled
from assay.engines.isolated.process import Kind, Place, greeting_of, not_sent, preloaded, request_of
from assay.environment.devices import devices_apart
from assay.environment.memory import machine_bytes
from assay.plugins.engine import Engine, Evaluate, Stage, Watch
from assay.plugins.scheduler import Pause, Scheduler, WorkT
from assay.workers.channel import Message
from assay.workers.pool import Lost, Pool, Reply
from assay.workers.worker import Worker

logger = logging.getLogger(__name__)

_HOURS = 3600.0
_LEAST_SHARE = 2 << 30  # bytes: libraries alone hold almost one gigabyte
_PROCESS = "assay.engines.isolated.process"


@dataclass(frozen=True, slots=True)
class Isolated(Engine):
    """Each worker is a process that runs one evaluation after the other, with a share of the machine.

    A job that crashes its process or exceeds the time limit becomes a failed row; a new process runs the
    remaining jobs. With one worker the numbers are those of ``local``; with more, each has fewer threads, so
    the last digits may differ. Where there are several GPUs, each worker has one.

    Attributes:
        time_limit: Seconds per job, including opening and encoding; None for no limit.
        workers: The number of processes.
        leak_bytes: A process that holds more memory after an evaluation, with its model closed, is replaced;
            by default its share of half of the machine's memory, and at least 2 GiB.

    >>> from assay.testing.engines import run_as_a_study, simulated_matrix
    >>> run_as_a_study(Isolated(time_limit=600), simulated_matrix(), watch=print)  # starts no process
    []
    """

    time_limit: float | None = 6 * _HOURS
    workers: int = 1
    leak_bytes: float | None = None

    def __post_init__(self) -> None:
        if self.time_limit is not None and not self.time_limit > 0:
            raise UsageError(f"time_limit is {self.time_limit:g}. Write more than 0 seconds.")
        if not isinstance(self.workers, int) or isinstance(self.workers, bool) or self.workers < 1:
            raise UsageError(f"workers is {self.workers!r}. Write 1 or more.")
        if self.leak_bytes is not None and not self.leak_bytes > 0:
            raise UsageError(f"leak_bytes is {self.leak_bytes:g}. Write more than 0 bytes.")

    def run(
        self, evaluate: Evaluate[WorkT], scheduler: Scheduler[WorkT], watch: Watch
    ) -> Generator[Event, None, None]:
        """Run what the scheduler gives and yield the events of all workers as they come."""
        with closing(evaluate), closing(_Run(self, evaluate, scheduler, watch)) as run:
            yield from run.events()

    def place(self, number: int, device: str) -> Place:
        """Return where a worker works, given its number and the device of its first evaluation."""
        share = machine_bytes() // 2 // self.workers
        environment = dict(os.environ)
        if self.workers > 1:
            environment |= devices_apart(device, number)
        return Place(
            folder=_folder(),
            path=list(sys.path),
            environment=environment,
            threads=None if self.workers == 1 else max(1, _cores() // self.workers),
            most_bytes=int(self.leak_bytes or max(share, _LEAST_SHARE)),
        )


@final
class _Run(Generic[WorkT]):
    """One run of the engine."""

    def __init__(
        self, engine: Isolated, evaluate: Evaluate[WorkT], scheduler: Scheduler[WorkT], watch: Watch
    ) -> None:
        self._engine = engine
        self._evaluate = evaluate
        self._scheduler = scheduler
        self._watch: Watch | None = watch
        self._running: dict[int, _Running[WorkT]] = {}
        self._open_models: dict[int, object] = {}  # the keys of models that workers keep open
        self._device = ""  # of the first evaluation
        self._evaluator = b""
        self._pool = Pool(engine.workers, _start, self._greeting, engine.time_limit)

    def events(self) -> Iterator[Event]:
        """Yield the events of all workers until the scheduler is done."""
        asking, waiting = deque(range(self._engine.workers)), deque[int]()
        while asking or self._running:
            if asking:
                number = asking.popleft()
                given = self._scheduler.ask(f"worker {number}")
                if isinstance(given, Pause):
                    waiting.extend([number] if given is Pause.WAIT else [])
                    continue
                yield from self._begin(number, given)
            else:
                reply = self._pool.next()
                number = reply.worker
                yield from self._events_of(reply)
                if _kind_of(reply) is Kind.PROGRESS:
                    continue
            if number not in self._running:
                asking.append(number)
            asking.extend(waiting)
            waiting.clear()
        if waiting:
            raise RuntimeError(
                f"{type(self._scheduler).__name__} waits for an event while no evaluation runs."
            )

    def close(self) -> None:
        """End all workers."""
        self._pool.close()

    def _begin(self, number: int, evaluation: WorkT) -> Iterator[Event]:
        is_open = self._open_models.get(number) == evaluation.model_key
        self._running[number] = _Running(evaluation, has_opened=is_open)
        self._device = self._device or evaluation.device
        yield from self._submit(number)

    def _submit(self, number: int) -> Iterator[Event]:
        """Send what is left of an evaluation to its worker; all of it fails if it cannot be sent."""
        try:
            if not self._evaluator:
                carry_plugin_files()
                self._evaluator = pickled(self._evaluate)
            content = pickled(self._running[number].left)
        except Exception as error:  # whatever a plug-in holds
            yield from self._running.pop(number).failed(not_sent(error))
        else:
            self._pool.request(number, request_of(content))

    def _events_of(self, reply: Reply | Lost) -> Iterator[Event]:
        number, running = reply.worker, self._running[reply.worker]
        if isinstance(reply, Lost):
            yield from self._after_loss(reply._replace(reason=running.fault or reply.reason))
            return
        kind, message = _kind_of(reply), reply.message
        if kind is Kind.PROGRESS or kind is Kind.EVENT:
            try:
                value = value_of(message)
            except ValueError as error:
                running.fault = f"its process sent what is no event ({error})"
                self._pool.kill(number)
                return
            if isinstance(value, Stage):
                self._show(value)
            else:
                running.learn(value)
                yield value
        elif kind is Kind.DONE:
            self._done(number, has_leaked=message.fields["has_leaked"])
        elif kind is Kind.FAILED:
            yield from running.failed(str(message.fields["reason"]))
        else:
            raise StoreError(str(message.fields["reason"]))

    def _done(self, number: int, *, has_leaked: bool) -> None:
        running = self._running.pop(number)
        self._open_models[number] = running.left.model_key if running.is_clean else None
        if has_leaked:
            logger.info("worker %d holds too much memory and is replaced", number)
            del self._open_models[number]
            self._pool.retire(number)

    def _after_loss(self, lost: Lost) -> Iterator[Event]:
        """Fail the job that a worker was lost with, and run the others; without a model all jobs fail."""
        number = lost.worker
        running = self._running.pop(number)
        self._open_models.pop(number, None)
        cause = Cause.ENVIRONMENT if lost.lacked_memory and not running.fault else Cause.MODEL
        if lost.limit is not None:
            cause = Cause.TIME_LIMIT
        count = 1 if running.has_opened else None
        yield from running.failed(lost.reason, count, cause=cause, seconds=lost.limit or 0.0)
        if running.left.jobs:
            self._running[number] = _Running(running.left)
            yield from self._submit(number)

    def _show(self, stage: Stage) -> None:
        if self._watch is None:
            return
        try:
            self._watch(stage)
        except Exception:  # a display error must not end a run
            logger.info("progress is not shown any more", exc_info=True)
            self._watch = None

    def _greeting(self, number: int) -> Message:
        return greeting_of(self._engine.place(number, self._device), self._evaluator)


@dataclass(slots=True)
class _Running(Generic[WorkT]):
    """An evaluation that a worker runs.

    Attributes:
        left: What is left of it.
        has_opened: Whether the model is open.
        is_clean: Whether no job has failed: an evaluator then keeps the model open.
        fault: Why its worker was killed; empty if it was not.
    """

    left: WorkT
    has_opened: bool = False
    is_clean: bool = True
    fault: str = ""

    def learn(self, event: Event) -> None:
        """Note what an event says about what is left."""
        self.has_opened = True
        if isinstance(event, Finished):
            self.left = self.left.without({event.result.job.key})
            self.is_clean &= event.result.status is not Status.FAILED

    def failed(
        self, reason: str, count: int | None = None, *, cause: Cause = Cause.MODEL, seconds: float = 0.0
    ) -> Iterator[Finished]:
        """Return failed results of the first jobs, or of all, and leave them out."""
        jobs = [job for job, _ in self.left.jobs[:count]]
        self.left, self.is_clean = self.left.without({job.key for job in jobs}), False
        failed = partial(Result, status=Status.FAILED, reason=reason, cause=cause, seconds=seconds)
        return (Finished(failed(job)) for job in jobs)


def _kind_of(reply: Reply | Lost) -> Kind | None:
    return None if isinstance(reply, Lost) else Kind(reply.message.fields["is"])


def _start() -> Worker:
    return Worker(f"{_PROCESS}:serve", f"{_PROCESS}:preload", preloaded(), shows_output=True)


def _cores() -> int:
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


def _folder() -> str:
    try:
        return str(Path.cwd())
    except OSError:  # it was removed
        return ""
