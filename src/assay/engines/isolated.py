"""Runs each evaluation in its own process, which contains crashes and hangs and frees memory."""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Generator, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection
from threading import Thread
from typing import Any, final

import cloudpickle

from assay.core.errors import UsageError
from assay.core.metric import PLUGIN_PREFIX
from assay.core.result import Event, Finished, Opened, Result, Status
from assay.plugins.engine import Engine, Evaluate, Stage, Watch
from assay.plugins.scheduler import Scheduler, WorkT, evaluations_of

_HOURS = 3600.0
_METHOD = "spawn" if sys.platform == "win32" else "forkserver"
_PRELOADED = ["torch"]  # imported once by the fork server, because importing it is slow


@dataclass(frozen=True, slots=True)
class Isolated(Engine):
    """One evaluation after the other, each in a process of its own.

    A job that crashes its process or exceeds the time limit becomes a failed row; a new process runs the
    remaining jobs. Scripts need the guard ``if __name__ == "__main__":``, as multiprocessing requires.

    Attributes:
        time_limit: Seconds per job, including opening and encoding; None for no limit.

    >>> from assay.testing.engines import run_as_a_study, simulated_matrix
    >>> run_as_a_study(Isolated(time_limit=600), simulated_matrix(), watch=print)  # starts no process
    []
    """

    time_limit: float | None = 6 * _HOURS

    def __post_init__(self) -> None:
        if self.time_limit is not None and not self.time_limit > 0:
            raise UsageError(f"time_limit is {self.time_limit:g}. Write more than 0 seconds.")

    def run(
        self, evaluate: Evaluate[WorkT], scheduler: Scheduler[WorkT], watch: Watch
    ) -> Generator[Event, None, None]:
        """Run what the scheduler gives and yield the events immediately."""
        for evaluation in evaluations_of(scheduler, "isolated"):
            left = evaluation
            while left.jobs:
                has_opened, reason = False, ""
                with _Process(evaluate, left) as process:
                    try:
                        for message in process.messages(self.time_limit):
                            if isinstance(message, Stage):
                                watch(message)
                                continue
                            has_opened |= isinstance(message, Opened)
                            if isinstance(message, Finished):
                                left = left.without({message.result.job.key})
                            yield message
                    except _Ended as ended:
                        reason = str(ended)
                if not reason:
                    break
                lost = left.jobs[:1] if has_opened else left.jobs  # without a model all jobs fail
                yield from (Finished(Result(job, Status.FAILED, reason=reason)) for job, _ in lost)
                left = left.without({job.key for job, _ in lost})


class _Ended(Exception):
    """The process ended before all jobs were finished."""


@final
class _Process:
    """A process that runs one evaluation; it is killed when the context ends."""

    def __init__(self, evaluate: Evaluate, evaluation: object) -> None:
        context: Any = get_context(_METHOD)
        if _METHOD == "forkserver":
            context.set_forkserver_preload(_PRELOADED)
        self._channel, theirs = context.Pipe(duplex=False)
        self._process: Any = context.Process(
            target=_serve, args=(theirs, _packed(evaluate, evaluation)), daemon=True
        )
        self._process.start()
        theirs.close()  # only the process holds the other end, so its exit closes the pipe

    def __enter__(self) -> _Process:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.kill()
        self._process.join()
        self._channel.close()

    def messages(self, time_limit: float | None) -> Iterator[Stage | Event]:
        """Yield the messages of the process; raise ``_Ended`` if it dies or exceeds the time limit."""
        start = time.monotonic()
        while True:
            left = None if time_limit is None else max(0.0, start + time_limit - time.monotonic())
            if not self._channel.poll(left):
                raise _Ended(
                    f"it took longer than {time_limit:g} seconds and was stopped: give it more time "
                    "(time_limit), fewer examples, or a faster device"
                )
            try:
                message = self._channel.recv()
            except EOFError:
                raise _Ended(self._how_it_ended()) from None
            if message is None:
                return
            if isinstance(message, Exception):
                raise message
            yield message
            if not isinstance(message, Stage):
                start = time.monotonic()

    def _how_it_ended(self) -> str:
        self._process.join()
        code = self._process.exitcode
        if code >= 0:
            return f"its process ended with code {code}"
        hint = ", mostly because memory did not suffice" if -code == signal.SIGKILL else ""
        return f"its process was ended by {signal.Signals(-code).name}{hint}"


def _packed(evaluate: Evaluate, evaluation: object) -> bytes:
    for name, module in sys.modules.items():
        if name.startswith(PLUGIN_PREFIX):  # user files, which the process cannot import by name
            cloudpickle.register_pickle_by_value(module)
    packed: bytes = cloudpickle.dumps((evaluate, evaluation))
    return packed


def _serve(replies: Connection, packed: bytes) -> None:
    """Run the evaluation and send its messages; exit when the parent process ends."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the parent, which ends this process
    Thread(target=_end_with_parent, daemon=True).start()
    with suppress(BrokenPipeError):
        try:
            evaluate, evaluation = cloudpickle.loads(packed)
            with closing(evaluate):
                for event in evaluate(evaluation, replies.send):
                    replies.send(event)
            replies.send(None)
        except Exception as error:  # raised again in the parent, for example for a full disk
            replies.send(error)


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)
