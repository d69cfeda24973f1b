"""Labels the files of a store with their job, task, or model on a task."""

from __future__ import annotations

from functools import cached_property

from assay.store.results import Store
from assay.store.rows import key_of_features

_OF_JOBS = {"predictions": "predictions", "probs": "probabilities", "held_out": "held-out predictions"}
_OF_TASKS = {
    "truths": "test labels",
    "lengths": "word counts of test",
    "splits": "names of the examples",
    "examples": "shown examples",
    "hardest": "hardest examples",
    "slices": "slices",
    "contents": "groups of identical examples",
    "held_out_truths": "labels of held-out examples",
}


class Owners:
    """Names what the files of a store belong to."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def of(self, shelf: str, key: str) -> tuple[str, str]:
        """Return the kind of a file's content, and the job, task, or model and task that it belongs to."""
        if shelf in _OF_JOBS:
            return _OF_JOBS[shelf], self._jobs.get(key.partition("-")[0], key)
        if shelf in _OF_TASKS:
            return _OF_TASKS[shelf], self._tasks.get(key.partition("-")[0], key)
        if shelf == "planned":
            return "list of the jobs", "the last run"
        model, task = self.of_features(key)
        return shelf, f"{model} on {task}" if model else key

    def of_features(self, key: str) -> tuple[str, str]:
        """Return the model and task of features; empty if the store does not know them any more."""
        return self._features.get(key.partition("-")[0], ("", ""))

    @cached_property
    def _jobs(self) -> dict[str, str]:
        jobs = (result.job for result in self._store.results())
        named = {job.key: f"{job.method} of {job.model} on {job.task}" for job in jobs}
        return named | {"merged": "merged jobs"}  # in a pack

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
