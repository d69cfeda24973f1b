"""Contract tests of task sources: derive from ``TaskContract`` and override the fixture ``address``."""

from __future__ import annotations

import numpy as np
import pytest

from assay.core.task import Example, Modality, Sound, Split, Task, TaskKind, Words
from assay.plugins.address import Address
from assay.plugins.families import families


def load_task(address: str, seed: int = 0) -> Task:
    """Load the task of an address, as a study does."""
    return families().tasks.create_from_source(Address.parse(address)).plugin.load(address, seed)


class TaskContract:
    """The contract tests of task sources."""

    @pytest.fixture
    def address(self) -> str:
        raise NotImplementedError("Override the fixture 'address' with the address of a small task.")

    @pytest.fixture
    def task(self, address: str) -> Task:
        return load_task(address)

    def test_no_split_is_empty(self, task: Task) -> None:
        assert all(len(split) > 0 for split in _splits(task))

    def test_an_example_is_in_one_split_only(self, task: Task) -> None:
        names = [name for split in _splits(task) for name in _names(split)]

        assert len(set(names)) == len(names)

    def test_each_example_has_a_label(self, task: Task) -> None:
        assert [len(split.examples) for split in _splits(task)] == [
            split.labels.examples for split in _splits(task)
        ]

    def test_the_kind_says_what_the_labels_are(self, task: Task) -> None:
        assert {split.labels.kind for split in _splits(task)} == {task.kind.label_kind}
        assert {split.labels.lengths is not None for split in _splits(task)} == {task.kind is TaskKind.TOKENS}

    def test_labels_lie_in_the_classes(self, task: Task) -> None:
        values = np.concatenate([split.labels.values for split in _splits(task)])

        if task.kind is TaskKind.MULTILABEL:
            assert values.shape[1] == len(task.classes)
            assert set(values.ravel().tolist()) <= {0, 1}
            assert values.any(axis=0).all()
        elif task.kind is TaskKind.REGRESSION:
            assert np.isfinite(values).all()
        else:
            assert set(values) == set(range(len(task.classes)))

    def test_classes_are_sorted_and_the_same_in_each_split(self, task: Task) -> None:
        assert list(task.classes) == sorted(set(task.classes))
        assert {split.labels.classes for split in _splits(task)} == {task.classes}

    def test_a_class_that_train_lacks_is_noted(self, task: Task) -> None:
        if task.kind is TaskKind.REGRESSION:
            return
        lacking = _classes(task.test) - _classes(task.train)

        if lacking:
            assert any("in test and not in train" in note for note in task.notes)

    def test_loading_twice_gives_the_same_task(self, address: str, task: Task) -> None:
        again = load_task(address)

        assert again.fingerprint == task.fingerprint
        assert [_names(split) for split in _splits(again)] == [_names(split) for split in _splits(task)]

    def test_reading_twice_gives_the_same_example(self, task: Task) -> None:
        first, second = task.train.examples.read(0), task.train.examples.read(0)

        assert type(first) is type(second)
        assert np.array_equal(_content(first), _content(second))

    def test_examples_are_what_the_modality_says(self, task: Task) -> None:
        example = task.test.examples.read(len(task.test) - 1)

        if task.modality is Modality.IMAGE:
            assert isinstance(example, np.ndarray)
            assert example.dtype == np.uint8
            assert example.ndim == 3
            assert example.shape[2] == 3
        elif task.modality is Modality.AUDIO:
            assert isinstance(example, Sound)
            assert example.samples.dtype == np.float32
            assert example.samples.ndim == 1
        elif task.kind is TaskKind.TOKENS:
            assert isinstance(example, Words)
            assert all(isinstance(word, str) for word in example.words)
        else:
            cells = example if isinstance(example, tuple) else (example,)
            assert all(isinstance(cell, str) for cell in cells)

    def test_each_word_has_a_label(self, task: Task) -> None:
        lengths = task.test.labels.lengths
        if lengths is None:
            return
        examples = [task.test.examples.read(row) for row in range(len(task.test))]

        assert [len(example.words) for example in examples if isinstance(example, Words)] == lengths.tolist()

    def test_the_address_loads_the_task_again(self, address: str, task: Task) -> None:
        assert task.address == address


def _content(example: Example) -> np.ndarray:
    return np.asarray(example.samples if isinstance(example, Sound) else example)


def _splits(task: Task) -> tuple[Split, Split, Split]:
    return task.train, task.val, task.test


def _classes(split: Split) -> set[int]:
    values = split.labels.values
    return set(np.flatnonzero(values.any(axis=0)) if values.ndim == 2 else values)


def _names(split: Split) -> list[str]:
    return [split.examples.name(row) for row in range(len(split))]
