"""Sentences about replacing one model by another, and about the verdicts of the gate."""

from __future__ import annotations

from collections.abc import Sequence

from assay.core.task import TaskKind
from assay.core.text import listing, plural
from assay.findings.change import Change, ClassChange, FeatureSpaceSimilarity, Gate, TaskChange, Verdict
from assay.wording.numbers import interval_text, value_text

SERVES = 0.9  # smallest share of old neighbours with which stored features stay usable
PAIR_ALONE = (
    "95 % CI: for other test examples, of this pair alone; 'vs best' of the report is adjusted for all pairs"
)
_RESULTS = {
    Verdict.PASS: "pass: {after} can replace {before}",
    Verdict.FAIL: "fail: {after} cannot replace {before}",
    Verdict.UNDECIDED: "not enough data to tell whether {after} can replace {before}",
}


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
            f"Features of the two models are not interchangeable: their width is {before:,} before and "
            f"{after:,} after. Compute stored features again with the new model.",
        )
    kept = min(space.in_old_index or 0.0 for space in spaces)
    if kept >= SERVES:
        return (
            "Features of the two models are interchangeable for search: among stored features, those of the "
            f"new model find {100 * kept:.0f} % of the neighbours that the old ones find. Keep them.",
        )
    return (
        "Features of the two models are not interchangeable: among stored features, those of the new model "
        f"find {100 * kept:.0f} % of the neighbours that the old ones find. "
        "Compute stored features again with the new model.",
    )


def feature_spaces_text(spaces: FeatureSpaceSimilarity) -> str:
    """Return how similar the features of both models are, each in its own space."""
    return (
        f"features of {plural(spaces.examples, 'test example')}: CKA {spaces.cka:.2f}; "
        f"{100 * spaces.overlap:.0f} % of the {spaces.neighbours} nearest neighbours are the same "
        f"(unrelated features: about {100 * spaces.by_chance:.1f} %)"
    )


def classes_text(word: str, classes: Sequence[ClassChange], alpha: float) -> str:
    """Return the accuracy on some classes before and after.

    Args:
        word: How it changed, such as "better".
        classes: The classes to name.
        alpha: The significance level.
    """
    parts = [
        f"{change.name} {100 * change.before:.0f} % -> {100 * change.after:.0f} % "
        f"({plural(change.examples, 'example')}{', significant' if change.p_value < alpha else ''})"
        for change in classes
    ]
    return f"accuracy per class, {word}: {'; '.join(parts)}"


def verdict_reason(change: TaskChange, allowed: float, examples: int, needed: int | None) -> str:
    """Return why a task passes, fails, or cannot be decided.

    Args:
        change: The change on the task.
        allowed: The largest allowed regression.
        examples: Number of test examples.
        needed: Number of test examples that a decision needs, if these are too few.
    """
    word = "worse" if change.difference < 0 else "better"
    by = f"{word} by {_amount(abs(change.difference), change)}" if change.difference else "unchanged"
    size = f"{change.measure} {by}"
    if change.interval is None:
        return f"{size}, but predictions are not stored, so it was not tested"
    loss = _amount(allowed, change, is_given=True)
    reason = f"{size} (95 % CI of the change {_ends(change)}); allowed loss: {loss}"
    if needed is None:
        return reason
    shown = "exclude" if change.difference + allowed > 0 else "show"
    return (
        f"{reason}; about {needed:,} test examples (now {examples:,}) would {shown} a loss above {loss}, "
        "if the change stays the same"
    )


def allowed_text(gate: Gate) -> str:
    """Return the allowed loss: in points if every task has them."""
    if gate.change.tasks and all(map(_has_points, gate.change.tasks)):
        return _amount(gate.max_regression, gate.change.tasks[0], is_given=True)
    return f"{gate.max_regression:g}"


def result_text(gate: Gate) -> str:
    """Return the verdict over all tasks in a sentence."""
    before, after = gate.change.before.address, gate.change.after.address
    return f"Result: {_RESULTS[gate.verdict].format(before=before, after=after)}"


def _has_points(change: TaskChange) -> bool:
    return not change.shown_negated and change.task.kind is not TaskKind.REGRESSION


def _amount(amount: float, change: TaskChange, *, is_given: bool = False) -> str:
    """Return a difference in points, or in the unit of the metric; one that the user gave is not rounded."""
    if not _has_points(change):
        return f"{amount:g}" if is_given else value_text(amount)
    points = f"{100 * amount:g}" if is_given else f"{100 * amount:.1f}"
    return f"{points} point{'' if float(points) == 1 else 's'}"


def _ends(change: TaskChange) -> str:
    """Return the interval of a change in the unit of :func:`_amount`."""
    assert change.interval is not None
    if not _has_points(change):
        return interval_text(change.interval, negated=change.shown_negated)
    low, high = (value_text(100 * end, places=1) for end in (change.interval.low, change.interval.high))
    return f"{low} to {high}"
