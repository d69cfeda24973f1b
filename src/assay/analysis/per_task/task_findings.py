"""Computes the findings on one task: standings with intervals, costs, a recommendation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from assay.analysis.pairwise import MOST_STEPPED, Pairwise, compare_pairs
from assay.analysis.per_task.answer_cost import one_answer, right_answers
from assay.analysis.per_task.costs import costs, fronts, may_be_best, reliable, smallest
from assay.analysis.per_task.decision import Rule, choose, regrets
from assay.analysis.per_task.error_analysis import error_analysis
from assay.analysis.per_task.held_out import TRAINING_SETS, HeldOutRows, held_out_draws
from assay.analysis.per_task.index import compatibility_index
from assay.analysis.per_task.intervals import Draws, ExampleDraws, Measured, RightCounts, bootstrap, intervals
from assay.analysis.per_task.significance import (
    examples_to_separate,
    pair_deviations,
    pair_p_values,
    seed_noise,
)
from assay.analysis.per_task.slices import slice_findings
from assay.core.metric import Metric
from assay.core.slices import SliceColumn
from assay.core.task import Labels, TaskKind
from assay.findings.decision import Recommendation
from assay.findings.facts import ModelRow, TaskFacts
from assay.findings.per_task import Cell, NeededExamples, Standing, TaskFindings, pretrained
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
        groups: The number of the content of each test example, if contents repeat.
        held_out: What the score that ranks the models predicted for held-out examples of train; None for
            protocols, and for scores that predict no metric.
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
    groups: np.ndarray | None = None
    held_out: HeldOutRows | None = None


class AnalysedTask(NamedTuple):
    """The findings on one task, and the draws of the index."""

    findings: TaskFindings
    draws: ExampleDraws | None  # of the index; None without predictions or if no model is above chance level


class _Tested(NamedTuple):
    """Tests of the models with stored predictions, in the order of ``models``."""

    models: tuple[str, ...]
    draws: Draws
    pairs: Pairwise
    answer_cost: float  # what one wrong answer costs
    right: RightCounts | None

    @property
    def best(self) -> int:
        """The position of the model with the best value; of equal ones the first."""
        return int(np.argmax(self.pairs.values))


def judge(evidence: TaskEvidence, rows: Mapping[str, ModelRow], rule: Rule, seed: int) -> AnalysedTask:
    """Compute the findings on one task.

    Args:
        evidence: Results and predictions on the task.
        rows: The models by address.
        rule: What the user wants of a decision.
        seed: Seed of the bootstrap and the tests.
    """
    tested = _test(evidence, seed)
    findings = _findings(evidence, tested, rows, rule, seed)
    if tested is not None and evidence.truth is not None and evidence.metric is not None:
        decided = {model: evidence.decided[model] for model in tested.models}
        shown = findings.recommended or tested.models[tested.best]
        errors = error_analysis(evidence.truth, decided, evidence.names, shown, _separable(tested.pairs))
        judged = {model: evidence.predicted[model] for model in findings.by_model if model in decided}
        slices = slice_findings(evidence.slices, evidence.truth, judged, evidence.metric, seed)
        findings = replace(findings, error_analysis=errors, slices=slices)
    return AnalysedTask(findings, _index_draws(findings, tested))


def _findings(
    evidence: TaskEvidence, tested: _Tested | None, rows: Mapping[str, ModelRow], rule: Rule, seed: int
) -> TaskFindings:
    standings = _standings(evidence, tested)
    of_models = costs(evidence.cells, evidence.all_cells, rows)
    is_above_chance = _is_above_chance(evidence, pretrained(standings, rows))
    decision = None
    if is_above_chance is not False:
        priced = reliable(of_models, rows)
        decision = _decide(evidence, pretrained(standings, rows), tested, priced, rule, seed)
    recommended = decision.recommended if decision else None
    shares, counts = _by_class(evidence, recommended)
    has_smallest = evidence.metric is not None and decision is not None
    findings = TaskFindings(
        task=evidence.task,
        measure=_measure(evidence),
        shown_negated=evidence.judge is not None and evidence.judge.shown_negated,
        standings=standings,
        missing=evidence.missing,
        is_above_chance=is_above_chance,
        recommended=recommended,
        because="",
        examples_to_separate=_examples_needed(evidence, pretrained(standings, rows), tested),
        costs=of_models,
        fronts=fronts(standings, of_models, rows),
        smallest=smallest(may_be_best(standings, rows), rows) if has_smallest else None,
        class_accuracy=shares,
        class_counts=counts,
        seed_noise=seed_noise(evidence.cells),
        decision=decision,
    )
    return replace(findings, because=because(findings, rows))


def _decide(
    evidence: TaskEvidence,
    standings: Sequence[Standing],
    tested: _Tested | None,
    of_models: Mapping[str, Mapping[str, float]],
    rule: Rule,
    seed: int,
) -> Recommendation | None:
    """Return the decision between the pretrained models; None without any."""
    if not standings:
        return None
    values = {standing.model: standing.value for standing in standings}
    judge = evidence.judge
    margin = rule.margin_of(evidence.task.floor, lower_is_better=judge is not None and judge.shown_negated)
    draws, answer_cost = _draws_of(evidence, values, tested, seed)
    if draws is None:
        return choose(values, {}, of_models, rule, margin, evidence.method)
    expected, within = regrets(np.array(list(values.values())), draws, margin, seed, answer_cost)
    by_model = {model: float(regret) for model, regret in zip(values, expected, strict=True)}
    decision = choose(values, by_model, of_models, rule, margin, evidence.method)
    shares = {model: float(share) for model, share in zip(values, within, strict=True)}
    return replace(decision, within_margin=shares)


def _draws_of(
    evidence: TaskEvidence, values: Mapping[str, float], tested: _Tested | None, seed: int
) -> tuple[np.ndarray | None, float]:
    """Return bootstrap draws of the values, draws x models, and the cost of a wrong answer; or None."""
    held_out = evidence.held_out
    if held_out is not None and evidence.judge is not None:
        lost = one_answer(evidence.judge, held_out.truth, held_out.groups).lost
        return held_out_draws(held_out, values, evidence.judge, seed), TRAINING_SETS * lost
    if tested is None or not set(values) <= set(tested.models) or not len(tested.draws.values):
        return None, 0.0
    columns = {model: column for column, model in enumerate(tested.models)}
    return tested.draws.values[:, [columns[model] for model in values]], tested.answer_cost


def _measure(evidence: TaskEvidence) -> str:
    if evidence.metric is not None:
        return evidence.metric.measure(evidence.task.metric, evidence.task.classes)
    return f"expected {evidence.cells[0].metric}" if evidence.judge else evidence.method


def _test(evidence: TaskEvidence, seed: int) -> _Tested | None:
    values = {cell.model: cell.value for cell in evidence.cells if cell.value is not None}
    models = tuple(model for model in values if model in evidence.predicted)
    if evidence.metric is None or evidence.truth is None or not models:
        return None
    predicted = tuple(evidence.predicted[model] for model in models)
    measured = Measured(evidence.truth, predicted, evidence.groups)
    draws = bootstrap(measured, evidence.metric, seed)
    p_values = pair_p_values(measured, evidence.metric, draws, seed)
    few = len(models) <= MOST_STEPPED
    answer = one_answer(evidence.metric, evidence.truth, evidence.groups)
    deviations = pair_deviations(measured, evidence.metric, draws, p_values, answer.lost) if few else None
    of_models = np.array([values[model] for model in models], dtype=float)
    pairs = compare_pairs(of_models, p_values, draws.values, seed, deviations)
    return _Tested(models, draws, pairs, answer.lost, right_answers(evidence.metric, answer, of_models))


def _separable(pairs: Pairwise) -> float | None:
    """Return the share of pairs of models that differ significantly; None without pairs."""
    models = len(pairs.values)
    return float(2 * pairs.better.sum() / (models * (models - 1))) if models > 1 else None


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
    ranks = np.sort(-values).searchsorted(-values) + 1
    is_trained = evidence.metric is not None
    columns = {model: column for column, model in enumerate(tested.models)} if tested else {}
    spans = tested.pairs.ranks() if tested else []
    differences = tested.pairs.differences(tested.best) if tested else []
    untested, best = len(values) - len(columns), float(values.max())
    of_best = tested.pairs.p_values[:, tested.best].tolist() if tested else []
    drawn, standings = intervals(tested.draws.values, tested.right) if tested else [], []
    for row, cell in enumerate(evidence.cells):
        value = float(values[row])
        within, difference, p_value, span = (None if is_trained else cell.interval), None, None, None
        if tested is not None and cell.model in columns:
            column = columns[cell.model]
            within, difference = drawn[column], differences[column]
            p_value = of_best[column]
            span = (spans[column][0], spans[column][1] + untested)
        standings.append(
            Standing(
                model=cell.model,
                value=value,
                interval=within,
                index=compatibility_index(value, evidence.task.floor, best) if is_trained else None,
                rank=int(ranks[row]),
                ranks=span,
                p_value=p_value,
                seeds=cell.seeds,
                difference=difference,
            )
        )
    return tuple(sorted(standings, key=lambda standing: (standing.rank, standing.model)))


def _is_above_chance(evidence: TaskEvidence, standings: Sequence[Standing]) -> bool | None:
    if evidence.metric is None or not standings:
        return None
    best = standings[0]
    return (best.value if best.interval is None else best.interval.low) > evidence.task.floor


def _examples_needed(
    evidence: TaskEvidence, standings: Sequence[Standing], tested: _Tested | None
) -> NeededExamples | None:
    if tested is None or evidence.truth is None or len(standings) < 2:
        return None
    first, second = standings[:2]
    if not {first.model, second.model} <= set(tested.models):
        return None
    columns = [tested.models.index(standing.model) for standing in (first, second)]
    if tested.pairs.better[columns[0], columns[1]]:
        return None
    fixed, resampled = (draws[:, columns[0]] - draws[:, columns[1]] for draws in tested.draws)
    deviation = float(np.std(resampled)) if len(resampled) else 0.0
    if deviation <= 0:
        return None
    return examples_to_separate(
        first.value - second.value,
        fixed,
        evidence.truth.examples if evidence.groups is None else int(evidence.groups.max()) + 1,
        float(tested.pairs.reach[columns[0], columns[1]]) / float(np.hypot(deviation, tested.answer_cost)),
    )


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
