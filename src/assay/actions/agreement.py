"""Compares tables of scores with a table of results, matching models and tasks by name."""

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
    """The tables to compare, and how to read them.

    Attributes:
        scores: Tables of scores.
        truth: The table of training results.
        truth_name: Name of the matrix in that table, if it holds several.
        selected: Names or patterns of scores; all of them if empty.
        facts: A table of task-independent facts about models.
        past: Training results on more tasks.
        rows: "models" or "tasks", if the tables do not say what their rows are.
        lower_is_better: Tasks, or patterns, where a lower truth is better.
        lower_is_better_scores: Scores, or patterns, where lower is better.
    """

    scores: tuple[Path, ...]
    truth: Path
    truth_name: str | None = None
    selected: tuple[str, ...] = ()
    facts: Path | None = None
    past: Path | None = None
    rows: str | None = None
    lower_is_better: tuple[str, ...] = ()
    lower_is_better_scores: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ScoreComparison:
    """The agreement of scores with results.

    Attributes:
        notes: How the tables were interpreted, and which names were not matched, in sentences.
    """

    agreements: Agreements
    notes: tuple[str, ...]


def compare_scores(tables: ScoreTables, *, seed: int = 0) -> ScoreComparison:
    """Compare scores with results.

    Args:
        tables: The tables to compare.
        seed: Seed of all draws.

    Raises:
        UsageError: A table cannot be read, a name is unknown, or scores and truth have too little in common.
    """
    if not tables.scores:
        raise UsageError(f"'{tables.truth}' is the only table. Write the scores first: scores.csv truth.csv.")
    rows = parse_row_kind(tables.rows)
    file = read_matrices(tables.truth, rows=rows)
    truth = higher_is_better(
        select_matrix(file, tables.truth, tables.truth_name, "--truth"), tables.lower_is_better
    )
    name = tables.truth_name or next(iter(file.matrices))
    notes = [*file.notes]
    scores: dict[str, Matrix] = {}
    for path in tables.scores:
        table = read_matrices(path, rows=rows, models=truth.models)
        notes += [note for note in table.notes if note not in notes]
        scores |= table.matrices
    if tables.truth in tables.scores:
        scores.pop(name, None)  # the truth must not be compared with itself
    selected = {score: scores[score] for score in _matching(tables.selected, scores)}
    scores = selected or scores
    for score in _matching(tables.lower_is_better_scores, scores):
        scores[score] = scores[score].negated(scores[score].tasks)
    past = Past(read_facts(tables.facts) if tables.facts else {}, _past(tables, rows, truth))
    result = agreements(scores, truth, name, past, seed=seed)
    if all(agreement.is_baseline for agreement in result.overall):
        raise _nothing_in_common(scores, truth, tables.truth)
    return ScoreComparison(result, (*notes, *_unmatched(scores, truth)))


def _matching(patterns: Iterable[str], scores: Mapping[str, Matrix]) -> list[str]:
    """Return the unique names of scores that match any of the patterns."""
    names: dict[str, None] = {}
    for pattern in patterns:
        matching = fnmatch.filter(scores, pattern)
        if not matching:
            raise UnknownName("score of these tables", pattern, scores)
        names |= dict.fromkeys(matching)
    return list(names)


def _past(tables: ScoreTables, rows: RowKind | None, truth: Matrix) -> Matrix | None:
    """Return the truth on more tasks, which include the compared ones."""
    if tables.past is None:
        return None
    more = select_matrix(read_matrices(tables.past, rows=rows, models=truth.models), tables.past, None)
    others = [task for task in more.tasks if task not in truth.tasks]
    table = {task: truth.column(task) for task in truth.tasks} | {task: more.column(task) for task in others}
    return Matrix.of(table)


def _unmatched(scores: Mapping[str, Matrix], truth: Matrix) -> list[str]:
    """Return sentences about models and tasks that are only in the scores or only in the truth."""
    notes = []
    for what, ours, theirs in (
        ("model", truth.models, {name for score in scores.values() for name in score.models}),
        ("task", truth.tasks, {name for score in scores.values() for name in score.tasks}),
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
