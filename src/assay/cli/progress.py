"""Shows a running study: what is being done and how long it will take; plain lines without a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from assay.core.comparison import Comparison
from assay.core.engine import Stage
from assay.core.result import Status
from assay.core.task import Task
from assay.plan import Plan
from assay.study import Study
from assay.visit import Visit


def run_and_show(study: Study, console: Console, *, retry_failed: bool = False) -> Comparison:
    """Run a study under progress bars and return its findings."""
    with console.status("Reading tasks and models ..."):
        ready = study.plan()
    for task in ready.tasks:
        console.print(_in_words(task), highlight=False, markup=False)
        for note in task.notes:
            console.print(f"  note: {note}", style="dim", highlight=False, markup=False)
    with _bars(console, ready) as watch:
        return study.run(watch, retry_failed=retry_failed, ready=ready)


def failures(comparison: Comparison) -> int:
    """Return how many cells failed."""
    return sum(cell.status is Status.FAILED for cell in comparison.cells)


class _Bars:
    """Two bars: the whole study in examples, and what is being done now."""

    def __init__(self, progress: Progress, ready: Plan) -> None:
        self._progress = progress
        self._sizes = {(str(visit.model), visit.task.address): _size(visit) for visit in ready.visits}
        self._order = list(self._sizes)
        self._finished = 0  # examples of the visits before this one
        self._encoded = 0  # examples of this visit, in splits that are done
        self._current: tuple[str, str] | None = None
        self._whole = progress.add_task("all", total=sum(self._sizes.values()) or None)
        self._now = progress.add_task("", total=None)

    def __call__(self, stage: Stage) -> None:
        pair = (stage.model, stage.task)
        if pair != self._current:
            self._begin(pair)
        elif stage.done == stage.total:
            self._encoded += stage.total
        done = self._finished + min(
            self._encoded + (stage.done if stage.done < stage.total else 0), self._sizes.get(pair, 0)
        )
        number = self._order.index(pair) + 1 if pair in self._sizes else 0
        self._progress.update(
            self._whole, completed=done, description=f"{number} of {len(self._order)} models on tasks"
        )
        what = f"{stage.model} on {stage.task}: {stage.what}"
        self._progress.update(self._now, description=what, completed=stage.done, total=stage.total or None)

    def _begin(self, pair: tuple[str, str]) -> None:
        before = self._order[: self._order.index(pair)] if pair in self._sizes else []
        self._finished = sum(self._sizes[earlier] for earlier in before)
        self._encoded = 0
        self._current = pair

    def end(self) -> None:
        """Fill the bars."""
        self._progress.update(self._whole, completed=sum(self._sizes.values()), description="done")
        self._progress.remove_task(self._now)


class _Lines:
    """One line for each model on each task."""

    def __init__(self, console: Console, ready: Plan) -> None:
        self._console = console
        self._order = [(str(visit.model), visit.task.address) for visit in ready.visits]

    def __call__(self, stage: Stage) -> None:
        if stage.what == "open":
            number = self._order.index((stage.model, stage.task)) + 1
            line = f"[{number} of {len(self._order)}] {stage.model} on {stage.task}"
            self._console.print(line, highlight=False, markup=False, soft_wrap=True)


@contextmanager
def _bars(console: Console, ready: Plan) -> Iterator[_Bars | _Lines]:
    if not console.is_terminal:
        yield _Lines(console, ready)
        return
    columns = (
        SpinnerColumn(),
        BarColumn(bar_width=20),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(elapsed_when_finished=False),
        TextColumn("{task.description}", markup=False),
    )
    with Progress(*columns, console=console) as progress:
        bars = _Bars(progress, ready)
        yield bars
        bars.end()


def _in_words(task: Task) -> str:
    kind = f"{task.kind} into {len(task.classes)} classes" if task.classes else str(task.kind)
    counts = f"{len(task.train)} train, {len(task.val)} val, {len(task.test)} test"
    return f"{task.address}: {task.modality} {kind}; {counts}; judged by {task.metric}"


def _size(visit: Visit) -> int:
    return len(visit.task.train) + len(visit.task.val) + len(visit.task.test)
