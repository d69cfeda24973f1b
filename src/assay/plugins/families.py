"""The registries of all plug-in families, built-in or extended with the user's plug-in files."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, fields
from pathlib import Path

from assay.core.errors import UsageError
from assay.core.metric import Metric
from assay.core.model import ModelSource
from assay.core.task_source import TaskSource
from assay.plugins.engine import Engine
from assay.plugins.function_score import score_of_function
from assay.plugins.method import Score
from assay.plugins.protocol import Protocol
from assay.plugins.registry import Registry, incomplete, module_of
from assay.plugins.report import Report


@dataclass(frozen=True, slots=True)
class Families:
    """One registry per family; each study has its own, so its plug-in files do not affect others."""

    models: Registry[ModelSource]
    tasks: Registry[TaskSource]
    protocols: Registry[Protocol]
    metrics: Registry[Metric]
    reports: Registry[Report]
    engines: Registry[Engine]
    scores: Registry[Score]  # last: a function in a plug-in file is a score if the file defines no class

    def with_files(self, paths: Iterable[str | Path]) -> Families:
        """Return copies of the registries, extended with the plug-ins in these files."""
        own = Families(**{field.name: getattr(self, field.name).copy() for field in fields(self)})
        for path in paths:
            own.add_file(path)
        return own

    def add_file(self, path: str | Path) -> None:
        """Add the plug-in of a Python file: a class of any family, or a function used as a score."""
        registries: list[Registry] = [getattr(self, field.name) for field in fields(self)]
        if not any(registry.add_file(Path(path)) for registry in registries):
            module = module_of(Path(path))
            lacking = next(filter(None, (incomplete(module, registry.base) for registry in registries)), "")
            if lacking:
                raise UsageError(f"{lacking}, in '{path}'. Define it.")
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
    """Return the active registries: those of the running study, or the built-in ones."""
    return _IN_USE.get()


@contextmanager
def using(own: Families) -> Iterator[None]:
    """Make these registries active inside the ``with`` block."""
    token = _IN_USE.set(own)
    try:
        yield
    finally:
        _IN_USE.reset(token)
