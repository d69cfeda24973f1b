"""Compares tables of scores with a table of results: reads both, and matches models and tasks by name."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from assay.analysis.scores.over_tasks import Past, agreements
from assay.core.errors import UnknownName, UsageError
from assay.findings.agreement import Agreements
from assay.findings.matrix import Matrix
from assay.tables.matrices import (
    RowKind,
    higher_is_better,
    parse_row_kind,
    read_facts,
    read_matrices,
    select_matrix,
)


@dataclass(frozen=True, slots=True)
class ScoreTables:
    """Which tables to compare, and how they are to be read.

    Attributes:
        scores: Tables of scores.
        truth: The table of what training gave.
        truth_name: Which of its matrices, where it holds several.
        chosen: Names or patterns of scores; all of them if empty.
        facts: A table of what is known of models without any task.
        past: A truth on more tasks.
        rows: "models" or "tasks", where a table does not say what its rows are.
        falling: Tasks, or patterns, where a lower truth is better.
        falling_scores: Scores, or patterns, where lower is better.
    """

    scores: tuple[Path, ...]
    truth: Path
    truth_name: str | None = None
    chosen: tuple[str, ...] = ()
    facts: Path | None = None
    past: Path | None = None
    rows: str | None = None
    falling: tuple[str, ...] = ()
    falling_scores: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ScoreComparison:
    """What came of it.

    Attributes:
        notes: How the tables were understood, and what of them could not be matched, in sentences.
    """

    agreements: Agreements
    notes: tuple[str, ...]


def compare_scores(request: ScoreTables, *, seed: int = 0) -> ScoreComparison:
    """Compare scores with results.

    Args:
        request: Which tables.
        seed: Decides all draws.

    Raises:
        UsageError: A table cannot be read, a name is unknown, or scores and truth have too little in common.
    """
    if not request.scores:
        raise UsageError(
            f"'{request.truth}' is the only table. Write the scores first: scores.csv truth.csv."
        )
    rows = parse_row_kind(request.rows)
    file = read_matrices(request.truth, rows=rows)
    truth = higher_is_better(select_matrix(file, request.truth, request.truth_name), request.falling)
    name = request.truth_name or next(iter(file.matrices))
    notes = [*file.notes]
    scores: dict[str, Matrix] = {}
    for path in request.scores:
        read = read_matrices(path, rows=rows, models=truth.models)
        notes += [note for note in read.notes if note not in notes]
        scores |= read.matrices
    if request.truth in request.scores:
        scores.pop(name, None)  # the truth is no score of itself
    scores = _falling(_chosen(scores, request.chosen), request.falling_scores)
    past = Past(read_facts(request.facts) if request.facts else {}, _past(request, rows, truth))
    found = agreements(scores, truth, name, past, seed=seed)
    if all(one.is_baseline for one in found.overall):
        raise _nothing_in_common(scores, truth, request.truth)
    return ScoreComparison(found, (*notes, *_unmatched(scores, truth)))


def _chosen(scores: Mapping[str, Matrix], patterns: Iterable[str]) -> dict[str, Matrix]:
    names = [name for pattern in patterns for name in _matching(pattern, scores)]
    return {name: scores[name] for name in names} if names else dict(scores)


def _falling(scores: Mapping[str, Matrix], patterns: Iterable[str]) -> dict[str, Matrix]:
    names = {name for pattern in patterns for name in _matching(pattern, scores)}
    return {name: one.negated(one.tasks) if name in names else one for name, one in scores.items()}


def _matching(pattern: str, scores: Mapping[str, Matrix]) -> list[str]:
    found = fnmatch.filter(scores, pattern)
    if not found:
        raise UnknownName("score of these tables", pattern, scores)
    return found


def _past(request: ScoreTables, rows: RowKind | None, truth: Matrix) -> Matrix | None:
    """Return the truth on more tasks, the known ones among them."""
    if request.past is None:
        return None
    more = select_matrix(read_matrices(request.past, rows=rows, models=truth.models), request.past, None)
    others = [task for task in more.tasks if task not in truth.tasks]
    table = {task: truth.column(task) for task in truth.tasks} | {task: more.column(task) for task in others}
    return Matrix.of(table)


def _unmatched(scores: Mapping[str, Matrix], truth: Matrix) -> list[str]:
    """Return what stands on one side only."""
    notes = []
    for what, ours, theirs in (
        ("model", truth.models, {name for one in scores.values() for name in one.models}),
        ("task", truth.tasks, {name for one in scores.values() for name in one.tasks}),
    ):
        for side, missing in (
            ("no score", [name for name in ours if name not in theirs]),
            ("no truth", sorted(theirs - set(ours))),
        ):
            if missing:
                more = f" and {len(missing) - 3} more" if len(missing) > 3 else ""
                count = f"1 {what} has" if len(missing) == 1 else f"{len(missing)} {what}s have"
                notes.append(f"{count} {side}: {', '.join(missing[:3])}{more}")
    return notes


def _nothing_in_common(scores: Mapping[str, Matrix], truth: Matrix, path: Path) -> UsageError:
    first = next(iter(scores.values()))
    return UsageError(
        f"These scores and '{path}' have no task with three models in common. Scores are of {_some(first)}; "
        f"truth is of {_some(truth)}. Write the same names, or say what the rows are: --rows models."
    )


def _some(matrix: Matrix) -> str:
    return f"models like {', '.join(matrix.models[:3])} on tasks like {', '.join(matrix.tasks[:3])}"
