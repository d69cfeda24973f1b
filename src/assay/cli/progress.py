"""Shows a running study: what is being done and how long it will take; plain lines without a terminal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from rich.console import Console, Group
from rich.live import Live
from rich.progress import (
    BarColumn,
    Progress,
    SpinnerColumn,
    TaskProgressColumn,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.table import Column

from assay.core.task import Task
from assay.findings.comparison import Comparison
from assay.plugins.address import Address
from assay.plugins.engine import Stage
from assay.plugins.patterns import is_pattern, models_of, so_many
from assay.run.evaluation import Evaluation
from assay.run.plan import Plan
from assay.run.study import Study


def run_and_show(study: Study, console: Console, *, retry_failed: bool = False) -> Comparison:
    """Run a study under progress bars and return its findings."""
    with console.status("Reading tasks and models ..."):
        ready = study.plan()
    for pattern in filter(is_pattern, map(Address.parse, study.models)):
        console.print(f"{pattern}: {so_many(models_of(pattern))}", highlight=False, markup=False)
    for task in ready.tasks:
        console.print(_in_words(task), highlight=False, markup=False)
        for note in task.notes:
            console.print(f"  note: {note}", style="dim", highlight=False, markup=False)
    left = study.left(ready)
    if not left.evaluations:
        console.print("Nothing to run: every result is there.", highlight=False)
    with _bars(console, left) as watch:
        return study.run(watch, retry_failed=retry_failed, ready=ready)


class _Bars:
    """Two lines: the whole study in examples, and what is being done now."""

    def __init__(self, whole: Progress, now: Progress, ready: Plan) -> None:
        self._whole, self._now = whole, now
        self._sizes = {
            (str(evaluation.model), evaluation.task.address): _size(evaluation)
            for evaluation in ready.evaluations
        }
        self._order = list(self._sizes)
        self._encoded = 0  # examples of this evaluation, in splits that are done
        self._current: tuple[str, str] | None = None
        self._whole_task = whole.add_task("", total=sum(self._sizes.values()) or None)
        self._now_task = now.add_task("", total=None)

    def __call__(self, stage: Stage) -> None:
        pair = (stage.model, stage.task)
        if pair != self._current:
            self._current, self._encoded = pair, 0
        number = self._order.index(pair)
        before = sum(self._sizes[earlier] for earlier in self._order[:number])
        here = min(self._encoded + stage.done, self._sizes[pair])
        if stage.total and stage.done == stage.total:
            self._encoded += stage.total
        self._whole.update(
            self._whole_task, completed=before + here, description=f"{number + 1} of {len(self._order)}"
        )
        count = f" {stage.done} of {stage.total}" if stage.total else ""
        self._now.update(self._now_task, description=f"{stage.what}{count}: {stage.model} on {stage.task}")

    def end(self) -> None:
        """Fill the bar."""
        self._whole.update(self._whole_task, completed=sum(self._sizes.values()), description="done")
        self._now.remove_task(self._now_task)


class _Lines:
    """One line for each model on each task."""

    def __init__(self, console: Console, ready: Plan) -> None:
        self._console = console
        self._order = [(str(evaluation.model), evaluation.task.address) for evaluation in ready.evaluations]

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
    whole = Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        TaskProgressColumn(),
        TimeElapsedColumn(),
        TextColumn("left"),
        TimeRemainingColumn(elapsed_when_finished=False),
        console=console,
    )
    one_line = Column(no_wrap=True, overflow="ellipsis")
    now = Progress(SpinnerColumn(), TextColumn("{task.description}", markup=False, table_column=one_line))
    with Live(Group(whole, now), console=console, refresh_per_second=8):
        bars = _Bars(whole, now, ready)
        yield bars
        bars.end()


def _in_words(task: Task) -> str:
    kind = f"{task.kind} into {len(task.classes)} classes" if task.classes else str(task.kind)
    counts = f"{len(task.train)} train, {len(task.val)} val, {len(task.test)} test"
    return f"{task.address}: {task.modality} {kind}; {counts}; judged by {task.metric}"


def _size(evaluation: Evaluation) -> int:
    return len(evaluation.task.train) + len(evaluation.task.val) + len(evaluation.task.test)
