"""Verifies a store: checksums, rows against their arrays, and a sample of jobs that is run again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence, Set
from contextlib import closing
from pathlib import Path

import numpy as np

from assay.actions.rerun import run_again
from assay.core.errors import NotApplicable
from assay.core.predictor import Predicted
from assay.core.result import Result, Status
from assay.core.task import Labels
from assay.core.text import listing
from assay.findings.verification import Problem, Verification
from assay.plugins.families import families
from assay.store.file_labels import Owners
from assay.store.prediction_files import MOST_PROBS
from assay.store.results import Store, open_existing
from assay.store.rows import key_of_features
from assay.store.verification import database_damage, files_of
from assay.wording.numbers import as_shown

_ROUNDED = 1e-9  # sums of another machine
_SINGLE = 1e-4  # of metrics of probabilities, which are stored in single precision


def verify(root: Path, *, reruns: int = 0, seed: int = 0, device: str = "auto") -> Verification:
    """Verify a store, without changing it.

    Args:
        root: The folder of the store.
        reruns: How many finished jobs are run again, drawn at random, in a store of their own.
        seed: Seed of the draw.
        device: Where they run.

    Raises:
        StoreError: There is no store.
    """
    damage = database_damage(root)
    if damage:
        return Verification(0, 0, 0, 0, (Problem("results.sqlite", damage),))
    with closing(open_existing(root)) as store:
        owners, states = Owners(store), list(files_of(root))
        problems = [
            Problem(" of ".join(owners.of(state.shelf, state.key)), state.damage)
            for state in states
            if state.damage
        ]
        results = store.results(store.keys(), on_subsets=True)
        tasks = store.tasks()
        truths = store.truths(tasks)
        main = {(facts.fingerprint, facts.metric) for facts in tasks}
        damaged = {(state.shelf, state.key) for state in states if state.damage}
        whole = {(state.shelf, state.key) for state in states} - damaged
        finished = [result for result in results if result.status is Status.OK]
        predicted = [result for result in finished if result.metrics]
        judged = [
            result
            for result in predicted
            if result.job.fingerprint in truths and ("predictions", result.job.key) in whole
        ]
        encoded = _encoded(store, predicted)
        problems += [
            Problem(f"test labels of {facts.address}", "they are missing")
            for facts in tasks
            if facts.fingerprint in {result.job.fingerprint for result in predicted} - truths.keys()
            and not {("truths", facts.fingerprint), ("lengths", facts.fingerprint)} & damaged
        ]
        problems += [
            Problem(f"{result.job.method} of {result.job.model} on {result.job.task}", reason)
            for result in results
            if ("predictions", result.job.key) not in damaged
            for reason in _contradictions(store, result, truths, main, damaged)
        ]
        again = run_again(store, _drawn(results, reruns, seed), device)
    return Verification(
        files=len(states),
        unchecked=sum(not state.is_checked for state in states),
        results=len(results),
        judged=len(judged),
        scores=len(finished) - len(predicted),
        valueless=len(results) - len(finished),
        encoded=len(encoded),
        not_kept=len(encoded - {key.partition("-")[0] for shelf, key in whole if shelf == "features"}),
        problems=tuple(problems),
        reruns=tuple(again),
    )


def _encoded(store: Store, results: Sequence[Result]) -> set[str]:
    """Return the keys of the features behind these results."""
    rows = {row.address: row for row in store.models()}
    return {
        key_of_features(rows[model], fingerprint)
        for model, fingerprint in {(result.job.model, result.job.fingerprint) for result in results}
        if model in rows
    }


def _contradictions(
    store: Store,
    result: Result,
    truths: Mapping[str, Labels],
    main: Set[tuple[str, str]],
    damaged: Set[tuple[str, str]],
) -> Iterator[str]:
    """Yield contradictions within a result, or between it and its predictions.

    Args:
        store: Where the result comes from.
        result: A result.
        truths: Test labels by the fingerprint of their task.
        main: The main metrics of each task, with the fingerprint of the task.
        damaged: Shelf and key of each damaged file, which is a problem of its own.
    """
    if result.status is not Status.OK:
        return
    if result.value is None or not np.isfinite(result.value):
        yield f"its value is {result.value}"
    truth = truths.get(result.job.fingerprint)
    if not result.metrics or truth is None:  # a score, or a task whose labels are not stored
        return
    predicted = store.predictions([result.job.key]).get(result.job.key)
    if predicted is None:
        yield "its predictions are missing"
    elif predicted.values.shape != truth.values.shape:
        yield f"it has {predicted.values.shape} predictions of {truth.values.shape} labels"
    else:
        needs = [name for name in _known(result) if families().metrics.load(name).judges_probs]
        is_kept = len(truth.values) * len(truth.classes) <= MOST_PROBS
        if needs and predicted.probs is None and is_kept and ("probs", result.job.key) not in damaged:
            yield f"its probabilities are missing, which its {listing(needs)} came from"
        yield from _other_metrics(result, predicted, truth)
        names = [name for name in result.metrics if (result.job.fingerprint, name) in main]
        if all(result.metrics[name] != result.value for name in names):
            negated = any(families().metrics.load(name).shown_negated for name in names)
            value = as_shown(result.value or 0.0, negated=negated)
            yield f"its value, {value}, is not its {' or '.join(names)}"


def _known(result: Result) -> list[str]:
    return sorted(result.metrics.keys() & set(families().metrics.names()))


def _other_metrics(result: Result, predicted: Predicted, truth: Labels) -> Iterator[str]:
    for name in _known(result):
        metric = families().metrics.load(name)()
        try:
            value = predicted.judged(metric, truth)
        except NotApplicable:  # such as of probabilities that are not stored
            continue
        near = _SINGLE if metric.judges_probs else _ROUNDED
        if not np.isclose(value, result.metrics[name], rtol=near, atol=near):
            both = (result.metrics[name], value)
            stored, own = (as_shown(number, negated=metric.shown_negated) for number in both)
            yield f"its {name} is stored as {stored:.6g}, and its predictions have {own:.6g}"


def _drawn(results: Sequence[Result], count: int, seed: int) -> list[Result]:
    finished = [result for result in results if result.status is Status.OK and result.job.train_rows is None]
    rows = np.random.default_rng(seed).permutation(len(finished))[:count]
    return [finished[row] for row in sorted(rows)]
