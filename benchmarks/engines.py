"""What an engine adds to an evaluation: ``local``, and ``isolated`` with one worker and with two, in one run.

    python benchmarks/engines.py                         # 12 small models, 5 rounds, a few minutes
    python benchmarks/engines.py --rounds 3 --models 6

Each evaluation opens another model (the same small ResNet with other random weights), encodes digits and
runs k-NN, so nothing is stored from before and opening is part of it. In a round every engine runs all of
them, each in a store of its own, and the engines take turns in an order that changes from round to round.

The columns are medians over the rounds: seconds until the first result (of the first round: that of an
``isolated`` engine waits for its processes, which import the libraries); seconds per evaluation after the
first one of each worker; and how many seconds that is more than ``local`` in the same round. With two
workers on two cores, evaluations share the cores.
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
from pathlib import Path
from statistics import median
from typing import NamedTuple

os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # as the command line does, before torch is loaded

import assay
from assay.core.result import Finished
from assay.plugins.address import Address
from assay.plugins.engine import Stage
from assay.plugins.families import families
from assay.plugins.scheduler import observed
from assay.run.evaluator import Evaluator
from assay.run.full_matrix import FullMatrix

ENGINES = {"local": 1, "isolated": 1, "isolated(workers=2)": 2}
MODEL = "timm:test_resnet(pretrained=False, seed={seed})"
TASK = "sklearn:digits(limit={limit})"


def unseen(stage: Stage) -> None:
    """Show no progress."""


class Timing(NamedTuple):
    """How long a run took.

    Attributes:
        first: Seconds until the first result.
        each: Seconds per evaluation after the first one of each worker.
    """

    first: float
    each: float


def time_run(engine: str, models: int, limit: int, store: Path) -> Timing:
    """Run one evaluation of each model."""
    study = assay.Study(
        models=[MODEL.format(seed=seed) for seed in range(models)],
        tasks=[TASK.format(limit=limit)],
        methods=["knn"],
        control=False,
        device="cpu",
        store=store,
    )
    scheduler = FullMatrix(study.plan().evaluations)
    ends = []
    start = time.perf_counter()
    chosen = families().engines.create(Address.parse(engine)).plugin
    for event in chosen.run(Evaluator(), scheduler, unseen):
        scheduler.tell(observed(event))
        if isinstance(event, Finished):
            assert event.result.value is not None, event.result.reason
            ends.append(time.perf_counter() - start)
    warm = ENGINES[engine]
    return Timing(ends[0], (ends[-1] - ends[warm - 1]) / (len(ends) - warm))


def main() -> None:
    parser = argparse.ArgumentParser(description="What engines cost.")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--models", type=int, default=12)
    parser.add_argument("--limit", type=int, default=200, help="examples of the task")
    arguments = parser.parse_args()
    timings: dict[str, list[Timing]] = {engine: [] for engine in ENGINES}
    with tempfile.TemporaryDirectory() as folder:
        time_run("local", 2, arguments.limit, Path(folder) / "warm")  # imports what local needs
        for turn in range(arguments.rounds):
            order = list(ENGINES)[turn % len(ENGINES) :] + list(ENGINES)[: turn % len(ENGINES)]
            for engine in order:
                store = Path(folder) / f"{turn}-{engine}"
                timings[engine].append(time_run(engine, arguments.models, arguments.limit, store))
    print(f"{'engine':22}{'first result':>14}{'per evaluation':>16}{'more than local':>17}")
    for engine, rounds in timings.items():
        more = median(one.each - local.each for one, local in zip(rounds, timings["local"], strict=True))
        each = median(one.each for one in rounds)
        print(f"{engine:22}{rounds[0].first:13.2f}s{each:15.3f}s{more:+16.3f}s")


if __name__ == "__main__":
    main()
