"""The suggested next commands: compare, save, train what an estimate recommends, open the page."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from assay.findings.comparison import Comparison
from assay.findings.facts import has_random_weights
from assay.findings.per_task import TaskFindings


@dataclass(frozen=True, slots=True)
class StudyPlace:
    """Where a study lies, for the commands that the screen proposes.

    Attributes:
        options: Options that repeat how the study was run, such as a plug-in.
        page: The path of the HTML report; None if there is none.
        opener: The words of a command that opens a file.
    """

    store: str = "assay-store"
    options: tuple[str, ...] = ()
    page: str | None = None
    opener: tuple[str, ...] = ("xdg-open",)


def next_commands(
    comparison: Comparison, place: StudyPlace, names: Mapping[str, str], tasks: Mapping[str, str]
) -> list[tuple[str, ...]]:
    """Return the commands to go on with, each as words."""
    if not comparison.tasks:
        return []  # the notice says to run the study; a page has nothing to show
    decision = next(iter(comparison.decisions.values()), None)
    commands: list[tuple[str, ...]] = []
    store = () if place.store == "assay-store" else ("--store", place.store)
    if decision is None:
        if any(findings.missing for findings in comparison.tasks):
            commands.append(("assay", "report", place.store, "--details", *place.options))
    else:
        same = [
            findings
            for findings in comparison.tasks
            if findings.decision is not None and decision.recommended in findings.by_model
        ]
        rows = {row.address: row for row in comparison.models}
        best = [row.model for row in same[0].standings if not has_random_weights(row.model, rows)]
        others = [model for model in best if model != decision.recommended]
        if comparison.is_estimate:
            chosen = [decision.recommended, *others[:2]]
            on = [findings.task.address for findings in same]
            models = [word for model in chosen for word in ("--model", model)]
            seed = _seed(same[0])
            return [("assay", "rank", *on, *models, *store, *seed, *place.options), *_page(place)]
        first = names[decision.recommended]
        method = () if decision.method == "linear_probe" else ("--method", decision.method)
        if others:
            second = names[decision.cheaper or others[0]]
            commands.append(("assay", "compare", second, first, *store, *method, *place.options))
        if comparison.pending is None:
            task = tasks[same[0].task.address]
            save = ("assay", "save", place.store, first, task, *method, *_seed(same[0]), *place.options)
            commands.append(save)
    return [*commands, *_page(place)]


def _seed(findings: TaskFindings) -> tuple[str, ...]:
    """Return the option with the seed of the splits, where it is not the default."""
    seed = re.search(r"\(seed (\d+)\)", findings.task.split_source)
    return ("--seed", seed[1]) if seed and seed[1] != "0" else ()


def _page(place: StudyPlace) -> list[tuple[str, ...]]:
    return [(*place.opener, place.page)] if place.page else []
