"""Compares two models of a store, one as the replacement of the other."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from assay.actions.stored_models import (
    models_called,
    require_opened,
    stored_controls,
    stored_models,
    tasks_called,
)
from assay.analysis.change.change import Pair, change
from assay.analysis.evidence import Evidence
from assay.analysis.per_task.cells import choose_method, gather
from assay.core.errors import UsageError
from assay.core.limits import LEFT_OUT, Limits
from assay.core.text import few
from assay.findings.change import Change
from assay.run.stored_evidence import evidence_of
from assay.store.results import Store, open_existing
from assay.wording.short_names import short_names

_OTHERS = 5  # that an error names


def compare_models(
    store: str | Path,
    before: str,
    after: str,
    *,
    method: str | None = None,
    tasks: Sequence[str] = (),
    seed: int = 0,
) -> Change:
    """Return the changes when one model of a store replaces another.

    Args:
        store: The store folder of a study.
        before: The model in use: its address, alias or a unique end of its address.
        after: The model that may replace it.
        method: The method that measured both; by default the protocol with the most results.
        tasks: Tasks, named likewise; by default all on which both models have a value.
        seed: Seed of all draws.

    Raises:
        UsageError: The model, task or method is not in the store, or no task has a value of both.
        StoreError: There is no store.
    """
    with closing(open_existing(Path(store))) as opened:
        before, after = models_called([before, after], opened)
        for model in (before, after):
            require_opened(model, opened)
        evidence = _evidence_of_two(opened, before, after, tasks)
        cells = gather(evidence.on_these_data(), evidence.scores)
        pair = Pair(before, after, choose_method(cells, evidence.scores, method))
        names = short_names(stored_models(opened)) | stored_controls(opened.models())
        names |= short_names(task.address for task in opened.tasks())
        return replace(change(evidence, pair, seed=seed), names=names)


def within(change: Change, limits: Limits) -> Change:
    """Return the change with the refusal of the new model, if limits forbid it."""
    after = change.after
    refusal = after.refusal(limits).removeprefix(LEFT_OUT)
    if not refusal:
        return change
    sentence = f"{after.address} is beyond a limit: {refusal}"
    return replace(change, refusal=sentence, remarks=(f"{sentence}.", *change.remarks))


def other_model(store: str | Path, model: str) -> str:
    """Return the only other pretrained model of a store; if there are several, the user must name one.

    Raises:
        UsageError: There are several, or none; models with random weights do not count.
        StoreError: There is no store.
    """
    with closing(open_existing(Path(store))) as opened:
        pretrained = {row.address for row in opened.models() if not row.facts.is_random}
        others = sorted(pretrained - set(models_called([model], opened)))
        names = short_names(stored_models(opened))
    if len(others) == 1:
        return others[0]
    contents = few([names[other] for other in others], _OTHERS) if others else "no other pretrained model"
    raise UsageError(f"Besides '{model}' the store '{store}' contains {contents}. Name the model to judge.")


def _evidence_of_two(store: Store, before: str, after: str, tasks: Sequence[str]) -> Evidence:
    """Return the evidence in the store about two models on some tasks."""
    facts, tasks = store.tasks(), tasks_called(tasks, store)
    results = [result for result in store.results() if result.job.model in {before, after}]
    return evidence_of(store, results, [task for task in facts if not tasks or task.address in tasks])
