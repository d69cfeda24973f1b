"""What one driver sustains: evaluations a second, alone and on Ray, and results written to a large store.

    python benchmarks/cluster.py                                       # all three parts, some minutes
    python benchmarks/cluster.py --workers 1 4 16 64 --each 150 --seconds 1
    python benchmarks/cluster.py --parts driver store
    python benchmarks/cluster.py --parts sleep --workers 1 4 16 64 --seconds 4 --evaluations 10000

*driver*: 10,000 evaluations of three jobs go through the driver's part of an engine with workers that answer
at once, and into a store: pickling, events, scheduler, transactions. Its rate is where a driver saturates: so
many evaluations a second, from whatever number of workers.

*sleep*: the same with simulated workers that answer after some seconds. The efficiency is the ideal time
(evaluations x seconds / workers) over the time taken.

*ray*: evaluations that sleep, on a Ray of this machine whose workers are fractions of a processor. The
efficiency is the ideal time (evaluations x seconds / workers) over the time taken once all workers have
started. Each worker has processes of its own, so this machine's processors limit it, not only the driver.

*store*: the rate of writing results into a store that has 1,000,000, over that of the same rows, transactions
and durability with plain sqlite3 in the same run.
"""

from __future__ import annotations

import argparse
import heapq
import os
import resource
import sqlite3
import tempfile
import time
from collections import deque
from collections.abc import Iterable, Iterator
from pathlib import Path

import cloudpickle

from assay.core.job import Job
from assay.core.result import Event, Finished, Result, Status
from assay.plugins.engine import Stage, Watch
from assay.plugins.scheduler import observed
from assay.run.full_matrix import FullMatrix
from assay.store.results import Store
from assay.store.rows import COLUMNS, written_result
from assay.testing.schedulers import SimulatedEvaluation, simulated_evaluations
from assay.workers.channel import Message
from assay.workers.evaluating.events import message_of
from assay.workers.evaluating.pickling import pickled
from assay.workers.evaluating.process import Kind, request_of
from assay.workers.evaluating.run import events_of
from assay.workers.pool import Reply


def unseen(stage: Stage) -> None:
    """Show no progress."""


class Sleep:
    """An evaluator whose evaluations take some seconds.

    Args:
        seconds: The time of an evaluation.
    """

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds

    def __call__(self, evaluation: SimulatedEvaluation, watch: Watch) -> Iterator[Event]:
        time.sleep(self._seconds)
        for job, _ in evaluation.jobs:
            yield Finished(Result(job, Status.OK, value=0.5))

    def close(self) -> None:
        """Do nothing: no model is open."""


class Simulated:
    """Workers that answer every request after some seconds, in this process.

    Args:
        count: The number of workers.
        seconds: The time of an evaluation.
    """

    def __init__(self, count: int, seconds: float = 0.0) -> None:
        self._new = range(count)
        self._seconds = seconds
        self._due: list[tuple[float, int, Message]] = []  # when each worker begins to answer, and its request
        self._replies: deque[Reply] = deque()

    def added(self) -> Iterable[int]:
        new, self._new = self._new, range(0)
        return new

    def place(self, worker: int) -> str:
        return ""

    def request(self, worker: int, message: Message) -> None:
        heapq.heappush(self._due, (time.perf_counter() + self._seconds, worker, message))

    def next(self) -> Reply:
        while not self._replies:
            due, worker, message = heapq.heappop(self._due)
            time.sleep(max(due - time.perf_counter(), 0))
            evaluation = cloudpickle.loads(message.arrays["evaluation"])
            for job, _ in evaluation.jobs:
                event = message_of(Kind.EVENT, Finished(Result(job, Status.OK, value=0.5)))
                self._replies.append(Reply(worker, event))
            self._replies.append(Reply(worker, Message({"is": Kind.DONE, "has_leaked": False})))
        return self._replies.popleft()

    def kill(self, worker: int) -> None:
        raise NotImplementedError

    def retire(self, worker: int) -> None:
        raise NotImplementedError

    def close(self) -> None:
        """Do nothing: nothing was started."""


def many(count: int) -> tuple[SimulatedEvaluation, ...]:
    """Return evaluations of different models on ten tasks."""
    tasks = [f"task {number}" for number in range(10)]
    return simulated_evaluations(*(f"model {number}" for number in range(-(-count // 10))), tasks=tasks)[
        :count
    ]


def drive_alone(count: int, workers: int = 64, each: float = 0.0) -> None:
    """Print what the driver's part of an engine and the store sustain, with evaluations of some seconds."""
    scheduler = FullMatrix(many(count))
    with tempfile.TemporaryDirectory() as folder:
        store, start = Store(Path(folder) / "store"), time.perf_counter()
        with store.writing():
            simulated = Simulated(workers, each)
            for event in events_of(simulated, lambda one: request_of(pickled(one)), scheduler, unseen):
                store.keep(event)
                scheduler.tell(observed(event))
        seconds = time.perf_counter() - start
        store.close()
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    ideal = f", efficiency {count * each / workers / seconds:.0%}" if each else ""
    print(
        f"driver: {workers} workers, {count:,} evaluations of {each:g} s ({3 * count:,} results) in "
        f"{seconds:.1f} s: {count / seconds:,.1f} evaluations/s{ideal}, peak memory {peak:,.0f} MB",
        flush=True,
    )


def sleep_on_ray(workers: int, count: int, seconds: float) -> None:
    """Print how efficiently evaluations that sleep run on a Ray of this machine."""
    from assay.engines.ray import Ray
    from assay.engines.ray.cluster import joined

    cpus = os.cpu_count() or 1
    engine = Ray(cpus_per_job=cpus / workers, workers=workers)
    with joined("local"):
        warm = many(2 * workers)
        for _ in engine.run(Sleep(1.0), FullMatrix(warm), unseen):
            pass
        scheduler, start = FullMatrix(many(count)), time.perf_counter()
        for event in engine.run(Sleep(seconds), scheduler, unseen):
            scheduler.tell(observed(event))
        taken = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(
        f"ray: {workers:3} workers, {count:,} evaluations of {seconds:g} s: {taken:.1f} s, "
        f"{count / taken:.1f} evaluations/s, efficiency {count * seconds / workers / taken:.0%}, "
        f"driver's peak memory {peak:,.0f} MB",
        flush=True,
    )


def write_to_a_large_store(rows: int, written: int) -> None:
    """Print the rate of writing into a large store, and that of plain sqlite3."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "store"
        store = Store(root)
        with store.writing():
            store.add(Finished(_result("0")))
            with sqlite3.connect(root / "results.sqlite") as connection:
                _multiply(connection, rows)
            connection.close()
            start = time.perf_counter()
            for number in range(written):
                store.add(Finished(_result(f"new {number}")))
            ours = written / (time.perf_counter() - start)
        store.close()
        size = (root / "results.sqlite").stat().st_size
        plain = _plain_rate(root / "results.sqlite", written)
    print(
        f"store: with {rows:,} results ({size / 1e6:,.0f} MB), {ours:,.0f} results/s; "
        f"plain sqlite3 {plain:,.0f}/s; ratio {ours / plain:.2f}"
    )


def _result(key: str) -> Result:
    job = Job("timm:resnet18.a1_in1k", "sklearn:digits", "linear_probe", 0, key, "data")
    return Result(job, Status.OK, value=0.5, metrics={"accuracy": 0.5, "f1": 0.4}, tuned={"l2": 0.1})


def _multiply(connection: sqlite3.Connection, rows: int) -> None:
    names = [name.strip() for name in f"{COLUMNS}, finished".split(",")]
    columns = ", ".join(names)
    for made in _doublings(rows):
        values = ", ".join(f"key || ' {made}'" if name == "key" else name for name in names)
        connection.execute(f"INSERT INTO results ({columns}) SELECT {values} FROM results LIMIT {made}")


def _doublings(rows: int) -> Iterator[int]:
    have = 1
    while have < rows:
        new = min(have, rows - have)
        yield new
        have += new


def _plain_rate(path: Path, written: int) -> float:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous = FULL")
    row = (*written_result(_result("")), "now")
    marks = ",".join("?" * len(row))
    position = [name.strip() for name in COLUMNS.split(",")].index("key")
    start = time.perf_counter()
    for number in range(written):
        new = (*row[:position], f"plain {number}", *row[position + 1 :])
        connection.execute(f"INSERT OR REPLACE INTO results ({COLUMNS}, finished) VALUES ({marks})", new)
    rate = written / (time.perf_counter() - start)
    connection.close()
    return rate


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--parts", nargs="+", default=["driver", "store", "ray"])
    parser.add_argument("--workers", nargs="+", type=int, default=[1, 4, 16])
    parser.add_argument("--evaluations", type=int, default=10_000, help="of the parts driver and sleep")
    parser.add_argument("--each", type=int, default=40, help="evaluations of each worker on Ray")
    parser.add_argument(
        "--seconds", type=float, default=1.0, help="of an evaluation of the parts sleep and ray"
    )
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--written", type=int, default=2_000)
    chosen = parser.parse_args()
    if "driver" in chosen.parts:
        drive_alone(chosen.evaluations)
    for workers in chosen.workers if "sleep" in chosen.parts else ():
        drive_alone(chosen.evaluations, workers, chosen.seconds)
    if "store" in chosen.parts:
        write_to_a_large_store(chosen.rows, chosen.written)
    for workers in chosen.workers if "ray" in chosen.parts else ():
        sleep_on_ray(workers, workers * chosen.each, chosen.seconds)


if __name__ == "__main__":
    main()
