"""Shows what the predictions of all models say of tasks, and which tasks and models are alike."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from assay.findings.comparison import Comparison
from assay.findings.error_analysis import Missed, TaskLesson
from assay.findings.similarity import Likeness
from assay.wording.names import model_labels
from assay.wording.numbers import plural

_NAMED = 3  # examples and mistakes of a line


def show_lesson(comparison: Comparison, lesson: TaskLesson, console: Console, *, show_all: bool) -> None:
    """Print what a task tells, in a few lines; with its hardest examples where all is asked for."""
    if lesson.separable is not None:
        console.print(
            Text(
                f"The test tells {lesson.separable:.0%} of pairs of models apart; of "
                f"{plural(lesson.examples, 'example')} every model gets {lesson.right_in_all:,} right, "
                f"none {lesson.missed_by_all:,}, exactly one {lesson.by_one:,}",
                style="dim",
            )
        )
    if lesson.confusion is not None and lesson.confusion.most:
        told = [f"{one.truth} for {one.said} ({one.examples:.3g})" for one in lesson.confusion.most[:_NAMED]]
        model = model_labels(comparison)[lesson.confusion.model]
        console.print(Text(f"{model} mistakes most: {', '.join(told)}", style="dim"))
    if show_all:
        for title, examples in (("all miss", lesson.hardest), ("one gets", lesson.lonely)):
            for one in examples:
                console.print(Text(f"  {title}: {_told(one)}", style="dim"))


def show_likeness(likeness: Likeness, console: Console) -> None:
    """Print which tasks and models are alike, in sentences; nothing where none are."""
    if not likeness.remarks:
        return
    kind = f"{likeness.modality} tasks" if likeness.modality else "tasks"
    console.print()
    console.print(Text(f"What the {kind} teach", style="bold"))
    for remark in likeness.remarks:
        console.print(Text(remark))


def _told(one: Missed) -> str:
    right = f"; {one.right[0]} is right" if one.right else ""
    return f"{one.example} is {one.truth}, most say {one.said}{right}"
