"""What shards of a large study cost: to balance, to freeze and read the plan, and to merge.

    python benchmarks/shards.py                                # 1,000 models x 100 tasks, 20 shards
    python benchmarks/shards.py --models 200 --tasks 20 --merged 500

*plan*: seconds to balance the evaluations, by made-up costs over two orders of magnitude, and to write and
read the plan; its size; the largest shard over an equal part; how many models are in more than one shard.

*merge*: results a second into a store, with predictions and probabilities of 200 test examples each, every
file on the disk before the one transaction; and again, when all of them are there; how many files of arrays
the shard and the store have, and the time to read all predictions of the store over that of the shard.
"""

from __future__ import annotations

import argparse
import tempfile
import time
from pathlib import Path

import numpy as np

from assay.core.job import Job
from assay.core.predictor import Predicted
from assay.core.result import Finished, Result, Status
from assay.run.balance import balanced
from assay.run.manifest import Manifest, PlannedEvaluation, Shard, read_manifest
from assay.store.merging import merge_results
from assay.store.results import Store, open_existing

METHODS = 5


def plan(models: int, tasks: int, shards: int) -> None:
    rng = np.random.default_rng(0)
    costs = np.outer(10 ** rng.uniform(0, 2, models), 10 ** rng.uniform(0, 1, tasks)).ravel().tolist()
    groups = np.repeat(np.arange(models), tasks).tolist()
    start = time.perf_counter()
    shares = balanced(costs, groups, shards)
    balancing = time.perf_counter() - start
    loads = [sum(costs[position] for position in share) for share in shares]
    places = [{groups[position] for position in share} for share in shares]
    divided = sum(map(len, places)) - models
    evaluations = [
        PlannedEvaluation(
            f"timm:model_{group}",
            f"task {number % tasks}",
            tuple(f"{number:030}{method:02}" for method in range(METHODS)),
        )
        for number, group in enumerate(groups)
    ]
    parts = (
        Shard(load, tuple(evaluations[position] for position in share))
        for load, share in zip(loads, shares, strict=True)
    )
    manifest = Manifest({}, {}, (), tuple(parts))
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        manifest.save(Path(folder))
        written = time.perf_counter()
        read_manifest(Path(folder))
        read = time.perf_counter()
        size = (Path(folder) / "plan.json").stat().st_size
    print(
        f"plan: {len(costs):,} evaluations in {shards} shards: balanced in {balancing:.2f} s, written in "
        f"{written - start:.2f} s, read in {read - written:.2f} s, {size / 1e6:.1f} MB; largest shard "
        f"{max(loads) / (sum(loads) / shards):.3f} of an equal part, {divided} models divided"
    )


def merge(count: int) -> None:
    values = np.arange(200) % 10
    with tempfile.TemporaryDirectory() as folder:
        shard = Store(Path(folder) / "shard")
        with shard.writing():
            for number in range(count):
                job = Job(f"m{number}", "task", "knn", 0, f"{number:032}", "0" * 32)
                result = Result(job, Status.OK, 0.5, {"accuracy": 0.5})
                shard.add(Finished(result, Predicted(values, np.full((200, 10), 0.1, np.float32))))
        shard.close()
        target, source = Store(Path(folder) / "store"), open_existing(Path(folder) / "shard")
        seconds = []
        with target.writing():
            for _ in range(2):
                start = time.perf_counter()
                merge_results(target, source)
                seconds.append(time.perf_counter() - start)
        files = [len(list(store.root.glob("*/*.np?"))) for store in (source, target)]
        read = [_seconds_to_read(Path(folder) / name) for name in ("shard", "store") * 5]
        target.close()
        source.close()
    print(
        f"merge: {count / seconds[0]:,.0f} results a second; again {count / seconds[1]:,.0f} a second; "
        f"{files[0]:,} files of arrays became {files[1]}, read in "
        f"{np.median(read[1::2]) / np.median(read[::2]):.2f} of the time"
    )


def _seconds_to_read(root: Path) -> float:
    store = open_existing(root)
    keys, start = store.keys(), time.process_time()
    store.predictions(keys)
    seconds = time.process_time() - start
    store.close()
    return seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--models", type=int, default=1_000)
    parser.add_argument("--tasks", type=int, default=100)
    parser.add_argument("--shards", type=int, default=20)
    parser.add_argument("--merged", type=int, default=1_000)
    asked = parser.parse_args()
    plan(asked.models, asked.tasks, asked.shards)
    merge(asked.merged)


if __name__ == "__main__":
    main()
