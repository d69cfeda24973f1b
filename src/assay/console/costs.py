"""Shows what models cost: the smallest that will do, and those that no other beats in value and cost."""

from __future__ import annotations

from collections.abc import Mapping

from rich.console import Console
from rich.text import Text

from assay.analysis.wording import count, listing, value_text
from assay.core.comparison import ModelRow, TaskFindings

_NAMED = 4  # models of a front that a line names
_WORDS = {"macs": "multiply-accumulates", "bytes": "bytes of weights", "seconds": "time of the study"}


def show_costs(findings: TaskFindings, rows: Mapping[str, ModelRow], console: Console) -> None:
    """Print the smallest model that will do, and the fronts of value and cost."""
    if findings.smallest is not None and len(findings.standings) > 1:
        console.print(Text(_smallest(findings, findings.smallest, rows)))
    by_front: dict[tuple[str, ...], list[str]] = {}
    for cost, front in findings.fronts.items():
        by_front.setdefault(front, []).append(_WORDS.get(cost, cost))
    for front, words in by_front.items():
        if len(findings.standings) > 1:
            shown = front[:_NAMED]
            hidden = [f"{len(front) - _NAMED} more"] if len(front) > _NAMED else []
            names = listing([*shown, *hidden])
            told = f"Nothing is better for less, by {listing(words)}: {names}"
            console.print(Text(told, style="dim"))


def _smallest(findings: TaskFindings, model: str, rows: Mapping[str, ModelRow]) -> str:
    value = next(one.value for one in findings.standings if one.model == model)
    shown = value_text(value, negated=findings.shown_negated)
    size = count(rows[model].facts.parameters)
    return f"Smallest that is not surely worse than the best: {model} ({size} parameters, {shown})"
