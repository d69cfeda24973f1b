"""A pool without any framework: its workers are killed and stopped at random moments."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from assay.workers import pool as pools
from assay.workers.channel import Message
from assay.workers.pool import Pool, Reply, WorkerLost
from assay.workers.worker import Worker

TARGETS = """
import os, signal, time
import numpy as np
from assay.workers.channel import Message
from assay.workers.pool import RECEIVED

def load():
    pass

def work(channel):
    name = channel.receive().fields["name"]
    while True:
        request = channel.receive()
        if request.fields.get("die unread"):
            os.kill(os.getpid(), signal.SIGKILL)
        channel.send(RECEIVED)
        for step in range(request.fields.get("steps", 0)):
            time.sleep(request.fields.get("seconds", 0))
            channel.send(Message({"is": "progress", "step": step}))
        channel.send(Message({"is": "event", "name": name, "process": os.getpid()}, dict(request.arrays)))
        channel.send(Message({"is": "done"}))
"""

Build = Callable[..., Pool]


@pytest.fixture
def build(tmp_path: Path) -> Iterator[Build]:
    (tmp_path / "work.py").write_text(TARGETS)
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    built = []

    def build(count: int, time_limit: float | None = 60) -> Pool:
        built.append(
            Pool(
                count,
                lambda: Worker("work:work", "work:load", {"PYTHONPATH": path}),
                lambda number: Message({"name": f"worker {number}"}),
                time_limit,
            )
        )
        return built[-1]

    yield build
    for pool in built:
        pool.close()


def replies_to(pool: Pool, worker: int, message: Message) -> list[Reply | WorkerLost]:
    """Return what is replied to a request, to its end."""
    pool.request(worker, message)
    replies = [pool.next()]
    while isinstance(replies[-1], Reply) and replies[-1].message.fields["is"] != "done":
        replies.append(pool.next())
    return replies


def process_of(replies: list[Reply | WorkerLost]) -> int:
    return next(
        int(reply.message.fields["process"])
        for reply in replies
        if isinstance(reply, Reply) and reply.message.fields["is"] == "event"
    )


def test_workers_work_at_the_same_time_and_live_on(build: Build) -> None:
    pool = build(2)
    first = process_of(replies_to(pool, 0, Message({})))

    pool.request(0, Message({"steps": 50, "seconds": 0.01}))
    pool.request(1, Message({"steps": 50, "seconds": 0.01}))
    replies = [pool.next() for _ in range(104)]
    workers = [reply.worker for reply in replies]

    assert workers.count(0) == workers.count(1) == 52
    assert {*workers[:52]} == {0, 1}
    assert {process_of([r for r in replies if r.worker == n]) for n in (0, 1)} > {first}


def test_eighty_megabytes_go_there_and_back(build: Build) -> None:
    probs = np.random.default_rng(0).random((200_000, 100), np.float32)

    replies = replies_to(build(1), 0, Message({}, {"probs": probs}))

    assert isinstance(replies[0], Reply)
    assert np.array_equal(replies[0].message.arrays["probs"], probs)


def test_one_that_is_killed_while_it_is_idle_is_replaced_and_nothing_is_lost(build: Build) -> None:
    pool = build(1)
    process = process_of(replies_to(pool, 0, Message({})))
    os.kill(process, signal.SIGKILL)

    assert process_of(replies_to(pool, 0, Message({}))) != process


def test_one_that_is_stopped_while_it_is_idle_is_replaced_and_nothing_is_lost(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pools, "_SECONDS_TO_RECEIVE", 0.3)
    pool = build(1)
    process = process_of(replies_to(pool, 0, Message({})))
    os.kill(process, signal.SIGSTOP)

    assert process_of(replies_to(pool, 0, Message({}, {"large": np.zeros(1_000_000)}))) != process


def test_a_request_that_ends_every_worker_is_given_up(build: Build) -> None:
    pool = build(1)

    assert replies_to(pool, 0, Message({"die unread": True})) == [
        WorkerLost(0, "its process was ended by SIGKILL, mostly because memory did not suffice")
    ]
    assert process_of(replies_to(pool, 0, Message({})))


def test_one_that_takes_too_long_is_lost_whatever_its_progress(build: Build) -> None:
    replies = replies_to(build(1, time_limit=0.5), 0, Message({"steps": 10_000, "seconds": 0.01}))

    assert isinstance(replies[-1], WorkerLost)
    assert replies[-1].reason.startswith("it took longer than 0.5 seconds and was stopped")


def test_one_that_is_retired_is_replaced(build: Build) -> None:
    pool = build(1)
    process = process_of(replies_to(pool, 0, Message({})))
    pool.retire(0)

    assert process_of(replies_to(pool, 0, Message({}))) != process


def test_closing_ends_workers_that_work(build: Build) -> None:
    pool = build(2)
    for worker in (0, 1):
        pool.request(worker, Message({"steps": 10_000, "seconds": 0.01}))
    pool.next()

    pool.close()

    assert not any(thread.is_alive() for thread in pool._threads)
    assert not pool._workers


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGSTOP], ids=["killed", "stopped"])
@pytest.mark.parametrize("seed", range(3))
def test_one_that_is_ended_at_any_moment_is_lost_once_or_not_at_all(
    build: Build, number: signal.Signals, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    pool = build(2, time_limit=1.5)
    large = Message({"steps": 3}, {"values": np.zeros(4_000_000)})
    process = process_of(replies_to(pool, 0, large))
    start = time.monotonic()
    replies_to(pool, 0, large)
    usual = time.monotonic() - start

    def end(delay: float) -> None:
        time.sleep(delay)
        with suppress(ProcessLookupError):  # a busy machine made it exceed its time limit before
            os.kill(process, number)

    killer = Thread(target=end, args=(rng.uniform(0, usual),))
    killer.start()
    replies = replies_to(pool, 0, large)
    killer.join()
    others = replies_to(pool, 1, large)

    assert sum(isinstance(reply, WorkerLost) for reply in replies) <= 1
    assert process_of(others)
    assert process_of(replies_to(pool, 0, large)) != process
