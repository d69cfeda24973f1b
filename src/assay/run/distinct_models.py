"""Finds models that a study names twice, such as by two spellings of a path."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from assay.core.model import ModelSource
from assay.core.paths import path_of
from assay.core.task import Modality
from assay.plugins.address import Address
from assay.plugins.registry import Named
from assay.run.broken_source import read_source


class IdentifiedModel(NamedTuple):
    """A model with what its source says before it is opened."""

    model: Named[ModelSource]
    identity: str
    modality: Modality | None


def distinct_models(models: Sequence[Named[ModelSource]]) -> tuple[list[IdentifiedModel], tuple[str, ...]]:
    """Return each model once, under its first address, and a note for each other address of the same one."""
    read: list[IdentifiedModel] = []
    seen: dict[tuple[object, ...], str] = {}
    notes = []
    for named in models:
        each = IdentifiedModel(*read_source(named))
        source = named.address.source
        marks: tuple[tuple[object, ...], ...] = ((source, each.identity), (source, *_places(named.address)))
        first = next((seen[mark] for mark in marks if mark in seen), None)
        if first is None:
            read.append(each)
            seen.update(dict.fromkeys(marks, str(named)))
        else:
            notes.append(f"{named} is the same model as {first} and is left out")
    return read, tuple(notes)


def _places(address: Address) -> tuple[object, ...]:
    """Return the name and settings of an address, with paths of what exists as absolute ones."""
    settings = address.without_alias().settings
    return _place(address.name), *((name, _place(value)) for name, value in settings)


def _place(value: object) -> object:
    if not isinstance(value, str):
        return value
    source, colon, path = value.rpartition(":")  # as in local-dir:./model
    place = path_of(path)
    return f"{source}{colon}{place.resolve()}" if path and place.exists() else value
