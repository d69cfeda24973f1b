"""Says in words where the ways to order models across tasks disagree, and what limits them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np
from scipy import stats

from assay.analysis.across_tasks.significance import fewest_tasks
from assay.analysis.per_task.significance import ALPHA
from assay.findings.across import Across, Criterion, Generality, Unit
from assay.wording.numbers import listing, plural, value_text

_NAMED = 3  # models or tasks that a sentence names
_CLOSE = 1e-9


class _Way(NamedTuple):
    """A way to order models; a higher merit is better."""

    name: str
    merit: Callable[[Generality], float | None]
    is_falling: bool  # the number that is shown falls as models get better
    is_for_holes: bool  # it says something of its own only where values are missing
    places: int


_WAYS = (
    _Way("the index", lambda one: one.index, False, False, 3),
    _Way("mean rank", lambda one: None if one.average_rank is None else -one.average_rank, True, False, 1),
    _Way("its worst task", lambda one: None if one.index is None else one.worst_index, False, False, 3),
    _Way("strength where models meet", lambda one: one.strength, False, True, 2),
    _Way("Borda points", lambda one: one.borda, False, True, 1),
)


def criteria(models: Sequence[Generality]) -> tuple[Criterion, ...]:
    """Return who leads by which criterion; without holes mean rank, wins, Borda and strength are one order.

    Args:
        models: In the order of the table.
    """
    has_holes = any(one.missing for one in models)
    found = []
    for way in _WAYS:
        if way.is_for_holes and not has_holes:
            continue
        merits = {one.model: merit for one in models if (merit := way.merit(one)) is not None}
        if models[0].model not in merits:
            continue
        best = max(merits.values())
        sign = -1.0 if way.is_falling else 1.0
        found.append(
            Criterion(
                name=way.name,
                leaders=tuple(model for model, merit in merits.items() if merit >= best - _CLOSE),
                value=sign * best,
                value_of_first=sign * merits[models[0].model],
                tau=_tau([merits[one.model] for one in models if one.model in merits and _is_compared(one)]),
            )
        )
    return tuple(found)


def remarks(across: Across) -> tuple[str, ...]:
    """Return what a reader must know before trusting the order."""
    said = (_who_leads(across), _holes(across), _hopeless(across), _unit(across), _chance(across))
    return tuple(filter(None, said))


def _is_compared(one: Generality) -> bool:
    return one.average_rank is not None


def _tau(merits: Sequence[float]) -> float | None:
    """Return how well an order agrees with that of the table, in which the merits come."""
    if len(merits) < 2 or np.ptp(merits) == 0:
        return None
    return float(stats.kendalltau(-np.arange(len(merits)), merits).statistic)


def _who_leads(across: Across) -> str:
    first = across.models[0].model
    agreeing = [one for one in across.criteria if first in one.leaders]
    others = [one for one in across.criteria if first not in one.leaders]
    if not across.criteria:
        return ""
    told = f"{first} leads by {listing([one.name for one in agreeing])}" if agreeing else f"{first} leads"
    if not others:
        return f"{told}." if len(agreeing) > 1 else ""
    by_leaders: dict[tuple[str, ...], list[str]] = {}
    for one in others:
        by_leaders.setdefault(one.leaders, []).append(_criterion(one))
    against = [f"{_named(leaders)} by {listing(ways)}" for leaders, ways in by_leaders.items()]
    return f"{told}, but {'; '.join(against)}."


def _criterion(one: Criterion) -> str:
    places = {way.name: way.places for way in _WAYS}[one.name]
    value, of_first = (value_text(number, places=places) for number in (one.value, one.value_of_first))
    return f"{one.name} ({value} against {of_first})"


def _holes(across: Across) -> str:
    holed = [one for one in across.models if one.missing]
    if not holed:
        return ""
    total = len(across.all_tasks)
    if len(holed) <= _NAMED:
        told = listing(
            f"{one.model} has a value on {len(one.tasks)} of {total} tasks (not {_named(tuple(one.missing))})"
            for one in holed
        )
    else:
        told = f"{len(holed)} of {len(across.models)} models have no value on some of the {total} tasks"
    compared = [one for one in across.models if _is_compared(one)]
    means = f"the {len(compared)} models with a value on all of {plural(len(across.tasks), 'task')}"
    return f"{told}; index and mean rank compare {means}, wins and strength all models where they meet."


def _hopeless(across: Across) -> str:
    """Return the tasks that have no index though others have one."""
    left_out = [task for task in across.tasks if task not in across.index_tasks]
    if not left_out or not across.index_tasks:
        return ""
    return f"On {_named(left_out)} nothing beats {across.index_zero}: ranks count it, the index does not."


def _unit(across: Across) -> str:
    compared = sum(_is_compared(one) for one in across.models)
    if across.models[0].index is None or across.unit is Unit.TASKS:
        return ""
    tasks, needed = plural(len(across.index_tasks), "task"), fewest_tasks(compared - 1)
    told = f"With {tasks} no test over tasks can tell {compared} models apart: it takes {needed}"
    if across.unit is Unit.EXAMPLES:
        return f"{told}. What is told apart here holds for these tasks, not for tasks like them."
    return f"{told}."


def _chance(across: Across) -> str:
    if across.omnibus is None or across.omnibus.p_value < ALPHA:
        return ""
    p_value = f"{across.omnibus.p_value:.2f}"
    return f"The mean ranks differ no more than chance would make them (Friedman p = {p_value})."


def _named(names: Sequence[str]) -> str:
    """Return a few names, and how many more there are."""
    shown = list(names[:_NAMED])
    return listing(shown if len(names) <= _NAMED else [*shown, f"{len(names) - _NAMED} more"])
