"""Compares all results of a store, across its studies."""

from __future__ import annotations

from dataclasses import replace

from assay.analysis.compare import compare
from assay.analysis.per_task.decision import DEFAULT_RULE, Rule
from assay.core.limits import NO_LIMITS, Limits
from assay.findings.comparison import Comparison
from assay.run.report_files import with_files
from assay.run.stored_evidence import evidence_of
from assay.store.results import Store
from assay.store.search_log import read_search


def compare_store(
    store: Store,
    *,
    ranked_by: str | None = None,
    limits: Limits = NO_LIMITS,
    rule: Rule = DEFAULT_RULE,
) -> Comparison:
    """Return the comparison of all results in a store, using the newest result of each job."""
    refused = [row.address for row in store.models() if row.refusal(limits)]
    evidence = evidence_of(store, store.results(), store.tasks(), models=refused, limits=limits)
    comparison = compare(evidence, ranked_by=ranked_by, seed=0, rule=rule)
    return with_files(replace(comparison, search=read_search(store.arrays)), store)
