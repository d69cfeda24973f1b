"""Chooses the method that ranks the models."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from assay.core.errors import UnknownName
from assay.findings.per_task import Cell

PROTOCOL = "linear_probe"
SCORES = ("ridge_cv", "logme", "loo_knn")  # out of sample or with evidence: fair to wide features


def choose_method(cells: Sequence[Cell], scores: Collection[str], wanted: str | None) -> str:
    """Return the wanted method, or the protocol that tells most, or a score where nothing was trained.

    Args:
        cells: All cells of the study.
        scores: The methods that are scores.
        wanted: What the user asked for; an unknown name says which there are.
    """
    methods = {cell.method for cell in cells}
    if wanted is not None:
        if wanted not in methods:
            raise UnknownName("method with results", wanted, methods)
        return wanted
    counts = Counter(cell.method for cell in cells if cell.value is not None)
    ordered = sorted(methods, key=lambda method: (method in scores, *_preference(method, counts), method))
    valued = [method for method in ordered if counts[method]]
    return (valued or ordered or [""])[0]


def _preference(method: str, counts: Counter[str]) -> tuple[bool, int, int]:
    name = method.partition("(")[0]
    place = SCORES.index(name) if name in SCORES else len(SCORES)
    return name != PROTOCOL, -counts[method], place
