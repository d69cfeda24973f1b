"""Runs evaluations on the machines of a Ray cluster, or on this machine with a local Ray."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from typing import ClassVar

from assay.core.errors import UsageError
from assay.core.limits import bytes_of
from assay.core.result import Event
from assay.plugins.engine import Engine, Evaluate, Stage, Watch
from assay.plugins.scheduler import Scheduler, WorkT
from assay.workers.evaluating.run import events_of

_HOURS = 3600.0


@dataclass(frozen=True, slots=True)
class Ray(Engine):
    """Each evaluation is a Ray task, which runs it in a process of its own on the node.

    A job that crashes its process or exceeds the time limit becomes a failed row; the rest of its evaluation
    runs again. What was lost with its node runs again unchanged. Only predictions, scores and facts come
    back: features stay on the node, in the folder of the store, which nodes may share. Data are read where
    the study names them: on a file system that all nodes see, or in the ``working_dir`` of a Ray job. The
    numbers are those of ``isolated`` with as many threads.

    Attributes:
        address: The cluster, as in "10.0.0.2:6379" or "auto" for the one that this machine belongs to, or
            "ray://10.0.0.2:10001" from a machine that belongs to none; by default that of ``RAY_ADDRESS``,
            else that of this machine, else a new Ray that ends with the run. "local" always starts a new one.
        gpus_per_job: The GPUs of an evaluation, as in 0.5 for two at once on each; by default 1 if the
            study's device is one, else 0.
        cpus_per_job: The processors of an evaluation, and its number of threads.
        memory_per_job: The memory of an evaluation, as in "8GB" or a number of bytes; by default the most
            that its model took before in this store, else what its weights take and 1 GiB. 0 counts none.
        workers: The most evaluations at once; by default as many as the nodes have room for, also those that
            join later.
        time_limit: Seconds per job, including opening and encoding; None for no limit.

    >>> Ray(gpus_per_job=0.5, memory_per_job="8GB").cpus_per_job
    1
    """

    packages: ClassVar[tuple[str, ...]] = ("ray",)

    address: str | None = None
    gpus_per_job: float | None = None
    cpus_per_job: float = 1
    memory_per_job: str | float | None = None
    workers: int | None = None
    time_limit: float | None = 6 * _HOURS

    def __post_init__(self) -> None:
        if self.time_limit is not None and not self.time_limit > 0:
            raise UsageError(f"time_limit is {self.time_limit:g}. Write more than 0 seconds.")
        if self.workers is not None and (isinstance(self.workers, bool) or self.workers < 1):
            raise UsageError(f"workers is {self.workers!r}. Write 1 or more.")
        if not self.cpus_per_job > 0:
            raise UsageError(f"cpus_per_job is {self.cpus_per_job:g}. Write more than 0, as in 1 or 0.5.")
        gpus = self.gpus_per_job
        if gpus is not None and (gpus < 0 or (gpus > 1 and gpus != int(gpus))):
            raise UsageError(f"gpus_per_job is {gpus:g}. Write a part of one, as in 0.5, or a whole number.")
        if self.memory_per_job is not None:
            bytes_of("memory_per_job", self.memory_per_job)

    def run(
        self, evaluate: Evaluate[WorkT], scheduler: Scheduler[WorkT], watch: Watch
    ) -> Generator[Event, None, None]:
        """Run what the scheduler gives and yield the events of all workers as they come."""
        from assay.engines.ray.client_mode import OutsideTasks
        from assay.engines.ray.cluster import is_outside, joined
        from assay.engines.ray.resources import Needs
        from assay.engines.ray.tasks import RayTasks, Shipping

        memory = self.memory_per_job
        needs = Needs(
            self.cpus_per_job,
            self.gpus_per_job,
            None if memory is None else int(bytes_of("memory_per_job", memory)),
            self.time_limit,
        )
        with closing(evaluate), joined(self.address) as dashboard:
            if dashboard:
                watch(Stage("", "", f"Ray's dashboard: {dashboard}"))
            shipping = Shipping(evaluate, needs)
            workers = (OutsideTasks if is_outside() else RayTasks)(shipping, self.workers)
            yield from events_of(workers, shipping.packed, scheduler, watch)
