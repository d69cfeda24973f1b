"""Merges stores of the same data and versions, such as those of shards: ``assay merge``."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from glob import glob
from pathlib import Path
from typing import NamedTuple

from assay.actions.plan_shards import stores_in
from assay.core.errors import StoreError, UsageError
from assay.findings.comparison import Pending
from assay.findings.facts import TaskFacts
from assay.run.shard import shards_folder
from assay.run.versions import version_differences
from assay.store.last_run import read_jobs, read_pending, read_versions, write_jobs, write_versions
from assay.store.location import require_place
from assay.store.merging import MergedResults, merge_results
from assay.store.results import Store, open_existing


class MergedStore(NamedTuple):
    """What was merged from a store."""

    store: Path
    results: MergedResults


def merge(root: Path, sources: Sequence[str] = ()) -> Iterator[MergedStore]:
    """Copy results of other stores into one, which is created if there is none; again, nothing is copied.

    Each store is merged in one transaction, after all of them were compared.

    Args:
        root: The store that is written.
        sources: Stores, folders that hold stores, or patterns; by default the shards of the store.

    Raises:
        UsageError: Something named is no store.
        StoreError: A store is of other data or versions, or is being written by another process.
    """
    require_place(root)
    places = [place for place in _places(root, sources) if place.resolve() != root.resolve()]
    if not places:
        raise UsageError(f"Nothing to merge into '{root}'. Name other stores, as in '{root}.shards'.")
    held = _MergeCheck(root)
    for place in places:
        held.must_fit(place)
    target = Store(root)
    try:
        with target.writing():
            if held.versions and read_versions(target.arrays) is None:
                write_versions(target.arrays, held.versions)
            if read_jobs(target.arrays) is None:
                write_jobs(target.arrays, held.jobs)
            for place in places:
                with closing(open_existing(place)) as source:
                    yield MergedStore(place, merge_results(target, source))
    finally:
        target.close()


def pending_of_store(root: Path) -> Pending | None:
    """Return which jobs of the last plan or run of a store have no result; None if all have one."""
    with closing(open_existing(root)) as store:
        return read_pending(store.arrays, store.keys())


def _places(root: Path, sources: Sequence[str]) -> list[Path]:
    """Return the stores that are named, each once."""
    if not sources:
        return list(stores_in(shards_folder(root)))
    found: dict[Path, None] = {}
    for text in sources:
        paths = [Path(text)] if Path(text).exists() else [Path(path) for path in sorted(glob(text))]  # noqa: PTH207  # absolute patterns too
        stores = [
            store
            for path in paths
            for store in ([path] if (path / "results.sqlite").exists() else stores_in(path))
        ]
        if not stores:
            raise UsageError(
                f"There is no store in '{text}'. Name a store, a folder of stores, or a pattern."
            )
        found |= dict.fromkeys(stores)
    return list(found)


class _MergeCheck:
    """The data, versions and jobs of the stores that were looked at so far.

    Args:
        root: The store that others are merged into, if it exists.
    """

    def __init__(self, root: Path) -> None:
        self.versions: Mapping[str, str] = {}
        self.jobs: list[tuple[str, str, str]] = []
        self._tasks: dict[tuple[str, str], tuple[Path, TaskFacts]] = {}
        self._of_versions = root
        if (root / "results.sqlite").exists():
            self.must_fit(root)

    def must_fit(self, place: Path) -> None:
        """Raise ``StoreError`` if a store is of other data or versions than one before."""
        with closing(open_existing(place)) as store:
            found, jobs = read_versions(store.arrays) or {}, read_jobs(store.arrays)
            tasks = store.tasks()
            store.models()  # raises what is damaged, before anything is merged
        different = version_differences(found, self.versions) if found and self.versions else ()
        if different:
            raise StoreError(
                f"'{place}' was written with other versions than '{self._of_versions}': "
                f"{'; '.join(different)}. Nothing was merged. Run it again with the same versions, or merge "
                "it into another store."
            )
        if found and not self.versions:
            self.versions, self._of_versions = found, place
        for task in tasks:
            where, known = self._tasks.setdefault((task.address, task.metric), (place, task))
            if known.fingerprint != task.fingerprint:
                raise StoreError(
                    f"'{place}' has other data of '{task.address}' than '{where}': {_counts(task)}, with "
                    f"other contents, labels or splits than {_counts(known)}. Nothing was merged. Run it "
                    "again on the same data, or merge it into another store."
                )
        self.jobs += jobs or []


def _counts(task: TaskFacts) -> str:
    return f"{task.train_count:,} train, {task.val_count:,} val and {task.test_count:,} test examples"
