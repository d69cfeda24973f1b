"""Searches real models on real data sets, and compares the time and the answer with running every model.

    cd shared/realdata && python ../../benchmarks/search_models.py ../../benchmarks/oracle/images.toml

For each task of a study file, a search of its models runs in one store, and all of them run in another,
one after the other, each in a new process with an empty cache. Past results on these very data sets are left
out of the search. It prints what the search took of the time of all, by the clock and in processor time
(which other work on the machine changes less), beside what the recommended model takes alone, and what that
model loses, in points of the linear probe. docs/search.md has the figures.
"""

from __future__ import annotations

import argparse
import multiprocessing
import os
import tempfile
import time
import tomllib
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from assay.findings.comparison import Comparison
from assay.run.search import run
from assay.run.study import Study

OWN = ("assay_images", "assay_texts")  # tables of results on these data sets


class Timed(NamedTuple):
    """The comparison of a study and what it took."""

    found: Comparison
    clock: float  # seconds
    processor: float  # seconds of all threads


def main() -> None:
    """Parse the command line and print one line for each task."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("study", type=Path, help="a study file with models and tasks")
    parser.add_argument("--task", action="append", help="only tasks whose address contains this; repeat it")
    parser.add_argument("--tolerance", default="0.5pt")
    asked = parser.parse_args()
    written = tomllib.loads(asked.study.read_text())
    tasks = [task for task in written["tasks"] if not asked.task or any(part in task for part in asked.task)]
    shares, losses = [], []
    for task in tasks:
        with tempfile.TemporaryDirectory() as folder:
            given = {"models": written["models"], "tasks": [task], "control": False}
            searched = _in_new_process({**given, "store": f"{folder}/search", "tolerance": asked.tolerance})
            whole = _in_new_process({**given, "store": f"{folder}/all"})
            chosen = _chosen(searched.found)
            alone = _in_new_process({**given, "models": [chosen], "store": f"{folder}/alone"})
        share = (
            searched.clock / whole.clock,
            searched.processor / whole.processor,
            alone.processor / whole.processor,
        )
        lost = _lost(chosen, whole.found)
        shares.append(share)
        losses.append(lost)
        search = searched.found.search
        assert search is not None
        print(
            f"{task}: {len(search.finished)} of {search.candidates} models finished, {len(search.untried)} "
            f"not tried; {_shares(share)}, {lost:.1f} points lost",
            flush=True,
        )
    print(f"mean: {_shares(np.mean(shares, axis=0))}, {np.mean(losses):.2f} points lost")


def _shares(share: Sequence[float]) -> str:
    return (
        f"{share[0]:.2f} of the time, {share[1]:.2f} of the processor time (the chosen alone {share[2]:.2f})"
    )


def _in_new_process(given: dict[str, Any]) -> Timed:
    """Run a study where no library is imported yet and no image decoded."""
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as process:
        return process.submit(_timed, given).result()


def _timed(given: dict[str, Any]) -> Timed:
    tables = run.all_tables
    run.all_tables = lambda: tuple(table for table in tables() if table.name not in OWN)
    with tempfile.TemporaryDirectory() as cache:
        os.environ["ASSAY_CACHE"] = cache
        clock, processor = time.perf_counter(), time.process_time()
        found = Study(**given).run()
        return Timed(found, time.perf_counter() - clock, time.process_time() - processor)


def _chosen(found: Comparison) -> str:
    return found.tasks[0].recommended or found.tasks[0].standings[0].model


def _lost(chosen: str, whole: Comparison) -> float:
    """Return how far a model is behind the best of all, in points."""
    values = {row.model: row.value for row in whole.tasks[0].standings}
    return 100 * (max(values.values()) - values[chosen])


if __name__ == "__main__":
    main()
