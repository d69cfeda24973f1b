"""The stored files of each task: names, test labels, slices, examples for display."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

import numpy as np

from assay.core.slices import SliceColumn
from assay.core.task import LabelKind, Labels, SplitName, Task, TaskKind
from assay.findings.facts import ShownExample, TaskFacts
from assay.store.arrays import Arrays
from assay.store.rows import slices_of, slices_written
from assay.store.shown_examples import shown_examples, shown_tests

MOST_KEPT = 48  # of the hardest examples of a task: about 5 kB each


class TaskFiles:
    """Writes and reads the files of tasks; one that is damaged counts as absent."""

    def __init__(self, arrays: Arrays) -> None:
        self._arrays = arrays

    def add(self, task: Task) -> None:
        """Write what is missing or damaged."""
        key, labels = task.fingerprint, task.test.labels
        splits = {name: task.split(name) for name in SplitName}
        counts = {name: len(split) for name, split in splits.items()}
        if {name: len(self.names(key, name)) for name in SplitName} != counts:
            names = {
                str(name): [split.examples.name(row) for row in range(len(split))]
                for name, split in splits.items()
            }
            self._arrays.write_text("splits", key, json.dumps(names, indent=1, ensure_ascii=False))
        if labels.lengths is not None:
            self._keep("lengths", key, labels.lengths)
        self._keep("truths", key, labels.values)
        for name in (SplitName.TRAIN, SplitName.TEST):
            groups = _groups(splits[name].digests)
            if groups is not None:
                self._keep("contents", _contents_key(key, name), groups)
        if self.examples(key) is None:
            few = [asdict(example) for example in shown_examples(task)]
            self._arrays.write_text("examples", key, json.dumps(few, ensure_ascii=False))
        if task.slices:  # merged with the slices of earlier runs; new slices do not invalidate results
            slices = self._slices(key) | slices_written(task.slices)
            self._arrays.write_text("slices", key, json.dumps(slices, ensure_ascii=False))

    def add_hardest(self, task: Task, rows: Iterable[int]) -> None:
        """Keep the examples of test with labels at these positions, and earlier ones while there is room."""
        kept = self.hardest(task.fingerprint)
        wanted = list(dict.fromkeys((*rows, *kept)))[:MOST_KEPT]
        read = shown_tests(task, (row for row in wanted if row not in kept))
        shown = {row: kept.get(row) or read[row] for row in wanted if row in kept or row in read}
        if shown != kept:
            text = json.dumps({row: asdict(example) for row, example in shown.items()}, ensure_ascii=False)
            self._arrays.write_text("hardest", task.fingerprint, text)

    def hardest(self, fingerprint: str) -> dict[int, ShownExample]:
        """Return the kept examples of test by the positions of their labels."""
        return self._arrays.read_json("hardest", fingerprint, _hardest) or {}

    def labels(self, task: TaskFacts) -> Labels | None:
        """Return the test labels of a task."""
        values = self._arrays.read("truths", task.fingerprint)
        lengths = self._arrays.read("lengths", task.fingerprint)
        if values is None or (lengths is None and task.kind is TaskKind.TOKENS):
            return None
        try:
            return _labels(values, lengths, task)
        except (TypeError, ValueError) as error:
            self._arrays.refuse("truths", f"{task.fingerprint}.npy", f"it does not fit the task: {error}")
            return None

    def contents(self, task: TaskFacts, split: SplitName) -> np.ndarray | None:
        """Return the group of identical contents of each example; None if all differ, or if unknown."""
        key = _contents_key(task.fingerprint, split)
        groups = self._arrays.read("contents", key)
        count = task.test_count if split is SplitName.TEST else task.train_count
        if groups is not None and groups.shape != (count,):
            self._arrays.refuse("contents", f"{key}.npy", "it does not fit the task")
            return None
        return groups

    def names(self, fingerprint: str, split: SplitName) -> tuple[str, ...]:
        """Return the names of the examples of a split; empty if they are not stored."""
        return self._arrays.read_json("splits", fingerprint, lambda stored: _names(stored, split)) or ()

    def examples(self, fingerprint: str) -> tuple[ShownExample, ...] | None:
        """Return the examples for display."""
        return self._arrays.read_json("examples", fingerprint, _examples)

    def slices(self, task: TaskFacts) -> tuple[SliceColumn, ...]:
        """Return the slices of a task's test examples."""
        columns = self._slices(task.fingerprint)
        whole = {name: values for name, values in columns.items() if len(values) == task.test_count}
        return slices_of(whole, task.slices)

    def _slices(self, fingerprint: str) -> dict[str, list[str | None]]:
        return self._arrays.read_json("slices", fingerprint, _columns) or {}

    def _keep(self, shelf: str, key: str, array: np.ndarray) -> None:
        stored = self._arrays.read(shelf, key)
        if stored is not None and not np.array_equal(stored, array):  # such as one without checksum
            self._arrays.refuse(shelf, f"{key}.npy", "it does not fit the task")
        if stored is None or not np.array_equal(stored, array):
            self._arrays.write(shelf, key, array)


def _contents_key(fingerprint: str, split: SplitName) -> str:
    """Return the name of the groups of identical examples of train or test; those of test came first."""
    return fingerprint if split is SplitName.TEST else f"{fingerprint}-{split}"


def _groups(digests: np.ndarray | None) -> np.ndarray | None:
    """Return a number for each content, in order of first occurrence; None if all contents differ."""
    if digests is None:
        return None
    _, first, inverse = np.unique(digests, return_index=True, return_inverse=True)
    if len(first) == len(digests):
        return None
    numbers = np.empty(len(first), dtype=np.int64)
    numbers[np.argsort(first)] = np.arange(len(first))
    return np.asarray(numbers[inverse])


def _labels(values: np.ndarray, lengths: np.ndarray | None, task: TaskFacts) -> Labels:
    labels = Labels(task.kind.label_kind, values, task.classes, lengths)
    if labels.examples != task.test_count:
        raise ValueError(f"{labels.examples} labels of {task.test_count} examples")
    most = {LabelKind.CLASSIFICATION: len(task.classes) - 1, LabelKind.MULTILABEL: 1}.get(labels.kind)
    if most is not None and values.size and not 0 <= values.min() <= values.max() <= most:
        raise ValueError("a label is not a class")
    return labels


def _names(stored: Any, split: SplitName) -> tuple[str, ...]:
    return tuple(map(_text, _list(stored[split])))


def _examples(stored: Any) -> tuple[ShownExample, ...]:
    return tuple(map(_example, _list(stored)))


def _hardest(stored: Any) -> dict[int, ShownExample]:
    return {int(row): _example(fields) for row, fields in stored.items()}


def _example(fields: Any) -> ShownExample:
    return ShownExample(**{name: _text(text) for name, text in fields.items()})


def _columns(stored: Any) -> dict[str, list[str | None]]:
    return {
        name: [None if value is None else _text(value) for value in _list(values)]
        for name, values in stored.items()
    }


def _list(stored: Any) -> list[Any]:
    if not isinstance(stored, list):
        raise TypeError
    return stored


def _text(stored: Any) -> str:
    if not isinstance(stored, str):
        raise TypeError
    return stored
