"""The positive class of two, for F1."""

from __future__ import annotations

from dataclasses import replace

from assay.core.errors import UnknownName, UsageError
from assay.core.task import LabelKind, Labels
from assay.readers.gathering import Gathered

_OF_POSITIVE = frozenset({"f1", "accuracy_f1"})  # metrics that treat two classes differently


def with_positive(gathered: Gathered, positive: str | int, metric: str | None) -> Gathered:
    """Put the positive class of two second, where metrics of two classes look for it.

    Args:
        gathered: The examples of a task.
        positive: The user's positive class; "" for the second by name, with a note if the metric judges it.
        metric: The user's metric.

    Raises:
        UsageError: The labels are not two classes, or no class has this name.
    """
    labelled = gathered.labelled
    labels, name = labelled.labels, str(positive)
    is_binary = labels.kind is LabelKind.CLASSIFICATION and len(labels.classes) == 2
    if not name:
        if metric not in _OF_POSITIVE or not is_binary:
            return gathered
        other, judged = labels.classes
        note = f"{metric} judges the class '{judged}', the second by name. Write positive='{other}' if not."
        return replace(gathered, labelled=replace(labelled, notes=(*labelled.notes, note)))
    if not is_binary:
        count = f"{len(labels.classes)} classes" if labels.classes else "numbers"
        raise UsageError(f"positive='{name}' names one class of two; the labels are {count}. Leave it out.")
    if name not in labels.classes:
        raise UnknownName("class", name, labels.classes)
    if labels.classes[1] == name:
        return gathered
    turned = Labels(labels.kind, 1 - labels.values, labels.classes[::-1], labels.lengths)
    return replace(gathered, labelled=replace(labelled, labels=turned))
