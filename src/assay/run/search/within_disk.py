"""A scheduler that keeps the weights downloaded by this run within a disk limit."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import final

import numpy as np

from assay.core.catalogue import CatalogueEntry
from assay.environment.hub_client import HubRepository
from assay.plugins.scheduler import Observed, ObservedModel, Pause, Scheduler
from assay.run.evaluation import Evaluation
from assay.run.search.candidates import Candidates
from assay.search.costs import Costs
from assay.search.planner import Planner


@final
class WithinDisk(Scheduler[Evaluation]):
    """Removes weights that this run downloaded before more are downloaded than the limit allows.

    Those of models that were given up or ruled out go first, then those of the least promising ones. What
    was in a cache before the run is never removed, nor what a running evaluation opens.

    Args:
        scheduler: Decides what is evaluated.
        candidates: The models.
        planner: Says how much they promise.
        costs: Is told which models have to be downloaded again.
        most_bytes: The limit.
    """

    def __init__(
        self,
        scheduler: Scheduler[Evaluation],
        candidates: Candidates,
        planner: Planner,
        costs: Costs,
        most_bytes: float,
    ) -> None:
        self._scheduler, self._planner, self._costs = scheduler, planner, costs
        self._entries, self._most_bytes = candidates.entries, most_bytes
        self._models = {str(named): model for model, named in enumerate(candidates.models)}
        places = map(place_of, self._entries)
        self._places = {model: place for model, place in enumerate(places) if place is not None}
        self._before = {place: contents(place) for place in self._places.values()}
        self._used: dict[Path, list[int]] = {}  # places that an evaluation opened, with their models
        self._running: dict[str, Path] = {}  # the place of each worker

    def ask(self, worker: str) -> Evaluation | Pause:
        """Return what the other scheduler gives, once there is room for it."""
        given = self._scheduler.ask(worker)
        self._running.pop(worker, None)
        model = None if isinstance(given, Pause) else self._models.get(str(given.model))
        coming = 0.0
        if model is not None and model in self._places:
            place = self._running[worker] = self._places[model]
            if place not in self._used:
                self._used[place] = [one for one, other in self._places.items() if other == place]
            if not self._new(place) and not self._entries[model].is_local:
                coming = self._entries[model].download_bytes or 0.0
        self._make_room(coming)
        return given

    def tell(self, event: Observed | ObservedModel) -> None:
        """Tell the other scheduler."""
        self._scheduler.tell(event)

    def _make_room(self, coming: float) -> None:
        sizes = {place: sum(map(_size, self._new(place))) for place in self._used}
        taken = sum(sizes.values()) + coming
        if taken <= self._most_bytes:
            return
        promise = np.where(
            self._planner.dropped | self._planner.ruled_out(), -np.inf, self._planner.promise()
        )
        for place in sorted(sizes, key=lambda place: float(promise[self._used[place]].max())):
            if taken > self._most_bytes and sizes[place] and place not in self._running.values():
                self._remove(place)
                taken -= sizes[place]
                for model in self._used[place]:
                    self._costs.remove(model)

    def _new(self, place: Path) -> list[Path]:
        """Return the files of a place that were not there before."""
        return [file for file in contents(place) if file not in self._before[place]]

    def _remove(self, place: Path) -> None:
        """Remove the new files of a place, and restore the refs of the repository."""
        for file in self._new(place):
            with suppress(OSError):  # in use, as on Windows: it is tried again
                file.unlink()
        for file, content in self._before[place].items():
            with suppress(OSError):
                if content is not None and file.read_bytes() != content:
                    file.write_bytes(content)
        for folder in sorted((path for path in place.rglob("*") if path.is_dir()), reverse=True):
            with suppress(OSError):  # it is not empty
                folder.rmdir()
        with suppress(OSError):
            place.rmdir()


def place_of(entry: CatalogueEntry) -> Path | None:
    """Return the folder or file of a cache in which the weights of a model lie once they are downloaded."""
    if entry.repository:
        return HubRepository.parse(entry.repository).cache
    return Path(entry.cache_file) if entry.cache_file else None


def contents(place: Path) -> dict[Path, bytes | None]:
    """Return the files and links of a place, those that name a commit with their content."""
    files: Sequence[Path] = [place] if place.is_file() else list(place.rglob("*"))
    return {
        file: file.read_bytes() if file.parent.name == "refs" and file.is_file() else None
        for file in files
        if file.is_symlink() or file.is_file()
    }


def _size(file: Path) -> int:
    try:
        return 0 if file.is_symlink() else file.stat().st_size
    except OSError:  # another process removed it
        return 0
