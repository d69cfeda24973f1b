"""From labelled examples to a task: the split, the fingerprint, and every doubt put into words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from assay.core.errors import UnreadableTask
from assay.core.task import Chosen, Examples, Kind, Labels, Modality, Split, Task
from assay.readers.splits import (
    Part,
    Shares,
    canonical_order,
    conflicts,
    divide,
    fingerprint,
    in_words,
    repeats,
)

_METRICS = {Kind.CLASSIFICATION: "accuracy", Kind.REGRESSION: "spearman"}


@dataclass(frozen=True, slots=True)
class Gathered:
    """What a source found, before it is split.

    Attributes:
        digests: A hash of the content of each example (uint64: 64 bits keep ten million examples apart).
        labels: Their labels; the classes are sorted.
        given: The official split of each example (values of ``Part``); None without one.
        notes: What was guessed or left out so far.
    """

    examples: Examples
    digests: np.ndarray
    labels: Labels
    modality: Modality
    given: np.ndarray | None = None
    notes: tuple[str, ...] = ()


def assemble(gathered: Gathered, address: str, *, shares: Shares, metric: str | None, seed: int) -> Task:
    """Split what was found and make the task of it.

    The examples of a split are in the order of their contents, so that the same data in other files or
    in another order is the same task, with the same fingerprint and the same rows.

    Raises:
        UnreadableTask: There is nothing to tell apart, or a split would be empty.
    """
    labels, digests = gathered.labels, gathered.digests
    _require_differences(labels)
    parts, notes = divide(digests, labels, gathered.given, shares, seed)
    order = canonical_order(digests, labels)
    splits = []
    for part in Part:
        rows = order[parts[order] == part]
        if not len(rows):
            raise UnreadableTask(
                f"{len(labels)} examples ({len(np.unique(digests))} different ones) are too few: "
                f"{part.name.lower()} would be empty. "
                "Give 5 examples or more of each class, or official splits."
            )
        splits.append(Split(Chosen(gathered.examples, rows), labels.take(rows)))

    doubts = _doubts(digests, labels, parts, gathered.examples.name)
    return Task(
        address=address,
        kind=labels.kind,
        modality=gathered.modality,
        metric=metric or _METRICS[labels.kind],
        classes=labels.classes,
        train=splits[Part.TRAIN],
        val=splits[Part.VAL],
        test=splits[Part.TEST],
        fingerprint=fingerprint(digests, labels, parts),
        notes=(*gathered.notes, *notes, *doubts),
    )


def _require_differences(labels: Labels) -> None:
    if not len(labels):
        raise UnreadableTask("There are no labelled examples. Check the file or folder that you named.")
    if labels.kind is Kind.CLASSIFICATION and len(labels.classes) < 2:
        raise UnreadableTask(
            f"All {len(labels)} examples have the label '{labels.classes[0]}'. "
            "A task needs two classes or more: add examples of another class, or name another label."
        )
    if labels.kind is Kind.REGRESSION and np.ptp(labels.values) == 0:
        raise UnreadableTask(
            f"All {len(labels)} labels are {labels.values[0]:g}. A task needs numbers that differ: "
            "name another label."
        )


def _doubts(
    digests: np.ndarray, labels: Labels, parts: np.ndarray, name: Callable[[int], str]
) -> tuple[str, ...]:
    notes = []
    for part, earlier, rows in repeats(digests, parts):
        stands = "example also stands" if len(rows) == 1 else "examples also stand"
        first = name(int(rows[0]))
        notes.append(f"{len(rows)} {part.name.lower()} {stands} in {earlier.name.lower()} (first: {first}).")
    twice = conflicts(digests, labels)
    if len(twice):
        stands = "example stands" if len(twice) == 1 else "examples stand"
        notes.append(
            f"{len(twice)} {stands} more than once with different labels (first: {name(int(twice[0]))})."
        )
    if labels.kind is Kind.CLASSIFICATION:
        unseen = np.setdiff1d(labels.values[parts == Part.TEST], labels.values[parts == Part.TRAIN])
        names = [labels.classes[position] for position in unseen]
        if names:
            verb = "stands" if len(names) == 1 else "stand"
            notes.append(
                f"{in_words(names, 'class', 'classes')} {verb} in test and not in train: "
                "no model can get these examples right."
            )
    return tuple(notes)
