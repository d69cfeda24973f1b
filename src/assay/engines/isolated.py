"""Runs evaluations in a few long-lived processes, which contains crashes and hangs."""

from __future__ import annotations

import os
import sys
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass

from assay.core.errors import UsageError
from assay.core.result import Event
from assay.environment.devices import devices_apart
from assay.environment.machine import core_count
from assay.environment.memory import machine_bytes
from assay.plugins.engine import Engine, Evaluate, Watch
from assay.plugins.scheduler import Scheduler, WorkT
from assay.workers.channel import Message
from assay.workers.evaluating.pickling import pickled
from assay.workers.evaluating.process import (
    LEAST_SHARE,
    WorkerEnvironment,
    folder_now,
    greeting_of,
    preloaded,
    request_of,
    start,
)
from assay.workers.evaluating.run import events_of
from assay.workers.pool import Pool
from assay.workers.worker import Worker

_HOURS = 3600.0


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
        content: list[bytes] = []  # the evaluator, once there is something to send
        device = ""  # of the first evaluation

        def packed(evaluation: WorkT) -> Message:
            nonlocal device
            device = device or evaluation.device
            content[:] = content or [pickled(evaluate)]
            return request_of(pickled(evaluation))

        def greeting(number: int) -> Message:
            return greeting_of(self.place(number, device), content[0])

        with closing(evaluate):
            pool = Pool(self.workers, _start, greeting, self.time_limit)
            yield from events_of(pool, packed, scheduler, watch)

    def place(self, number: int, device: str) -> WorkerEnvironment:
        """Return where a worker works, given its number and the device of its first evaluation."""
        share = machine_bytes() // 2 // self.workers
        environment = dict(os.environ)
        if self.workers > 1:
            environment |= devices_apart(device, number)
        return WorkerEnvironment(
            folder=folder_now(),
            path=list(sys.path),
            environment=environment,
            threads=None if self.workers == 1 else max(1, core_count() // self.workers),
            most_bytes=int(self.leak_bytes or max(share, LEAST_SHARE)),
        )


def _start() -> Worker:
    return start(preloaded())
