"""All findings of a study: frozen values that a report renders without computing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from assay.findings.across import Across
from assay.findings.agreement import Agreements
from assay.findings.decision import Recommendation
from assay.findings.facts import ModelRow, ShownExample
from assay.findings.frames import Value, columns_of, frames_of, rows_of, rows_of_search, tables_of
from assay.findings.per_task import Cell, TaskFindings
from assay.findings.search import SearchFindings
from assay.findings.short import with_short_names
from assay.findings.similarity import Similarity


@dataclass(frozen=True, slots=True)
class SuiteAverage:
    """The average of each model over a suite, all of whose tasks are in the study.

    Attributes:
        suite: Name of the suite.
        tasks: Number of tasks in the average.
        values: Each model with its average, best first; models without a value on some task are left out.
    """

    suite: str
    title: str
    tasks: int
    values: tuple[tuple[str, float], ...]


@dataclass(frozen=True, slots=True)
class Pending:
    """What the last run of a study has not finished.

    Attributes:
        models: Number of models of the run.
        unfinished: The models with jobs that have no result, each with the tasks of these jobs.
    """

    models: int
    unfinished: Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Comparison:
    """All findings of a study; what costs most, and no table needs, is computed when it is read.

    Attributes:
        ranked_by: The method that ranks the models: a protocol, or a score where nothing was trained.
        is_estimate: Nothing was trained; the ranking is by a score.
        headline: The answer in one or two sentences, for each modality.
        across: The comparison across the tasks of each modality.
        agreement: The agreement of scores and cheaper protocols with each measured outcome.
        averages: Averages over suites whose tasks are all in the study; none for estimates.
        settings: Settings of the study by name: versions, seeds, methods, time.
        similarities: Similarity of tasks and of models, for each modality.
        examples: A few examples of each task for display, by address of the task.
        hardest: The hardest test examples of each task for display, by address of the task and position of
            the label in the test labels.
        warnings: Limits that were applied to unreliable latencies; what was damaged in the store, and what
            became of it.
        decisions: The decision over all tasks of a modality, by modality; none where no model can be
            recommended.
        pending: What the last run has not finished; None if it finished, or is not known.
        search: How a search went; None if every model was run.
        names: The short name of each model and task, by address, as reports show it.
    """

    ranked_by: str
    is_estimate: bool
    headline: Sequence[str]
    tasks: tuple[TaskFindings, ...]
    models: tuple[ModelRow, ...]
    across: Sequence[Across]
    agreement: Sequence[Agreements]
    cells: tuple[Cell, ...]
    settings: Mapping[str, str]
    averages: tuple[SuiteAverage, ...] = ()
    similarities: Sequence[Similarity] = ()
    examples: Mapping[str, tuple[ShownExample, ...]] = field(default_factory=dict)
    hardest: Mapping[str, Mapping[int, ShownExample]] = field(default_factory=dict)
    warnings: Sequence[str] = ()
    decisions: Mapping[str, Recommendation] = field(default_factory=dict)
    pending: Pending | None = None
    search: SearchFindings | None = None
    names: Mapping[str, str] = field(default_factory=dict)

    def columns(self) -> dict[str, type]:
        """Return the columns of ``rows`` in order with their types; any value may be missing."""
        return columns_of(self.cells, self.tasks)

    def rows(self) -> list[dict[str, Value]]:
        """Return one row for each model, task and method, without the columns that have no value.

        After a search, models that did not finish have a row for each task, whose status says how far they
        came.
        """
        rows = rows_of(self.cells, self.tasks, self.models, self.ranked_by)
        if self.search is not None:
            rows += rows_of_search(self.search, self.tasks, self.cells, self.ranked_by)
        return rows

    def frames(self, library: str = "pandas") -> dict[str, Any]:
        """Return the findings as frames of pandas or polars, by name.

        Args:
            library: "pandas" or "polars".

        Returns:
            ``cells`` (one row for each model, task and method), ``standings`` (each model on each task),
            ``slices`` (each model on each slice of a task), ``models``, ``across`` (each model over the tasks
            of a modality), ``agreement`` (each score against each measured outcome).
            Nested fields join both names: ``interval_low``.
        """
        tables = tables_of(self.tasks, self.models, self.across, self.agreement)
        return frames_of(self.rows(), list(self.columns()), tables, library)

    def has_only(self, findings: TaskFindings) -> bool:
        """Return whether a task is the only one of its modality, so that the headline says the same."""
        return sum(other.task.modality == findings.task.modality for other in self.tasks) == 1

    def with_short_names(self, sentence: str) -> str:
        """Return a sentence with the short name of every model and task in it."""
        return with_short_names(sentence, self.names)

    @property
    def answers(self) -> tuple[str, ...]:
        """The headline with short names, as people read it."""
        return tuple(map(self.with_short_names, self.headline))

    def __repr__(self) -> str:
        # the full repr would be pages of numbers and images
        first = f"<Comparison: models={len(self.models)} tasks={len(self.tasks)} ranked by {self.ranked_by}>"
        return "\n".join([first, *self.answers])

    def _repr_html_(self) -> str:
        from assay.findings.notebook import notebook_html

        models = {row.address: row for row in self.models}
        return notebook_html(
            self.answers, self.tasks, models, self.search, self.names, is_estimate=self.is_estimate
        )
