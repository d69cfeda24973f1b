"""The families of plug-ins, a registry each: the built-in ones, and those in use with files of the user."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, fields
from pathlib import Path

from assay.core.errors import UsageError
from assay.core.metric import Metric
from assay.core.model import ModelSource
from assay.core.task import TaskSource
from assay.plugins.engine import Engine
from assay.plugins.function_score import score_of_function
from assay.plugins.method import Score
from assay.plugins.protocol import Protocol
from assay.plugins.registry import Registry
from assay.plugins.report import Report


@dataclass(frozen=True, slots=True)
class Families:
    """A registry of each family; a study has its own, so that no other sees its plug-in files."""

    models: Registry[ModelSource]
    tasks: Registry[TaskSource]
    protocols: Registry[Protocol]
    metrics: Registry[Metric]
    reports: Registry[Report]
    engines: Registry[Engine]
    scores: Registry[Score]  # last: a function in a plug-in file is a score where nothing else is defined

    def with_files(self, paths: Iterable[str | Path]) -> Families:
        """Return registries of their own that hold what these files define as well."""
        own = Families(**{field.name: getattr(self, field.name).copy() for field in fields(self)})
        for path in paths:
            own.add_file(path)
        return own

    def add_file(self, path: str | Path) -> None:
        """Add what a Python file defines: a class of any family, or a function that is a score."""
        registries: list[Registry] = [getattr(self, field.name) for field in fields(self)]
        if not any(registry.add_file(Path(path)) for registry in registries):
            raise UsageError(
                f"The plug-in '{path}' defines nothing. Write one public function such as "
                "'def my_score(features, labels): ...', or one class that derives from one such as "
                "MomentScore."
            )


BUILT_IN = Families(
    models=Registry("models", ModelSource, "model source"),
    tasks=Registry("tasks", TaskSource, "task source"),
    protocols=Registry("protocols", Protocol, "protocol"),
    metrics=Registry("metrics", Metric, "metric"),
    reports=Registry("reports", Report, "report"),
    engines=Registry("engines", Engine, "engine"),
    scores=Registry("scores", Score, "score", score_of_function),
)
_IN_USE = ContextVar("families", default=BUILT_IN)


def families() -> Families:
    """Return the registries in use: those of the study that runs, else those built in."""
    return _IN_USE.get()


@contextmanager
def using(own: Families) -> Iterator[None]:
    """Look names up in these registries for as long as the block runs."""
    token = _IN_USE.set(own)
    try:
        yield
    finally:
        _IN_USE.reset(token)
