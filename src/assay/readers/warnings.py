"""Warnings about a task: duplicates, and missing, rare or imbalanced classes."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from assay.core.task import LabelKind, Labels, Modality
from assay.readers.gathering import Gathered
from assay.readers.near_duplicates import near_duplicates
from assay.readers.splits import Part, canonical_order, class_counts, in_words, label_keys

_UNEVEN = 10  # ratio of class sizes that counts as imbalanced
_REPEATED = 0.01  # share of test examples whose content occurs before, from which a warning is given
_FEW = 5  # fewer test examples of a class cause a warning


def task_warnings(gathered: Gathered, parts: np.ndarray, metric: str) -> tuple[str, ...]:
    """Return sentences about problems that make results on a task unreliable.

    Args:
        gathered: The examples of the task.
        parts: The split of each example (values of ``Part``).
        metric: The main metric.
    """
    digests, labels, name = gathered.digests, gathered.labelled.labels, gathered.examples.name
    notes = []
    for part, earlier, rows in repeats(digests, parts):
        is_also = "example is also" if len(rows) == 1 else "examples are also"
        first = name(int(rows[0]))
        notes.append(f"{len(rows)} {part.name.lower()} {is_also} in {earlier.name.lower()} (first: {first}).")
    notes.extend(_repeated(digests[parts == Part.TEST]))
    notes.extend(_near_duplicates(gathered, parts))
    conflicting = conflicts(digests, labels)
    if len(conflicting):
        occur = "example occurs" if len(conflicting) == 1 else "examples occur"
        first = name(int(conflicting[0]))
        notes.append(f"{len(conflicting)} {occur} more than once with different labels (first: {first}).")
    is_official = gathered.labelled.official is not None
    return (
        *notes,
        *_missing_classes(labels, parts, is_official=is_official),
        *_uneven(labels, parts, metric),
    )


def _repeated(test: np.ndarray) -> tuple[str, ...]:
    """Warn about test examples that occur several times: intervals take each content as one."""
    different = len(np.unique(test))
    if different > (1 - _REPEATED) * len(test):
        return ()
    return (
        f"Test repeats examples ({different} of {len(test)} are distinct): values count each of them, and "
        "intervals and tests count each content once.",
    )


def repeats(digests: np.ndarray, parts: np.ndarray) -> Iterator[tuple[Part, Part, np.ndarray]]:
    """Yield (part, earlier part, rows of part with duplicates in the earlier part), if there are any."""
    for part, earlier in ((Part.TEST, Part.TRAIN), (Part.TEST, Part.VAL), (Part.VAL, Part.TRAIN)):
        rows = np.flatnonzero(parts == part)
        rows = rows[np.isin(digests[rows], digests[parts == earlier])]
        if len(rows):
            yield part, earlier, rows


def conflicts(digests: np.ndarray, labels: Labels) -> np.ndarray:
    """Return one row of each example that occurs with different labels."""
    order = canonical_order(digests, labels)
    same = digests[order][1:] == digests[order][:-1]
    keys = label_keys(labels)[order]
    differs = keys[1:] != keys[:-1]
    rows = order[1:][same & differs]
    return np.sort(rows[np.unique(digests[rows], return_index=True)[1]])


def _near_duplicates(gathered: Gathered, parts: np.ndarray) -> tuple[str, ...]:
    """Warn about near-duplicates of train in test; exact duplicates have a separate warning."""
    train, test = (np.flatnonzero(parts == part) for part in (Part.TRAIN, Part.TEST))
    fresh = test[~np.isin(gathered.digests[test], gathered.digests[train])]
    if gathered.modality is Modality.AUDIO:  # audio is not compared
        return ()
    near = near_duplicates(
        gathered.examples, gathered.modality, gathered.thumbnails, train, fresh, gathered.digests
    )
    if not len(near.test):
        return ()
    name = gathered.examples.name
    count, of = len(near.test), "" if near.compared == len(fresh) else f" of {near.compared:,} compared"
    are = f"example{of} is a near-duplicate" if count == 1 else f"examples{of} are near-duplicates"
    first = f"{name(int(near.test[0]))}, like {name(int(near.train[0]))}"
    return (f"{count} test {are} of train examples (first: {first}): results may be optimistic.",)


def _missing_classes(labels: Labels, parts: np.ndarray, *, is_official: bool) -> tuple[str, ...]:
    """Warn about classes in test only and, for official splits, classes in train only."""
    if labels.kind is LabelKind.REGRESSION:
        return ()
    train, test = (
        class_counts(labels.of(np.flatnonzero(parts == part))) > 0 for part in (Part.TRAIN, Part.TEST)
    )
    missing = [(test & ~train, "in test and not in train: no model can get these examples right")]
    if is_official:
        missing.append((train & ~test, "in train but not in test: not tested"))
    notes = []
    for is_missing, where in missing:
        names = [labels.classes[position] for position in np.flatnonzero(is_missing)]
        if names:
            verb = "is" if len(names) == 1 else "are"
            notes.append(f"{in_words(names, 'class', 'classes')} {verb} {where}.")
    return tuple(notes)


def _uneven(labels: Labels, parts: np.ndarray, metric: str) -> tuple[str, ...]:
    """Warn about class imbalance under accuracy, and about classes with few test examples."""
    if labels.kind is not LabelKind.CLASSIFICATION:
        return ()
    train, test = (class_counts(labels.of(np.flatnonzero(parts == part))) for part in (Part.TRAIN, Part.TEST))
    notes = []
    most, least = int(train.argmax()), int(np.where(train > 0, train, train.max()).argmin())
    if metric == "accuracy" and train[most] >= _UNEVEN * train[least]:
        notes.append(
            f"Classes are uneven: '{labels.classes[most]}' has {100 * train[most] / train.sum():.0f} % of "
            f"train, '{labels.classes[least]}' {100 * train[least] / train.sum():.1f} %. Accuracy hides "
            "rare classes: metric='balanced_accuracy' or 'macro_f1' weighs all classes equally."
        )
    few = [labels.classes[position] for position in np.flatnonzero((test > 0) & (test < _FEW))]
    if few and test.sum() >= 2 * _FEW * len(test):  # a tiny test split has its own warning
        have = "has" if len(few) == 1 else "have"
        notes.append(
            f"{in_words(few, 'class', 'classes')} {have} fewer than {_FEW} test examples: "
            "results on them alone are unreliable."
        )
    return tuple(notes)
