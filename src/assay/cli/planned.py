"""Shows what a study will run: its tasks as they are read, its models, and the jobs left."""

from __future__ import annotations

from collections.abc import Iterable

from rich.console import Console

from assay.core.task import Modality, Task
from assay.core.text import plural
from assay.run.plan import Plan
from assay.run.search.candidates import CandidateModels
from assay.run.study import Study
from assay.run.zoo import DOWNLOADS
from assay.wording.numbers import disk_space
from assay.wording.short_names import control_names, has_random_setting, short_names


def show_plan(study: Study, console: Console, *, details: bool = False) -> None:
    """Print what a study would run: its tasks as they are read, its models, and the jobs left.

    Args:
        study: The study.
        console: Where it is printed.
        details: Name each model of the zoo that is left out.
    """
    ready = study.plan()
    show_tasks(ready, console, details=details)
    if study.is_search:
        show_choice(study.choice(ready.tasks), console, details=details)
        console.print("Nothing was run (--dry-run).", highlight=False)
        return
    left = study.left(ready)
    models = dict.fromkeys(str(evaluation.model) for evaluation in ready.evaluations)
    jobs = dict.fromkeys(models, 0)
    for evaluation in left.evaluations:
        jobs[str(evaluation.model)] += len(evaluation.jobs)
    controls = _control_names(ready)
    for model, count in jobs.items():
        name = f"{controls[model]} [{model}]" if model in controls else model
        text = f"{name}: {plural(count, 'job')} left" if count else f"{name}: finished"
        console.print(text, highlight=False, markup=False, soft_wrap=True)
    whole = sum(len(evaluation.jobs) for evaluation in ready.evaluations)
    console.print(
        f"{plural(len(models), 'model')}, {plural(len(ready.tasks), 'task')}: {sum(jobs.values()):,} of "
        f"{plural(whole, 'job')} left (a job: one method on a model and a task).",
        highlight=False,
    )
    console.print("Nothing was run (--dry-run).", highlight=False)


def names_of_models(ready: Plan) -> dict[str, str]:
    """Return the short name of every model of a plan; the only control of a modality is called that."""
    return short_names(str(evaluation.model) for evaluation in ready.evaluations) | _control_names(ready)


def _control_names(ready: Plan) -> dict[str, str]:
    random: dict[Modality, set[str]] = {}
    for evaluation in ready.evaluations:
        if has_random_setting(model := str(evaluation.model)):
            random.setdefault(evaluation.task.modality, set()).add(model)
    return control_names(random.values())


def show_choice(choice: CandidateModels, console: Console, *, details: bool) -> None:
    """Print the models that a search chooses from, their downloads, and why others are left out."""
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


def show_tasks(ready: Plan, console: Console, *, details: bool) -> None:
    """Print the tasks as they are read, and notes about them and about the models."""
    for task in ready.tasks:
        console.print(_summary(task), highlight=False, markup=False)
        facts = [f"columns: {task.columns}"] if task.columns else []
        facts += [task.split_source] if task.split_source else []
        for note in (*facts, *(f"note: {note}" for note in task.notes)):
            console.print(f"  {note}", style="dim", highlight=False, markup=False)
    _show_zoo(ready.zoo, console, details=details)
    for note in ready.notes:
        console.print(f"note: {note}", style="dim", highlight=False, markup=False)


def _summary(task: Task) -> str:
    from assay.plugins.families import families

    kind = f"{task.kind} into {len(task.classes)} classes" if task.classes else str(task.kind)
    train, val, test = map(len, (task.train, task.val, task.test))
    return (
        f"{task.address}: {task.modality} {kind}; {train} train, {val} val, {test} test; "
        f"judged by {families().metrics.load(task.metric).measure(task.metric, task.classes)}"
    )
