"""What makes the numbers of a task doubtful: repeated examples, classes that are missing, rare or uneven."""

from __future__ import annotations

import numpy as np

from assay.core.task import LabelKind, Labels, Modality
from assay.readers.gathered import Gathered
from assay.readers.near_duplicates import near_repeats
from assay.readers.splits import Part, conflicts, in_words, repeats
from assay.readers.strata import class_counts

_UNEVEN = 10  # times as many examples of one class as of another
_FEW = 5  # test examples of a class


def doubts(gathered: Gathered, parts: np.ndarray, metric: str) -> tuple[str, ...]:
    """Return what makes the numbers of a task doubtful, in sentences.

    Args:
        gathered: What was found.
        parts: The split of each example (values of ``Part``).
        metric: The main metric.
    """
    digests, labels, name = gathered.digests, gathered.labels, gathered.examples.name
    notes = []
    for part, earlier, rows in repeats(digests, parts):
        stands = "example also stands" if len(rows) == 1 else "examples also stand"
        first = name(int(rows[0]))
        notes.append(f"{len(rows)} {part.name.lower()} {stands} in {earlier.name.lower()} (first: {first}).")
    notes.extend(_near(gathered, parts))
    twice = conflicts(digests, labels)
    if len(twice):
        stands = "example stands" if len(twice) == 1 else "examples stand"
        notes.append(
            f"{len(twice)} {stands} more than once with different labels (first: {name(int(twice[0]))})."
        )
    return (
        *notes,
        *_lacking(labels, parts, is_official=gathered.given is not None),
        *_uneven(labels, parts, metric),
    )


def _near(gathered: Gathered, parts: np.ndarray) -> tuple[str, ...]:
    """Say which examples of test nearly stand in train; those that do stand there are said elsewhere."""
    train, test = (np.flatnonzero(parts == part) for part in (Part.TRAIN, Part.TEST))
    fresh = test[~np.isin(gathered.digests[test], gathered.digests[train])]
    if gathered.modality is Modality.AUDIO:  # nothing tells of two sounds that they are nearly one
        return ()
    near = near_repeats(gathered.examples, gathered.modality, gathered.sketches, train, fresh)
    if not len(near.test):
        return ()
    name = gathered.examples.name
    count, of = len(near.test), "" if near.looked_at == len(fresh) else f" of {near.looked_at:,} compared"
    stands = f"example{of} nearly stands" if count == 1 else f"examples{of} nearly stand"
    first = f"{name(int(near.test[0]))}, like {name(int(near.train[0]))}"
    return (f"{count} test {stands} in train (first: {first}): results may flatter.",)


def _lacking(labels: Labels, parts: np.ndarray, *, is_official: bool) -> tuple[str, ...]:
    """Say which classes stand in test only, and of official splits which stand in train only."""
    if labels.kind is LabelKind.REGRESSION:
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


def _uneven(labels: Labels, parts: np.ndarray, metric: str) -> tuple[str, ...]:
    """Warn of classes that one number hides: rare ones under accuracy, and those that test hardly has."""
    if labels.kind is not LabelKind.CLASSIFICATION:
        return ()
    train, test = (class_counts(labels.of(np.flatnonzero(parts == part))) for part in (Part.TRAIN, Part.TEST))
    notes = []
    most, least = int(train.argmax()), int(np.where(train > 0, train, train.max()).argmin())
    if metric == "accuracy" and train[most] >= _UNEVEN * train[least]:
        notes.append(
            f"Classes are uneven: '{labels.classes[most]}' has {train[most] / train.sum():.0%} of train, "
            f"'{labels.classes[least]}' {train[least] / train.sum():.1%}. Accuracy hardly sees the rare: "
            "metric='balanced_accuracy' or 'macro_f1' judges all classes alike."
        )
    few = [labels.classes[place] for place in np.flatnonzero((test > 0) & (test < _FEW))]
    if few and test.sum() >= 2 * _FEW * len(test):  # else test is tiny as a whole, which is said elsewhere
        have = "has" if len(few) == 1 else "have"
        notes.append(
            f"{in_words(few, 'class', 'classes')} {have} fewer than {_FEW} test examples: "
            "what is said of them alone is chance."
        )
    return tuple(notes)
