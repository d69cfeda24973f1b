"""Error analysis of one task from the predictions of all models: classes, hardest examples, confusions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise

import numpy as np

from assay.core.task import Labels
from assay.findings.error_analysis import ConfusedClasses, Confusion, ErrorAnalysis, MissedExample

NAMED = 20  # examples and confusions that are listed
_MOST_CLASSES = 50  # of a readable confusion matrix
_FEWEST_MODELS = 2


def error_analysis(
    truth: Labels,
    decided: Mapping[str, np.ndarray],
    names: Sequence[str],
    shown: str | None,
    separable: float | None,
) -> ErrorAnalysis | None:
    """Return the error analysis of a task with one class for each example; None for other tasks.

    Args:
        truth: The test labels.
        decided: Predicted classes by model, seeds x examples.
        names: Names of the test examples; for labelled words, names of their texts.
        shown: The model whose confusion is shown.
        separable: The share of pairs of models that differ significantly.
    """
    if not truth.classes or truth.values.ndim != 1 or not decided:
        return None
    answers = {model: majority_vote(rows) for model, rows in decided.items()}
    right = np.stack([values == truth.values for values in answers.values()])
    count = right.sum(axis=0)
    several = len(answers) >= _FEWEST_MODELS
    all_miss, one_hits = (count == 0) & several, (count == 1) & several
    name_of = example_names(truth, names)

    def named(is_meant: np.ndarray) -> tuple[MissedExample, ...]:
        rows = _most_agreed(np.flatnonzero(is_meant), truth.values, np.stack([*answers.values()]))
        return tuple(_missed(int(row), name_of[row], truth, answers) for row in rows[:NAMED])

    return ErrorAnalysis(
        models=tuple(answers),
        examples=len(truth.values),
        missed_by_all=int(all_miss.sum()),
        right_in_all=int((count == len(answers)).sum()) if several else 0,
        by_one=int(one_hits.sum()),
        hardest=named(all_miss),
        correct_by_one=named(one_hits),
        classes=_classes(truth, decided),
        confusion=_confusion(truth, shown, decided[shown])
        if shown in decided and shown is not None
        else None,
        separable=separable,
    )


def _most_agreed(rows: np.ndarray, truth: np.ndarray, answers: np.ndarray) -> np.ndarray:
    """Return rows by how many models agree on a class; of equal ones, one of each true class in turn."""
    agreed = _largest_groups(answers[:, rows])
    order = np.lexsort((truth[rows], -agreed))
    rows, agreed = rows[order], agreed[order]
    places = np.arange(len(rows))
    is_first = np.ones(len(rows), dtype=bool)
    is_first[1:] = (agreed[1:] != agreed[:-1]) | (truth[rows][1:] != truth[rows][:-1])
    turns = places - np.maximum.accumulate(np.where(is_first, places, 0))
    return rows[np.lexsort((turns, -agreed))]


def _largest_groups(answers: np.ndarray) -> np.ndarray:
    """Return how many models give the most frequent answer to each example; models x examples."""
    ascending = np.sort(answers, axis=0)
    lengths = np.ones(answers.shape[1:], dtype=int)
    longest = lengths.copy()
    for before, row in pairwise(ascending):
        lengths = np.where(row == before, lengths + 1, 1)
        np.maximum(longest, lengths, out=longest)
    return longest


def _missed(row: int, name: str, truth: Labels, answers: Mapping[str, np.ndarray]) -> MissedExample:
    answer = int(truth.values[row])
    wrong = [int(values[row]) for values in answers.values() if values[row] != answer]
    return MissedExample(
        row=row,
        example=name,
        truth=truth.classes[answer],
        predicted=truth.classes[int(np.bincount(wrong).argmax())] if wrong else "",
        right=tuple(model for model, values in answers.items() if values[row] == answer),
    )


def _classes(truth: Labels, decided: Mapping[str, np.ndarray]) -> dict[str, dict[str, float]]:
    labels, rows = np.unique(truth.values, return_inverse=True)
    counts = np.bincount(rows)
    shares = {
        model: np.bincount(rows, weights=(values == truth.values).mean(axis=0)) / counts
        for model, values in decided.items()
    }
    return {
        truth.classes[label]: {model: float(of_model[number]) for model, of_model in shares.items()}
        for number, label in enumerate(labels)
    }


def _confusion(truth: Labels, model: str, rows: np.ndarray) -> Confusion:
    size = len(truth.classes)
    pairs = (truth.values * size + rows).ravel()  # seeds x examples
    distinct, times = np.unique(pairs, return_counts=True)
    counts = times / len(rows)
    wrong = [
        position
        for position in np.argsort(-counts, kind="stable")
        if distinct[position] // size != distinct[position] % size
    ]
    present = np.unique(np.concatenate([distinct // size, distinct % size]))
    matrix = None
    if len(present) <= _MOST_CLASSES:
        full = np.zeros((len(present), len(present)))
        full[np.searchsorted(present, distinct // size), np.searchsorted(present, distinct % size)] = counts
        matrix = tuple(tuple(row) for row in full.tolist())
    return Confusion(
        model=model,
        classes=tuple(truth.classes[label] for label in present),
        counts=matrix,
        most=tuple(
            ConfusedClasses(
                truth.classes[int(distinct[position] // size)],
                truth.classes[int(distinct[position] % size)],
                float(counts[position]),
            )
            for position in wrong[:NAMED]
        ),
    )


def majority_vote(rows: np.ndarray) -> np.ndarray:
    """Return the class that most seeds predict for each example; rows are seeds x examples."""
    if len(rows) == 1:
        return np.asarray(rows[0])
    from scipy import stats

    return np.asarray(stats.mode(rows, axis=0).mode)


def example_names(truth: Labels, names: Sequence[str]) -> Sequence[str]:
    """Return the name of each label; for words, the name of their text and the position in it."""
    if truth.lengths is None:
        return (
            names
            if len(names) == len(truth.values)
            else [f"example {row + 1}" for row in range(len(truth.values))]
        )
    texts = (
        names
        if len(names) == len(truth.lengths)
        else [f"text {row + 1}" for row in range(len(truth.lengths))]
    )
    return [
        f"{text}, word {position + 1}"
        for text, length in zip(texts, truth.lengths, strict=True)
        for position in range(length)
    ]
