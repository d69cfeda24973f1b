"""Shows what models cost: the smallest that will do, and those that no other beats in value and cost."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from assay.findings.comparison import Comparison
from assay.findings.per_task import TaskFindings
from assay.wording.names import model_labels
from assay.wording.numbers import count, listing, value_text

_NAMED = 4  # models of a front that a line names
_WORDS = {"macs": "multiply-accumulates", "bytes": "bytes of weights", "seconds": "time of the study"}


def show_costs(comparison: Comparison, findings: TaskFindings, console: Console) -> None:
    """Print the smallest model that will do, and the fronts of value and cost."""
    called = model_labels(comparison)
    if findings.smallest is not None and len(findings.standings) > 1:
        told = f"Smallest that is not surely worse than the best: {called[findings.smallest]}"
        console.print(Text(f"{told} ({_size_and_value(comparison, findings, findings.smallest)})"))
    by_front: dict[tuple[str, ...], list[str]] = {}
    for cost, front in findings.fronts.items():
        by_front.setdefault(front, []).append(_WORDS.get(cost, cost))
    for front, words in by_front.items():
        if len(findings.standings) > 1:
            shown = [called[model] for model in front[:_NAMED]]
            hidden = [f"{len(front) - _NAMED} more"] if len(front) > _NAMED else []
            names = listing([*shown, *hidden])
            told = f"Nothing is better for less, by {listing(words)}: {names}"
            console.print(Text(told, style="dim"))


def _size_and_value(comparison: Comparison, findings: TaskFindings, model: str) -> str:
    value = next(one.value for one in findings.standings if one.model == model)
    shown = value_text(value, negated=findings.shown_negated)
    size = next(row.facts.parameters for row in comparison.models if row.address == model)
    return f"{count(size)} parameters, {shown}"
