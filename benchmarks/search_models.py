"""Searches real models on real data sets, and compares the time and the answer with running every model.

    cd shared/realdata && python ../../benchmarks/search_models.py ../../benchmarks/oracle/images.toml

For each task of a study file, a search of its models runs in one store, and all of them run in another;
both are timed in this run, one after the other. Past results on these very data sets are left out of the
search. It prints the share of the time and what the recommended model loses, in points of the linear probe.

29 image models, by the clock on one of two cores, each study with an empty cache (2026-11-30; other work ran
beside the third): .19 of the time on caltech101_20, .25 on clothing10, .35 on sign_digits, and the best model
was found on all three. With the features of 15 models from a full run, and its seconds instead of a clock, a
search took .27 of the time on five sets, and lost .4 points (2.0 on one set, 0 on four).
"""

from __future__ import annotations

import argparse
import os
import tempfile
import time
import tomllib
from pathlib import Path

import numpy as np

from assay.findings.comparison import Comparison
from assay.run.search import run
from assay.run.study import Study

OWN = ("assay_images", "assay_texts")  # tables of results on these data sets


def main() -> None:
    """Parse the command line and print one line for each task."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("study", type=Path, help="a study file with models and tasks")
    parser.add_argument("--task", action="append", help="only tasks whose address contains this; repeat it")
    parser.add_argument("--tolerance", default="0.5pt")
    asked = parser.parse_args()
    tables = run.all_tables
    run.all_tables = lambda: tuple(table for table in tables() if table.name not in OWN)
    written = tomllib.loads(asked.study.read_text())
    tasks = [task for task in written["tasks"] if not asked.task or any(part in task for part in asked.task)]
    shares, losses = [], []
    for task in tasks:
        with tempfile.TemporaryDirectory() as folder:
            given = {"models": written["models"], "tasks": [task], "control": False}
            found, searched = _timed(
                folder, Study(store=f"{folder}/search", tolerance=asked.tolerance, **given)
            )
            whole, took = _timed(folder, Study(store=f"{folder}/all", **given))
        share, lost = searched / took, _lost(found, whole)
        shares.append(share)
        losses.append(lost)
        search = found.search
        assert search is not None
        print(
            f"{task}: {len(search.finished)} of {search.candidates} models finished, {len(search.untried)} "
            f"not tried; {share:.2f} of the time, {lost:.1f} points lost",
            flush=True,
        )
    print(f"mean: {np.mean(shares):.2f} of the time, {np.mean(losses):.2f} points lost")


def _timed(folder: str, study: Study) -> tuple[Comparison, float]:
    """Run a study with an empty cache, so that each decodes the images itself."""
    os.environ["ASSAY_CACHE"] = tempfile.mkdtemp(dir=folder)
    ready = study.plan()
    start = time.perf_counter()
    return study.run(ready=ready), time.perf_counter() - start


def _lost(found: Comparison, whole: Comparison) -> float:
    """Return how far the model that a search recommends is behind the best of all, in points."""
    chosen = found.tasks[0].recommended or found.tasks[0].standings[0].model
    values = {row.model: row.value for row in whole.tasks[0].standings}
    return 100 * (max(values.values()) - values[chosen])


if __name__ == "__main__":
    main()
