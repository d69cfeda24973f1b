"""Sentences about models without a result, grouped by reason."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from textwrap import shorten

from assay.core.limits import LEFT_OUT
from assay.core.text import few, plural
from assay.findings.per_task import Cell

_NAMED = 3  # models of the only reason, or reasons
_REASON = 40  # most letters of a reason among several
_QUOTED = re.compile(r"'[^']*'")


def _reasons(cells: Sequence[Cell]) -> list[tuple[str, list[str]]]:
    """Return the models of each reason, the most frequent reason first; what it quotes may differ."""
    by_kind: dict[str, tuple[set[str], list[str]]] = {}
    for cell in cells:
        reason = cell.reason.partition("\n")[0].rstrip(".")
        reasons, models = by_kind.setdefault(_QUOTED.sub("'...'", reason), (set(), []))
        reasons.add(reason)
        if cell.model not in models:
            models.append(cell.model)
    groups = [
        (kind if len(reasons) > 1 else next(iter(reasons)), models)
        for kind, (reasons, models) in by_kind.items()
    ]
    return sorted(groups, key=lambda pair: -len(pair[1]))


def failed_text(cells: Sequence[Cell], names: Mapping[str, str]) -> str:
    """Return how many models failed, which, and why.

    Args:
        cells: The failed jobs.
        names: The names of models, by address.
    """
    number = len({cell.model for cell in cells})
    return f"{plural(number, 'model')} failed: {_by_reason(cells, names)}"


def left_out_text(cells: Sequence[Cell], names: Mapping[str, str]) -> str:
    """Return how many models have no result though nothing failed, which, and why."""
    number = len({cell.model for cell in cells})
    several = f"{plural(number, 'model')}: " if len(_reasons(cells)) > 1 else ""
    return f"no value for {several}{_by_reason(cells, names)}"


def limits_text(cells: Sequence[Cell], names: Mapping[str, str]) -> str:
    """Return the models that are beyond a limit, with the limit."""
    limits = [replace(cell, reason=cell.reason.removeprefix(LEFT_OUT)) for cell in cells]
    return _by_reason(limits, names)


def _by_reason(cells: Sequence[Cell], names: Mapping[str, str]) -> str:
    """Return the models of each reason, the most frequent reason first: each is named, its models counted."""
    groups = _reasons(cells)
    if len(groups) == 1:
        reason, models = groups[0]
        return f"{few([names[model] for model in models], _NAMED)} ({reason})"
    parts = [
        f"{shorten(reason, _REASON, placeholder=' …')} "
        f"({f'{len(models)}: ' if len(models) > 1 else ''}{few([names[model] for model in models], 1)})"
        for reason, models in groups[:_NAMED]
    ]
    more = len(groups) - len(parts)
    return "; ".join([*parts, *([f"{plural(more, 'other reason')}"] if more else [])])
