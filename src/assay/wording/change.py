"""Sentences about replacing one model by another, and about the verdicts of the gate."""

from __future__ import annotations

from assay.core.text import listing, plural
from assay.findings.change import Change, TaskChange
from assay.wording.numbers import interval_text, value_text

SERVES = 0.9  # smallest share of old neighbours with which stored features stay usable


def change_remarks(change: Change, alpha: float) -> tuple[str, ...]:
    """Return the answer: significance on these tasks, on tasks like these, and use of stored features.

    Args:
        change: The change without these sentences.
        alpha: The significance level.
    """
    return (_significance(change, alpha), *_tasks_like_these(change), *index_remarks(change))


def _significance(change: Change, alpha: float) -> str:
    """Return a sentence on how many tasks the model is significantly better or worse."""
    before, after = change.before.address, change.after.address
    tested = [(task, task.p_value) for task in change.tasks if task.p_value is not None]
    if not tested:
        return f"No predictions are stored, so differences between {after} and {before} were not tested."
    better = [task for task, p_value in tested if p_value < alpha and task.difference > 0]
    worse = [task for task, p_value in tested if p_value < alpha and task.difference < 0]
    equal = len(tested) - len(better) - len(worse)
    parts = [
        f"significantly {word} on {listing(task.task.address for task in tasks)}"
        for word, tasks in (("better", better), ("worse", worse))
        if tasks
    ]
    if not parts:
        return f"{after} is not significantly different from {before} on {plural(equal, 'task')}."
    sentence = f"{after} is {' and '.join(parts)}"
    rest = f"; not significantly different on {plural(equal, 'task')}" if equal else ""
    return f"{sentence}{rest}."


def _tasks_like_these(change: Change) -> tuple[str, ...]:
    """Return a sentence about practical equivalence on tasks like these."""
    if change.over_tasks is None:
        return ()
    odds = change.over_tasks.practical
    how = f"differences below half a point count as equal; Wilcoxon p = {change.over_tasks.p_value:.3f}"
    return (
        f"On tasks like these {change.after.address} is practically better with probability "
        f"{odds.better:.2f}, equal {odds.equal:.2f}, worse {odds.worse:.2f} "
        f"({how} over {change.over_tasks.tasks} tasks).",
    )


def index_remarks(change: Change) -> tuple[str, ...]:
    """Return a sentence on whether stored features of the current model stay usable."""
    spaces = [task.spaces for task in change.tasks if task.spaces is not None]
    if not spaces:
        return ()
    before, after = spaces[0].widths
    if before != after:
        return (
            f"Features of the two models are not interchangeable: the old have {before:,} numbers, "
            f"the new {after:,}. Compute stored features again with the new model.",
        )
    kept = min(space.in_old_index or 0.0 for space in spaces)
    if kept >= SERVES:
        return (
            "Features of the two models are interchangeable for search: features of the new model find "
            f"{100 * kept:.0f} % of the same neighbours among stored ones, which can be kept.",
        )
    by_chance = 100 * max(space.by_chance for space in spaces)
    return (
        "Features of the two models are not interchangeable: among stored features of the old model, "
        f"features of the new one find {100 * kept:.0f} % of the neighbours that the old ones find "
        f"(unrelated features: about {by_chance:.1f} %). Compute stored features again with the new model.",
    )


def verdict_reason(change: TaskChange, allowed: float, examples: int, needed: int | None) -> str:
    """Return why a task passes, fails, or cannot be decided.

    Args:
        change: The change on the task.
        allowed: The largest allowed regression.
        examples: Number of test examples.
        needed: Number of test examples that a decision needs, if these are too few.
    """
    word = "worse" if change.difference < 0 else "better"
    by = f"{word} by {value_text(abs(change.difference))}" if change.difference else "unchanged"
    size = f"{change.measure} {by}"
    if change.interval is None:
        return f"{size}, but predictions are not stored, so it was not tested"
    reason = f"{size} (change {interval_text(change.interval)}); allowed loss: {value_text(allowed)}"
    if needed is None:
        return reason
    return f"{reason}; a decision needs about {needed:,} test examples, not {examples:,}"
