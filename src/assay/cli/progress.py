"""Shows the progress of a running study as bars, or as plain lines without a terminal."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
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
from rich.status import Status
from rich.table import Column
from rich.text import Text

from assay.cli.planned import names_of_models, show_choice, show_tasks
from assay.core.escaping import shown
from assay.core.task import Split, Task
from assay.findings.comparison import Comparison
from assay.findings.search_progress import SearchProgress
from assay.plugins.address import Address
from assay.plugins.engine import Stage, Watch
from assay.plugins.patterns import is_pattern, models_of, so_many
from assay.readers.checking import ReadingProgress, watched
from assay.run.plan import Plan
from assay.run.study import Study
from assay.wording.search import progress_line
from assay.wording.short_names import CONTROL, has_random_setting, short_names

_SILENCE = 10.0  # seconds between two lines about a search, at least; longer as it goes on


def run_and_show(
    study: Study,
    console: Console,
    *,
    retry_failed: bool = False,
    ready: Plan | None = None,
    details: bool = False,
) -> Comparison:
    """Run a study with progress bars and return its findings; without a plan, it is made and shown.

    Args:
        study: The study.
        console: Where progress is shown.
        retry_failed: Whether failed jobs run again.
        ready: The plan, if it is made already.
        details: Name each model of the zoo that is left out.
    """
    ready = ready or read_plan(study, console, details=details)
    if study.is_search:
        choice = study.choice(ready.tasks)
        show_choice(choice, console, details=details)
        with _searching(console, map(str, choice.models)) as (watch, show):
            return study.run(watch, retry_failed=retry_failed, ready=ready, show=show)
    left = study.left(ready, retry_failed=retry_failed)
    if not left.evaluations:
        console.print("Nothing to run: all results exist.", highlight=False)
    with _watching(console, left) as watch:
        return study.run(watch, retry_failed=retry_failed, ready=ready)


def read_plan(study: Study, console: Console, *, details: bool = False) -> Plan:
    """Return the plan of a study, and show its tasks and patterns, in detail which models are left out."""
    with console.status("Reading tasks and models ...") as status, watched(_reading(console, status)):
        ready = study.plan()
    for pattern in filter(is_pattern, map(Address.parse, study.models)):
        console.print(f"{pattern}: {so_many(models_of(pattern))}", highlight=False, markup=False)
    show_tasks(ready, console, details=details)
    return ready


def _reading(console: Console, status: Status) -> ReadingProgress:
    """Return the progress display of reading files; without a terminal it prints a line now and then."""
    last = time.monotonic()

    def show(what: str, done: int, total: int) -> None:
        nonlocal last
        line = f"{what}: {done:,} of {total:,}"
        status.update(Text(f"{line} ..."))  # names of folders are no markup
        if not console.is_terminal and time.monotonic() >= last + _SILENCE:
            console.print(line, highlight=False)
            last = time.monotonic()

    return show


class _Bars:
    """Two progress bars: the whole study in examples, and the current step."""

    def __init__(
        self, whole: Progress, now: Progress, sizes: Mapping[tuple[str, str], int], names: Mapping[str, str]
    ) -> None:
        self._whole, self._now, self._sizes, self._names = whole, now, sizes, names
        self._encoded = dict.fromkeys(sizes, 0)  # examples in finished splits
        self._done: dict[tuple[str, str], int] = {}  # examples of evaluations that have begun
        self._running: dict[str, tuple[str, str]] = {}  # by worker
        self._whole_task = whole.add_task("", total=sum(sizes.values()) or None)
        self._now_task = now.add_task("", total=None)

    def __call__(self, stage: Stage) -> None:
        pair = (stage.model, stage.task)
        count = f" {stage.done} of {stage.total}" if stage.total else ""
        where = f": {self._names.get(stage.model, stage.model)} on {stage.task}" if stage.model else ""
        self._now.update(self._now_task, description=shown(f"{stage.what}{count}{where}"))
        if pair not in self._sizes:
            return
        before = self._running.get(stage.worker, pair)
        if before != pair:
            self._done[before] = self._sizes[before]
        self._running[stage.worker] = pair
        self._done[pair] = min(self._encoded[pair] + stage.done, self._sizes[pair])
        if stage.total and stage.done == stage.total:
            self._encoded[pair] += stage.total
        self._whole.update(self._whole_task, completed=sum(self._done.values()), description=self._counts())

    def _counts(self) -> str:
        begun, workers = len(self._done), len(self._running)
        text = f"{begun} of {len(self._sizes)}"
        return f"{text}, {workers} workers, {len(self._sizes) - begun} waiting" if workers > 1 else text


def _lines(console: Console, order: Sequence[tuple[str, str]], models: Mapping[str, str]) -> Watch:
    """Return a watcher that prints one line for each model on each task."""
    begun: set[tuple[str, str]] = set()
    tasks = short_names(task for _, task in order)

    def show(stage: Stage) -> None:
        pair = (stage.model, stage.task)
        if not stage.model:
            console.print(stage.what, highlight=False, markup=False, soft_wrap=True)
        elif pair not in begun:  # a model is opened once for all of its tasks
            begun.add(pair)
            line = f"[{order.index(pair) + 1} of {len(order)}] {models[stage.model]} on {tasks[stage.task]}"
            console.print(line, highlight=False, markup=False, soft_wrap=True)

    return show


def _ignore(stage: Stage) -> None:
    """Ignore the stage of an evaluation."""


@contextmanager
def _searching(
    console: Console, names: Iterable[str]
) -> Iterator[tuple[Watch, Callable[[SearchProgress], None]]]:
    """Yield what shows how far a search is: on two lines that change, or without a terminal now and then."""
    short = short_names(names)

    def name_of(model: str) -> str:
        return short.get(model) or (CONTROL if has_random_setting(model) else model)

    if not console.is_terminal:
        told = _LastShown()

        def show_line(now: SearchProgress) -> None:
            if told.is_news(now):
                line = progress_line(now, short.get(now.leader, now.leader))
                console.print(line, highlight=False, markup=False, soft_wrap=True)

        yield _ignore, show_line
        return
    column = Column(no_wrap=True, overflow="ellipsis")
    lines = Progress(
        SpinnerColumn(), TextColumn("{task.description}", markup=False, table_column=column), console=console
    )
    far, step = lines.add_task("Searching ..."), lines.add_task("")

    def watch(stage: Stage) -> None:
        count = f" {stage.done} of {stage.total}" if stage.total else ""
        where = f": {name_of(stage.model)} on {stage.task}" if stage.model else ""
        lines.update(step, description=shown(f"{stage.what}{count}{where}"))

    def show(now: SearchProgress) -> None:
        lines.update(far, description=shown(progress_line(now, short.get(now.leader, now.leader))))

    with lines:
        yield watch, show
        lines.remove_task(step)


class _LastShown:
    """What was said of a search last: it is said again once something changed and some time went by."""

    def __init__(self) -> None:
        self._last = ("", -_SILENCE)

    def is_news(self, now: SearchProgress) -> bool:
        """Return whether the leader changed or it was silent for a while, and note it."""
        leader, seconds = self._last
        if now.leader == leader and now.seconds < seconds + max(_SILENCE, seconds / 4):
            return False
        self._last = now.leader, now.seconds
        return True


@contextmanager
def _watching(console: Console, plan: Plan) -> Iterator[Watch]:
    sizes = {
        (str(evaluation.model), evaluation.task.address): sum(map(len, _splits(evaluation.task)))
        for evaluation in plan.evaluations
    }
    names = names_of_models(plan)
    if not console.is_terminal:
        yield _lines(console, list(sizes), names)
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
    column = Column(no_wrap=True, overflow="ellipsis")
    now = Progress(SpinnerColumn(), TextColumn("{task.description}", markup=False, table_column=column))
    with Live(Group(whole, now), console=console, refresh_per_second=8, transient=True):
        yield _Bars(whole, now, sizes, names)


def _splits(task: Task) -> tuple[Split, Split, Split]:
    return task.train, task.val, task.test
