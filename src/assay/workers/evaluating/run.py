"""One run of an engine with workers: it requests, sends, yields and repeats evaluations."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Callable, Generator, Hashable, Iterable, Iterator
from contextlib import closing
from dataclasses import replace
from typing import Generic, Protocol, final

from assay.core.errors import StoreError
from assay.core.result import Cause, Event, Finished, Status
from assay.plugins.engine import Stage, Watch
from assay.plugins.scheduler import Pause, Scheduler, WorkT
from assay.workers.channel import Message
from assay.workers.evaluating.events import value_of
from assay.workers.evaluating.pickling import carry_plugin_files
from assay.workers.evaluating.process import Kind, not_sent
from assay.workers.evaluating.remaining import Remaining
from assay.workers.pool import Reply, WorkerLost

logger = logging.getLogger(__name__)

_MOST_REPEATS = 3  # of an evaluation whose machine was lost: it may be what ends machines


class Workers(Protocol):
    """Workers by number, each busy with one request at a time: here, or on other machines."""

    def added(self) -> Iterable[int]:
        """Return the numbers of the workers that there are since the last call."""

    def place(self, worker: int) -> str:
        """Return where a worker works, as in "node 10.0.0.7"; empty for this machine."""

    def request(self, worker: int, message: Message) -> None:
        """Give a request to a worker, which must not be busy."""

    def next(self) -> Reply | WorkerLost | None:
        """Return what any worker replies next, or that it was lost; None if ``added`` is to be asked."""

    def kill(self, worker: int) -> None:
        """Kill a worker that is busy; it is then lost."""

    def retire(self, worker: int) -> None:
        """End a worker that is not busy; its next request starts another."""

    def close(self) -> None:
        """End all workers, even busy ones."""


def events_of(
    workers: Workers,
    packed: Callable[[WorkT], Message],
    scheduler: Scheduler[WorkT],
    watch: Watch,
) -> Generator[Event, None, None]:
    """Run what the scheduler gives in workers, and yield the events of all of them as they come.

    Args:
        workers: They are closed at the end.
        packed: Returns the request for an evaluation; may raise the exceptions of its parts.
        scheduler: Asked for each worker.
        watch: Called with each stage.
    """
    carry_plugin_files()
    with closing(workers):
        yield from _Run(workers, packed, scheduler, watch).events()


@final
class _Run(Generic[WorkT]):
    """One run of an engine."""

    def __init__(
        self,
        workers: Workers,
        packed: Callable[[WorkT], Message],
        scheduler: Scheduler[WorkT],
        watch: Watch,
    ) -> None:
        self._workers = workers
        self._packed = packed
        self._scheduler = scheduler
        self._watch: Watch | None = watch
        self._running: dict[int, Remaining[WorkT]] = {}
        self._open_models: dict[int, Hashable] = {}  # the keys of models that workers keep open

    def events(self) -> Iterator[Event]:
        """Yield the events of all workers until the scheduler is done."""
        asking, waiting = deque(self._workers.added()), deque[int]()
        while asking or self._running:
            if asking:
                number = asking.popleft()
                given = self._scheduler.ask(f"worker {number}")
                if isinstance(given, Pause):
                    waiting.extend([number] if given is Pause.WAIT else [])
                    continue
                yield from self._begin(number, given)
            else:
                asking.extend(self._workers.added())
                reply = self._workers.next()
                if reply is None:
                    continue
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

    def _begin(self, number: int, evaluation: WorkT) -> Iterator[Event]:
        is_open = self._open_models.get(number) == evaluation.model_key
        self._running[number] = Remaining(evaluation, has_opened=is_open)
        yield from self._submit(number)

    def _submit(self, number: int) -> Iterator[Event]:
        """Send what is left of an evaluation to its worker; all of it fails if it cannot be sent."""
        try:
            message = self._packed(self._running[number].left)
        except Exception as error:  # a plug-in may contain anything
            yield from self._running.pop(number).failed(not_sent(error))
        else:
            self._workers.request(number, message)

    def _events_of(self, reply: Reply | WorkerLost) -> Iterator[Event]:
        number, running = reply.worker, self._running[reply.worker]
        if isinstance(reply, WorkerLost):
            yield from self._after_loss(reply._replace(reason=running.fault or reply.reason))
            return
        kind, message = _kind_of(reply), reply.message
        if kind is Kind.PROGRESS or kind is Kind.EVENT:
            try:
                value = value_of(message)
            except ValueError as error:
                running.fault = f"its process sent something that is not an event ({error})"
                self._workers.kill(number)
                return
            if isinstance(value, Stage):
                self._show(replace(value, worker=f"worker {number}"))
            else:
                running.learn(value)
                yield self._placed(number, value)
        elif kind is Kind.DONE:
            self._done(number, has_leaked=message.fields["has_leaked"])
        elif kind is Kind.FAILED:
            yield from running.failed(str(message.fields["reason"]))
        else:
            raise StoreError(self._at(number) + str(message.fields["reason"]))

    def _done(self, number: int, *, has_leaked: bool) -> None:
        running = self._running.pop(number)
        self._open_models[number] = running.left.model_key if running.is_clean else None
        if has_leaked:
            logger.info("worker %d holds too much memory and is replaced", number)
            del self._open_models[number]
            self._workers.retire(number)

    def _after_loss(self, lost: WorkerLost) -> Iterator[Event]:
        """Fail the job that a worker was lost with, and run the others; without a model all jobs fail.

        What was lost with its machine runs again unchanged, a few times.
        """
        number = lost.worker
        running = self._running.pop(number)
        self._open_models.pop(number, None)
        is_blameless = lost.is_blameless and not running.fault
        if is_blameless and running.repeats < _MOST_REPEATS:
            repeated = Remaining(running.left, repeats=running.repeats + 1)
        else:
            of_machine = (lost.of_environment or is_blameless) and not running.fault
            cause = Cause.ENVIRONMENT if of_machine else Cause.MODEL
            if lost.limit is not None:
                cause = Cause.TIME_LIMIT
            count = 1 if running.has_opened or is_blameless else None
            reason = self._at(number) + lost.reason
            yield from running.failed(reason, count, cause=cause, seconds=lost.limit or 0.0)
            repeated = Remaining(running.left)
        if repeated.left.jobs:
            self._running[number] = repeated
            yield from self._submit(number)

    def _placed(self, number: int, event: Event) -> Event:
        """Say on which machine something was missing."""
        if not isinstance(event, Finished) or event.result.status is not Status.FAILED:
            return event
        if event.result.cause is not Cause.ENVIRONMENT:
            return event
        return replace(event, result=replace(event.result, reason=self._at(number) + event.result.reason))

    def _at(self, number: int) -> str:
        place = self._workers.place(number)
        return f"on {place}: " if place else ""

    def _show(self, stage: Stage) -> None:
        if self._watch is None:
            return
        try:
            self._watch(stage)
        except Exception:  # a display error must not end a run
            logger.info("progress is not shown any more", exc_info=True)
            self._watch = None


def _kind_of(reply: Reply | WorkerLost) -> Kind | None:
    return None if isinstance(reply, WorkerLost) else Kind(reply.message.fields["is"])
