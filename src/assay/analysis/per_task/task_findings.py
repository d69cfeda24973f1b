"""Computes the findings on one task: standings with intervals, costs, a recommendation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from scipy import stats

from assay.analysis.per_task.error_analysis import error_analysis
from assay.analysis.per_task.index import compatibility_index
from assay.analysis.per_task.intervals import (
    Draws,
    ExampleDraws,
    Measured,
    bootstrap,
    interval,
    rank_intervals,
    separable,
)
from assay.analysis.per_task.recommendation import cheapest, contenders, costs, fronts, not_worse, smallest
from assay.analysis.per_task.significance import ALPHA, examples_to_separate, p_values_against, seed_noise
from assay.analysis.per_task.slices import slice_findings
from assay.core.metric import Metric
from assay.core.slices import SliceColumn
from assay.core.task import Labels, TaskKind
from assay.findings.facts import ModelRow, TaskFacts
from assay.findings.per_task import Cell, Standing, TaskFindings
from assay.wording.recommendation import because


@dataclass(frozen=True, slots=True)
class TaskEvidence:
    """The inputs of the findings on one task.

    Attributes:
        metric: The main metric; None if the models are ranked by a score.
        judge: The metric of the values in the cells: the main metric, the one a score predicts, or None.
        cells: The cells of the ranking method that have a value, in the order of their models.
        missing: The cells of the ranking method without a value.
        all_cells: The cells of every method on the task.
        predicted: Inputs of the metric by model, seeds x examples (x classes); only models with stored
            predictions.
        decided: Predicted classes or numbers of the same models, seeds x examples.
        names: Names of the test examples, if stored.
        slices: Slices of the test examples.
    """

    task: TaskFacts
    method: str
    metric: Metric | None
    judge: Metric | None
    cells: tuple[Cell, ...]
    missing: tuple[Cell, ...]
    all_cells: tuple[Cell, ...]
    truth: Labels | None
    predicted: Mapping[str, np.ndarray]
    decided: Mapping[str, np.ndarray]
    names: Sequence[str] = ()
    slices: Sequence[SliceColumn] = ()


class Judged(NamedTuple):
    """The findings on one task, and the draws of the index."""

    findings: TaskFindings
    draws: ExampleDraws | None  # of the index; None without predictions or if no model is above chance level


class _Tested(NamedTuple):
    """Tests of the models with stored predictions, in the order of ``models``."""

    models: tuple[str, ...]
    draws: Draws
    p_values: np.ndarray
    best: int  # the position of the best model


def judge(evidence: TaskEvidence, rows: Mapping[str, ModelRow], seed: int) -> Judged:
    """Compute the findings on one task.

    Args:
        evidence: Results and predictions on the task.
        rows: The models by address.
        seed: Seed of the bootstrap and the tests.
    """
    tested = _test(evidence, seed)
    findings = _findings(evidence, tested, rows)
    if tested is not None and evidence.truth is not None and evidence.metric is not None:
        decided = {model: evidence.decided[model] for model in tested.models}
        shown = findings.recommended or tested.models[tested.best]
        share = separable(tested.draws.values)
        errors = error_analysis(evidence.truth, decided, evidence.names, shown, share)
        judged = {model: evidence.predicted[model] for model in findings.by_model if model in decided}
        slices = slice_findings(evidence.slices, evidence.truth, judged, evidence.metric, seed)
        findings = replace(findings, lesson=errors, slices=slices)
    return Judged(findings, _index_draws(findings, tested))


def _findings(evidence: TaskEvidence, tested: _Tested | None, rows: Mapping[str, ModelRow]) -> TaskFindings:
    standings = _standings(evidence, tested)
    recommended = cheapest(contenders(standings, rows), rows) if standings else None
    of_models = costs(evidence.cells, evidence.all_cells, rows)
    shares, counts = _by_class(evidence, recommended)
    findings = TaskFindings(
        task=evidence.task,
        measure=_measure(evidence),
        shown_negated=evidence.judge is not None and evidence.judge.shown_negated,
        standings=standings,
        missing=evidence.missing,
        beats_floor=_beats_floor(evidence, standings),
        recommended=recommended,
        because="",
        examples_to_separate=_examples_needed(evidence, standings, tested),
        costs=of_models,
        fronts=fronts(standings, of_models, rows),
        smallest=None if evidence.metric is None else smallest(not_worse(standings, rows), rows),
        class_accuracy=shares,
        class_counts=counts,
        noise_floor=seed_noise(evidence.cells),
    )
    tied = not_worse(standings, rows)
    cheapest_tied = cheapest(tied, rows) if tied else None
    findings = replace(findings, because=because(findings, rows, cheapest_tied))
    return replace(findings, recommended=None, smallest=None) if findings.beats_floor is False else findings


def _measure(evidence: TaskEvidence) -> str:
    if evidence.metric is not None:
        return evidence.task.metric
    return f"expected {evidence.cells[0].metric}" if evidence.judge else evidence.method


def _test(evidence: TaskEvidence, seed: int) -> _Tested | None:
    values = {cell.model: cell.value for cell in evidence.cells if cell.value is not None}
    models = tuple(model for model in values if model in evidence.predicted)
    if evidence.metric is None or evidence.truth is None or not models:
        return None
    measured = Measured(evidence.truth, tuple(evidence.predicted[model] for model in models))
    draws = bootstrap(measured, evidence.metric, seed)
    best = max(range(len(models)), key=lambda row: (values[models[row]], -row))
    return _Tested(models, draws, p_values_against(best, measured, evidence.metric, draws, seed), best)


def _index_draws(findings: TaskFindings, tested: _Tested | None) -> ExampleDraws | None:
    """Return the draws as indices, with the measured chance level and best value."""
    if tested is None or findings.standings[0].index is None:
        return None
    floor, best = findings.task.floor, findings.standings[0].value
    return ExampleDraws(tested.models, (tested.draws.values - floor) / (best - floor))


def _standings(evidence: TaskEvidence, tested: _Tested | None) -> tuple[Standing, ...]:
    """Return the models with a value, best first; equal values are sorted by name."""
    values = np.array([cell.value for cell in evidence.cells], dtype=float)
    if not len(values):
        return ()
    ranks = stats.rankdata(-values, method="min").astype(int)
    is_trained = evidence.metric is not None
    columns = {model: column for column, model in enumerate(tested.models)} if tested else {}
    noise = seed_noise(evidence.cells) or 0.0
    spans = rank_intervals(_all_draws(evidence, values, tested)) if tested else None
    shares = evidence.metric is not None and evidence.metric.is_mean and bool(evidence.task.classes)
    shares_of = evidence.truth.examples if shares and evidence.truth is not None else None
    standings = []
    for row, cell in enumerate(evidence.cells):
        value, best = float(values[row]), float(values.max())
        within, difference, p_value = (None if is_trained else cell.interval), None, None
        if tested is not None and cell.model in columns:
            drawn = tested.draws.values[:, columns[cell.model]]
            within = interval(drawn, shares_of)
            difference = interval(drawn - tested.draws.values[:, tested.best])
            p_value = float(tested.p_values[columns[cell.model]])
        standings.append(
            Standing(
                model=cell.model,
                value=value,
                interval=within,
                index=compatibility_index(value, evidence.task.floor, best) if is_trained else None,
                rank=int(ranks[row]),
                ranks=spans[row] if spans else (int(ranks[row]), int(ranks[row])),
                p_value=p_value,
                is_tied_best=best - value <= noise or (p_value is not None and p_value >= ALPHA),
                seeds=cell.seeds,
                difference=difference,
            )
        )
    return tuple(sorted(standings, key=lambda standing: (standing.rank, standing.model)))


def _all_draws(evidence: TaskEvidence, values: np.ndarray, tested: _Tested) -> np.ndarray:
    """Return draws x models; a model without predictions keeps its value in every draw."""
    drawn = np.tile(values, (len(tested.draws.values), 1))
    rows = {cell.model: row for row, cell in enumerate(evidence.cells)}
    drawn[:, [rows[model] for model in tested.models]] = tested.draws.values
    return drawn


def _beats_floor(evidence: TaskEvidence, standings: Sequence[Standing]) -> bool | None:
    if evidence.metric is None or not standings:
        return None
    best = standings[0]
    return (best.value if best.interval is None else best.interval.low) > evidence.task.floor


def _examples_needed(
    evidence: TaskEvidence, standings: Sequence[Standing], tested: _Tested | None
) -> int | None:
    if tested is None or evidence.truth is None or len(standings) < 2:
        return None
    first, second = standings[:2]
    if not second.is_tied_best or not {first.model, second.model} <= set(tested.models):
        return None
    draws = dict(zip(tested.models, tested.draws.fixed_seeds.T, strict=True))
    differences = draws[first.model] - draws[second.model]
    tests = len(tested.models) - 1
    return examples_to_separate(first.value - second.value, differences, evidence.truth.examples, tests)


def _by_class(evidence: TaskEvidence, model: str | None) -> tuple[dict[str, float], dict[str, int]]:
    """Return accuracy and number of test examples of each class for one model."""
    if evidence.task.kind is not TaskKind.CLASSIFICATION or evidence.metric is None:
        return {}, {}
    if model is None or evidence.truth is None or model not in evidence.decided:
        return {}, {}
    right = (evidence.decided[model] == evidence.truth.values).mean(axis=0)
    names = evidence.task.classes
    rows = {name: evidence.truth.values == label for label, name in enumerate(names)}
    shares = {name: float(right[chosen].mean()) for name, chosen in rows.items() if chosen.any()}
    return shares, {name: int(rows[name].sum()) for name in shares}
