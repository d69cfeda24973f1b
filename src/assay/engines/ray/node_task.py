"""The Ray task on a node: it starts a process for evaluations and forwards its events."""

from __future__ import annotations

import atexit
import hashlib
import importlib.util
import os
import socket
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from assay.environment.memory import machine_bytes
from assay.run.versions import version_differences, versions
from assay.workers.channel import Message
from assay.workers.evaluating.process import (
    LEAST_SHARE,
    PRELOADED,
    Kind,
    WorkerEnvironment,
    greeting_of,
    start,
)
from assay.workers.pool import Pool, WorkerLost

_SECONDS_BETWEEN_STAGES = 0.5
_SHOWN = 1500  # characters of what a process printed before it was lost


class WorkerConfig(NamedTuple):
    """What a node must know to run evaluations.

    Attributes:
        evaluate: The pickled evaluator.
        versions: The packages of the driver.
        variables: Environment variables that evaluations get; never a token.
        folder: The working directory of the driver.
        threads: How many threads an evaluation may use.
        keeps_model: Whether a model may stay open until the next evaluation. It would hold a GPU meanwhile,
            which Ray may give to others; the process of Ray itself holds none.
        time_limit: Seconds per job; None for no limit.
    """

    evaluate: bytes
    versions: Mapping[str, str]
    variables: Mapping[str, str]
    folder: str
    threads: int
    keeps_model: bool
    time_limit: float | None


class NodeInfo(NamedTuple):
    """The first reply: where the task runs.

    Attributes:
        node_id: Ray's identifier of the node.
        host: Its name.
        differences: Which packages have other versions than on the driver.
    """

    node_id: str
    host: str
    differences: tuple[str, ...]


def relay(greeting: WorkerConfig, message: Message) -> Iterator[NodeInfo | Message | WorkerLost]:
    """Run an evaluation in a process of this node; yield a greeting, its replies, and how it was lost."""
    import ray

    hello = NodeInfo(
        ray.get_runtime_context().get_node_id(), socket.gethostname(), differences(greeting.versions)
    )
    yield hello
    if hello.differences:
        return
    parts = {name: ray.get(reference) for name, reference in message.fields.items()}
    pool, printed = _pool(greeting), _printed_bytes()
    pool.request(0, Message({}, {**message.arrays, **parts}))
    parts.clear()  # they may be large
    last = ("", 0.0)
    while True:
        reply = pool.next()
        if isinstance(reply, WorkerLost):
            yield reply._replace(reason=reply.reason + _since(printed))
            return
        if reply.message.fields["is"] == Kind.PROGRESS:
            what, now = str(reply.message.fields["value"]["fields"]["what"]), time.monotonic()
            if what == last[0] and now < last[1] + _SECONDS_BETWEEN_STAGES:
                continue
            last = what, now
        if reply.message.fields["is"] == Kind.DONE:
            if not greeting.keeps_model or reply.message.fields["has_leaked"]:
                pool.retire(0)
            yield Message({"is": Kind.DONE, "has_leaked": False})
            return
        yield reply.message


def differences(driver: Mapping[str, str]) -> tuple[str, ...]:
    """Return which packages have another version here than on the driver; one that is missing has none."""
    here = versions()
    both = [name for name in driver if name in here and name != "machine"]
    return version_differences({name: here[name] for name in both}, {name: driver[name] for name in both})


_POOLS: dict[str, Pool] = {}  # the one of the last greeting: Ray runs many tasks in one process


def _pool(greeting: WorkerConfig) -> Pool:
    key = hashlib.sha256(repr(greeting).encode()).hexdigest()
    if key not in _POOLS:
        for old in _POOLS.values():
            old.close()
        _POOLS.clear()
        _POOLS[key] = Pool(
            1, lambda: start(_preloaded(greeting)), lambda _: _greeting_of(greeting), greeting.time_limit
        )
        atexit.register(_POOLS[key].close)
    return _POOLS[key]


def _preloaded(greeting: WorkerConfig) -> dict[str, str]:
    names = greeting.variables.get(PRELOADED, "").split()
    return {PRELOADED: " ".join(name for name in names if _is_here(name))}


def _is_here(name: str) -> bool:
    return importlib.util.find_spec(name.partition(".")[0]) is not None


def _greeting_of(greeting: WorkerConfig) -> Message:
    share = machine_bytes() // 2 * greeting.threads // (os.cpu_count() or 1)
    place = WorkerEnvironment(
        folder=greeting.folder if Path(greeting.folder).is_dir() else "",
        path=list(sys.path),
        environment=dict(os.environ) | dict(greeting.variables),
        threads=greeting.threads,
        most_bytes=max(share, LEAST_SHARE),
    )
    return greeting_of(place, greeting.evaluate)


def _printed_bytes() -> int:
    """Return how much was printed to the log of this process; 0 if there is none."""
    try:
        return Path(_log()).stat().st_size
    except OSError:
        return 0


def _since(start: int) -> str:
    """Return the end of the output since, as part of a sentence; empty if nothing was printed."""
    try:
        with Path(_log()).open("rb") as log:
            log.seek(max(start, Path(_log()).stat().st_size - _SHOWN))
            text = " ".join(log.read(_SHOWN).decode("utf-8", "replace").split())
    except OSError:
        return ""
    return f" (it printed: {text[-400:]})" if text else ""


def _log() -> Any:
    return Path("/proc/self/fd/2").readlink()  # Ray sends standard error to a file
