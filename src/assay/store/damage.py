"""Tells which files of a store were damaged or without checksum, by what they belong to."""

from __future__ import annotations

from functools import cached_property

from assay.core.task import SplitName
from assay.store.results import Store
from assay.store.rows import key_of_features
from assay.wording.damage import Damage, damage_sentences, unchecked_sentence

_OF_JOBS = {"predictions": "predictions", "probs": "probabilities", "held_out": "held-out predictions"}
_OF_TASKS = {
    "truths": "test labels",
    "lengths": "word counts of test",
    "splits": "names of the examples",
    "examples": "shown examples",
    "slices": "slices",
    "contents": "groups of identical examples",
}


class Owners:
    """Names what the files of a store belong to."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def of(self, shelf: str, key: str) -> tuple[str, str]:
        """Return what a file holds, and the job, task, or model and task that it belongs to."""
        if shelf in _OF_JOBS:
            return _OF_JOBS[shelf], self._jobs.get(key, key)
        if shelf in _OF_TASKS:
            return _OF_TASKS[shelf], self._tasks.get(key, key)
        model, task = self.of_features(key)
        return shelf, f"{model} on {task}" if model else key

    def of_features(self, key: str) -> tuple[str, str]:
        """Return the model and task of features; empty if neither is in the store any more."""
        return self._features.get(key.partition("-")[0], ("", ""))

    @cached_property
    def _jobs(self) -> dict[str, str]:
        jobs = (result.job for result in self._store.results())
        return {job.key: f"{job.method} of {job.model} on {job.task}" for job in jobs}

    @cached_property
    def _tasks(self) -> dict[str, str]:
        return {facts.fingerprint: facts.address for facts in self._store.tasks()}

    @cached_property
    def _features(self) -> dict[str, tuple[str, str]]:
        return {
            key_of_features(model, fingerprint): (model.address, task)
            for model in self._store.models()
            for fingerprint, task in self._tasks.items()
        }


def warnings_of(store: Store) -> tuple[str, ...]:
    """Return a sentence for each kind of damage that this process met when it read the store."""
    owners, arrays, damages = Owners(store), store.arrays, []
    for name, reason in sorted(arrays.damaged.items()):
        shelf, _, file = name.partition("/")
        key = file.rpartition(".")[0]
        what, of = owners.of(shelf, key)
        is_cached = shelf not in {*_OF_JOBS, *_OF_TASKS}
        split = key.rpartition("-")[2]
        if is_cached and split in set(SplitName):
            of += f" ({split})"
        damages.append(Damage(what, of, reason, arrays.is_mended(name), is_cached))
    sentences = damage_sentences(damages)
    unchecked = arrays.unchecked - arrays.damaged.keys()
    for is_mended in (True, False):
        count = sum(arrays.has_checksum(name) is is_mended for name in unchecked)
        if count:
            sentences = (*sentences, unchecked_sentence(count, is_mended=is_mended))
    return sentences
