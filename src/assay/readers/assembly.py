"""From labelled examples to a task: the split, the fingerprint, and every doubt put into words."""

from __future__ import annotations

import numpy as np

from assay.core.errors import UnreadableTask
from assay.core.task import LabelKind, Labels, SelectedExamples, Split, Task, TaskKind
from assay.numerics.entities import names_entities
from assay.readers.gathered import Gathered
from assay.readers.splits import (
    Part,
    Shares,
    canonical_order,
    divide,
    fingerprint,
)
from assay.readers.warnings import doubts

_METRICS = {
    TaskKind.CLASSIFICATION: "accuracy",
    TaskKind.MULTILABEL: "macro_f1",
    TaskKind.REGRESSION: "spearman",
    TaskKind.TOKENS: "accuracy",
}
_OF_ENTITIES = "entity_f1"


def assemble(gathered: Gathered, address: str, *, shares: Shares, metric: str | None, seed: int) -> Task:
    """Split what was found and make the task of it.

    The examples of a split are in the order of their contents, so that the same data in other files or
    in another order is the same task, with the same fingerprint and the same rows.

    Raises:
        UnreadableTask: There is nothing to tell apart, or a split would be empty.
    """
    labels, digests = gathered.labels, gathered.digests
    kind = labels.task_kind
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
        splits.append(Split(SelectedExamples(gathered.examples, rows), labels.of(rows)))

    _require_differences(splits[Part.TRAIN].labels, " of train")
    is_of_entities = kind is TaskKind.TOKENS and names_entities(labels.classes)
    main = metric or (_OF_ENTITIES if is_of_entities else _METRICS[kind])
    return Task(
        address=address,
        kind=kind,
        modality=gathered.modality,
        metric=main,
        classes=labels.classes,
        train=splits[Part.TRAIN],
        val=splits[Part.VAL],
        test=splits[Part.TEST],
        fingerprint=fingerprint(digests, labels, parts),
        notes=(*gathered.notes, *notes, *doubts(gathered, parts, main)),
        slices=tuple(one.of(order[parts[order] == Part.TEST]) for one in gathered.slices),
    )


def assemble_test(gathered: Gathered, address: str, *, metric: str | None) -> Task:
    """Make a task without train and val of what was found: nothing can be learned for it."""
    labels, digests = gathered.labels, gathered.digests
    kind = labels.task_kind
    parts = np.full(labels.examples, Part.TEST)
    rows = canonical_order(digests, labels)
    nothing = Split(SelectedExamples(gathered.examples, rows[:0]), labels.of(rows[:0]))
    metric = metric or _METRICS[kind]
    return Task(
        address=address,
        kind=kind,
        modality=gathered.modality,
        metric=metric,
        classes=labels.classes,
        train=nothing,
        val=nothing,
        test=Split(SelectedExamples(gathered.examples, rows), labels.of(rows)),
        fingerprint=fingerprint(digests, labels, parts),
        notes=gathered.notes,
    )


def _require_differences(labels: Labels, where: str = "") -> None:
    """Stop where nothing could be learned, because all labels are the same."""
    if not len(labels):
        raise UnreadableTask("There are no labelled examples. Check the file or folder that you named.")
    first = labels.values[0]
    if (labels.values != first).any():
        return
    if labels.kind is LabelKind.REGRESSION:
        raise UnreadableTask(
            f"All {len(labels)} labels{where} are {', '.join(f'{number:g}' for number in np.ravel(first))}. "
            "A task needs numbers that differ: name another label."
        )
    what = "examples" if labels.lengths is None else "words"
    names = np.array(labels.classes)[first > 0 if labels.kind is LabelKind.MULTILABEL else [first]]
    named = " and ".join(f"'{name}'" for name in names)
    told = f"the label {named}" if named else "no label"
    raise UnreadableTask(
        f"All {len(labels)} {what}{where} have {told}. "
        "A task needs two classes or more: add examples of another class, or name another label."
    )
