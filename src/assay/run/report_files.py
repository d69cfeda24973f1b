"""The files of a store that reports need besides findings: examples, pending jobs, damage."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from assay.analysis.evidence import decided_rows
from assay.analysis.per_task.error_analysis import error_analysis
from assay.core.task import Task
from assay.findings.comparison import Comparison
from assay.findings.deferred import Deferred
from assay.findings.error_analysis import MOST_CORRECT_BY_ONE, MOST_HARDEST, ErrorAnalysis
from assay.findings.facts import TaskFacts
from assay.run.stored_evidence import evidence_of
from assay.store.damage import warnings_of
from assay.store.last_run import read_pending
from assay.store.results import Store


def with_files(comparison: Comparison, store: Store) -> Comparison:
    """Return a comparison with what a store holds beside the results; its warnings need the open store."""
    tasks = [findings.task for findings in comparison.tasks]
    examples, hardest = store.examples(tasks), store.hardest(tasks)
    pending = read_pending(store.arrays, store.keys())

    def warnings() -> tuple[str, ...]:
        len(comparison.similarities)  # first: the warnings then name features that were damaged
        return (*comparison.warnings, *warnings_of(store))

    return replace(
        comparison, examples=examples, hardest=hardest, pending=pending, warnings=Deferred(warnings)
    )


def keep_hardest(comparison: Comparison, store: Store, tasks: Iterable[Task]) -> None:
    """Keep the hardest test examples that a comparison lists, to be shown after the data have moved.

    Those that a report of the whole store lists are kept as well, as it may have models of other runs.
    Requires the write lock.
    """
    stored = {facts.fingerprint: facts for facts in store.tasks()}
    own = {findings.task.fingerprint: findings.error_analysis for findings in comparison.tasks}
    for task in tasks:
        facts = stored[task.fingerprint]
        rows = (*_rows(own.get(task.fingerprint)), *_rows(_of_all_models(store, facts, comparison.ranked_by)))
        if rows:
            store.add_hardest(task, rows)


def _rows(analysis: ErrorAnalysis | None) -> list[int]:
    if analysis is None:
        return []
    return [
        missed.row
        for missed in (*analysis.hardest[:MOST_HARDEST], *analysis.correct_by_one[:MOST_CORRECT_BY_ONE])
    ]


def _of_all_models(store: Store, facts: TaskFacts, method: str) -> ErrorAnalysis | None:
    results = [
        result
        for result in store.results()
        if (result.job.fingerprint, result.job.method) == (facts.fingerprint, method)
    ]
    evidence = evidence_of(store, results, [facts])
    truth = evidence.truths.get(facts.fingerprint)
    if truth is None or not results:
        return None
    decided = {model: decided_rows(seeds) for model, seeds in evidence.by_seed(facts, method).items()}
    return error_analysis(truth, decided, (), None, None)
