"""The main function of a worker that runs evaluations."""

from __future__ import annotations

import gc
import os
import sys
from collections.abc import Mapping
from enum import StrEnum
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Any, NamedTuple

import cloudpickle
import numpy as np
from threadpoolctl import threadpool_limits

from assay.core.errors import StoreError
from assay.core.result import Event, Finished, Result, Status
from assay.environment.memory import free_unused_memory, held_bytes
from assay.environment.memory_limit import watched
from assay.environment.offline import keep_offline
from assay.plugins.engine import Evaluate, Stage
from assay.workers.channel import Channel, Message
from assay.workers.evaluating.events import message_of
from assay.workers.evaluating.pickling import unpickled
from assay.workers.pool import RECEIVED
from assay.workers.serving import OVER_MEMORY
from assay.workers.worker import Worker

LEAST_SHARE = 2 << 30  # bytes of a worker: libraries alone hold almost one gigabyte
_PROCESS = "assay.workers.evaluating.process"
PRELOADED = "ASSAY_PRELOADED"  # the variable with the names of modules, separated by spaces
_SLOW = (  # to import; a worker is forked from a process that has those of them that we have
    "torch", "torchvision", "timm", "transformers", "sentence_transformers", "open_clip", "scipy.stats",
    "sklearn.linear_model", "pandas", "PIL.Image", "assay.run.evaluator",
)  # fmt: skip
_THREADS = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS")


class Kind(StrEnum):
    """What a message of a worker is: the field "is"."""

    PROGRESS = "progress"
    EVENT = "event"
    FAILED = "failed"  # all jobs that are left
    STORE_ERROR = "store error"
    DONE = "done"


class WorkerEnvironment(NamedTuple):
    """Where and with what a worker works.

    Attributes:
        folder: The working directory.
        path: Where modules are found.
        environment: All variables.
        threads: How many threads it may use; None for as many as a process alone.
        most_bytes: The memory that it may hold between evaluations; a worker that holds more ends.
    """

    folder: str
    path: list[str]
    environment: dict[str, str]
    threads: int | None
    most_bytes: int


def start(environment: Mapping[str, str]) -> Worker:
    """Start a worker, with what :func:`preloaded` returned here or elsewhere."""
    return Worker(f"{_PROCESS}:serve", f"{_PROCESS}:preload", environment, shows_output=True)


def preloaded() -> dict[str, str]:
    """Return the variable that says what :func:`preload` imports: what this process has needed so far."""
    return {PRELOADED: " ".join(name for name in _SLOW if name in sys.modules)}


def preload() -> None:
    """Import what evaluations need and what is slow to import, before workers are forked."""
    for name in os.environ[PRELOADED].split():
        import_module(name)
    gc.collect()
    gc.freeze()  # collections in the workers are short, and leave its pages shared


def folder_now() -> str:
    """Return the working directory; empty if it was removed."""
    try:
        return str(Path.cwd())
    except OSError:
        return ""


def greeting_of(place: WorkerEnvironment, evaluate: bytes) -> Message:
    """Return what a worker must receive before its first evaluation."""
    return Message({"place": place._asdict()}, {"evaluate": np.frombuffer(evaluate, np.uint8)})


def request_of(evaluation: bytes) -> Message:
    """Return the message that asks a worker to run an evaluation; parts that were left out may be added."""
    return Message({}, {"evaluation": np.frombuffer(evaluation, np.uint8)})


def serve(channel: Channel) -> None:
    """Run one evaluation after the other."""
    greeting = channel.receive()
    place = WorkerEnvironment(**greeting.fields["place"])
    settle(place)
    evaluate: Any = None
    while True:
        parts: dict[str, np.ndarray] = dict(channel.receive().arrays)
        channel.send(RECEIVED)
        try:
            evaluate = evaluate or cloudpickle.loads(greeting.arrays["evaluate"].data)
            evaluation = unpickled(parts.pop("evaluation"), parts)
            parts.clear()  # they may be large
        except BaseException as error:  # any exception of a plug-in while it is unpickled
            channel.send(Message({"is": Kind.FAILED, "reason": not_sent(error)}))
        else:
            with watched(evaluation.memory_bytes, partial(os._exit, OVER_MEMORY)):
                _run(evaluate, evaluation, channel)
        evaluation = None
        channel.send(Message({"is": Kind.DONE, "has_leaked": _has_leaked(evaluate, place.most_bytes)}))


def settle(place: WorkerEnvironment) -> None:
    """Take over the working directory, modules and variables of the parent, and the share of the machine."""
    if place.folder:
        os.chdir(place.folder)
    sys.path[:] = place.path
    temporary = os.environ.get("TMPDIR")  # is removed with the fork server
    os.environ.clear()
    os.environ.update(place.environment | ({"TMPDIR": temporary} if temporary else {}))
    keep_offline()
    if place.threads is None:
        return
    os.environ.update(dict.fromkeys(_THREADS, str(place.threads)))
    threadpool_limits(place.threads)  # of libraries that are loaded
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(place.threads)


def not_sent(error: BaseException) -> str:
    """Return why an evaluation cannot be sent to a worker."""
    return f"it cannot be sent to a process of its own ({described(error)}): use the engine 'local'"


def described(error: BaseException) -> str:
    """Return the type and the message of any error, on one line."""
    try:
        text = " ".join(str(error).split())
    except BaseException:
        text = ""
    return f"{type(error).__name__}: {text or 'no message'}"[:600]


def _run(evaluate: Evaluate, evaluation: Any, channel: Channel) -> None:
    """Run an evaluation and send its stages and events, and what ended it early."""
    try:
        events = iter(evaluate(evaluation, partial(_report, channel)))
    except BaseException as error:
        channel.send(_failure_of(error))
        return
    while True:
        try:
            event = next(events)
        except StopIteration:
            return
        except BaseException as error:  # the evaluator has made rows of what it expects
            channel.send(_failure_of(error))
            return
        _send(event, channel)


def _report(channel: Channel, stage: Stage) -> None:
    channel.send(message_of(Kind.PROGRESS, stage))


def _send(event: Event, channel: Channel) -> None:
    try:
        channel.send(message_of(Kind.EVENT, event))
    except (TypeError, ValueError) as error:
        if not isinstance(event, Finished):
            channel.send(_failure_of(error))
            return
        reason = f"its result cannot be sent to the main process: {error}"
        failed = Finished(Result(event.result.job, Status.FAILED, reason=reason))
        channel.send(message_of(Kind.EVENT, failed))


def _failure_of(error: BaseException) -> Message:
    if isinstance(error, StoreError):
        return Message({"is": Kind.STORE_ERROR, "reason": str(error)})
    return Message({"is": Kind.FAILED, "reason": described(error)})


def _has_leaked(evaluate: Evaluate | None, most_bytes: int) -> bool:
    """Return whether more memory is held than is allowed, even when what is free was given back.

    Nothing is given back before it is too much: the next evaluation would ask for it again.
    """
    if held_bytes() <= most_bytes:
        return False
    free_unused_memory()
    if held_bytes() > most_bytes and evaluate is not None:
        evaluate.close()
        free_unused_memory()
    return held_bytes() > most_bytes
