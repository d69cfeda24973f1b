"""From labelled examples to a task: the split, the fingerprint, and every doubt put into words."""

from __future__ import annotations

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
from assay.readers.strata import class_counts

_METRICS = {
    Kind.CLASSIFICATION: "accuracy",
    Kind.MULTILABEL: "macro_f1",
    Kind.REGRESSION: "spearman",
    Kind.TOKENS: "accuracy",
}


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
    kind = labels.kind if labels.lengths is None else Kind.TOKENS
    _require_differences(labels)
    parts, notes = divide(digests, labels, gathered.given, shares, seed)
    order = canonical_order(digests, labels)
    splits = []
    for part in Part:
        rows = order[parts[order] == part]
        if not len(rows):
            raise UnreadableTask(
                f"{labels.examples} examples ({len(np.unique(digests))} different ones) are too few: "
                f"{part.name.lower()} would be empty. "
                "Give 5 examples or more of each class, or official splits."
            )
        splits.append(Split(Chosen(gathered.examples, rows), labels.of(rows)))

    _require_differences(splits[Part.TRAIN].labels, " of train")
    return Task(
        address=address,
        kind=kind,
        modality=gathered.modality,
        metric=metric or _METRICS[kind],
        classes=labels.classes,
        train=splits[Part.TRAIN],
        val=splits[Part.VAL],
        test=splits[Part.TEST],
        fingerprint=fingerprint(digests, labels, parts),
        notes=(*gathered.notes, *notes, *_doubts(gathered, parts)),
    )


def _require_differences(labels: Labels, where: str = "") -> None:
    """Stop where nothing could be learned, because all labels are the same."""
    if not len(labels):
        raise UnreadableTask("There are no labelled examples. Check the file or folder that you named.")
    first = labels.values[0]
    if (labels.values != first).any():
        return
    if labels.kind is Kind.REGRESSION:
        raise UnreadableTask(
            f"All {len(labels)} labels{where} are {', '.join(f'{number:g}' for number in np.ravel(first))}. "
            "A task needs numbers that differ: name another label."
        )
    what = "examples" if labels.lengths is None else "words"
    names = np.array(labels.classes)[first > 0 if labels.kind is Kind.MULTILABEL else [first]]
    named = " and ".join(f"'{name}'" for name in names)
    told = f"the label {named}" if named else "no label"
    raise UnreadableTask(
        f"All {len(labels)} {what}{where} have {told}. "
        "A task needs two classes or more: add examples of another class, or name another label."
    )


def _doubts(gathered: Gathered, parts: np.ndarray) -> tuple[str, ...]:
    digests, labels, name = gathered.digests, gathered.labels, gathered.examples.name
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
    return (*notes, *_lacking(labels, parts, is_official=gathered.given is not None))


def _lacking(labels: Labels, parts: np.ndarray, *, is_official: bool) -> tuple[str, ...]:
    """Say which classes stand in test only, and of official splits which stand in train only."""
    if labels.kind is Kind.REGRESSION:
        return ()
    train, test = (
        class_counts(labels.of(np.flatnonzero(parts == part))) > 0 for part in (Part.TRAIN, Part.TEST)
    )
    found = [(test & ~train, "in test and not in train: no model can get these examples right")]
    if is_official:
        found.append((train & ~test, "in train and not in test: test cannot judge this"))
    notes = []
    for chosen, where in found:
        names = [labels.classes[position] for position in np.flatnonzero(chosen)]
        if names:
            verb = "stands" if len(names) == 1 else "stand"
            notes.append(f"{in_words(names, 'class', 'classes')} {verb} {where}.")
    return tuple(notes)
