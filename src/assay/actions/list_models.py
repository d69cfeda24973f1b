"""Filters and sorts models by facts that are known before any download: ``assay list models``."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from assay.core.catalogue import CatalogueEntry
from assay.core.errors import UnknownName, UsageError
from assay.core.limits import Limits, bytes_of
from assay.core.task import Modality
from assay.core.text import plural
from assay.run.catalogue import listed

_DESCENDING = ("downloads", "released", "source-accuracy")  # the best or newest first
SORTS = (*_DESCENDING, "address", "download", "input-size", "licence", "macs", "parameters")
_FIELDS = {"download": "download_bytes"}


class ListedModels(NamedTuple):
    """Models that meet the constraints.

    Attributes:
        entries: The models, sorted; those without the fact that they are sorted by come last.
        notes: How many were left out because they lack a fact that was asked for, in sentences.
    """

    entries: list[CatalogueEntry]
    notes: list[str]


class _Constraint(NamedTuple):
    """A test of one fact of an entry.

    Attributes:
        option: As the user wrote it.
        fact: What it reads, in words.
        value: Reads it; None or "" if it is not known.
        is_met: Judges a known value.
    """

    option: str
    fact: str
    value: Callable[[CatalogueEntry], Any]
    is_met: Callable[[Any], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelQuery:
    """Which models to list, as the user wrote it.

    Attributes:
        modality: What they read.
        sources: Where they come from; empty for every installed source.
        max_parameters: As in "30M".
        licences: Names or patterns.
        max_download: The most bytes to download, as in "200MB".
        local: Only packaged and cached ones.
        sort: One of ``SORTS``.
    """

    modality: str | None = None
    sources: Sequence[str] = ()
    max_parameters: str | None = None
    licences: Sequence[str] = ()
    max_download: str | None = None
    local: bool = False
    sort: str = "address"


def find(query: ModelQuery) -> ListedModels:
    """Return the models of the catalogue that meet all constraints.

    Raises:
        UsageError: A constraint cannot be read, or one leaves no model; the message says which.
    """
    if query.sort not in SORTS:
        raise UnknownName("order of models", query.sort, SORTS)
    if query.modality is not None and query.modality not in list(Modality):
        raise UnknownName("modality", query.modality, list(Modality))
    constraints = list(_constraints(query))
    entries = list(listed(None if query.modality is None else Modality(query.modality), query.sources))
    notes = []
    for constraint in constraints:
        entries, lacking = _met(entries, constraint)
        if lacking:
            notes.append(f"{plural(lacking, 'model')} without a known {constraint.fact} left out")
    return ListedModels(_sorted(entries, query.sort), notes)


def _constraints(query: ModelQuery) -> Iterable[_Constraint]:
    limits = Limits.of(query.max_parameters, None, query.licences)
    if query.local:
        yield _Constraint("--local", "place", lambda entry: str(entry.is_local), lambda word: word == "True")
    if (most := limits.max_parameters) is not None:
        option = f"--max-parameters {query.max_parameters}"
        yield _Constraint(
            option, "number of parameters", lambda entry: entry.parameters, lambda number: number <= most
        )
    if limits.licences:
        option = " ".join(f"--licence {licence}" for licence in query.licences)
        yield _Constraint(
            option,
            "licence",
            lambda entry: entry.licence.lower(),
            lambda name: _is_one_of(name, limits.licences),
        )
    if query.max_download is not None:
        size = bytes_of("max_download", query.max_download)
        option = f"--max-download {query.max_download}"
        yield _Constraint(option, "download size", _to_download, lambda number: number <= size)


def _is_one_of(name: str, patterns: Iterable[str]) -> bool:
    return any(fnmatch.fnmatchcase(name, pattern) for pattern in patterns)


def _to_download(entry: CatalogueEntry) -> int | None:
    return 0 if entry.is_local else entry.download_bytes


def _met(entries: list[CatalogueEntry], constraint: _Constraint) -> tuple[list[CatalogueEntry], int]:
    """Return the entries that meet a constraint, and how many lack the fact that it reads."""
    values = [constraint.value(entry) for entry in entries]
    met = [
        entry
        for entry, value in zip(entries, values, strict=True)
        if value not in (None, "") and constraint.is_met(value)
    ]
    lacking = sum(value in (None, "") for value in values)
    if entries and not met:
        known = [value for value in values if value not in (None, "")]
        least = f"; the least is {min(known):,}" if known and isinstance(known[0], int) else ""
        raise UsageError(
            f"{constraint.option} leaves none of {plural(len(entries), 'model')} that the other constraints "
            f"allow: of {lacking:,} the {constraint.fact} is not known{least}. Change it or leave it out."
        )
    return met, lacking


def _sorted(entries: list[CatalogueEntry], sort: str) -> list[CatalogueEntry]:
    name = _FIELDS.get(sort, sort.replace("-", "_"))
    known = [entry for entry in entries if getattr(entry, name) not in (None, "")]
    known.sort(key=lambda entry: entry.address)
    known.sort(key=lambda entry: getattr(entry, name), reverse=sort in _DESCENDING)
    return known + [entry for entry in entries if getattr(entry, name) in (None, "")]
