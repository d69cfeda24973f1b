"""Plans a study in shards, which run on machines that need no connection to each other: ``assay plan``."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from assay.core.errors import UsageError
from assay.run.balance import balanced
from assay.run.manifest import FrozenTask, Manifest, PlannedEvaluation, Shard
from assay.run.plan import Plan
from assay.run.predicted_cost import predicted_cost
from assay.run.study import Study
from assay.run.versions import versions
from assay.store.files import make_private
from assay.store.results import open_existing


class PlannedShards(NamedTuple):
    """A study in shards.

    Attributes:
        manifest: What each shard runs; without shards if nothing is left.
        measured: The number of models whose own speed decided the balance; that of others follows from size.
    """

    manifest: Manifest
    measured: int


def plan_shards(
    study: Study, ready: Plan, shards: int, folder: Path, *, retry_failed: bool = False
) -> PlannedShards:
    """Share out the jobs that are left, and write the frozen plan; nothing runs.

    The store of the study learns the tasks and all jobs, so that reports say what is pending.

    Args:
        study: The study.
        ready: Its plan.
        shards: The most shards.
        folder: Where the plan is written.
        retry_failed: Whether failed jobs run again.

    Raises:
        UsageError: The study is a search, or the folder has results that are not merged.
    """
    if study.is_search:
        raise UsageError(
            "A study with a budget is a search, whose next step depends on results: it cannot be planned in "
            "shards. Leave out budget, tolerance and max_models, or search with: assay run --workers 4."
        )
    left = study.begin(ready, retry_failed=retry_failed).evaluations
    with closing(open_existing(Path(study.store))) as store:
        _must_be_merged(folder, store.keys(), study)
        cost = predicted_cost(left, store.results())
    shares = balanced(cost.seconds, [str(each.model) for each in left], shards)
    manifest = Manifest(
        versions=versions(),
        models={str(each.model): each.identity for each in left},
        tasks=tuple(FrozenTask.of(task) for task in ready.tasks),
        shards=tuple(
            Shard(
                sum(cost.seconds[position] for position in share),
                tuple(
                    PlannedEvaluation(
                        str(each.model), each.task.address, tuple(job.key for job, _ in each.jobs)
                    )
                    for each in (left[position] for position in share)
                ),
            )
            for share in shares
        ),
    )
    if manifest.shards:
        make_private(folder)
        manifest.save(folder)
    return PlannedShards(manifest, cost.measured)


def _must_be_merged(folder: Path, known: set[str], study: Study) -> None:
    """Raise ``UsageError`` if shards of an earlier plan have results that the store lacks."""
    for place in stores_in(folder):
        with closing(open_existing(place)) as shard:
            new = len(shard.keys() - known)
        if new:
            raise UsageError(
                f"'{place}' has {new:,} results of an earlier plan that are not in '{study.store}'. Merge "
                f"them first: assay merge {study.store}; or name another folder: --out."
            )


def stores_in(folder: Path) -> list[Path]:
    """Return the stores in a folder, in the order of their names."""
    return sorted(path.parent for path in folder.glob("*/results.sqlite"))
