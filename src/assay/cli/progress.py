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

from assay.core.escaping import shown
from assay.core.task import Split, Task
from assay.core.text import plural
from assay.findings.comparison import Comparison
from assay.findings.search_progress import SearchProgress
from assay.plugins.address import Address
from assay.plugins.engine import Stage, Watch
from assay.plugins.patterns import is_pattern, models_of, so_many
from assay.readers.checking import ReadingProgress, watched
from assay.run.plan import Plan
from assay.run.search.candidates import CandidateModels
from assay.run.study import Study
from assay.run.zoo import DOWNLOADS
from assay.wording.numbers import disk_space
from assay.wording.search import progress_line
from assay.wording.short_names import short_names

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
        _show_choice(choice, console, details=details)
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
    _show_tasks(ready, console, details=details)
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


def show_plan(study: Study, console: Console, *, details: bool = False) -> None:
    """Print what a study would run: its tasks as they are read, its models, and the jobs left.

    Args:
        study: The study.
        console: Where it is printed.
        details: Name each model of the zoo that is left out.
    """
    ready = study.plan()
    _show_tasks(ready, console, details=details)
    if study.is_search:
        _show_choice(study.choice(ready.tasks), console, details=details)
        console.print("Nothing was run (--dry-run).", highlight=False)
        return
    left = study.left(ready)
    models = dict.fromkeys(str(evaluation.model) for evaluation in ready.evaluations)
    jobs = dict.fromkeys(models, 0)
    for evaluation in left.evaluations:
        jobs[str(evaluation.model)] += len(evaluation.jobs)
    for model, count in jobs.items():
        text = f"{model}: {plural(count, 'job')} left" if count else f"{model}: finished"
        console.print(text, highlight=False, markup=False, soft_wrap=True)
    whole = sum(len(evaluation.jobs) for evaluation in ready.evaluations)
    console.print(
        f"{plural(len(models), 'model')}, {plural(len(ready.tasks), 'task')}: {sum(jobs.values()):,} of "
        f"{plural(whole, 'job')} left (a job: one method on a model and a task).",
        highlight=False,
    )
    console.print("Nothing was run (--dry-run).", highlight=False)


def _show_choice(choice: CandidateModels, console: Console, *, details: bool) -> None:
    _show_zoo(choice.zoo, console, details=details)
    for line in choice.notes:
        console.print(line, style="dim", highlight=False, markup=False)
    size = sum(entry.download_bytes or 0 for entry in choice.entries if not entry.is_local)
    download = f"; downloading all would be {disk_space(size)}" if size else ""
    console.print(f"{plural(len(choice.models), 'model')} to search{download}.", highlight=False)
    for reason, count in choice.left_out.most_common():
        console.print(f"  {count:,} others {reason}", highlight=False, markup=False)


def _show_zoo(lines: Iterable[str], console: Console, *, details: bool) -> None:
    """Print what is downloaded, and in detail the models that are left out; a note has their number."""
    for line in lines:
        if details or line.startswith(DOWNLOADS):
            console.print(line, style="dim", highlight=False, markup=False)


def _show_tasks(ready: Plan, console: Console, *, details: bool) -> None:
    for task in ready.tasks:
        console.print(_summary(task), highlight=False, markup=False)
        facts = [f"columns: {task.columns}"] if task.columns else []
        facts += [task.split_source] if task.split_source else []
        for note in (*facts, *(f"note: {note}" for note in task.notes)):
            console.print(f"  {note}", style="dim", highlight=False, markup=False)
    _show_zoo(ready.zoo, console, details=details)
    for note in ready.notes:
        console.print(f"note: {note}", style="dim", highlight=False, markup=False, soft_wrap=True)


class _Bars:
    """Two progress bars: the whole study in examples, and the current step."""

    def __init__(self, whole: Progress, now: Progress, sizes: Mapping[tuple[str, str], int]) -> None:
        self._whole, self._now, self._sizes = whole, now, sizes
        self._encoded = dict.fromkeys(sizes, 0)  # examples in finished splits
        self._done: dict[tuple[str, str], int] = {}  # examples of evaluations that have begun
        self._running: dict[str, tuple[str, str]] = {}  # by worker
        self._whole_task = whole.add_task("", total=sum(sizes.values()) or None)
        self._now_task = now.add_task("", total=None)

    def __call__(self, stage: Stage) -> None:
        pair = (stage.model, stage.task)
        count = f" {stage.done} of {stage.total}" if stage.total else ""
        where = f": {stage.model} on {stage.task}" if stage.model else ""
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


def _lines(console: Console, order: Sequence[tuple[str, str]]) -> Watch:
    """Return a watcher that prints one line for each model on each task."""
    begun: set[tuple[str, str]] = set()
    models, tasks = short_names(model for model, _ in order), short_names(task for _, task in order)

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
        where = f": {short.get(stage.model, stage.model)} on {stage.task}" if stage.model else ""
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
    if not console.is_terminal:
        yield _lines(console, list(sizes))
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
        yield _Bars(whole, now, sizes)


def _splits(task: Task) -> tuple[Split, Split, Split]:
    return task.train, task.val, task.test


def _summary(task: Task) -> str:
    from assay.plugins.families import families

    kind = f"{task.kind} into {len(task.classes)} classes" if task.classes else str(task.kind)
    train, val, test = map(len, _splits(task))
    return (
        f"{task.address}: {task.modality} {kind}; {train} train, {val} val, {test} test; "
        f"judged by {families().metrics.load(task.metric).measure(task.metric, task.classes)}"
    )
