"""The past results of the models of a study: a history with exactly their columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import NamedTuple

import numpy as np

from assay.core.task import Modality
from assay.search.history import History
from assay.search.past.identity import Identity, identity_of, is_related
from assay.search.past.table import PastTable

_FEWEST = 2  # matched models, for a past task to say anything


class Match(StrEnum):
    """How a model was found in past results."""

    EXACT = "exact"
    FAMILY = "family"
    NONE = "none"


class PastResults(NamedTuple):
    """Results of past tasks for the models of a study.

    Attributes:
        history: Columns are the models that were asked for, in their order; NaN where nothing matches. There
            may be no tasks at all.
        matched: How each model was found, by its address. A model is exact if one table or more has it.
        sources: The names of the tables that rows come from.
    """

    history: History
    matched: Mapping[str, Match]
    sources: tuple[str, ...]


def past_for(models: Sequence[str], modality: Modality, *, histories: Iterable[PastTable]) -> PastResults:
    """Return the past results of these models.

    A model is matched to the results of the same weights under whatever name; else to the mean of the models
    of its family, of one architecture, size and version, whose names say the same of their training. What
    the name of a model cannot settle is left out: a wrong match is worse than none.

    Args:
        models: Addresses, such as ``timm:vit_base_patch16_224.augreg_in21k``; each once.
        modality: What the new task consists of; tables of other modalities are left out.
        histories: The tables, see :func:`assay.search.past.all_tables`.
    """
    identities = [identity_of(model) for model in models]
    found = dict.fromkeys(models, Match.NONE)
    tasks: list[str] = []
    rows: list[np.ndarray] = []
    groups: list[str] = []
    sources: list[str] = []
    for table in histories:
        if table.modality is not modality:
            continue
        sought = _Sought(table)
        kinds = [sought.find(identity) for identity in identities]
        sets = {members: place for place, members in enumerate(dict.fromkeys(names for _, names in kinds))}
        places = np.array([sets[members] for _, members in kinds], dtype=np.int64)
        before = len(rows)
        for task, of_task in table.values.items():
            means = np.array([_value(of_task, members) for members in sets])
            if np.isfinite(means).sum() >= _FEWEST:  # several models may have the values of one
                tasks.append(_unique(task, table.name, tasks))
                groups.append(table.group_of(task))
                rows.append(means[places])
        if len(rows) == before:
            continue
        sources.append(table.name)
        has_value = np.isfinite(np.array(rows[before:])).any(axis=0)
        for model, (kind, _), known in zip(models, kinds, has_value, strict=True):
            if known and found[model] is not Match.EXACT:
                found[model] = kind
    values = np.array(rows, dtype=np.float64).reshape(len(rows), len(models))
    return PastResults(History(tuple(models), tuple(tasks), values, tuple(groups)), found, tuple(sources))


class _Sought:
    """The models of a table, by their weights and by their family."""

    def __init__(self, table: PastTable) -> None:
        self._exact: dict[str, list[str]] = {}
        self._families: dict[str, list[tuple[Identity, str]]] = {}
        for model in table.models:
            identity = identity_of(model)
            self._exact.setdefault(identity.weights, []).append(model)
            if identity.family:
                self._families.setdefault(identity.family, []).append((identity, model))

    def find(self, model: Identity) -> tuple[Match, tuple[str, ...]]:
        """Return how a model is matched, and the models of the table whose mean it gets."""
        exact = self._exact.get(model.weights)
        if exact:
            return Match.EXACT, tuple(exact)
        related = [pair for pair in self._families.get(model.family, ()) if is_related(model, pair[0])]
        if not related:
            return Match.NONE, ()
        shared = [len(model.words & identity.words) for identity, _ in related]
        most = max(shared)
        closest = (name for (_, name), count in zip(related, shared, strict=True) if count == most)
        return Match.FAMILY, tuple(closest)


def _value(of_task: Mapping[str, float], members: Sequence[str]) -> float:
    known = [of_task[member] for member in members if member in of_task]
    return sum(known) / len(known) if known else np.nan


def _unique(task: str, table: str, taken: Sequence[str]) -> str:
    """Return a name that no other task has; the text after ``@`` is not part of the data set's name."""
    return task if task not in taken else f"{task}@{table}"
