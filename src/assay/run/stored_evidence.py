"""Reads from a store what a comparison needs: results, predictions, labels and facts."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Sequence
from importlib import metadata

from assay.analysis.evidence import Evidence
from assay.core.limits import NO_LIMITS, Limits
from assay.core.result import Result, Status
from assay.findings.facts import TaskFacts
from assay.plugins.address import Address
from assay.plugins.families import families
from assay.store.results import Store

_PACKAGES = ("model-assay", "numpy", "scipy", "torch", "timm", "torchvision", "transformers")


def evidence_of(
    store: Store,
    results: Sequence[Result],
    tasks: Sequence[TaskFacts],
    *,
    models: Iterable[str] = (),
    limits: Limits = NO_LIMITS,
    seed: int = 0,
) -> Evidence:
    """Return some results on some tasks with their predictions, and what is known of models.

    Args:
        store: Where they are kept.
        results: Which.
        tasks: Those without any of these results are left out.
        models: Those of the study, where some of them may have no result at all.
        limits: What is asked of a model before it is ranked.
        seed: That of the study.
    """
    used = {result.job.task for result in results}
    present = {*models, *(result.job.model for result in results)}
    methods = {result.job.method for result in results}
    return Evidence(
        results=results,
        tasks=[task for task in tasks if task.address in used],
        models=[model for model in store.models() if model.address in present],
        predictions=store.predictions(result.job.key for result in results),
        truths=store.truths(tasks),
        metrics={name: families().metrics.load(name)() for name in families().metrics.names()},
        scores={method for method in methods if _is_score(method, results)},
        settings={"seed": str(seed), **versions()},
        limits=limits,
        names=store.names,
        features=store.features,
        slices=store.slices,
    )


def versions() -> dict[str, str]:
    """Return the versions of what decides the numbers."""
    versions = {"python": platform.python_version(), "machine": platform.machine()}
    for package in _PACKAGES:
        try:
            versions[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return versions


def _is_score(method: str, results: Sequence[Result]) -> bool:
    """Return whether a method is a score; without its plug-in, whether its results have no metrics."""
    if Address.parse(method).name in {*families().scores.names(), *families().protocols.names()}:
        return Address.parse(method).name in families().scores.names()
    finished = [result for result in results if result.job.method == method and result.status is Status.OK]
    return not any(result.metrics for result in finished)
