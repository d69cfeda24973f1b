"""Reads the inputs of a comparison from a store: results, predictions, labels and facts."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import final

from assay.analysis.evidence import Evidence
from assay.core.errors import UsageError
from assay.core.limits import NO_LIMITS, Limits
from assay.core.predictor import Predicted
from assay.core.result import Result, Status
from assay.core.task import Labels
from assay.findings.facts import TaskFacts
from assay.plugins.address import Address
from assay.plugins.families import families
from assay.run.versions import versions
from assay.store.results import Store


def evidence_of(
    store: Store,
    results: Sequence[Result],
    tasks: Sequence[TaskFacts],
    *,
    models: Iterable[str] = (),
    limits: Limits = NO_LIMITS,
    seed: int = 0,
) -> Evidence:
    """Return results with their predictions, tasks and model facts.

    Args:
        store: The store to read from.
        results: The results to include.
        tasks: The tasks; those without any of these results are excluded.
        models: The models of the study, including any without results.
        limits: The limits that a model must meet to be ranked.
        seed: The seed of the study.
    """
    used = {result.job.task for result in results}
    known = families().metrics.names()
    unknown = [task for task in tasks if task.address in used and task.metric not in known]
    if unknown:
        raise UsageError(
            f"The metric '{unknown[0].metric}' of '{unknown[0].address}' is not known here. "
            f"Name its file, as in --plugin {unknown[0].metric}.py."
        )
    present = {*models, *(result.job.model for result in results)}
    truths = store.truths(tasks)
    return Evidence(
        results=results,
        tasks=[task for task in tasks if task.address in used],
        models=[model for model in store.models() if model.address in present],
        predictions=_StoredPredictions(store, results, truths),
        truths=truths,
        metrics={name: families().metrics.load(name)() for name in families().metrics.names()},
        scores=scores_among(results),
        settings={
            **({"date": day} if (day := store.last_day()) else {}),
            "seed": str(seed),
            **versions(shown=True),
        },
        limits=limits,
        names=store.names,
        features=store.features,
        slices=store.slices,
        contents=store.contents,
        held_out=store.held_out,
    )


@final
class _StoredPredictions(Mapping[str, Predicted]):
    """The predictions that fit the test labels, read when they are asked for.

    Those that are missing, or do not fit, are noted.
    """

    def __init__(self, store: Store, results: Sequence[Result], truths: Mapping[str, Labels]) -> None:
        self._store = store
        self._results = {result.job.key: result for result in results}
        self._truths = truths

    def __getitem__(self, key: str) -> Predicted:
        result, arrays = self._results[key], self._store.arrays
        truth = self._truths.get(result.job.fingerprint)
        predicted = self._store.predictions([key], truth).get(key)
        if predicted is None:
            if result.metrics and {f"predictions/{key}.npy", f"probs/{key}.npy"}.isdisjoint(arrays.damaged):
                arrays.refuse("predictions", f"{key}.npy", "the file is missing")
            raise KeyError(key)
        return predicted

    def __iter__(self) -> Iterator[str]:
        return iter(self._results)

    def __len__(self) -> int:
        return len(self._results)


def scores_among(results: Sequence[Result]) -> set[str]:
    """Return the methods of these results that are scores."""
    return {method for method in {result.job.method for result in results} if _is_score(method, results)}


def _is_score(method: str, results: Sequence[Result]) -> bool:
    """Return whether a method is a score; for unknown plug-ins, whether its results have no metrics."""
    if Address.parse(method).name in {*families().scores.names(), *families().protocols.names()}:
        return Address.parse(method).name in families().scores.names()
    finished = [result for result in results if result.job.method == method and result.status is Status.OK]
    return not any(result.metrics for result in finished)
