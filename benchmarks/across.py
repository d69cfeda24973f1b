"""Analyses published tables of models and tasks end to end, as assay across does, and says what it took.

    python benchmarks/across.py ../shared/tables

The folder holds one JSON file per table: what MTEB, VTAB and timm publish. Exits with 1 where one takes more
than twenty seconds.
"""

from __future__ import annotations

import argparse
import io
import resource
import sys
import time
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from assay.analysis.across_tasks.generality import across
from assay.analysis.across_tasks.similarity import similarity
from assay.findings.across import Across
from assay.findings.similarity import Similarity
from assay.reports.terminal.across import show_across, show_similarity
from assay.tables.matrices import read_matrices, select_matrix

TABLES = ("vtab_official", "mteb_english", "timm_results")  # from small to large: peaks of memory add up
MOST_SECONDS = 20.0
MEGABYTE = 1024 if sys.platform != "darwin" else 1024**2  # of what the system counts memory in


@dataclass(frozen=True, slots=True)
class Analysis:
    """What one table says, and what it took.

    Attributes:
        seconds: From the file to the printed text.
        peak: Most memory of the process so far, in MB.
    """

    name: str
    models: int
    tasks: int
    across: Across
    likeness: Similarity
    seconds: float
    peak: float


def analyse(folder: Path, name: str) -> Analysis:
    """Read a table, analyse it, and print what was found, to nobody."""
    start = time.perf_counter()
    path = folder / f"{name}.json"
    values = select_matrix(read_matrices(path), path, None)
    found, alike = across(values), similarity(values)
    assert found is not None
    console = Console(file=io.StringIO(), width=100)
    show_across(found, console, show_all=True)
    show_similarity(alike, console)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / MEGABYTE
    seconds = time.perf_counter() - start
    return Analysis(name, len(values.models), len(values.tasks), found, alike, seconds, peak)


def told(one: Analysis) -> str:
    """Return one line of numbers, and what the table says."""
    found = one.across
    compared = [model for model in found.models if model.average_rank is not None]
    others = [model for model in compared[1:] if model.may_be_best]
    is_tested = compared[1].may_be_best is not None
    ties = f"others that may be the best: {len(others)}" if is_tested else "too few tasks to test so many"
    groups = () if one.likeness.tasks is None else one.likeness.tasks.groups
    first = found.models[0]
    within = f"{first.interval.low:.3f} to {first.interval.high:.3f}" if first.interval else "no interval"
    return (
        f"{one.name:14} {one.models:5} x {one.tasks:2}  {len(compared):5} x {len(found.tasks):2}  "
        f"{one.seconds:6.1f} s  {one.peak:5.0f} MB  {first.model}: index {first.index:.3f} ({within}); "
        f"{ties}; groups of redundant tasks: {len(groups)}"
    )


def main() -> None:
    """Analyse the tables that a folder has."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("tables", nargs="*", default=TABLES, help="their names; all three if none are given")
    given = parser.parse_args()
    print(f"{'table':14} {'models x tasks':10}  without holes     time  memory  what it says")
    slow = []
    for name in given.tables:
        one = analyse(given.folder, name)
        print(told(one), flush=True)
        slow += [name] if one.seconds > MOST_SECONDS else []
    if slow:
        sys.exit(f"More than {MOST_SECONDS:.0f} s: {', '.join(slow)}")


if __name__ == "__main__":
    main()
