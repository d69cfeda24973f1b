"""The models that a search chooses from: known by name and catalogue, read when they are chosen."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import NamedTuple, final

import numpy as np

from assay.core.catalogue import CatalogueEntry
from assay.core.errors import AssayError, UsageError
from assay.core.job import Job
from assay.core.limits import Limits
from assay.core.model import ModelSource
from assay.core.task import Task
from assay.environment.offline import is_offline
from assay.plugins.address import Address
from assay.plugins.patterns import is_pattern, models_of
from assay.plugins.registry import Named
from assay.run.broken_source import checked_models, read_source
from assay.run.catalogue import entry_of
from assay.run.evaluation import Evaluation
from assay.run.plan import Run, job_of, model_address
from assay.run.search.rule import SearchRule
from assay.run.search.stages import PlannedStage
from assay.wording.numbers import disk_space


class NoCandidate(AssayError):
    """A model is left out of the search for the reason that this error says."""


class CandidateModels(NamedTuple):
    """The models that may be tried, and why others may not.

    Attributes:
        models: Each once.
        entries: What is known of them before they are opened.
        left_out: The number of models for each reason.
        notes: Lines about the models of a study that names none.
        zoo: Their names and sizes, as in ``Plan``.
    """

    models: tuple[Named[ModelSource], ...]
    entries: tuple[CatalogueEntry, ...]
    left_out: Counter[str]
    notes: tuple[str, ...] = ()
    zoo: tuple[str, ...] = ()


def choice_of(texts: Iterable[str], limits: Limits, rule: SearchRule) -> CandidateModels:
    """Return the models of addresses and patterns that meet the limits, as far as these can be told now.

    Raises:
        UsageError: A name is unknown, or nothing is left.
    """
    models: dict[str, Named[ModelSource]] = {}
    for text in texts:
        for named in _models(model_address(text)):
            models.setdefault(str(named.address.without_alias()), named)
    if not models:
        raise UsageError("No models. Name at least one, as in --models 'timm:*'.")
    offline = is_offline()
    kept, entries = [], []
    left_out: Counter[str] = Counter()
    for named in models.values():
        entry = entry_of(named)
        refusal = _refusal(entry, limits, rule, offline=offline)
        if refusal:
            left_out[refusal] += 1
            continue
        kept.append(named)
        entries.append(entry)
    if not kept:
        reasons = "; ".join(f"{count:,} {reason}" for reason, count in left_out.most_common())
        raise UsageError(f"No model is left of {len(models):,}: {reasons}. Change that option.")
    return CandidateModels(tuple(kept), tuple(entries), left_out)


def _models(address: Address) -> Iterable[Named[ModelSource]]:
    """Return the models of an address; those of a pattern exist, so they are not checked one by one."""
    return models_of(address) if is_pattern(address) else checked_models(address)


def _refusal(entry: CatalogueEntry, limits: Limits, rule: SearchRule, *, offline: bool) -> str:
    if limits.max_parameters is not None and (entry.parameters or 0) > limits.max_parameters:
        return f"have more than {limits.max_parameters:,.0f} parameters (--max-parameters)"
    if entry.licence and not limits.allows(entry.licence):
        return "have another licence (--licence)"
    return "" if entry.is_local else _refused_download(entry, rule, offline=offline)


def _refused_download(entry: CatalogueEntry, rule: SearchRule, *, offline: bool) -> str:
    if offline:
        return "are not on this machine (--offline)"
    if rule.max_download is not None and entry.download_bytes is None:
        return "download an unknown amount (--max-download)"
    for most, option in ((rule.max_download, "--max-download"), (rule.max_disk, "--max-disk")):
        if most is not None and (entry.download_bytes or 0) > most:
            return f"are larger than {disk_space(most)} ({option})"
    return ""


def sizes_of(entries: Sequence[CatalogueEntry]) -> np.ndarray:
    """Return what the time of each model grows with: multiply-accumulates, or else parameters; NaN."""
    macs = [entry.macs or np.nan for entry in entries]
    parameters = [entry.parameters or np.nan for entry in entries]
    return np.array(macs if np.isfinite(macs).sum() >= len(entries) / 2 else parameters, dtype=float)


def downloads_of(entries: Sequence[CatalogueEntry]) -> np.ndarray:
    """Return the bytes that are downloaded before each model opens."""
    return np.array([0 if entry.is_local else entry.download_bytes or 0 for entry in entries], dtype=float)


def fact_of(entries: Sequence[CatalogueEntry]) -> np.ndarray:
    """Return a number that says how good each model may be: its source accuracy, or else its size; NaN."""
    accuracies = np.array(
        [np.nan if entry.source_accuracy is None else entry.source_accuracy for entry in entries]
    )
    if np.isfinite(accuracies).sum() > 1:
        return accuracies
    return np.array([entry.parameters or np.nan for entry in entries], dtype=float)


@final
class Candidates:
    """Makes the evaluations of a model at a stage, and reads the model when it does so first.

    Args:
        choice: The models.
        tasks: The tasks.
        stages: The stages.
        evaluation: Creates an evaluation from its model, identity, task, jobs and train_rows.
        known: Returns those of some keys whose jobs need not run again.
    """

    def __init__(
        self,
        choice: CandidateModels,
        tasks: Sequence[Task],
        stages: Sequence[PlannedStage],
        evaluation: Callable[..., Evaluation],
        known: Callable[[Iterable[str]], Collection[str]],
    ) -> None:
        self.models = choice.models
        self.entries = choice.entries
        self.tasks = tuple(tasks)
        self.stages = tuple(stages)
        self._evaluation, self._known = evaluation, known
        self._read: dict[int, tuple[Named[ModelSource], str, bool]] = {}
        self._first: dict[tuple[str, str], int] = {}  # the first model of each identity

    def evaluations(self, model: int, stage: int) -> list[Evaluation]:
        """Return the evaluations of a stage, one for each task.

        Raises:
            NoCandidate: It is another's model under another name, or reads something else.
        """
        named, identity, reads = self._named(model)
        if not reads:
            raise NoCandidate("do not read what the tasks consist of")
        planned = self.stages[stage]
        every = []
        for task, rows in zip(self.tasks, planned.rows, strict=True):
            asked = [job_of(named, identity, task, run, train_rows=rows) for run in planned.asked]
            screens = [self._screen(named, identity, task, run, rows) for run in planned.screens]
            methods = (run.method.plugin for run in planned.runs)
            jobs = tuple(zip((*asked, *screens), methods, strict=True))
            every.append(
                self._evaluation(
                    model=named,
                    identity=identity,
                    task=task,
                    jobs=jobs,
                    train_rows=rows,
                    measures_speed=planned.counts,
                )
            )
        return every

    def _screen(
        self, named: Named[ModelSource], identity: str, task: Task, run: Run, rows: int | None
    ) -> Job:
        """Return the job of a screen: the study's own for all of train, else one that reports do not show."""
        if rows is None:
            of_a_study = job_of(named, identity, task, run)
            if self._known({of_a_study.key}):
                return of_a_study
        return job_of(named, identity, task, run, train_rows=len(task.train) if rows is None else rows)

    def called(self, addresses: Iterable[str]) -> list[int]:
        """Return the models with these addresses, regardless of aliases."""
        wanted = {str(Address.parse(address).without_alias()) for address in addresses}
        return [
            model for model, named in enumerate(self.models) if str(named.address.without_alias()) in wanted
        ]

    def _named(self, model: int) -> tuple[Named[ModelSource], str, bool]:
        if model not in self._read:
            named, identity, modality = read_source(self.models[model])
            reads = modality is None or modality in {task.modality for task in self.tasks}
            first = self._first.setdefault((named.address.source, identity), model)
            if first != model:
                raise NoCandidate("are the same model as another")
            self._read[model] = named, identity, reads
        return self._read[model]
