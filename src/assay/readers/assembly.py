"""Assembles a task from labelled examples: splits, fingerprint, metric and warnings."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from assay.core.errors import UnreadableTask
from assay.core.task import LabelKind, Labels, SelectedExamples, Split, Task, TaskKind
from assay.numerics.entities import names_entities
from assay.readers.gathering import NO_LIMITS, ExampleLimits, Gathered, limited
from assay.readers.near_duplicate_groups import near_duplicate_groups
from assay.readers.splits import Part, Shares, canonical_order, content_split, divide, fingerprint
from assay.readers.warnings import task_warnings

_METRICS = {
    TaskKind.CLASSIFICATION: "accuracy",
    TaskKind.MULTILABEL: "macro_f1",
    TaskKind.REGRESSION: "spearman",
    TaskKind.TOKENS: "accuracy",
}
_OF_ENTITIES = "entity_f1"


def assemble(
    gathered: Gathered,
    address: str,
    *,
    shares: Shares,
    metric: str | None,
    seed: int,
    limits: ExampleLimits = NO_LIMITS,
) -> Task:
    """Split gathered examples, within the limits, and create the task.

    The examples of a split are sorted by content hash, so that the same data in different files or in a
    different order give the same task, with the same fingerprint and the same rows.

    Raises:
        UnreadableTask: All labels are equal, or a split would be empty.
    """
    has_official = gathered.labelled.official is not None
    gathered = limited(gathered, limits, shares, seed)
    labels, digests = gathered.labelled.labels, gathered.digests
    _require_differences(labels)
    parts, notes, split_source = divide(digests, labels, gathered.labelled.official, shares, seed)
    order = canonical_order(digests, labels)
    for part in Part:
        if not (parts == part).any():
            raise UnreadableTask(
                f"{labels.examples} examples ({len(np.unique(digests))} different ones) are too few: "
                f"{part.name.lower()} would be empty. "
                "Give 5 examples or more of each class, or official splits."
            )
    _require_differences(labels.of(order[parts[order] == Part.TRAIN]), " of train")
    if has_official:
        _require_known(labels, parts)
    task = _task(gathered, address, metric, parts, order)
    alike = near_duplicate_groups(gathered, order[parts[order] == Part.TRAIN])
    slices = tuple(slicing.of(order[parts[order] == Part.TEST]) for slicing in gathered.labelled.slices)
    warnings = task_warnings(gathered, parts, task.metric)
    return replace(
        task,
        train=replace(task.train, alike=alike),
        notes=(*task.notes, *notes, *warnings),
        slices=slices,
        warnings=warnings,
        split_source=split_source if has_official else content_split(seed),
    )


def assemble_test(gathered: Gathered, address: str, *, metric: str | None) -> Task:
    """Create a task with a test split only, from which nothing can be learned."""
    order = canonical_order(gathered.digests, gathered.labelled.labels)
    return _task(gathered, address, metric, np.full(len(order), Part.TEST), order)


def _task(gathered: Gathered, address: str, metric: str | None, parts: np.ndarray, order: np.ndarray) -> Task:
    labels = gathered.labelled.labels
    splits = []
    for part in Part:
        rows = order[parts[order] == part]
        examples = SelectedExamples(gathered.source, gathered.labelled.rows[rows])
        splits.append(Split(examples, labels.of(rows), gathered.digests[rows]))
    kind = labels.task_kind
    is_of_entities = kind is TaskKind.TOKENS and names_entities(labels.classes)
    return Task(
        address=address,
        kind=kind,
        modality=gathered.modality,
        metric=metric or (_OF_ENTITIES if is_of_entities else _METRICS[kind]),
        classes=labels.classes,
        train=splits[Part.TRAIN],
        val=splits[Part.VAL],
        test=splits[Part.TEST],
        fingerprint=fingerprint(gathered.digests, labels, parts),
        notes=(*gathered.labelled.notes, *(() if metric or is_of_entities else _other_tags(labels))),
        inputs=gathered.inputs,
    )


def _other_tags(labels: Labels) -> tuple[str, ...]:
    """Return a note if tags have one for words outside of entities, and no scheme of entities."""
    if labels.task_kind is not TaskKind.TOKENS or {"O", "o"}.isdisjoint(labels.classes):
        return ()
    odd = next((tag for tag in labels.classes if tag not in {"O", "o"} and not names_entities((tag,))), None)
    why = f"as '{odd}' is none" if odd else "as they mix several schemes"
    return (
        "Words are judged by accuracy, not entities by F1: tags are not a scheme of entities such as O, "
        f"B-PER, I-PER, {why}.",
    )


def _require_known(labels: Labels, parts: np.ndarray) -> None:
    """Raise if no label of test may be right, as where those of a benchmark are hidden behind -1."""
    if labels.kind is LabelKind.MULTILABEL or labels.lengths is not None:
        return
    train, test = (labels.values[parts == part] for part in (Part.TRAIN, Part.TEST))
    if np.isin(test, train).any():
        return
    if labels.kind is LabelKind.CLASSIFICATION:
        hidden = sorted({labels.classes[value] for value in test})
    elif test.ndim == 1 and len(np.unique(test)) == 1 and not train.min() <= test[0] <= train.max():
        hidden = [f"{test[0]:g}"]
    else:
        return
    shown = ", ".join(f"'{name}'" for name in hidden[:3])
    raise UnreadableTask(
        f"Test has only labels that train does not have: {shown}, as where the labels of a test are hidden. "
        f"Write missing='{hidden[0]}' or take these rows out, and test is cut from the others."
    )


def _require_differences(labels: Labels, where: str = "") -> None:
    """Raise if all labels are equal, because nothing could be learned."""
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
    shared = f"the label {named}" if named else "no label"
    raise UnreadableTask(
        f"All {len(labels)} {what}{where} have {shared}. "
        "A task needs two classes or more: add examples of another class, or name another label."
    )
